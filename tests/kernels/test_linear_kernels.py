"""Logistic and Cox regression against the libraries they are faithful to."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_tables import degenerate, lifetimes

from helpers import kernel_threads
from tincture.arrays import Floats, Integers, Mask
from tincture.kernels import cox, logistic
from tincture.kernels.pointwise import softmax

Fitted = tuple[list[Any], Floats, np.random.Generator]  # models, records, chance


def _tables(
    seed: int, r: int = 4, m: int = 100, p: int = 40
) -> tuple[np.random.Generator, Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(r, m, p)), rng.normal(size=(300, p))


def _labels(
    rng: np.random.Generator, tables: Floats, n_classes: int, noise: float = 3.0
) -> Integers:
    scores = tables @ rng.normal(size=(tables.shape[2], n_classes))
    scores -= scores.mean(axis=1, keepdims=True)
    scores /= scores.std() / 3.0
    labels: Integers = (scores + noise * rng.gumbel(size=scores.shape)).argmax(axis=2)
    return labels


def _sklearn(table: Floats, labels: Integers, records: Floats, **options: float) -> Floats:
    linear_model = pytest.importorskip("sklearn.linear_model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = linear_model.LogisticRegression(
            solver="newton-cg", tol=1e-10, max_iter=20000, **options
        )
        chances: Floats = model.fit(table, labels).predict_proba(records)
    return chances


def _survival(
    rng: np.random.Generator, tables: Floats, ties: bool = False, shown: float = 0.6
) -> tuple[Floats, Mask]:
    r, m, p = tables.shape
    time = rng.exponential(size=(r, m)) * np.exp(-0.3 * tables @ rng.normal(size=p))
    event = rng.random((r, m)) < shown
    return (np.ceil(3 * time) if ties else time), event


def _sksurv_coef(table: Floats, time: Floats, event: Mask, alpha: float) -> Floats:
    linear_model = pytest.importorskip("sksurv.linear_model")
    util = pytest.importorskip("sksurv.util")
    model = linear_model.CoxPHSurvivalAnalysis(alpha=alpha, ties="breslow", tol=1e-14)
    with np.errstate(all="ignore"):
        coef: Floats = model.fit(table, util.Surv.from_arrays(event, time)).coef_
    return coef


# ---------------------------------------------------------------- logistic regression


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize(("m", "p"), [(100, 40), (30, 60), (200, 3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_logistic_agrees_with_sklearn(n_classes: int, m: int, p: int, seed: int) -> None:
    rng, tables, records = _tables(seed, m=m, p=p)
    tables[:2] = tables[:2] * 3.0 + 5.0
    labels = _labels(rng, tables, n_classes)
    got = logistic.fit(tables, labels, n_classes=n_classes).predict(records)
    for r, table in enumerate(tables):
        want = _sklearn(table, labels[r], records)
        seen = np.unique(labels[r])
        assert np.abs(got[r][:, seen] - want).max() <= 1e-4


def test_logistic_agrees_on_unscaled_and_separable_tables() -> None:
    rng, tables, records = _tables(2)
    tables = tables @ rng.normal(size=(40, 40))
    for n_classes in (2, 3):
        labels = _labels(rng, tables, n_classes, noise=0.0)
        got = logistic.fit(tables, labels, n_classes=n_classes).predict(records)
        for r in range(len(tables)):
            assert np.abs(got[r] - _sklearn(tables[r], labels[r], records)).max() <= 1e-4


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_penalty_is_sklearns(n_classes: int) -> None:
    rng, tables, records = _tables(3, r=2)
    labels = _labels(rng, tables, n_classes)
    for C in (0.01, 10.0):
        got = logistic.fit(tables, labels, n_classes=n_classes, C=C).predict(records)
        assert np.abs(got[0] - _sklearn(tables[0], labels[0], records, C=C)).max() <= 1e-4


def test_two_classes_left_of_three_are_fitted_as_two() -> None:
    rng, tables, records = _tables(4, r=2)
    labels = np.where(_labels(rng, tables, 2) == 1, 2, 0)
    got = logistic.fit(tables, labels, n_classes=3).predict(records)
    assert np.all(got[:, :, 1] == 0.0)
    for r in range(2):
        want = _sklearn(tables[r], labels[r], records)
        assert np.abs(got[r][:, [0, 2]] - want).max() <= 1e-4


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_only_class_is_certain(n_classes: int) -> None:
    _, tables, records = _tables(5, r=3)
    labels = np.arange(3)[:, None] % n_classes * np.ones((1, 100), dtype=np.int64)
    got = logistic.fit(tables, labels, n_classes=n_classes).predict(records)
    for r in range(3):
        assert np.all(got[r, :, r % n_classes] > 1.0 - 1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_warm_start_reaches_the_same_model(n_classes: int) -> None:
    rng, tables, records = _tables(6)
    labels = _labels(rng, tables, n_classes)
    cold = logistic.fit(tables, labels, n_classes=n_classes)
    moved = tables + 0.1 * rng.normal(size=tables.shape)
    warm = logistic.fit(moved, labels, n_classes=n_classes, start=cold)
    again = logistic.fit(moved, labels, n_classes=n_classes)
    assert np.abs(warm.predict(records) - again.predict(records)).max() <= 1e-4


def test_labels_out_of_range_are_refused() -> None:
    _, tables, _ = _tables(7, r=1)
    with pytest.raises(ValueError, match="n_classes"):
        logistic.fit(tables, np.full(100, 2), n_classes=2)


# ---------------------------------------------------------------- Cox regression


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shown", [0.05, 0.6, 1.0])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_cox_agrees_with_sksurv(ties: bool, shown: float, alpha: float) -> None:
    for seed, (m, p) in enumerate([(100, 40), (30, 50), (150, 4)]):
        rng, tables, _ = _tables(seed, r=3, m=m, p=p)
        time, event = _survival(rng, tables, ties, shown)
        event[:, 0] = True
        got = cox.fit(tables, time, event, alpha=alpha).coef
        for r in range(3):
            want = _sksurv_coef(tables[r], time[r], event[r], alpha)
            assert np.abs(got[r] - want).max() <= 1e-4


def test_cox_agrees_with_lifelines_without_ties() -> None:
    lifelines = pytest.importorskip("lifelines")
    pandas = pytest.importorskip("pandas")
    rng, tables, _ = _tables(8, r=3, p=10)
    time, event = _survival(rng, tables)
    for r in range(3):
        frame = pandas.DataFrame(tables[r]).assign(time=time[r], event=event[r])
        options = {"precision": 1e-12, "r_precision": 1e-14}
        model = lifelines.CoxPHFitter(penalizer=0.05)
        model.fit(frame, "time", "event", fit_options=options)
        # Its penalty is on columns of unit variance, per row and on half the squares.
        scale = tables[r].std(axis=0, ddof=1)
        got = cox.fit(tables[r : r + 1] / scale, time[r], event[r], alpha=0.05 * 100)
        assert np.abs(got.coef[0] / scale - model.params_.to_numpy()).max() <= 1e-4


def test_cox_converges_on_separable_tables() -> None:
    _, tables, _ = _tables(9, r=3, m=60, p=5)
    time = 10.0 - tables[:, :, 0]
    event = np.ones((3, 60), dtype=bool)
    got = cox.fit(tables, time, event, alpha=0.01).coef
    for r in range(3):
        want = _sksurv_coef(tables[r], time[r], event[r], 0.01)
        assert np.abs(got[r] - want).max() <= 1e-4


def test_without_events_the_coefficients_are_nought() -> None:
    rng, tables, records = _tables(10)
    fit = cox.fit(tables, rng.random((4, 100)), np.zeros((4, 100), dtype=bool))
    assert np.all(fit.coef == 0.0)
    assert np.all(fit.predict(records) == 0.0)


def test_cox_warm_start_reaches_the_same_model() -> None:
    rng, tables, _ = _tables(11)
    time, event = _survival(rng, tables)
    cold = cox.fit(tables, time, event)
    warm = cox.fit(tables, time, event, start=cox.CoxFit(cold.coef + 0.1))
    assert np.abs(warm.coef - cold.coef).max() <= 1e-6


# ---------------------------------------------------------------- both


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    rng, tables, records = _tables(12)
    time, event = _survival(rng, tables)
    models = [logistic.fit(tables, _labels(rng, tables, k), n_classes=k) for k in (2, 3)]
    return [*models, cox.fit(tables, time, event)], records, rng


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_missing_values_count_as_fill(fitted: Fitted, dtype: type[np.floating]) -> None:
    models, records, rng = fitted
    holes = records.astype(dtype)
    holes[rng.random(holes.shape) < 0.2] = np.nan
    holes[:, ::3] = records[:, ::3]
    fill = rng.normal(size=(4, 40))
    for model in models:
        got = model.predict(holes, fill)
        for r in range(4):
            filled = np.where(np.isnan(holes), fill[r], holes)
            assert np.abs(got[r] - model.predict(filled)[r]).max() <= 1e-6
        with pytest.raises(ValueError, match="fill"):
            model.predict(holes)


def test_unscale_moves_the_model_to_raw_columns(fitted: Fitted) -> None:
    models, records, rng = fitted
    centre, scale = rng.normal(size=(4, 40)), rng.uniform(0.5, 2.0, size=(4, 40))
    for model in models:
        raw = model.unscale(centre, scale).predict(records)
        for r in range(4):
            want = model.predict((records - centre[r]) / scale[r])[r]
            gap = raw[r] - want
            if isinstance(model, cox.CoxFit):
                gap -= gap.mean()
            assert np.abs(gap).max() <= 1e-9


def test_threads_do_not_change_results() -> None:
    rng, tables, _ = _tables(13, r=6)
    time, event = _survival(rng, tables)
    labels = _labels(rng, tables, 3)
    found = []
    for n in (1, 2):
        with kernel_threads(n):
            classes = logistic.fit(tables, labels, n_classes=3)
            found.append([classes.coef, cox.fit(tables, time, event).coef])
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)


@settings(max_examples=200, deadline=None)
@given(degenerate(), st.integers(2, 4))
def test_logistic_survives_degenerate_tables(
    case: tuple[Floats, np.random.Generator, int], n_classes: int
) -> None:
    tables, rng, variety = case
    labels = rng.integers(0, min(variety, n_classes - 1) + 1, size=(tables.shape[1],))
    got = logistic.fit(tables, labels, n_classes=n_classes).predict(tables[0])
    assert np.all(np.isfinite(got))
    assert np.allclose(got.sum(axis=2), 1.0)


@settings(max_examples=200, deadline=None)
@given(degenerate())
def test_cox_survives_degenerate_tables(case: tuple[Floats, np.random.Generator, int]) -> None:
    tables, rng, variety = case
    fit = cox.fit(tables, *lifetimes(rng, tables.shape[1], variety))
    assert np.all(np.isfinite(fit.coef))
    assert np.all(np.isfinite(fit.predict(tables[0])))


def test_a_score_beyond_the_floats_is_a_sure_probability() -> None:
    # Warnings are errors here; a recipient would see them on standard error.
    found = softmax(np.array([[[-1e4, 0.0, 1e4]]]))
    assert found.tolist() == [[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]]
