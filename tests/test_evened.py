"""Outcomes without the scatter of chance: exchanged among neighbours, none made up."""

from __future__ import annotations

import numpy as np
import pytest

from tincture.arrays import Floats
from tincture.public.tasks import Classification, Survival, Task
from tincture.spine.evened import evened

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 100.0)
N = 3000


def people(task: Task, n: int = N) -> tuple[Floats, Floats, Floats, Floats]:
    """Outcomes drawn by a score, the score, features, and counts."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(n, 8))
    scores = features[:, :3].sum(axis=1) / 2 - 1
    counts = np.linspace(1.0, 9.0, task.n_cells)
    outcomes = task.drawn(scores, counts, rng)
    counts = np.bincount(task.cells(outcomes), minlength=task.n_cells).astype(np.float64)
    # As a teacher's, scores are of a level at which residuals sum to nothing.
    shifts = np.linspace(-2.0, 3.0, 101)
    level = min(shifts, key=lambda s: abs(task.residual(scores + s, outcomes, counts).sum()))
    return outcomes, scores + level, features, counts


def test_several_classes_are_even_along_features_each() -> None:
    rng, task = np.random.default_rng(5), Classification("stage", 4)
    features = rng.normal(size=(N, 8))
    scores = features[:, :6].reshape(N, 3, 2).sum(axis=2)
    outcomes = task.drawn(scores, np.ones(4), rng)
    even = evened(outcomes, scores, features, task, np.ones(4), np.random.default_rng(2))
    np.testing.assert_array_equal(ordered(even), ordered(outcomes))
    before, after = (task.residual(scores, o, np.ones(4)) for o in (outcomes, even))
    away = features - features.mean(axis=0)
    assert np.linalg.norm(away.T @ after) < 0.1 * np.linalg.norm(away.T @ before)
    # Each class is still as frequent as its chance among those who are likelier to have it: of a
    # tenth of 3000 people, those exchanged with neighbours at its ends may be 3%.
    chances = task.chance(scores)
    for k in range(4):
        for tenth in np.array_split(np.argsort(chances[:, k]), 10):
            share = np.mean(even[tenth, 0] == k)
            assert share == pytest.approx(chances[tenth, k].mean(), abs=0.06)


def ordered(outcomes: Floats) -> Floats:
    return np.asarray(outcomes[np.lexsort(outcomes.T)])


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_the_same_outcomes_are_even_along_features_and_along_the_score(task: Task) -> None:
    outcomes, scores, features, counts = people(task)
    even = evened(outcomes, scores, features, task, counts, np.random.default_rng(2))
    np.testing.assert_array_equal(ordered(even), ordered(outcomes))
    before, after = (task.residual(scores, o, counts) for o in (outcomes, even))
    # Along all that the score does not tell: neighbours in score cannot mend that.
    told = np.column_stack([np.ones(N), scores])
    spread = features - told @ np.linalg.lstsq(told, features, rcond=None)[0]
    assert np.linalg.norm(spread.T @ after) < 0.1 * np.linalg.norm(spread.T @ before)
    # Neighbours are 60 of 3000 people: a tenth of all keeps its outcomes but for those at its ends.
    # A hazard that is the same for all times misses a little of the riskiest tenth (0.09), some of
    # which is evened too.
    near = 0.03 if task is DIED else 0.1
    tenths = np.array_split(np.argsort(scores), 10)
    for tenth in tenths:
        assert after[tenth].mean() == pytest.approx(before[tenth].mean(), abs=near)


def test_rare_outcomes_are_even_too() -> None:
    # Of two neighbours one in eleven pairs has outcomes that can be exchanged.
    outcomes, scores, features, counts = people(DIED)
    rng = np.random.default_rng(6)
    outcomes = DIED.drawn(scores - 2.5, counts, rng)
    even = evened(outcomes, scores - 2.5, features, DIED, counts, rng)
    before, after = (DIED.residual(scores - 2.5, o, counts) for o in (outcomes, even))
    away = features - features.mean(axis=0)
    assert np.linalg.norm(away.T @ after) < 0.25 * np.linalg.norm(away.T @ before)


def test_it_follows_from_the_seed_and_leaves_what_it_was_given() -> None:
    outcomes, scores, features, counts = people(DIED)
    given = outcomes.copy(), scores.copy(), features.copy()
    one, same = (
        evened(outcomes, scores, features, DIED, counts, np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, same)
    for was, now in zip(given, (outcomes, scores, features), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.parametrize("task", [DIED, DAYS])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_a_few_people_are_enough(task: Task, n: int) -> None:
    outcomes, scores, features, counts = people(task, n)
    even = evened(outcomes, scores, features, task, counts, np.random.default_rng(4))
    np.testing.assert_array_equal(ordered(even), ordered(outcomes))
