"""Moves that are joined."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers import ENCODING, invented
from tincture.public.tasks import Classification, Survival
from tincture.search.moves import Moves
from tincture.search.optimizer import Estimate, Start

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)
N_COLUMNS = len(ENCODING.slices)


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
