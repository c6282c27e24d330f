"""First tables graded by risk, and moves that are joined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers import ENCODING, make_teacher
from tincture.search import Estimate, Moves, Start, graded
from tincture.tasks import Classification, Survival, Task

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)
N_COLUMNS = len(ENCODING.slices)


def invented(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Points and a teacher's scores of them."""
    rng = np.random.default_rng(1)
    teacher = make_teacher(rng, 1.0)
    marginals = teacher.basis.marginals
    points = ENCODING.snap(marginals.place(marginals.draw(n, rng)))
    return points, teacher.score(points)


def start_of(task: Task, n_rows: int, **how: Any) -> tuple[Start, np.ndarray]:
    """A graded start, and the outcomes it was given."""
    rng = np.random.default_rng(2)
    outcomes = task.allot(np.ones(task.n_cells), n_rows, rng)
    how = {"copies": 2, "sharpness": 2.0} | how
    points, scores = how.pop("pool", invented())
    return graded(points, scores, outcomes, task.severity(outcomes), rng, **how), outcomes


@pytest.mark.parametrize("task", [DIED, DAYS])
@pytest.mark.parametrize(("n_rows", "copies"), [(4, 2), (5, 2), (100, 2), (7, 1), (100, 1)])
def test_a_graded_start_keeps_the_outcomes_and_its_prototypes_rise(
    task: Task, n_rows: int, copies: int
) -> None:
    start, outcomes = start_of(task, n_rows, copies=copies)
    assert start.owner.tolist() == [i // copies for i in range(n_rows)]
    assert len(start.prototypes) == start.owner[-1] + 1
    assert sorted(map(tuple, start.outcomes)) == sorted(map(tuple, outcomes))
    points, scores = invented()
    own = [scores[(points == p).all(axis=1)][0] for p in start.prototypes]
    assert (np.diff(own) >= 0).all()


@pytest.mark.parametrize("task", [DIED, DAYS])
def test_outcomes_follow_the_score_the_more_the_sharper(task: Task) -> None:
    sizes = []
    for sharpness in (0.0, 1.0, 1e6):
        start, _ = start_of(task, 200, copies=1, sharpness=sharpness)
        sizes.append(np.corrcoef(np.arange(200), task.severity(start.outcomes))[0, 1])
    assert sizes == sorted(sizes)
    assert abs(sizes[0]) < 0.2
    assert sizes[-1] > 0.8


def test_there_may_be_more_prototypes_than_points_to_draw_from() -> None:
    points, scores = invented(30)
    start, _ = start_of(DAYS, 70, copies=1, pool=(points, scores))
    assert start.prototypes.shape == (70, ENCODING.width)
    assert {tuple(p) for p in start.prototypes} == {tuple(p) for p in points}


def moves(**changes: Any) -> Moves:
    weights = np.full(N_COLUMNS, 1 / N_COLUMNS)
    return Moves(invented()[0], ENCODING.slices, weights, **changes)


def cells(table: np.ndarray) -> list[list[tuple[float, ...]]]:
    """What each prototype has in each column."""
    return [[tuple(p[where]) for where in ENCODING.slices] for p in table]


def test_helpful_changes_are_tried_together() -> None:
    optimizer, rng = moves(n_pairs=20, together=(2, 3)), np.random.default_rng(3)
    first = Start(invented()[0][:12], np.arange(12), np.zeros((12, 1)))
    state = optimizer.init(first)
    asked = optimizer.ask(state, rng)
    gains = np.zeros(20)
    gains[[4, 9, 2]] = [-3.0, -2.0, -1.0]
    told = optimizer.tell(state, asked, Estimate(gains, 0.0))
    np.testing.assert_array_equal(optimizer.result(told), asked.plus[4])
    joined = cells(optimizer.ask(told, rng).plus[1])  # the best three
    before, best = cells(first.prototypes), [cells(asked.plus[k]) for k in (4, 9, 2)]
    for row in range(12):
        for j in range(N_COLUMNS):
            changed = [table[row][j] for table in best if table[row][j] != before[row][j]]
            assert joined[row][j] == (changed[0] if changed else before[row][j])


def test_moves_only_ever_ask_for_exact_points() -> None:
    # Parts of two levels would make a point that no row can be decoded to.
    optimizer, rng = moves(n_pairs=32), np.random.default_rng(4)
    state = optimizer.init(Start(invented()[0][:8], np.arange(8), np.zeros((8, 1))))
    for _ in range(40):
        asked = optimizer.ask(state, rng)
        np.testing.assert_allclose(ENCODING.snap(asked.plus), asked.plus, atol=1e-12)
        state = optimizer.tell(state, asked, Estimate(-rng.uniform(size=32), 0.0))


def test_after_a_round_without_gain_nothing_is_joined() -> None:
    optimizer, rng = moves(), np.random.default_rng(5)
    state = optimizer.init(Start(invented()[0][:8], np.arange(8), np.zeros((8, 1))))
    asked = optimizer.ask(state, rng)
    told = optimizer.tell(state, asked, Estimate(-rng.uniform(size=len(asked.plus)), 0.0))
    assert len(told.helpful) > 0
    again = optimizer.tell(told, asked, Estimate(np.ones(len(asked.plus)), 0.0))
    assert len(again.helpful) == 0
    np.testing.assert_array_equal(optimizer.result(again), optimizer.result(told))
