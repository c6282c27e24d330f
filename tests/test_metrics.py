"""Figures agree with the usual libraries, on whole samples and on resamples; intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from tincture.arrays import Floats, Integers
from tincture.evaluation.metrics.classes import (
    auprc,
    auroc,
    brier,
    calibration_intercept,
    calibration_slope,
    log_odds,
)
from tincture.evaluation.metrics.figure import Statistic, bootstrapped, figure, plain, resamples
from tincture.evaluation.metrics.survival import (
    breslow,
    censoring,
    concordance,
    grid,
    integrated_brier,
    kaplan_meier,
    observed_risks,
    predicted_survival,
    risk_difference,
)


def drawn(rng: np.random.Generator, n: int, n_classes: int = 2) -> tuple[Floats, Integers]:
    """Probabilities with ties, and labels that follow them."""
    probability = np.round(rng.dirichlet(np.ones(n_classes), n), 1)
    probability[:, -1] = 1 - probability[:, :-1].sum(axis=1)
    probability = np.abs(probability) / np.abs(probability).sum(axis=1, keepdims=True)
    label = (rng.uniform(size=(n, 1)) > probability.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return probability, label


def censored(rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Floats]:
    """Risk, time and event, with ties in risk and no ties in time."""
    risk = np.round(rng.normal(size=n), 1)
    time = rng.exponential(np.exp(-risk))
    censoring = rng.exponential(1.0, n)
    return risk, np.minimum(time, censoring), (time <= censoring).astype(float)


def on_resamples(statistic: Statistic, n: int) -> tuple[Floats, list[Integers]]:
    """Values of eight resamples, and the records that each of them holds."""
    weights = np.concatenate(list(resamples(n, seed=3, count=8)))
    return statistic(weights), [np.repeat(np.arange(n), w.astype(int)) for w in weights]


Ours = Callable[[Floats, Integers], Statistic]
SKLEARN: dict[Ours, Any]
SKLEARN = {auroc: roc_auc_score, auprc: average_precision_score, brier: brier_score_loss}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ours", SKLEARN)
def test_class_figures_are_those_of_scikit_learn_on_every_resample(ours: Ours, seed: int) -> None:
    probability, label = drawn(np.random.default_rng(seed), 300)
    theirs = SKLEARN[ours]
    statistic = ours(probability, label)
    expected = theirs(label, probability[:, 1])
    assert plain(statistic, 300) == pytest.approx(expected, abs=1e-9)
    values, members = on_resamples(statistic, 300)
    refitted = [theirs(label[m], probability[m, 1]) for m in members]
    assert values == pytest.approx(refitted, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_with_more_classes_each_stands_against_the_rest(seed: int) -> None:
    probability, label = drawn(np.random.default_rng(seed), 300, 3)
    expected = roc_auc_score(label, probability, multi_class="ovr", average="macro")
    assert plain(auroc(probability, label), 300) == pytest.approx(expected, abs=1e-9)
    expected = average_precision_score(np.eye(3)[label], probability, average="macro")
    assert plain(auprc(probability, label), 300) == pytest.approx(expected, abs=1e-9)
    square = np.square(probability - np.eye(3)[label]).sum(axis=1).mean()
    assert plain(brier(probability, label), 300) == pytest.approx(square, abs=1e-9)


def recalibrated(probability: Floats, label: Integers) -> tuple[float, float]:
    """Slope by scikit-learn's unpenalised fit, intercept by a search for the root."""
    from scipy.optimize import brentq

    logit = log_odds(probability[:, 1])
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], label)
    large = brentq(lambda a: np.mean(label - 1 / (1 + np.exp(-a - logit))), -20, 20)
    return float(model.coef_[0, 0]), float(large)


