"""Survival forests and Cox boosting against the libraries they are faithful to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from odd_tables import degenerate, lifetimes
from scipy.stats import spearmanr

from helpers import kernel_threads
from tincture.arrays import Floats, Integers, Mask
from tincture.errors import ModelError
from tincture.kernels import boosting_cox, survival_forest

Drawn = tuple[Floats, Floats, Mask]  # columns, times, which of them are events


def _data(
    seed: int,
    r: int = 12,
    m: int = 100,
    p: int = 20,
    b: int = 600,
    ties: bool = False,
    shown: float = 0.6,
) -> tuple[Drawn, Drawn]:
    """Draw tables and records whose hazard depends on a few columns."""
    rng = np.random.default_rng(seed)
    weights = 0.7 * rng.normal(size=p) * (np.arange(p) < 6)

    def draw(shape: tuple[int, ...]) -> Drawn:
        x = rng.normal(size=(*shape, p))
        x[..., p // 2 :] = np.round(x[..., p // 2 :])
        time = rng.exponential(size=shape) * np.exp(-x @ weights)
        return x, (np.ceil(4 * time) if ties else time), rng.random(shape) < shown

    return draw((r, m)), draw((b,))


def _concordance(risk: Floats, time: Floats, event: Mask) -> float:
    """Harrell's C-index by the pairs whose order is known."""
    earlier = (time[:, None] < time[None, :]) & event[:, None]
    gap = risk[:, None] - risk[None, :]
    return float(((gap > 0) + 0.5 * (gap == 0))[earlier].mean())


# ---------------------------------------------------------------- survival forest


@pytest.mark.parametrize("ties", [False, True])
def test_forest_is_as_good_as_sksurvs(ties: bool) -> None:
    ensemble = pytest.importorskip("sksurv.ensemble")
    util = pytest.importorskip("sksurv.util")
    (tables, times, events), (records, time, event) = _data(0, r=30, ties=ties)
    got = survival_forest.fit(tables, times, events, seed=1).predict(records)
    ours, theirs, agreement = [], [], []
    for r, table in enumerate(tables):
        model = ensemble.RandomSurvivalForest(100, max_features="sqrt", random_state=r, n_jobs=1)
        risk = model.fit(table, util.Surv.from_arrays(events[r], times[r])).predict(records)
        ours.append(_concordance(got[r], time, event))
        theirs.append(_concordance(risk, time, event))
        assert abs(got[r].mean() / risk.mean() - 1.0) < 0.1
        agreement.append(spearmanr(got[r], risk)[0])
    assert np.mean(agreement) > 0.8
    assert abs(np.mean(ours) - np.mean(theirs)) <= 0.01


def _mortality(time: Floats, event: Mask, weight: Integers, event_times: Floats) -> float:
    """Nelson-Aalen cumulative hazard summed over the event times of the whole table."""
    steps = []
    for u in event_times:
        deaths = (weight * event)[time == u].sum()
        steps.append(deaths / weight[time >= u].sum() if deaths else 0.0)
    return float(np.cumsum(steps).sum())


def test_an_unsplit_tree_is_the_nelson_aalen_estimate() -> None:
    (tables, times, events), _ = _data(1, r=1, m=50, ties=True)
    fit = survival_forest.fit(tables, times, events, n_trees=400, min_samples_split=1000)
    got = fit.predict(tables[0])[0]
    assert np.ptp(got) == 0.0
    event_times = np.unique(times[0][events[0]])
    rng = np.random.default_rng(0)
    draws = [
        _mortality(times[0], events[0], rng.multinomial(50, np.full(50, 0.02)), event_times)
        for _ in range(400)
    ]
    assert abs(got[0] - np.mean(draws)) < 5.0 * np.std(draws) / 20.0


