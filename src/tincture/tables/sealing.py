"""How rows of a table become records: encoded inside the vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.io.frames import to_columns
from tincture.privacy.query import Records, Sealed
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.spine.sealing import Sealing


@dataclass(frozen=True, slots=True)
class TableSealing(Sealing):
    """By which a frame is sealed: the encoding of its features, and the task of its outcomes."""

    encoding: Encoding
    task: Task

    def __call__(self, table: Any) -> Sealed:
        """Encode a pandas or polars frame.

        Raises
        ------
        TableError
            If it disagrees with the schema; never quoting a cell.
        """
        sealed = self.part(table)
        self.task.check_together(sealed.records.outcomes)
        return sealed

    def part(self, table: Any) -> Sealed:
        """Encode a frame of some of the records, which need not have each outcome.

        Raises
        ------
        TableError
        """
        return self.sealed(self.read(table), table)

    def read(self, table: Any) -> Records:
        """Encode a frame of some of the records.

        Raises
        ------
        TableError
        """
        names = [c.name for c in self.encoding.columns]
        values = to_columns(table, self.schema, [*names, *self.task.columns])
        self.task.check(values)
        points, outcomes = self.encoding.encode(values), self.task.outcomes(values)
        return records_of(self.encoding, points, outcomes)


def records_of(encoding: Encoding, points: Floats, outcomes: Floats) -> Records:
    """Encoded rows, real or invented, as a vault holds them."""
    design = encoding.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, outcomes)
