"""Invented stays carry the teacher's weights, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from series_helpers import LAYOUT, SCALE
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import Course
from tincture.stays.invent import Manner, invent
from tincture.stays.layout import carried
from tincture.stays.summaries import Summaries

BASIS = Summaries(LAYOUT, replace(SCALE, rate=np.ones(3)))  # recorded in every bin
SELDOM = np.array([0.5, 0.2, 0.1])  # how often each variable is recorded
COURSE = Course(np.zeros((3, 4)), np.ones(3), np.full(3, 0.5), np.ones((3, 4)))


def made(
    heart: float,
    lactate: float,
    age: float = 0.0,
    n: int = 40,
    *,
    ventilated: float = 0.0,
    course: Course = COURSE,
    basis: Summaries = BASIS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid and statics of invented stays, and the class of each."""
    weights = np.zeros(BASIS.size)
    weights[[1, 3, 5, 9]] = heart, lactate, ventilated, age
    rng = np.random.default_rng(0)
    points, outcomes = invent(Teacher(basis, weights), course, n, Manner(), rng)
    return *LAYOUT.parts(points), outcomes[:, 0] > 0


def test_a_channel_of_half_the_weight_varies_twice_as_widely() -> None:
    grid, _, _ = made(1.0, 0.5)
    heart, lactate = grid[:, :, 0].std() / SCALE.sd[0], grid[:, :, 1].std() / SCALE.sd[1]
    assert heart == pytest.approx(Manner().width, rel=0.02)
    assert lactate == pytest.approx(2 * heart, rel=0.02)


def test_where_bounds_leave_no_room_the_contrast_is_less() -> None:
    grid, _, dead = made(1.0, 0.02)  # Lactate would have to be 25 deviations wide
    known = grid[:, :, 1]
    assert known.min() >= 0
    assert known.max() <= 1
    gaps = [grid[dead, -1, v].mean() - grid[~dead, -1, v].mean() for v in (0, 1)]
    widths = [grid[:, :, v].std() for v in (0, 1)]
    assert gaps[1] / widths[1] < 0.5 * gaps[0] / widths[0]


def test_the_difference_between_classes_has_the_sign_of_the_weight_and_grows() -> None:
    grid, statics, dead = made(1.0, -1.0, 1.0)
    gap = grid[dead].mean(axis=0) - grid[~dead].mean(axis=0)
    for variable, side in ((0, 1.0), (1, -1.0)):
        assert gap[-1, variable] * side == pytest.approx(1.8 * 0.5 * SCALE.sd[variable], rel=1e-3)
        assert all(a < b for a, b in pairwise(side * gap[:, variable]))
    assert statics[dead, 0].mean() > statics[~dead, 0].mean()


def test_classes_share_mean_and_deviation_of_the_noise_exactly() -> None:
    grid, _, dead = made(1.0, 0.7)
    for side in (dead, ~dead):
        assert grid[side, 0, 0].mean() == pytest.approx(SCALE.mean[0], abs=1e-6)
    spread = [grid[side, -1, 0].std() for side in (dead, ~dead)]
    assert spread[0] == pytest.approx(spread[1], rel=1e-4)


def test_what_the_teacher_leaves_out_is_never_measured() -> None:
    grid, statics, _ = made(1.0, 0.0)
    assert np.isfinite(grid[:, :, 0]).all()
    assert np.isnan(grid[:, :, 1:]).all()
    assert LAYOUT.statics is not None
    cells = LAYOUT.statics.decode(statics.astype(np.float64))
    assert np.isnan(np.asarray(cells["age"], dtype=float)).all()
    assert (cells["sex"] == -1).all()


def seldom(**weights: Any) -> tuple[np.ndarray, np.ndarray]:
    """Grid of stays recorded as seldom as SELDOM says, and their classes."""
    basis = Summaries(LAYOUT, replace(SCALE, rate=SELDOM))
    late = replace(COURSE, known=np.array([[0.4, 0.9, 0.9, 0.9], [0, 0, 0.5, 0.8], [0.5] * 4]))
    grid, _, dead = made(1.0, 0.5, basis=basis, course=late, **weights)
    return grid, dead


def test_stays_are_recorded_as_often_as_real_ones() -> None:
    # Of 40 stays and 12 bins, to the nearest pair of stays.
    grid, _ = seldom(ventilated=1.0)
    assert np.isfinite(grid).mean(axis=(0, 1)) == pytest.approx(SELDOM, abs=2 / 480)
    grid, _ = seldom()
    assert np.isnan(grid[..., 2]).all()


def test_schedules_are_the_same_in_both_classes_and_differ_between_stays() -> None:
    grid, dead = seldom()
    known = np.isfinite(grid)
    np.testing.assert_array_equal(known[dead], known[~dead])
    assert len(np.unique(known[dead][..., 0], axis=0)) > 10


def test_nothing_is_recorded_before_any_real_stay_knows_it() -> None:
    grid, _ = seldom()
    first = np.isfinite(carried(grid)).mean(axis=0)
    # Lactate is known to nobody until the second of four knots, bins 0 to 3; of those who are seen
    # to have a heart rate at all, 4 of 9 have it at once, to the nearest of 20 pairs.
    assert (first[:4, 1] == 0).all()
    assert first[-1, 1] == 1
    assert first[0, 0] == pytest.approx(4 / 9, abs=0.05)
    assert first[-1, 0] == 1


def test_a_record_tells_the_mean_of_what_it_stands_for() -> None:
    # The same draws in every bin and seldom: until the next record, the mean of the stretch.
    full, _, _ = made(1.0, 0.5)
    few, _, _ = made(1.0, 0.5, basis=Summaries(LAYOUT, replace(SCALE, rate=SELDOM)))
    for stay, values in enumerate(few[..., 0]):
        begins = [*np.flatnonzero(np.isfinite(values)), 12]
        assert begins[0] == 0
        for a, b in pairwise(begins):
            assert values[a] == pytest.approx(full[stay, a:b, 0].mean(), abs=1e-6)
