"""The Weibull kernel against lifelines, and on tables that are hardly tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tincture.kernels import aft


def censored(rng: np.random.Generator, m: int, p: int) -> tuple[np.ndarray, ...]:
    """Weibull times with linear effects, about a third of them censored."""
    x = rng.normal(size=(m, p))
    time = np.exp(x @ rng.normal(size=p) * 0.4) * rng.weibull(1.5, size=m) * 100
    limit = rng.uniform(20, 300, size=m)
    return x, np.minimum(time, limit), (time <= limit).astype(float)


@pytest.mark.filterwarnings("ignore")
def test_unpenalised_coefficients_are_those_of_lifelines() -> None:
    lifelines = pytest.importorskip("lifelines")
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, time, event = censored(rng, 200, 4)
        frame = pd.DataFrame(x, columns=list("abcd")).assign(time=time, event=event)
        theirs = lifelines.WeibullAFTFitter(penalizer=0.0).fit(frame, "time", "event").params_
        rho = np.exp(theirs["rho_"]["Intercept"])
        ours = aft.fit(x[None], time, event, alpha=0.0)
        np.testing.assert_allclose(ours.shape[0], rho, rtol=2e-3)
        np.testing.assert_allclose(
            ours.coef[0] / ours.shape[0], theirs["lambda_"][list("abcd")], atol=2e-3
        )


def test_the_gradient_of_the_penalised_objective_is_nought() -> None:
    rng = np.random.default_rng(1)
    x, time, event = censored(rng, 80, 5)
    fitted = aft.fit(x[None], time, event, alpha=2.0)
    log_time = np.log(time) - np.log(time).mean()
    centred = x - x.mean(axis=0)

    def objective(coef: np.ndarray) -> float:
        eta = centred @ coef
        a = fitted.shape[0]
        level = np.log(np.exp(a * log_time - eta).sum() / event.sum())  # the best intercept
        w = a * log_time - eta - level
        return float(np.exp(w).sum() - (event * (w + np.log(a))).sum() + coef @ coef)

    best = objective(fitted.coef[0])
    for c in range(5):
        for change in (-1e-3, 1e-3):
            moved = fitted.coef[0].copy()
            moved[c] += change
            assert objective(moved) > best


def test_unscaling_and_filling_give_the_same_ranking() -> None:
    rng = np.random.default_rng(2)
    x, time, event = censored(rng, 60, 3)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    fitted = aft.fit(((x - centre) / scale)[None], time, event).unscale(centre[None], scale[None])
    records = rng.normal(size=(20, 3))
    records[::4, 1] = np.nan
    fill = np.full((1, 3), 0.7)
    filled = np.where(np.isnan(records), 0.7, records)
    np.testing.assert_allclose(fitted.predict(records, fill), fitted.predict(filled), atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    m=st.integers(2, 30),
    kind=st.sampled_from(["constant", "extreme", "duplicate", "censored", "tied", "zero"]),
)
def test_odd_tables_give_finite_predictions(seed: int, m: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    x, time, event = censored(rng, m, 3)
    if kind == "constant":
        x[:, 0] = 5.0
    elif kind == "extreme":
        x[0] *= 1e6
    elif kind == "duplicate":
        x[:] = x[0]
    elif kind == "censored":
        event[:] = 0.0
    elif kind == "tied":
        time[:] = 3.0
    else:
        time[: m // 2] = 0.0
    fitted = aft.fit(np.stack([x, x]), time, event)
    assert np.isfinite(fitted.predict(rng.normal(size=(5, 3)))).all()
    np.testing.assert_array_equal(fitted.coef[0], fitted.coef[1])
