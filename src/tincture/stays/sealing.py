"""How binned stays become records: encoded inside the vault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.io.frames import to_columns
from tincture.privacy.query import Records, Sealed
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.spine.sealing import beside, persons
from tincture.stays.layout import Stays


@dataclass(frozen=True, slots=True)
class Sealing:
    """Public settings by which stays are sealed.

    Parameters
    ----------
    schema : Schema
    task : Classification
    unit : str, optional
        Column of the outcomes that names the person; by default every stay is a unit of its own.
    beside : tuple of str
        Columns of the outcomes that are no feature, kept for `Vault.disclose_labels` alone.
    """

    schema: Schema
    task: Classification
    unit: str | None = None
    beside: tuple[str, ...] = ()

    def __call__(self, stays: Stays) -> Sealed:
        """A record's points are its grid and its static columns.

        Raises
        ------
        TableError
            If the outcomes disagree with the schema; never quoting a cell.
        """
        values = to_columns(stays.outcomes, self.schema, self.task.columns)
        self.task.check(values)
        points = stays.layout.points(stays.grid, stays.statics(self.schema))
        empty = np.zeros((len(stays), 0), dtype=np.float32)
        return Sealed(
            Records(points, empty, self.task.outcomes(values)),
            persons(stays.outcomes, self.unit, self.schema),
            beside(stays.outcomes, self.beside, self.schema),
        )
