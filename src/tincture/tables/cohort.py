"""The cohort: people invented from answers already bought, as many as there are real ones.

The condensed rows are few, and chosen; these are many, and drawn. Nothing is asked for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import SettingError
from tincture.public.encoding import Encoding
from tincture.spine.estimator import check_cohort
from tincture.spine.evened import evened
from tincture.spine.job import Invented
from tincture.spine.teaching import Features, Teacher, levelled
from tincture.tables.brief import MAX_PEOPLE, Brief
from tincture.tables.copula import Copula
from tincture.tables.distil import Judge
from tincture.tables.greedy import DRAWS, beneath, most_telling, three_tell
from tincture.tables.products import Crossed
from tincture.tables.twins import matched

LEVELLING = 8000  # people of whom the teacher's level is learned
KINDS = 10  # of people, for each column that a model sees
LEAST_ALIKE, MOST_ALIKE = 2, 8
AT_ONCE = 20_000  # people who are scored together, to save memory


def check_people(cohort: Any, method: str, *, apart: bool = False) -> None:
    """Refuse a number of people that cannot be invented.

    Parameters
    ----------
    cohort : int or None
        None where it is left to the noisy counts.
    method : str
        By which the rows are searched.
    apart : bool
        Whether a cohort is asked for in whom nobody is alike.

    Raises
    ------
    SettingError
    """
    check_cohort(cohort, "people", MAX_PEOPLE)
    if (cohort or apart) and method != "proxy":
        raise SettingError(
            f"The {method} method has no teacher to invent a cohort from; leave out the cohort "
            "(--cohort, --apart), or use the proxy method."
        )


def invent(
    brief: Brief, teacher: Teacher[Features], copula: Copula, n: int, rng: np.random.Generator
) -> Invented:
    """Draw people from the copula, several alike, and their outcomes by the teacher's score."""
    pool = brief.released(copula.draw(LEVELLING, rng), rng)
    teacher = levelled(teacher, pool, brief.task, brief.counts)
    alike = np.arange(n) // size_of(brief, teacher, n)
    points = brief.released(copula.spread(alike[-1] + 1, rng), rng)

    def draw() -> Floats:
        return outcomes_of(points, alike, brief, teacher, rng)

    if three_tell(teacher.basis):
        encoding, chance = brief.encoding, brief.task.chance(teacher.score(pool))
        judge = Judge(brief.task, encoding.design(pool).astype(np.float32), chance)
        design = encoding.design(points)[alike]
        outcomes = most_telling([draw() for _ in range(DRAWS)], design, encoding.numeric, judge)
    else:
        outcomes = draw()
    order = rng.permutation(n)
    return Invented(points[alike][order], outcomes[order])


def size_of(brief: Brief, teacher: Teacher[Features], n: int) -> int:
    """How many of n people are alike in each kind: one if all shall be apart.

    One too where three columns tell together: fewer kinds have more of chance in all columns, and
    a greedy tree's first split must be on one of the three.
    """
    if brief.apart:
        return 1
    if brief.task.name == "amounts":  # whose mean two can have exactly (docs/decisions/0024)
        return LEAST_ALIKE
    if three_tell(teacher.basis):
        return 1
    kinds = KINDS * sum(kind.design_width for kind in brief.encoding.kinds)
    return int(np.clip(n // kinds, LEAST_ALIKE, MOST_ALIKE))


def outcomes_of(
    points: Floats,
    alike: Integers,
    brief: Brief,
    teacher: Teacher[Features],
    rng: np.random.Generator,
) -> Floats:
    """Outcomes of invented people by a levelled teacher, without the scatter of chance.

    Columns that tell together keep theirs alone. A greedy tree finds an exclusive-or only where one
    of its columns seems to tell something by itself, and evened none ever would.

    Parameters
    ----------
    points : ndarray of shape (n_kinds, width)
        Of the people of each kind.
    alike : ndarray of shape (n,)
        Everyone's kind.
    """
    task, counts = brief.task, brief.counts
    values = values_of(points, teacher)
    scores = (values @ teacher.weights.T)[alike]
    outcomes = task.drawn(scores, counts, rng)
    if task.name == "amounts":  # of twins; one alone keeps the amount
        return outcomes if brief.apart else matched(outcomes, task.chance(scores), rng)
    design, deeper = filled(brief.encoding.design(points)), []
    if isinstance(teacher.basis, Crossed):
        deeper = list(beneath(values, teacher.basis))
        own, seen = blocks_of(brief.encoding, teacher.basis)
        values, design = np.delete(values, own, axis=1), np.delete(design, seen, axis=1)
    features = np.concatenate([values[:, :-1], design, *deeper], axis=1)
    return evened(outcomes, scores, features, task, counts, rng, alike=alike)


def blocks_of(encoding: Encoding, basis: Crossed) -> tuple[Integers, Integers]:
    """Functions, and design columns, of each column by itself that stands in a term."""
    ends = np.cumsum([0, *(kind.design_width for kind in encoding.kinds)])
    columns = sorted({column for term in basis.terms for column in term})
    own = [np.arange(basis.blocks[c].start, basis.blocks[c].stop) for c in columns]
    seen = [np.arange(ends[c], ends[c + 1]) for c in columns]
    return np.concatenate(own), np.concatenate(seen)


def values_of(points: Floats, teacher: Teacher[Features]) -> Floats:
    """The teacher's functions of people."""
    blocks = range(0, len(points), AT_ONCE)
    return np.concatenate([teacher.basis.values(points[k : k + AT_ONCE]) for k in blocks])


def filled(design: Floats) -> Floats:
    """With the mean where an amount is missing, or 0 where everyone's is."""
    gone = np.isnan(design)
    known = np.where(gone, 0.0, design)
    usual = known.sum(axis=0) / np.maximum((~gone).sum(axis=0), 1)  # which nobody may have
    return np.asarray(np.where(gone, usual, known))
