"""Elementary functions and sums along rows: near enough to numpy's, and blind to their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.kernels import pointwise, rows

RNG = np.random.default_rng(0)
WIDE = RNG.uniform(-708, 709, 20_000)
CASES: dict[str, tuple[Callable[..., np.ndarray], np.ndarray]] = {
    "exp": (pointwise.exp, np.concatenate([WIDE, WIDE / 100, WIDE / 1e6])),
    "log": (pointwise.log, np.exp(np.concatenate([WIDE / 1.01, WIDE / 100, WIDE / 1e6]))),
    "cospi": (pointwise.cospi, RNG.uniform(size=60_000)),
}


def test_exponentials_and_logarithms_are_right_to_two_units_of_the_last_place() -> None:
    for name, theirs in (("exp", np.exp), ("log", np.log)):
        mine, x = CASES[name]
        expected = theirs(x)
        assert (np.abs(mine(x) - expected) <= 2 * np.spacing(np.abs(expected))).all()


def test_cosines_are_right_to_fifteen_digits() -> None:
    mine, x = CASES["cospi"]
    assert np.abs(mine(x) - np.cos(np.pi * x)).max() < 1e-15
    assert mine(np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 0.0, -1.0]


def test_what_is_out_of_range_is_told() -> None:
    x = np.array([-np.inf, -800.0, 0.0, 800.0, np.inf, np.nan])
    np.testing.assert_array_equal(pointwise.exp(x), [0.0, 0.0, 1.0, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(pointwise.log([1.0, np.inf, np.nan]), [0.0, np.nan, np.nan])


@pytest.mark.parametrize("name", CASES)
def test_a_result_does_not_depend_on_its_place(name: str) -> None:
    """Every offset from a vector of eight, every rest of one, strides, and more than one thread."""
    function, x = CASES[name]
    long = np.tile(x, 3)  # of more pieces than one
    whole = function(x)
    np.testing.assert_array_equal(function(long), np.tile(whole, 3))
    for first in range(17):
        for last in (len(x), len(x) - 1, len(x) - 5, first + 1, first + 9, first + 513):
            assert np.array_equal(function(x[first:last]), whole[first:last])
    for part in (slice(None, None, -1), slice(3, None, 7)):
        assert np.array_equal(function(x[part]), whole[part])
    square = x[:6000].reshape(60, 100)
    assert np.array_equal(function(square.T), whole[:6000].reshape(60, 100).T)
    assert np.array_equal(function(np.float64(x[5])), whole[5])


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=6), st.floats(-3.0, 3.0))
def test_interpolation_is_numpys(values: list[float], x: float) -> None:
    edges = np.linspace(-1.0, 2.0, len(values))
    found = pointwise.interpolate(np.array([x]), edges, np.array(values))
    np.testing.assert_allclose(found, np.interp(x, edges, values), atol=1e-12)


def test_products_and_norms_of_rows() -> None:
    some, weights = RNG.normal(size=(5001, 37)), RNG.normal(size=37)
    np.testing.assert_allclose(rows.products(some, weights), some @ weights, atol=1e-12)
    np.testing.assert_allclose(rows.norms(some), np.linalg.norm(some, axis=1), rtol=1e-13)
    by_hand = np.zeros(5001)
    for j in range(37):  # the order that is promised
        by_hand += some[:, j] * weights[j]
    assert np.array_equal(rows.products(some, weights), by_hand)


def test_courses_are_weighted_sums_over_time() -> None:
    z, weights = RNG.normal(size=(2500, 9, 5)), RNG.uniform(size=(9, 3))
    found = rows.courses(z, weights)
    np.testing.assert_allclose(found, np.einsum("ntv,tk->nkv", z, weights), atol=1e-12)
    by_hand = np.zeros((2500, 5))
    for t in range(9):
        by_hand += weights[t, 1] * z[:, t]
    assert np.array_equal(found[:, 1], by_hand)


def test_nothing_comes_of_no_rows() -> None:
    assert pointwise.exp(np.zeros((0, 3))).shape == (0, 3)
    assert rows.products(np.zeros((0, 3)), np.ones(3)).shape == (0,)
    assert rows.norms(np.zeros((0, 3))).shape == (0,)
    assert rows.courses(np.zeros((0, 4, 3)), np.ones((4, 2))).shape == (0, 2, 3)