def test_a_tree_splits_where_the_log_rank_statistic_is_largest() -> None:
    lifelines = pytest.importorskip("lifelines.statistics")
    (tables, times, events), _ = _data(2, r=5, m=40, p=1, ties=True)
    fit = survival_forest.fit(tables, times, events, n_trees=1, seed=5)
    for r in range(5):
        n = fit.nodes.start[r, 1]
        drawn = _drawn_rows(times[r], 5)
        x, time, event = tables[r, drawn, 0], times[r, drawn], events[r, drawn]
        best, where = 0.0, None
        for cut in np.unique(x)[:-1]:
            left = x <= cut
            if min(len(set(drawn[left])), len(set(drawn[~left]))) < 3:
                continue
            test = lifelines.logrank_test(time[left], time[~left], event[left], event[~left])
            if test.test_statistic > best + 1e-9:
                best, where = test.test_statistic, cut
        assert n >= 3
        above = np.unique(x)[np.unique(x) > where][0]
        assert where <= fit.nodes.threshold[r, 0] < above


def _drawn_rows(time: Floats, seed: int) -> Integers:
    """Repeat the kernel's bootstrap of its first tree: rows in order of time, with repeats."""
    from tincture.kernels.draws import draw, mix

    @numba.njit()
    def rows(m: int, seed: np.uint64) -> Integers:
        key = mix(seed, 0)
        out = np.empty(m, np.int64)
        for i in range(m):
            out[i] = draw(key, i, m)
        return out

    order = np.argsort(time, kind="stable")
    drawn: Integers = order[rows(time.size, np.uint64(seed))]
    return drawn


def test_of_equal_splits_the_column_drawn_first_wins() -> None:
    """Rounding decides nothing, though columns that run the other way add up another way."""
    (tables, times, events), _ = _data(13, r=20, m=60, p=1)
    same = np.concatenate([tables, -tables, tables, -tables], axis=2)
    for seed in range(5):
        fit = survival_forest.fit(same, times, events, n_trees=1, seed=seed)
        assert np.all(fit.nodes.feature[:, 0] == _first_column(60, 4, seed))


def _first_column(m: int, p: int, seed: int) -> int:
    """The column that the kernel draws first at the root of its first tree."""
    from tincture.kernels.draws import draw, mix

    @numba.njit()
    def column(m: int, p: int, seed: np.uint64) -> int:
        return int(draw(mix(mix(mix(seed, 0), m), 0), 0, p))

    return int(column(m, p, np.uint64(seed)))


def test_forest_respects_least_sizes_and_seed() -> None:
    (tables, times, events), (records, _, _) = _data(3, r=2)
    small = survival_forest.fit(tables, times, events, n_trees=5)
    large = survival_forest.fit(tables, times, events, n_trees=5, min_samples_leaf=20)
    assert np.all(large.nodes.start[:, -1] < small.nodes.start[:, -1] / 2)
    again = survival_forest.fit(tables, times, events, n_trees=5)
    other = survival_forest.fit(tables, times, events, n_trees=5, seed=1)
    assert np.array_equal(small.predict(records), again.predict(records))
    assert not np.array_equal(small.predict(records), other.predict(records))


# ---------------------------------------------------------------- Cox boosting


def _xgboost(table: Floats, time: Floats, event: Mask, records: Floats, **options: Any) -> Floats:
    xgboost = pytest.importorskip("xgboost")
    defaults = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1}
    model = xgboost.XGBRegressor(
        objective="survival:cox", tree_method="exact", n_jobs=1, **(defaults | options)
    )
    risk: Floats = model.fit(table, np.where(event, time, -time)).predict(records)
    return np.log(risk)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shown", [0.1, 0.6, 1.0])
def test_boosting_agrees_with_xgboost(ties: bool, shown: float) -> None:
    (tables, times, events), (records, _, _) = _data(4, r=6, ties=ties, shown=shown)
    got = boosting_cox.fit(tables, times, events).predict(records)
    for r in range(len(tables)):
        want = _xgboost(tables[r], times[r], events[r], records)
        assert spearmanr(got[r], want)[0] >= 0.98
        assert np.median(np.abs(got[r] - want)) < 0.2