@pytest.mark.parametrize("seed", range(3))
def test_recalibration_is_that_of_an_unpenalised_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=800)
    label = (rng.uniform(size=800) < 1 / (1 + np.exp(-0.6 * logit - 0.5))).astype(np.int64)
    p = 1 / (1 + np.exp(-logit))
    probability = np.stack([1 - p, p], axis=1)
    statistics = calibration_slope(probability, label), calibration_intercept(probability, label)
    expected = recalibrated(probability, label)
    assert [plain(s, 800) for s in statistics] == pytest.approx(expected, abs=1e-4)
    # One Newton step from the whole sample's fit lies near a new fit of each resample.
    for i, statistic in enumerate(statistics):
        values, members = on_resamples(statistic, 800)
        refitted = [recalibrated(probability[m], label[m])[i] for m in members]
        assert values == pytest.approx(refitted, abs=0.02)


def test_probabilities_that_are_right_have_slope_one_and_intercept_nought(
    rng: np.random.Generator,
) -> None:
    p = rng.uniform(0.05, 0.95, 100_000)
    probability, label = np.stack([1 - p, p], axis=1), (rng.uniform(size=len(p)) < p).astype(int)
    assert plain(calibration_slope(probability, label), len(p)) == pytest.approx(1, abs=0.04)
    assert plain(calibration_intercept(probability, label), len(p)) == pytest.approx(0, abs=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_concordance_is_that_of_scikit_survival(seed: int) -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    risk, time, event = censored(np.random.default_rng(seed), 400)
    statistic = concordance(risk, time, event)
    expected = metrics.concordance_index_censored(event > 0.5, time, risk)[0]
    assert plain(statistic, 400) == pytest.approx(expected, abs=1e-9)
    # The expansion of a resample lies within 0.01 of counting its pairs anew; deviations are 0.02.
    values, members = on_resamples(statistic, 400)
    counted = [
        metrics.concordance_index_censored(event[m] > 0.5, time[m], risk[m])[0] for m in members
    ]
    assert values == pytest.approx(counted, abs=0.01)


def test_concordance_is_that_of_lifelines(rng: np.random.Generator) -> None:
    utils = pytest.importorskip("lifelines.utils")
    risk, time, event = censored(rng, 200)
    expected = utils.concordance_index(time, -risk, event)
    assert plain(concordance(risk, time, event), 200) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_integrated_brier_score_is_that_of_scikit_survival(seed: int) -> None:
    metrics = pytest.importorskip("sksurv.metrics")
    risk, time, event = censored(np.random.default_rng(seed), 300)
    y = np.array(list(zip(event > 0.5, time, strict=True)), dtype=[("e", bool), ("t", float)])
    at = grid(time, event)
    alive = predicted_survival(risk, time, event, risk, at)
    expected = metrics.integrated_brier_score(y, y, alive, at)
    statistic = integrated_brier(alive, time, event, at, censoring(time, event))
    assert plain(statistic, 300) == pytest.approx(expected, abs=1e-9)


def test_predicted_survival_is_that_of_scikit_survival(rng: np.random.Generator) -> None:
    linear_model = pytest.importorskip("sksurv.linear_model")
    x = rng.normal(size=(300, 2))
    _, time, event = censored(rng, 300)
    y = np.array(list(zip(event > 0.5, time, strict=True)), dtype=[("e", bool), ("t", float)])
    cox = linear_model.CoxPHSurvivalAnalysis(alpha=1.0).fit(x, y)
    at = grid(time, event)
    expected = np.stack([f(at) for f in cox.predict_survival_function(x[:50])])
    own = cox.predict(x)
    assert predicted_survival(own, time, event, own[:50], at) == pytest.approx(expected, abs=1e-6)


def test_step_functions_are_those_of_scikit_survival_and_lifelines() -> None:
    nonparametric = pytest.importorskip("sksurv.nonparametric")
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(1)
    time = np.round(rng.exponential(10, 200)) + 1
    event = (rng.uniform(size=200) < 0.6).astype(float)
    ours = kaplan_meier(time, event)
    times, theirs = nonparametric.kaplan_meier_estimator(event > 0.5, time)
    assert ours(times) == pytest.approx(theirs, abs=1e-12)
    assert ours(np.array([0.0])) == [1.0]
    times, theirs = nonparametric.kaplan_meier_estimator(event > 0.5, time, reverse=True)
    assert censoring(time, event)(times) == pytest.approx(theirs, abs=1e-12)
    # Without covariates Breslow's hazard is Nelson and Aalen's.
    fitted = lifelines.NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, event)
    expected = fitted.cumulative_hazard_.iloc[1:, 0].to_numpy()
    hazard = breslow(np.zeros(200), time, event)
    assert hazard(hazard.times) == pytest.approx(expected, abs=1e-9)


