"""Invented records for an audit of the questions that stays ask."""

from __future__ import annotations

import numpy as np

from tincture.privacy.query import Records
from tincture.stays.job import StaysJob
from tincture.stays.sealing import records_of


def canaries(job: StaysJob, size: int, rng: np.random.Generator) -> Records:
    """Each keeps to one value of each variable from the start, outcomes spread evenly.

    Such stays overlap little: all their time lies in one cell a variable. Static columns are flat
    in their codes.
    """
    layout, task = job.layout, job.task
    grid = np.repeat(rng.random((size, 1, layout.shape[1])), layout.n_bins, axis=1)
    statics = np.zeros((size, 0))
    if layout.statics is not None:
        statics = layout.statics.snap(rng.random((size, layout.n_static)))
    outcomes = task.allot(np.ones(task.n_cells), size, rng)
    points = layout.points(grid.astype(np.float32), statics)
    return records_of(points, outcomes)
