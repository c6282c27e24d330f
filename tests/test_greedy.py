"""Greedy trees learn of a cohort what three columns tell together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from helpers import ENCODING, make_teacher
from tincture.arrays import Floats
from tincture.public.tasks import Classification
from tincture.spine.teaching import Teacher
from tincture.tables.cohort import outcomes_of
from tincture.tables.distil import Judge
from tincture.tables.greedy import beneath, most_telling, three_tell
from tincture.tables.products import Crossed

TASK = Classification("died", 2)


def crossed(terms: list[tuple[int, ...]]) -> tuple[Crossed, Floats]:
    """A basis of five columns, of which some tell together, and 2,000 points."""
    rng = np.random.default_rng(0)
    plain = make_teacher(rng)
    points = ENCODING.snap(plain.basis.marginals.place(plain.basis.marginals.draw(2000, rng)))
    return Crossed.fitting(plain.basis, terms, points), points


def test_only_terms_of_three_are_hard_to_find() -> None:
    assert three_tell(crossed([(0, 1), (1, 2, 4)])[0])
    assert not three_tell(crossed([(0, 1), (1, 2)])[0])
    assert not three_tell(make_teacher(np.random.default_rng(0)).basis)


def test_others_tell_nothing_beneath_a_split_on_one_of_three() -> None:
    """What is left along both has a deviation of √(n p(1 − p)) by chance; evened a third at most.

    A tree that parted people by the first of three must find the second, of which alone it is
    told as little; along these two chance is as it was.
    """
    basis, points = crossed([(0, 1, 2)])
    brief: Any = SimpleNamespace(task=TASK, counts=np.array([1000.0, 1000.0]), encoding=ENCODING)
    teacher, apart = Teacher(basis, np.zeros(basis.size)), np.arange(len(points))
    died = [
        outcomes_of(points, apart, brief, teacher, np.random.default_rng(seed))[:, 0]
        for seed in range(20)
    ]
    left, values, blocks = np.array(died) - 0.5, basis.values(points), basis.blocks

    def along(one: int, other: int) -> float:
        first = values[:, blocks[one].start : blocks[one].start + 2]
        pairs = (first[:, :, None] * values[:, None, blocks[other]]).reshape(len(values), -1)
        by_chance = np.maximum(np.linalg.norm(pairs, axis=0) / 2, 1e-9)
        return float(np.median(np.sqrt(np.square(left @ pairs / by_chance).mean(axis=0))))

    assert along(0, 3) < 0.3
    assert along(2, 4) < 0.3
    assert along(0, 1) > 0.5


def test_where_all_columns_tell_together_there_are_no_others() -> None:
    basis, points = crossed([(0, 1, 2), (2, 3, 4)])
    assert list(beneath(basis.values(points), basis)) == []


def test_the_outcomes_that_trees_learn_most_of_are_taken() -> None:
    rng = np.random.default_rng(0)
    design = rng.random((2000, 3))
    chance = np.where(design[:, 0] > 0.5, 0.8, 0.2)
    told = (rng.random(2000) < chance).astype(np.float64)[:, None]
    draws = [rng.permutation(told), told, rng.permutation(told)]
    judge = Judge(TASK, design.astype(np.float32), chance)
    assert most_telling(draws, design, np.ones(3, dtype=bool), judge) is told