@pytest.mark.parametrize(
    "options",
    [
        {"max_depth": 1},
        {"reg_lambda": 10.0},
        {"min_child_weight": 5.0},
        {"learning_rate": 0.3, "n_estimators": 20},
    ],
)
def test_boosting_agrees_with_xgboost_on_parameters(options: dict[str, Any]) -> None:
    (tables, times, events), (records, _, _) = _data(5, r=4)
    got = boosting_cox.fit(tables, times, events, **options).predict(records)
    for r in range(len(tables)):
        want = _xgboost(tables[r], times[r], events[r], records, **options)
        assert spearmanr(got[r], want)[0] >= 0.98


def test_first_rounds_of_boosting_equal_xgboosts() -> None:
    (tables, times, events), (records, _, _) = _data(6, r=8, ties=True)
    got = boosting_cox.fit(tables, times, events, n_estimators=3).predict(records)
    gaps = [
        np.abs(got[r] - _xgboost(tables[r], times[r], events[r], records, n_estimators=3)).max()
        for r in range(len(tables))
    ]
    assert np.median(gaps) < 1e-5


# ---------------------------------------------------------------- both


Fit = Callable[..., Any]
FITS: list[Fit] = [survival_forest.fit, boosting_cox.fit]


@pytest.mark.parametrize("fit", FITS)
def test_missing_values_count_as_fill(fit: Fit) -> None:
    (tables, times, events), (records, _, _) = _data(7, r=3)
    rng = np.random.default_rng(0)
    holes = np.where(rng.random(records.shape) < 0.2, np.nan, records)
    fill = rng.normal(size=(3, records.shape[1]))
    model = fit(tables, times, events)
    got = model.predict(holes, fill)
    for r in range(3):
        filled = np.where(np.isnan(holes), fill[r], holes)
        assert np.array_equal(got[r], model.predict(filled)[r])
    with pytest.raises(ValueError, match="fill"):
        model.predict(holes)


@pytest.mark.parametrize("fit", FITS)
def test_threads_do_not_change_results(fit: Fit) -> None:
    (tables, times, events), (records, _, _) = _data(8, r=5)
    found = []
    for n in (1, 2):
        with kernel_threads(n):
            found.append(fit(tables, times, events, seed=3).predict(records))
    assert np.array_equal(*found)


@pytest.mark.parametrize("fit", FITS)
def test_one_outcome_for_all_tables_is_broadcast(fit: Fit) -> None:
    (tables, times, events), (records, _, _) = _data(9, r=3)
    shared = fit(tables, times[0], events[0]).predict(records)
    repeated = fit(tables, times[[0, 0, 0]], events[[0, 0, 0]].astype(int)).predict(records)
    assert np.array_equal(shared, repeated)


@pytest.mark.parametrize("fit", FITS)
def test_too_many_rows_are_refused(fit: Fit) -> None:
    with pytest.raises(ModelError, match="at most 32,767"):
        fit(np.zeros((1, 40000, 1)), np.arange(40000.0), np.ones(40000))


@pytest.mark.parametrize("fit", FITS)
def test_without_events_no_record_stands_out(fit: Fit) -> None:
    (tables, times, events), (records, _, _) = _data(10, r=2)
    assert np.all(fit(tables, times, np.zeros_like(events)).predict(records) == 0.0)


@pytest.mark.parametrize("fit", FITS)
@settings(max_examples=200, deadline=None)
@given(case=degenerate())
def test_degenerate_tables_are_survived(
    fit: Fit, case: tuple[Floats, np.random.Generator, int]
) -> None:
    tables, rng, variety = case
    got = fit(tables, *lifetimes(rng, tables.shape[1], variety)).predict(tables[0])
    assert np.all(np.isfinite(got))