def test_risk_at_a_horizon_is_compared_with_kaplan_and_meier(rng: np.random.Generator) -> None:
    _, time, event = censored(rng, 300)
    horizon = float(np.median(time))
    statistic = risk_difference(np.full(300, 0.4), *observed_risks(time, event, [horizon]))
    observed = 1 - kaplan_meier(time, event)(np.array([horizon]))[0]
    assert plain(statistic, 300) == pytest.approx(0.4 - observed, abs=1e-12)
    values, members = on_resamples(statistic, 300)
    again = [0.4 - 1 + kaplan_meier(time[m], event[m])(np.array([horizon]))[0] for m in members]
    assert values == pytest.approx(again, abs=1e-12)


def test_what_cannot_be_computed_is_no_number() -> None:
    half, ones = np.full((3, 2), 0.5), np.ones(3, dtype=np.int64)
    time, nought = np.arange(3.0) + 1, np.zeros(3)
    steps = censoring(time, nought)
    for statistic in (
        auroc(half, ones),
        auroc(np.full((3, 3), 1 / 3), ones),
        auprc(half, 0 * ones),
        calibration_slope(half, np.array([0, 1, 1])),
        calibration_intercept(half, ones),
        concordance(np.ones(3), time, nought),
        integrated_brier(np.empty((3, 0)), time, nought, grid(time, nought), steps),
    ):
        assert np.isnan(plain(statistic, 3))
    assert np.isnan(brier(half[:0], ones[:0])(np.ones((1, 0)))[0])


def test_an_interval_needs_four_fifths_of_its_resamples() -> None:
    values = np.r_[np.linspace(0, 1, 80), np.full(20, np.nan)]
    assert figure(0.5, values).low == pytest.approx(0.025)
    assert np.isnan(figure(0.5, np.r_[values, np.nan]).low)
    assert np.isnan(figure(float("nan"), values).high)


def test_resamples_are_seeded_whole_and_the_same_in_any_block() -> None:
    whole = np.concatenate(list(resamples(30, seed=1, count=50)))
    assert (whole.sum(axis=1) == 30).all()
    blocks = list(resamples(30, seed=1, count=50, cells=100))
    assert len(blocks) == 17
    assert np.array_equal(np.concatenate(blocks), whole)
    assert not np.array_equal(next(resamples(30, seed=2, count=50, cells=100)), whole[:3])


# 200 tables; a 95% interval that covers 94% of the time is called short with probability 1e-4
# (fewer than 176 covered), and one that covers 99.9% is never called long.
TABLES, SHORT = 200, 176


@pytest.mark.slow
def test_intervals_cover_the_truth(rng: np.random.Generator) -> None:
    probability, label = drawn(rng, 200_000)
    risk, time, event = censored(rng, 20_000)
    truth = [
        plain(auroc(probability, label), 200_000),
        plain(auprc(probability, label), 200_000),
        plain(brier(probability, label), 200_000),
        plain(concordance(risk, time, event), 20_000),
    ]
    covered = np.zeros(4)
    for _ in range(TABLES):
        p, y = drawn(rng, 250)
        statistics = [auroc(p, y), auprc(p, y), brier(p, y), concordance(*censored(rng, 250))]
        figures = [bootstrapped(s, 250) for s in statistics]
        covered += [f.low <= v <= f.high for f, v in zip(figures, truth, strict=True)]
    assert (covered >= SHORT).all(), covered
    assert (covered < TABLES).all(), covered
