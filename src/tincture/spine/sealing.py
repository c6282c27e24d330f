"""What a vault is handed beside the records: whose they are, and columns that no query sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tincture.arrays import Integers
from tincture.io.frames import has_column, labels, person_codes, record_count
from tincture.privacy.query import Labels, Records, Sealed
from tincture.public.schema import Schema


def persons(frame: Any, unit: str | None, schema: Schema) -> Integers | None:
    """Whose each row of a frame is, or None where each is a unit of its own.

    Raises
    ------
    TableError
        If the column is absent or names nobody somewhere.
    """
    return None if unit is None else person_codes(frame, unit, schema.missing_of(unit))


def beside(frame: Any, names: Iterable[str], schema: Schema) -> dict[str, Labels]:
    """Columns that are no feature, such as the hospital; absent ones are empty."""
    found = {}
    for name in names:
        if has_column(frame, name):
            told, codes = labels(frame, name, schema.missing_of(name))
            found[name] = Labels(tuple(told), codes)
        else:
            found[name] = Labels((), np.full(record_count(frame), -1))
    return found


@dataclass(frozen=True, slots=True)
class Sealing:
    """Public settings by which records of rows and of stays are sealed.

    Parameters
    ----------
    schema : Schema
    unit : str, optional
        Column that names the person; by default every record is a unit of its own.
    beside : tuple of str
        Columns that are no feature, kept for `Vault.disclose_labels` alone; absent ones are empty.
    """

    schema: Schema
    unit: str | None = field(default=None, kw_only=True)
    beside: tuple[str, ...] = field(default=(), kw_only=True)

    def sealed(self, records: Records, frame: Any) -> Sealed:
        """Records with what a frame, of a row each, tells of them beside."""
        who = persons(frame, self.unit, self.schema)
        return Sealed(records, who, beside(frame, self.beside, self.schema))
