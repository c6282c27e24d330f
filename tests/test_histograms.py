"""What is left of noisy histograms: what is smooth, what stands out, no noise far from everyone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from strategies import amounts
from tincture.arrays import Floats
from tincture.public.columns import Column
from tincture.tables.cells import edges_of
from tincture.tables.histograms import CLEAR, FLOOR, of_amount, of_levels

COLUMNS = {
    "coarse": Column("x", "number", 0.0, 1.0),
    "fine": Column("x", "number", 0.0, 1.0, decimals=6),  # cells at the ends are next to nothing
    "few": Column("x", "integer", 0.0, 9.0),
}
NOISE, TOTAL = 25.0, 2000.0
MANY = 8000.0  # people among whom a tenth is clear of that noise
FEW, LOUD = 422.0, 55.0  # people, and the noise of 24 columns at ε = 1
TRIALS = 40


def shares_of(column: Column, centre: float, spread: float, at_low: float = 0.0) -> Floats:
    """Of a bell cut off at the bounds, some people at the lower one; nobody is missing."""
    edges = edges_of(column)
    bell = np.diff(norm.cdf(edges, centre, spread))
    bell[0] *= 0 if at_low else 1
    shares = (1 - at_low) * bell / bell.sum()
    shares[0] += at_low
    return np.append(shares, 0.0)


def told(column: Column, shares: Floats, noise: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    counts = shares * MANY + noise * rng.standard_normal(len(shares))
    return of_amount(counts, edges_of(column), MANY, noise, may_miss=True)


def off(shares: Floats, truth: Floats, edges: Floats) -> float:
    """How far people must be moved to make one of the other: the mean error of a quantile."""
    return float(np.abs(np.cumsum(shares - truth)[:-1]) @ np.diff(edges))


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("centre", [0.1, 0.4, 0.9])
def test_a_bell_under_noise_is_nearer_to_the_truth_than_its_raw_counts(
    column: Column, centre: float
) -> None:
    # 40 seeded trials with 2000 people and noise of 25 a cell: the same on every machine.
    truth, edges = shares_of(column, centre, 0.12), edges_of(column)
    rng, cleaned, raw = np.random.default_rng(1), [], []
    for _ in range(TRIALS):
        counts = truth * TOTAL + NOISE * rng.standard_normal(len(truth))
        cleaned.append(of_amount(counts, edges, TOTAL, NOISE, may_miss=True))
        positive = np.maximum(counts, 0.0)
        raw.append(positive / positive.sum())
    here, there = (np.mean([off(s, truth, edges) for s in kind]) for kind in (cleaned, raw))
    assert here < 0.7 * there
    far = truth < 1e-4
    if far.any():
        assert np.mean([s[far].sum() for s in cleaned]) < 0.01


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("at_low", [0.3, 0.89])
def test_a_spike_at_a_bound_is_kept(column: Column, at_low: float) -> None:
    truth = shares_of(column, 0.5, 0.12, at_low)
    for seed in range(TRIALS):
        # Noise of 25 in 22 cells of 8000 people is 0.015 of all; 0.05 is over three of that.
        assert told(column, truth, NOISE, seed)[0] == pytest.approx(at_low, abs=0.05)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_exact_counts_come_back_whatever_their_shape(column: Column) -> None:
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 300, len(edges_of(column))).astype(np.float64)
    shares = of_amount(counts, edges_of(column), counts.sum(), 0.0, may_miss=True)
    np.testing.assert_allclose(shares, counts / counts.sum(), atol=FLOOR)


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_two_far_peaks_beyond_noise_are_both_kept(column: Column) -> None:
    truth = (shares_of(column, 0.2, 0.05) + shares_of(column, 0.8, 0.05)) / 2
    for seed in range(TRIALS):
        below = np.cumsum(told(column, truth, NOISE, seed))[len(truth) // 2 - 1]
        assert below == pytest.approx(0.5, abs=0.15)


def test_nobody_is_missing_where_noise_alone_says_so() -> None:
    column = COLUMNS["coarse"]
    counts = TOTAL * shares_of(column, 0.4, 0.1)
    for missing, seen in ((CLEAR * NOISE, False), (CLEAR * NOISE + 1, True), (-50.0, False)):
        counts[-1] = missing
        share = of_amount(counts, edges_of(column), TOTAL, NOISE, may_miss=True)[-1]
        assert share == (missing / TOTAL if seen else 0.0)
        levels = np.array([1500.0, 500.0 - missing, missing])
        assert (of_levels(levels, TOTAL, NOISE, may_miss=True)[-1] > 0) == seen
        assert of_amount(counts, edges_of(column), TOTAL, NOISE, may_miss=False)[-1] == 0
        assert of_levels(levels, TOTAL, NOISE, may_miss=False)[-1] > 0  # there it is a level


def test_few_people_under_loud_noise_are_not_all_put_where_nobody_is() -> None:
    # 400 seeded draws, the same on every machine.
    column = COLUMNS["coarse"]
    truth, edges = shares_of(column, 0.4, 0.08), edges_of(column)
    rng = np.random.default_rng(3)
    drawn = truth * FEW + LOUD * rng.standard_normal((400, len(truth)))
    made = [of_amount(counts, edges, FEW, LOUD, may_miss=False) for counts in drawn]
    lost = [shares[truth < 0.003].sum() > 0.9 for shares in made]
    assert not any(lost)


def test_a_large_share_is_missing_where_noise_makes_it_unlikely_only() -> None:
    # 2000 draws a share: one has a deviation of 0.011 at most, and 0.04 is over three of that.
    rng = np.random.default_rng(4)

    def gappy(share: float) -> float:
        levels = np.array([0.6 * (1 - share), 0.4 * (1 - share), share]) * FEW
        drawn = levels + LOUD * rng.standard_normal((2000, 3))
        return float(np.mean([of_levels(c, FEW, LOUD, may_miss=True)[-1] > 0 for c in drawn]))

    assert gappy(0.0) == pytest.approx(0.05, abs=0.04)
    assert gappy(0.35) == pytest.approx(0.85, abs=0.04)


@given(amounts(), st.floats(0.0, 1e4), st.floats(1.0, 1e6), st.booleans(), st.data())
def test_any_counts_and_noise_give_shares(
    column: Column, noise: float, total: float, may_miss: bool, data: st.DataObject
) -> None:
    edges = edges_of(column)
    counts = data.draw(arrays(np.float64, len(edges), elements=st.floats(-1e6, 1e6)))
    shares = of_amount(counts, edges, total, noise, may_miss=may_miss)
    assert (shares[:-1] > 0).all()
    assert 0 <= shares[-1] < 1
    assert shares.sum() == pytest.approx(1.0)
    again = of_amount(counts, edges, total, noise, may_miss=may_miss)
    np.testing.assert_array_equal(shares, again)  # nothing of it is left to chance
