"""Prototypes and their copies; imagined stays; channels that can be moved. All without torch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_helpers import LAYOUT, SCALE
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import Course
from tincture.stays.imagined import imagine
from tincture.stays.inputs import channels
from tincture.stays.invent import Manner, invent
from tincture.stays.layout import carried
from tincture.stays.matching.movable import Movable
from tincture.stays.prototypes import COPIES, Draft, n_prototypes
from tincture.stays.summaries import Summaries

BASIS = Summaries(LAYOUT, SCALE)
KNOWN = np.array([[1.0, 1.0, 1.0, 1.0], [0.2, 0.4, 0.6, 0.8], [0.5, 0.5, 0.5, 0.5]])
COURSE = Course(np.zeros((3, 4)), np.ones(3), np.full(3, 0.5), KNOWN)
RNG = np.random.default_rng


def prototypes(n: int = 8) -> tuple[np.ndarray, np.ndarray]:
    weights = np.zeros(BASIS.size)
    weights[[1, 3, 9]] = 1.0, 0.5, 0.4
    return invent(Teacher(BASIS, weights), COURSE, n, Manner(), RNG(0))


@given(st.integers(4, 2000))
def test_copies_are_spread_evenly_and_most_have_the_outcome_of_their_prototype(n: int) -> None:
    many = n_prototypes(n)
    sides = (np.arange(many) % 2)[:, None].astype(float)
    draft = Draft.of(np.zeros((many, 1), np.float32), sides, n)
    copies = np.bincount(draft.owner, minlength=many)
    assert copies.sum() == n
    assert copies.max() - copies.min() <= 1
    assert 0.35 < draft.outcomes.mean() < 0.65
    alike = draft.outcomes[:, 0] == sides[draft.owner, 0]
    others = np.bincount(draft.owner, weights=~alike, minlength=many)
    assert (others == (copies > 2)).all()
    assert copies.max() == 1 or copies.min() > 2, "one that is pure would be told by its noise"


def test_eighty_stays_are_ten_prototypes_and_twenty_are_each_one_of_its_own() -> None:
    assert n_prototypes(80) == 10 == 80 // COPIES
    assert n_prototypes(200) == 24
    assert n_prototypes(40) == 10
    assert n_prototypes(20) == 20


def test_imagined_stays_have_the_summaries_that_were_asked_for() -> None:
    rng = RNG(1)
    mixing = 0.5 * rng.standard_normal((BASIS.size - 1, BASIS.size - 1))
    wanted = mixing @ mixing.T + np.eye(BASIS.size - 1)
    scale = np.sqrt(np.diag(wanted))
    wanted /= np.outer(scale, scale)
    wanted[[0, 1], [1, 0]] = 0.8
    wanted[[2, 3], [3, 2]] = 0.8
    products = np.eye(BASIS.size)
    products[:-1, :-1] = wanted
    certain = Course(np.zeros((3, 4)), np.ones(3), np.full(3, 0.5), np.ones((3, 4)))
    flat = np.linspace(0, 1, 33)
    bell = np.exp(-0.5 * ((flat[:-1] + 1 / 64 - 0.5) / 0.1) ** 2)
    normal = Summaries(LAYOUT, SCALE.__class__(**{**vars(SCALE), "cells": np.tile(bell, (3, 1))}))
    grid, _ = LAYOUT.parts(imagine(normal, certain, products, 4000, rng))
    last = carried(grid)[:, -1]
    known = np.isfinite(last[:, :2]).all(axis=1)
    assert known.mean() > 0.99, "recorded 2.4 times a stay and more, first of all at once"
    found = np.corrcoef(last[known, 0], last[known, 1])[0, 1]
    assert found == pytest.approx(wanted[1, 3], abs=0.06)
    assert np.nanstd(grid[..., 0]) == pytest.approx(0.1, abs=0.01)


def test_imagined_values_lie_where_the_cells_say_and_are_known_as_often() -> None:
    cells = np.zeros((3, 32))
    cells[0, [3, 20]] = 0.7, 0.3
    cells[1:] = 1 / 32
    basis = Summaries(LAYOUT, SCALE.__class__(**{**vars(SCALE), "cells": cells}))
    grid, statics = LAYOUT.parts(imagine(basis, COURSE, None, 3000, RNG(2)))
    recorded, held = np.isfinite(grid).mean(axis=(0, 1)), carried(grid)
    assert recorded == pytest.approx(SCALE.rate, abs=0.01)
    heart = held[..., 0]
    in_first = (heart >= 3 / 32) & (heart <= 4 / 32)
    in_second = (heart >= 20 / 32) & (heart <= 21 / 32)
    # 3,000 stays of 12 related bins: 0.7 within 4 standard errors of some 0.008
    assert in_first.mean() == pytest.approx(0.7, abs=0.035)
    assert (in_first | in_second).mean() > 0.999
    known = np.isfinite(held).mean(axis=0)
    assert known[0, 1] == pytest.approx(0.2, abs=0.03)
    assert known[-1, 1] == pytest.approx(COURSE.ever[1], abs=0.03)
    assert known[:, 2] == pytest.approx(np.full(12, 0.5), abs=0.04)
    first = np.isfinite(held[..., 1])
    assert (first[:, 1:] >= first[:, :-1]).all(), "what is known once stays known"
    assert statics[:, 2:].sum(axis=1) == pytest.approx(1.0)


def test_stays_that_are_not_moved_are_written_as_they_were() -> None:
    points, _ = prototypes()
    table = Movable.of(LAYOUT, points)
    # Heart, lactate, whether each is recorded, age; not what is absent.
    assert table.is_free.tolist() == [True, True, False, False, True]
    assert table.is_static.tolist() == [False, False, False, False, True]
    np.testing.assert_allclose(table.written(points), points, atol=2e-3)
    np.testing.assert_allclose(table.units(channels(points, LAYOUT)), table.values, atol=1e-5)


def test_moves_end_at_the_public_bounds_and_touch_nothing_else() -> None:
    points, _ = prototypes()
    table = Movable.of(LAYOUT, points)
    push = np.array([1e6, -1e6, 1e6, -1e6, 0.0])
    far = table.moved(table.values + push).written(points)
    before, after = LAYOUT.parts(points), LAYOUT.parts(far)
    np.testing.assert_array_equal(np.isnan(after[0]), np.isnan(before[0]))
    np.testing.assert_allclose(after[0][..., 0][np.isfinite(after[0][..., 0])], 1.0)
    np.testing.assert_allclose(after[0][..., 1][np.isfinite(after[0][..., 1])], 0.0, atol=1e-6)
    assert np.isnan(after[0][..., 2]).all()
    np.testing.assert_array_equal(after[1][:, 2:], before[1][:, 2:])


def test_what_one_record_stands_for_moves_together() -> None:
    points, _ = prototypes()
    table = Movable.of(LAYOUT, points)
    moved = table.moved(table.values + RNG(3).standard_normal(table.values.shape))
    again = Movable.of(LAYOUT, moved.written(points))
    np.testing.assert_array_equal(again.stretch, table.stretch)
    for values, stretch in zip(moved.values[..., 1], table.stretch[..., 1], strict=True):
        for number in range(1, stretch.max() + 1):
            assert len(np.unique(values[stretch == number])) == 1
    known = np.isfinite(moved.values)
    np.testing.assert_array_equal(known, np.isfinite(table.values))
    raw = moved.values * table.standard.sd[table.standard.kept]
    told = again.values * again.standard.sd[again.standard.kept]
    shift = again.standard.mean[again.standard.kept] - table.standard.mean[table.standard.kept]
    np.testing.assert_allclose((told + shift)[known], raw[known], atol=0.2)
