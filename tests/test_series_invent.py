"""Invented stays carry the teacher's weights, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from series_helpers import LAYOUT, SCALE
from tincture.series.embeddings import Course
from tincture.series.invent import Manner, invent
from tincture.series.summaries import Linear, Summaries

BASIS = Summaries(LAYOUT, SCALE)
COURSE = Course(np.zeros((3, 4)), np.ones(3), np.full(3, 0.5), np.ones((3, 4)))


def made(
    heart: float, lactate: float, age: float = 0.0, n: int = 40, **changes: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grid and statics of invented stays, and the class of each."""
    weights = np.zeros(BASIS.size)
    weights[[1, 3, 6]] = heart, lactate, age
    rng = np.random.default_rng(0)
    points, outcomes = invent(Linear(BASIS, weights), COURSE, n, Manner(**changes), rng)
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
