"""What a task tells the teacher: residuals, information, and chances to compare on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tincture.public.tasks import Classification, Survival, Task

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 100.0)
N = 50_000


def sample(task: Task, log_hazard: float | np.ndarray = 0.0) -> np.ndarray:
    """Many outcomes; times are exponential, half of them censored at random."""
    rng = np.random.default_rng(1)
    if task is DIED:
        return (rng.uniform(size=N) < 0.2).astype(np.float64)[:, None]
    died = rng.exponential(40 * np.exp(-np.asarray(log_hazard)), N)
    left = rng.exponential(40, N)
    time = np.minimum(np.minimum(died, left), 100.0)
    return np.stack([time, (died <= left) & (died < 100.0)], axis=1).astype(np.float64)


def counts_of(task: Task, outcomes: np.ndarray) -> np.ndarray:
    return np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(np.float64)


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_at_the_average_score_residuals_sum_to_nearly_nothing(task: Task) -> None:
    outcomes = sample(task)
    counts = counts_of(task, outcomes)
    scores = np.full(N, task.level(counts))
    residual = task.residual(scores, outcomes, counts)
    # Exact for classes; for times up to the hazard's being even inside each bin.
    assert abs(residual.mean()) < (1e-12 if task is DIED else 0.01)
    assert residual.std() > 0.3


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_information_is_how_fast_residuals_fall_with_the_score(task: Task) -> None:
    outcomes = sample(task)
    counts = counts_of(task, outcomes)
    level, step = task.level(counts), 1e-4
    low, high = (
        task.residual(np.full(N, level + s), outcomes, counts).mean() for s in (-step, step)
    )
    (expected,) = task.information(np.full(1, level), counts)
    # The hazard stops at 1 in the middle of a bin, which counts whole.
    assert (low - high) / (2 * step) == pytest.approx(expected, rel=1e-3 if task is DIED else 0.1)


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_the_residual_to_expect_where_another_score_is_true(task: Task) -> None:
    counts = counts_of(task, sample(task))
    scores, step = task.level(counts) + np.linspace(-1.5, 1.5, 7), 1e-5
    np.testing.assert_array_equal(task.expected(scores, scores, counts), 0.0)
    # It falls with the score that is asked about by what the residual's slope is.
    falls = task.expected(scores, scores - step, counts) - task.expected(
        scores, scores + step, counts
    )
    np.testing.assert_allclose(falls / (2 * step), task.information(scores, counts), rtol=1e-5)
    higher = task.expected(scores + 1, scores, counts)
    assert (higher > 0).all()
    assert (task.expected(scores - 1, scores, counts) < 0).all()


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_residuals_are_what_is_expected_of_people_with_other_scores(task: Task) -> None:
    # 50,000 people: a mean residual has a standard deviation of 0.005 at most, and 0.03 is six of
    # them and the hazard's being even inside each bin.
    counts = counts_of(task, sample(task))
    if task is DIED:
        true = float(task.level(counts)) + 1.0
        rng = np.random.default_rng(4)
        outcomes = (rng.uniform(size=N) < task.chance(np.full(1, true))).astype(np.float64)[:, None]
    else:
        true, outcomes = 1.0, sample(task, 1.0)
    asked = task.level(counts)
    seen = task.residual(np.full(N, asked), outcomes, counts).mean()
    expected = task.expected(np.full(1, true), np.full(1, asked), counts)[0]
    assert seen == pytest.approx(expected, abs=0.03)


def test_residuals_point_to_those_with_more_events_than_expected() -> None:
    group = np.arange(N) % 2
    outcomes = sample(DAYS, np.log(3.0) * group)
    residual = DAYS.residual(np.zeros(N), outcomes, counts_of(DAYS, outcomes))
    assert residual[group == 1].mean() > 0.1
    assert residual[group == 0].mean() < -0.1


OUTCOMES = st.tuples(st.floats(0.0, 100.0), st.sampled_from([0.0, 1.0]))


@given(
    st.lists(st.tuples(OUTCOMES, st.floats(-1e6, 1e6)), min_size=1, max_size=8),
    arrays(np.float64, DAYS.n_cells, elements=st.floats(-1e3, 1e6)),
)
def test_a_residual_of_a_time_is_bounded_whatever_the_counts_and_the_score(
    cases: list[tuple[tuple[float, float], float]], counts: np.ndarray
) -> None:
    outcomes, scores = np.array([o for o, _ in cases]), np.array([s for _, s in cases])
    residual = DAYS.residual(scores, outcomes, counts)
    # An event counts 1, and what is expected stops where the hazard of all reaches 1.
    assert (residual <= 1).all()
    assert (residual >= -np.exp(np.clip(scores, -5, 5))).all()
    told = DAYS.information(scores, counts)
    assert ((told >= 0.01) & (told <= 1)).all()


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.floats(-1e6, 1e6)), min_size=1))
def test_a_residual_of_a_class_lies_between_minus_one_and_one(
    cases: list[tuple[float, float]],
) -> None:
    outcomes, scores = np.array(cases).T
    residual = DIED.residual(scores, outcomes[:, None], np.ones(2))
    assert (np.abs(residual) <= 1).all()
    assert (np.sign(residual) == np.where(outcomes == 1, 1, -1)).all()
    told = DIED.information(scores, np.ones(2))
    assert ((told >= 0) & (told <= 0.25)).all()


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_a_models_chances_are_those_of_the_same_scores(task: Task) -> None:
    scores = np.random.default_rng(2).normal(size=(3, 40))
    if task is DIED:
        p = 1 / (1 + np.exp(-scores))
        predictions = np.stack([1 - p, p], axis=-1)
    else:
        predictions = scores[..., None] + 7.0  # a log hazard's level is its model's own affair
    alone = np.stack([task.chance(row) for row in scores])
    np.testing.assert_allclose(task.chances(predictions), alone, atol=1e-12)
    assert ((alone > 0) & (alone < 1)).all()
    assert (np.argsort(alone, axis=1) == np.argsort(scores, axis=1)).all()


def test_a_level_is_finite_also_where_noise_leaves_no_case() -> None:
    for counts in ([100.0, 0.0], [100.0, -20.0], [-3.0, -5.0], [0.0, 0.0], [-2.0, 50.0]):
        assert np.isfinite(DIED.level(np.array(counts)))
