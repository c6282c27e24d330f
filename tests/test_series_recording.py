"""When stays are recorded: how often, and what a record stands for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.stays.layout import carried
from tincture.stays.recording import (
    how_often,
    pooled,
    risen,
    sampled,
    scattered,
    schedule,
    stretches,
    thinned,
)

RNG = np.random.default_rng


def begun(n: int, n_bins: int, seed: int) -> np.ndarray:
    """Bins in which values are known: from a bin on, in some stays never."""
    rng = RNG(seed)
    return rng.integers(0, n_bins + 1, (n, 1, 3)) <= np.arange(n_bins)[:, None]


@given(
    st.integers(1, 30),
    st.integers(1, 24),
    st.floats(0, 1),
    st.sampled_from([1, 2]),
    st.integers(0, 99),
)
def test_as_many_bins_are_recorded_as_asked_for_and_the_first_of_all(
    n: int, n_bins: int, rate: float, alike: int, seed: int
) -> None:
    known = begun(n, n_bins, seed)
    recorded = schedule(known, np.full(3, rate), RNG(seed), alike=alike)
    assert not (recorded & ~known).any()
    total, most = recorded.sum(axis=(0, 1)), known.sum(axis=(0, 1))
    asked = np.minimum(alike * max(1, round(rate * n * n_bins / alike)), most)
    np.testing.assert_array_equal(total, asked)
    # No stay is recorded twice before all that know a value are recorded when they knew it first.
    first = known & (np.cumsum(known, axis=1) == 1)
    late = (first & ~recorded).any(axis=(0, 1))
    assert not (recorded & ~first)[..., late].any()


def test_neighbours_share_a_schedule() -> None:
    known = np.repeat(begun(20, 12, 0), 2, axis=0)
    recorded = schedule(known, np.array([0.05, 0.2, 0.4]), RNG(0), alike=2)
    np.testing.assert_array_equal(recorded[0::2], recorded[1::2])
    alone = schedule(known, np.array([0.05, 0.2, 0.4]), RNG(0))
    assert (alone[0::2] != alone[1::2]).any()


def test_the_share_that_knows_a_value_never_falls() -> None:
    share = risen(np.array([[0.1, 0.5, 0.4, 0.9], [0.3, 0.2, 0.1, 0.3]]), 13)
    np.testing.assert_allclose(share[[0, 4, 8, 12], 0], [0.1, 0.5, 0.5, 0.9])
    np.testing.assert_allclose(share[:, 1], 0.3)
    assert risen(np.ones((2, 4)), 1).shape == (1, 2)


@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 99))
def test_a_record_stands_for_the_mean_or_the_last_value_until_the_next(
    n: int, n_bins: int, seed: int
) -> None:
    grid = RNG(seed).random((n, n_bins, 3))
    recorded = RNG(seed + 1).random(grid.shape) < 0.3
    mean, last = carried(thinned(grid, recorded)), carried(sampled(grid, recorded))
    for i, j in np.ndindex(n, 3):
        begins = [*np.flatnonzero(recorded[i, :, j]), n_bins]
        assert np.isnan(mean[i, : begins[0], j]).all()
        assert np.isnan(last[i, : begins[0], j]).all()
        for a, b in pairwise(begins):
            assert mean[i, a:b, j] == pytest.approx(grid[i, a:b, j].mean())
            assert (last[i, a:b, j] == grid[i, b - 1, j]).all()


def test_pooling_is_an_orthogonal_projection() -> None:
    # So gradients pass through it by pooling them alike.
    rng = RNG(0)
    stretch = stretches(rng.random((5, 12, 4)) < 0.4)
    one, other = rng.standard_normal((2, 5, 12, 4))
    np.testing.assert_allclose(pooled(pooled(one, stretch), stretch), pooled(one, stretch))
    assert (pooled(one, stretch) * other).sum() == pytest.approx(
        (one * pooled(other, stretch)).sum()
    )


@given(st.floats(0.02, 0.9), st.floats(0.1, 1.0))
def test_rates_are_kept_and_some_stays_have_none(rate: float, ever: float) -> None:
    # 4,000 stays: the share of bins has a standard error of 0.008 at most.
    latent = RNG(0).standard_normal((4000, 1))
    bins = how_often(latent, np.array([ever]), np.array([rate]), 24)
    share = np.clip(ever, rate, min(1.0, 24 * rate))
    assert (bins > 0).mean() == pytest.approx(share, abs=0.04)
    assert bins.mean() / 24 == pytest.approx(rate, abs=0.04)
    assert bins.max() <= 24
    order = np.argsort(latent[:, 0])
    assert (np.diff(bins[order, 0]) >= 0).all(), "the larger, the more often"


@given(st.integers(1, 40), st.integers(1, 24), st.integers(0, 99))
def test_as_many_bins_are_scattered_as_asked_for(n: int, n_bins: int, seed: int) -> None:
    rng = RNG(seed)
    wanted = rng.integers(0, n_bins + 1, (n, 3)).astype(float)
    rising = np.sort(rng.random((n_bins, 3)), axis=0)
    recorded = scattered(wanted, rising, rng)
    np.testing.assert_array_equal(recorded.sum(axis=1), wanted)


def test_what_is_recorded_seldom_is_recorded_together() -> None:
    # As blood is drawn for several: alone, two would meet in 4 of 24 · 16 bins.
    recorded = scattered(np.full((2000, 2), 4.0), np.ones((24, 2)), RNG(0))
    assert (recorded[..., 0] & recorded[..., 1])[:, 1:].mean() > 2 * (3 / 23) ** 2
