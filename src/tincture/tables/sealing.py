"""How rows of a table become records: encoded inside the vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.io.frames import to_columns
from tincture.privacy.query import Records, Sealed
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Task
from tincture.spine.sealing import beside, persons


@dataclass(frozen=True, slots=True)
class Sealing:
    """Public settings by which a frame is sealed.

    Parameters
    ----------
    schema : Schema
    encoding : Encoding
        Of the feature columns.
    task : Task
        Whose outcome columns the table holds.
    unit : str, optional
        Column that names the person; by default every record is a unit of its own.
    beside : tuple of str
        Columns that are no feature, kept for `Vault.disclose_labels` alone; absent ones are empty.
    """

    schema: Schema
    encoding: Encoding
    task: Task
    unit: str | None = None
    beside: tuple[str, ...] = ()

    def __call__(self, table: Any) -> Sealed:
        """Encode a pandas or polars frame.

        Raises
        ------
        TableError
            If it disagrees with the schema; never quoting a cell.
        """
        names = [c.name for c in self.encoding.columns]
        values = to_columns(table, self.schema, [*names, *self.task.columns])
        self.task.check(values)
        points = self.encoding.encode(values)
        design = self.encoding.design(points).astype(np.float32)
        outcomes = self.task.outcomes(values)
        return Sealed(
            Records(points.astype(np.float32), design, outcomes),
            persons(table, self.unit, self.schema),
            beside(table, self.beside, self.schema),
        )
