"""The cohort: stays as the real ones may be, as many as there are, from answers already bought.

They are irregular and incomplete, with the rates at which real stays are measured. Each has an
outcome by the chance that the teacher gives it, at real prevalence, so that models learn chances.
Nothing is asked for them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tincture.arrays import Floats
from tincture.public.tasks import Task
from tincture.spine.evened import evened
from tincture.spine.job import Invented
from tincture.spine.teaching import Teacher, levelled
from tincture.stays.classical import summarised
from tincture.stays.inputs import channels
from tincture.stays.layout import Grid
from tincture.stays.summaries import Summaries

MAX_COHORT = 20_000  # stays: some gigabytes of events where all is recorded in every bin
LEVELLING = 1000  # stays on which the teacher's level is learned, however few are wanted
AT_ONCE = 500  # drawn together, to save memory
STEPS = 200, 2000  # looks for outcomes to exchange: one a stay, but so many at least and most


def size(counts: Floats, cohort: int | None) -> int:
    """As many stays as were asked for, or were counted."""
    return min(max(round(float(counts.sum())), 1), MAX_COHORT) if cohort is None else cohort


def populate(
    draw: Callable[[int], Grid],
    teacher: Teacher[Summaries],
    task: Task,
    counts: Floats,
    n: int,
    rng: np.random.Generator,
) -> Invented | None:
    """Draw n stays; None of none.

    Parameters
    ----------
    draw : callable
        Makes so many stays, float32 (n, layout.width).
    teacher : Teacher[Summaries]
    task : Task
    counts : ndarray
        Released cell counts of the outcome.
    n : int
    rng : numpy.random.Generator
    """
    if not n:
        return None
    blocks = range(0, max(n, LEVELLING), AT_ONCE)
    points = np.concatenate([draw(AT_ONCE) for _ in blocks])
    basis, weights = teacher.basis, levelled(teacher, points, task, counts).weights
    points = points[:n]
    features = basis.values(points)
    scores = features @ weights
    summaries = summarised(channels(points, basis.layout))
    along = np.concatenate([features[:, :-1], summaries], axis=1)
    steps = int(np.clip(n, *STEPS))
    outcomes = task.drawn(scores, counts, rng)
    outcomes = evened(outcomes, scores, along, task, counts, rng, steps=steps)
    return Invented(points, outcomes)
