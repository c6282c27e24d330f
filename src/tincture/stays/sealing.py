"""How binned stays become records: encoded inside the vault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.io.frames import to_columns
from tincture.privacy.query import Records, Sealed
from tincture.public.tasks import Task
from tincture.spine.sealing import Sealing
from tincture.stays.layout import Grid, Stays


@dataclass(frozen=True, slots=True)
class StaysSealing(Sealing):
    """By which stays are sealed, their outcomes being of a task; unit and beside lie there too."""

    task: Task

    def __call__(self, stays: Stays) -> Sealed:
        """A record's points are its grid and its static columns.

        Raises
        ------
        TableError
            If the outcomes disagree with the schema; never quoting a cell.
        """
        sealed = self.part(stays)
        self.task.check_together(sealed.records.outcomes)
        return sealed

    def part(self, stays: Stays) -> Sealed:
        """Some of the stays, which need not have each outcome.

        Raises
        ------
        TableError
        """
        values = to_columns(stays.outcomes, self.schema, self.task.columns)
        self.task.check(values)
        outcomes = self.task.outcomes(values)
        points = stays.layout.points(stays.grid, stays.statics(self.schema))
        return self.sealed(records_of(points, outcomes), stays.outcomes)


def records_of(points: Grid, outcomes: Floats) -> Records:
    """Encoded stays, real or invented, as a vault holds them; no model sees a design of theirs."""
    return Records(points, np.zeros((len(points), 0), dtype=np.float32), outcomes)
