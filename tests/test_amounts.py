"""Amounts as outcomes: what is refused, how they are counted, taught and drawn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import SCHEMA, make_table
from tincture.errors import SchemaError, SettingError, TableError
from tincture.io.frames import to_columns
from tincture.public.columns import Column
from tincture.public.tasks import Amounts
from tincture.public.tasks.bins import Scale

SCALES: tuple[Scale, ...] = ("linear", "log", None)
DAYS = Amounts(Column("days", "integer", 0.0, 365.0))
LACTATE = Amounts.of(SCHEMA, "lactate")


def lognormal(n: int, rng: np.random.Generator) -> np.ndarray:
    days = np.round(np.clip(rng.lognormal(2.0, 0.8, n), 0, 365))
    return DAYS.outcomes({"days": days})


def counted(outcomes: np.ndarray) -> np.ndarray:
    return np.bincount(DAYS.cells(outcomes), minlength=DAYS.n_cells).astype(float)


@pytest.mark.parametrize("name", ["ward", "died", "diabetes"])
def test_levels_are_no_amount(name: str) -> None:
    with pytest.raises(SchemaError, match="has levels; name it by --target"):
        Amounts.of(SCHEMA, name)


def test_an_amount_has_no_case() -> None:
    with pytest.raises(SettingError, match="leave out --case"):
        Amounts.of(SCHEMA, "age", 1)


@pytest.mark.parametrize(
    ("ages", "sentence"), [([50, 50, 50], "same in every record"), ([50, None, 60], "missing")]
)
def test_amounts_nothing_can_be_learned_from_are_refused(
    ages: list[int | None], sentence: str
) -> None:
    task = Amounts.of(SCHEMA, "age")
    values = to_columns(pl.DataFrame({"age": ages}), SCHEMA, ["age"])
    with pytest.raises(TableError, match=sentence):
        task.check(values)
        task.check_together(task.outcomes(values))


def test_an_amount_lies_by_its_logarithm_only_where_that_is_declared() -> None:
    values = {"y": np.array([1.0, 10.0, 100.0])}
    plain = Amounts(Column("y", "number", 1.0, 100.0)).outcomes(values)
    ratios = Amounts(Column("y", "number", 1.0, 100.0, scale="log")).outcomes(values)
    np.testing.assert_allclose(plain[:, 0], [0, 1 / 11, 1], atol=1e-12)
    np.testing.assert_allclose(ratios[:, 0], [0, 0.5, 1], atol=1e-12)


# Each released amount lies in one part, which hands it out again.
@given(
    st.floats(-1e3, 1e3),
    st.floats(1.0, 1e4),
    st.integers(0, 3),
    st.sampled_from(SCALES),
)
def test_parts_hold_what_they_hand_out(low: float, wide: float, places: int, scale: Scale) -> None:
    low = round(max(low, 1.0) if scale == "log" else low, places)
    task = Amounts(Column("y", "number", low, low + wide, decimals=places, scale=scale))
    cells = np.arange(task.n_cells).repeat(3)
    within = np.tile([0.0, 0.5, 0.999], task.n_cells)
    amounts = task.parts.amounts(cells, within)
    np.testing.assert_array_equal(task.parts.of_amounts(amounts), cells)
    assert ((amounts >= low) & (amounts <= low + wide)).all()
    outcomes = task.place.encode(amounts)
    np.testing.assert_array_equal(task.values(outcomes)["y"], amounts)


# 6,000 people, noise of 5 as at ε = 4: a mean within 5%, a spread within a half, though most of the
# range holds nobody.
def test_noisy_counts_keep_mean_and_spread(rng: np.random.Generator) -> None:
    outcomes = lognormal(6000, rng)
    answer = counted(outcomes) @ DAYS.coding + 5 * rng.normal(size=DAYS.n_cells)
    counts = DAYS.counted(answer, 5.0)
    drawn = DAYS.allot(counts, 6000, rng)
    assert (counts >= 0).all()
    assert drawn.mean() == pytest.approx(outcomes.mean(), rel=0.05)
    assert drawn.std() == pytest.approx(outcomes.std(), rel=0.5)


# Of sixty answers at ε = 1 about 2,200 people none finds people so far out, by noise alone, that
# amounts seem to differ by a quarter more than they do; nor are those at the ends lost.
def test_noise_makes_up_nobody_far_out(rng: np.random.Generator) -> None:
    task = Amounts(Column("y", "number", 80.0, 600.0))
    outcomes = task.outcomes({"y": rng.normal(237.0, 44.0, 2200).clip(80, 600)})
    counts = np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(float)
    middles = task.parts.middles
    spreads = []
    for _ in range(60):
        told = task.counted(counts @ task.coding + 18.7 * rng.normal(size=len(counts)), 18.7)
        mean = np.average(middles, weights=told)
        spreads.append(np.sqrt(np.average((middles - mean) ** 2, weights=told)) / 44.0)
    assert max(spreads) < 1.25
    assert np.mean(spreads) > 0.9


def test_the_prevalence_is_the_mean_and_its_uncertainty_that_of_noise(
    rng: np.random.Generator,
) -> None:
    outcomes = lognormal(3000, rng)
    counts, mean = counted(outcomes), float(DAYS.values(outcomes)["days"].mean())
    assert DAYS.prevalence(counts) == pytest.approx(mean, rel=0.02)
    means = []
    for _ in range(400):
        answer = counts @ DAYS.coding + 5 * rng.normal(size=DAYS.n_cells)
        noisy = np.linalg.solve(DAYS.coding.T, answer)
        means.append(noisy @ DAYS.parts.middles / counts.sum())
        means[-1] += DAYS.prevalence(counts) * (1 - noisy.sum() / counts.sum())
    assert DAYS.uncertainty(counts, 5.0) == pytest.approx(np.std(means), rel=0.2)


@given(
    st.floats(0, 1), st.floats(-40, 40), st.lists(st.floats(-50, 1000), min_size=32, max_size=32)
)
def test_a_residual_lies_between_minus_1_and_1(
    outcome: float, score: float, counts: list[float]
) -> None:
    told = np.resize(counts, LACTATE.n_cells)
    residual = LACTATE.residual(np.array([score]), np.array([[outcome]]), told)
    assert (np.abs(residual) <= 1).all()


# Of people whose mean the score tells, outcomes regress on it with slope 1, and have the counts'
# distribution, however little the score explains.
@pytest.mark.parametrize("spread", [0.1, 0.4])
def test_drawn_amounts_have_the_means_of_their_scores(
    spread: float, rng: np.random.Generator
) -> None:
    counts = counted(lognormal(5000, rng))
    scores = DAYS.level(counts) + spread * rng.normal(size=5000)
    drawn, means = DAYS.drawn(scores, counts, rng), DAYS.chance(scores)
    slope = np.cov(drawn[:, 0], means)[0, 1] / means.var(ddof=1)
    assert slope == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(np.sort(drawn[:, 0]), DAYS.allot(counts, 5000, rng)[:, 0])


# Of people of one mean each, the residual's variance is what the score leaves of the outcome's, and
# never so little that an answer would be believed without end.
def test_the_scatter_is_the_variance_of_residuals(rng: np.random.Generator) -> None:
    task = Amounts(Column("y", "number", 0.0, 1.0))
    scores = 0.5 * rng.standard_normal(20_000)
    outcomes = np.clip(task.chance(scores) + 0.1 * rng.standard_normal(20_000), 0, 1)[:, None]
    counts = np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(float)
    told, seen = task.scatter(scores, counts), task.residual(scores, outcomes, counts).var()
    assert seen == pytest.approx(float(told.mean()), rel=0.1)
    assert seen < 0.5 * task.information(scores, counts).mean()  # which is no variance here
    assert (task.scatter(9 * scores, counts) > 0).all()


# Were half of the outcome's variance told by a score, the score's would be half of the breadth.
def test_the_breadth_is_the_variance_of_a_score_that_tells_all(rng: np.random.Generator) -> None:
    task = Amounts(Column("y", "number", 0.0, 1.0))
    scores = 0.2 * rng.standard_normal(20_000)
    means = task.chance(scores)
    outcomes = (means + means.std() * rng.standard_normal(20_000)).clip(0, 1)[:, None]
    counts = np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(float)
    assert scores.var() == pytest.approx(task.breadth(counts) / 2, rel=0.1)
    assert task.breadth(np.eye(task.n_cells)[0]) <= 1.0


def test_scores_surer_than_the_counts_allow_order_everyone(rng: np.random.Generator) -> None:
    counts = counted(lognormal(500, rng))
    scores = 2 * rng.normal(size=500)
    drawn = DAYS.drawn(scores, counts, rng)[:, 0]
    assert (np.diff(drawn[np.argsort(scores)]) >= 0).mean() > 0.99


def test_the_shared_table_has_amounts() -> None:
    for name in ("age", "lactate", "days"):
        task = Amounts.of(SCHEMA, name)
        values = to_columns(make_table(100).drop_nulls(), SCHEMA, [name])
        task.check(values)
        task.check_together(task.outcomes(values))
        np.testing.assert_array_equal(task.values(task.outcomes(values))[name], values[name])
