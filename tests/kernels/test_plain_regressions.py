"""Regressions without a penalty, against R's: the ones that most recipients of a table run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from helpers import kernel_threads
from tincture.arrays import Floats
from tincture.kernels import coxph, glm

FOLDER = Path(__file__).parents[1] / "golden"  # benchmarks/golden.R made the files


def rows() -> dict[str, np.ndarray]:
    with (FOLDER / "plain_rows.csv").open() as file:
        lines = list(csv.DictReader(file))
    columns = {name: np.array([line[name] for line in lines]) for name in lines[0]}
    return {n: c if n == "stage" else c.astype(np.float64) for n, c in columns.items()}


def answers(of: str) -> tuple[Floats, Floats]:
    """R's coefficients and standard errors, NaN where a column is aliased."""
    with (FOLDER / "plain.csv").open() as file:
        lines = [line for line in csv.DictReader(file) if line["of"] == of]
    told = [[float(line[k].replace("NA", "nan")) for line in lines] for k in ("estimate", "error")]
    return np.array(told[0]), np.array(told[1])


ROWS = rows()


def design(*names: str) -> Floats:
    """Columns as R's formula makes them: a level of a factor each, but for the first."""
    columns = []
    for name in names:
        levels = np.unique(ROWS[name])[1:] if name == "stage" else None
        columns += [ROWS[name]] if levels is None else [ROWS[name] == level for level in levels]
    return np.column_stack(columns).astype(np.float64)[None]


ALL = design("age", "pressure", "both", "sex", "stage")
ALIASED = 2  # both are the sum of age and pressure


def test_glm_is_rs_with_a_factor_and_an_aliased_column() -> None:
    ours, (estimate, error) = glm.fit(ALL, ROWS["died"].astype(np.int64)), answers("glm")
    assert np.isnan(estimate[1 + ALIASED])
    assert np.isnan(ours.error[0, 0, ALIASED])
    assert ours.intercept[0, 0] == pytest.approx(estimate[0], rel=1e-6)
    np.testing.assert_allclose(ours.coef[0, 0], np.nan_to_num(estimate[1:]), atol=1e-6)
    np.testing.assert_allclose(ours.error[0, 0], error[1:], rtol=1e-3)  # R's are a step behind


def test_coxph_is_rs_with_ties_a_factor_and_an_aliased_column() -> None:
    ours = coxph.fit(ALL, ROWS["time"], ROWS["event"] > 0.5)
    estimate, error = answers("coxph")
    assert len(np.unique(ROWS["time"])) < len(ROWS["time"]) / 2
    assert np.isnan(estimate[ALIASED])
    assert np.isnan(ours.error[0, ALIASED])
    np.testing.assert_allclose(ours.coef[0], np.nan_to_num(estimate), atol=1e-6)
    np.testing.assert_allclose(ours.error[0], error, rtol=1e-6)


def test_a_separated_table_gives_rs_order_by_huge_coefficients() -> None:
    """How huge they are is where R's 25 steps end, and rounding has a say in it."""
    x, estimate = design("age", "pressure", "sex"), answers("certain")[0][1:]
    ours = glm.fit(x, ROWS["sure"].astype(np.int64))
    assert ours.coef[0, 0, 0] > 5 and estimate[0] > 5
    scores = [np.round(x[0] @ b, 6) for b in (ours.coef[0, 0], estimate)]
    assert spearmanr(*scores)[0] > 0.999
    assert np.abs(ours.predict(x[0])[0, :, 1] - ROWS["sure"]).max() < 1e-4


def test_few_steps_reach_the_same_where_rows_are_not_separated() -> None:
    died = ROWS["died"].astype(np.int64)
    for most in (8, 10, 25):
        np.testing.assert_allclose(
            glm.fit(ALL, died, most=most).coef, glm.fit(ALL, died).coef, atol=1e-9
        )


def test_events_of_separated_risk_have_huge_finite_coefficients() -> None:
    """The higher the age, the earlier the event, without exception."""
    age = np.arange(40.0)[None, :, None]
    ours = coxph.fit(age, 100 - age[0, :, 0], np.ones(40, dtype=bool))
    assert 3 < ours.coef[0, 0] < 1000


@pytest.mark.parametrize("n_rows", [3, 8])
def test_columns_beyond_the_rows_are_aliased(n_rows: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, n_rows, 12))
    labels = np.arange(n_rows) % 2
    assert (np.isfinite(glm.fit(x, labels).error).sum(axis=(1, 2)) == n_rows - 1).all()
    time = np.arange(1.0, n_rows + 1)
    fitted = coxph.fit(x, time, np.ones(n_rows, dtype=bool))
    assert (np.isfinite(fitted.error).sum(axis=1) == n_rows - 1).all()


def test_threads_do_not_change_results() -> None:
    found = []
    x = np.random.default_rng(1).normal(size=(6, 240, 5))
    for n in (1, 2):
        label, event = ROWS["died"].astype(np.int64), ROWS["event"] > 0.5
        with kernel_threads(n):
            found.append([glm.fit(x, label).coef, coxph.fit(x, ROWS["time"], event).coef])
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)
