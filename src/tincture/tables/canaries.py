"""Invented records for an audit of the questions that rows ask."""

from __future__ import annotations

import numpy as np

from tincture.privacy.query import Records
from tincture.tables.job import TableJob
from tincture.tables.marginals import Marginals
from tincture.tables.sealing import records_of


def canaries(job: TableJob, size: int, rng: np.random.Generator) -> Records:
    """Spread evenly over what the schema allows, outcomes too."""
    encoding, task = job.encoding, job.task
    flat = Marginals.flat(encoding)
    points = encoding.snap(flat.place(flat.draw(size, rng)))
    outcomes = task.allot(np.ones(task.n_cells), size, rng)
    return records_of(encoding, points, outcomes)
