"""The cohort: stays drawn as the condensed ones are before networks see them, only many.

Half of each class, with the same exaggerated contrast. Nothing is asked for them.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.spine.job import Invented
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import Course
from tincture.stays.invent import Manner, invent
from tincture.stays.summaries import Summaries

MAX_COHORT = 20_000  # stays: some gigabytes of events where all is recorded in every bin
AT_ONCE = 500  # drawn together, whole, to save memory; so a cohort is the start of a longer one


def size(counts: Floats, cohort: int | None) -> int:
    """As many stays as were asked for, or were counted."""
    return min(max(round(float(counts.sum())), 1), MAX_COHORT) if cohort is None else cohort


def populate(
    teacher: Teacher[Summaries], course: Course, n: int, rng: np.random.Generator
) -> Invented | None:
    """Draw n stays; None of none."""
    if not n:
        return None
    drawn = [invent(teacher, course, AT_ONCE, Manner(), rng) for _ in range(-(-n // AT_ONCE))]
    points, outcomes = (np.concatenate(part)[:n] for part in zip(*drawn, strict=True))
    return Invented(points, outcomes)
