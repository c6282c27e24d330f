"""What every optimiser must do; a new one inherits `OptimizerContract`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers import FEATURES, SCHEMA
from tincture.public.encoding import Encoding
from tincture.search.directions import Directions
from tincture.search.moves import Moves
from tincture.search.optimizer import Estimate, Optimizer, Start
from tincture.tables.marginals import Marginals
from tincture.tables.starts import scattered, tied

ENCODING = Encoding([SCHEMA[f] for f in FEATURES])
MARGINALS = Marginals.flat(ENCODING)
Objective = Callable[[np.ndarray], np.ndarray]


def start() -> Start:
    outcomes = np.repeat([0.0, 1.0], 6)[:, None]
    return scattered(MARGINALS, outcomes, np.random.default_rng(3))


def quadratic(tables: np.ndarray) -> np.ndarray:
    """Mean squared distance to 0.3, a table at a time."""
    found: np.ndarray = np.square(tables - 0.3).mean(axis=(1, 2))
    return found


class OptimizerContract:
    """Give ``optimizer``."""

    rounds = 60

    def optimizer(self) -> Optimizer[Any]:
        raise NotImplementedError

    def run(self, objective: Objective, seed: int = 0, noise: float = 0.0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        optimizer = self.optimizer()
        state = optimizer.init(start())
        for _ in range(self.rounds):
            asked = optimizer.ask(state, rng)
            differences = objective(asked.plus) - objective(asked.minus)
            state = optimizer.tell(state, asked, Estimate(differences, noise))
        return optimizer.result(state)

    def test_asks_for_pairs_of_tables_of_one_shape(self, rng: np.random.Generator) -> None:
        optimizer = self.optimizer()
        asked = optimizer.ask(optimizer.init(start()), rng)
        n_pairs, *shape = asked.plus.shape
        assert tuple(shape) == start().prototypes.shape
        assert asked.minus.shape in {(n_pairs, *shape), (1, *shape)}
        assert isinstance(asked.seed, int)

    def test_the_same_seed_asks_and_ends_alike(self) -> None:
        first, again, other = (self.run(quadratic, seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()

    def test_before_the_first_round_the_result_is_the_start(self) -> None:
        optimizer = self.optimizer()
        result = optimizer.result(optimizer.init(start()))
        np.testing.assert_array_equal(result, start().prototypes)

    @pytest.mark.parametrize("size", [0.0, 1.0, 1e9])
    def test_whatever_it_is_told_the_result_stays_in_the_cube(
        self, size: float, rng: np.random.Generator
    ) -> None:
        result = self.run(lambda tables: size * rng.standard_normal(len(tables)), noise=size / 4)
        assert result.shape == start().prototypes.shape
        assert np.isfinite(result).all()
        assert ((result >= 0) & (result <= 1)).all()

    def test_asking_and_telling_leave_the_old_state_alone(self, rng: np.random.Generator) -> None:
        optimizer = self.optimizer()
        state = optimizer.init(start())
        before = optimizer.result(state).copy()
        asked = optimizer.ask(state, rng)
        optimizer.tell(state, asked, Estimate(-np.ones(len(asked.plus)), 0.0))
        np.testing.assert_array_equal(optimizer.result(state), before)

    def test_a_known_objective_gets_better(self) -> None:
        before = quadratic(start().prototypes[None])
        assert quadratic(self.run(quadratic)[None]) < 0.8 * before


class TestDirections(OptimizerContract):
    def optimizer(self) -> Optimizer[Any]:
        return Directions(rounds=self.rounds, n_pairs=32)

    def test_a_quadratic_is_nearly_minimised(self) -> None:
        assert quadratic(self.run(quadratic)[None]) < 0.1 * quadratic(start().prototypes[None])


class TestMoves(OptimizerContract):
    def optimizer(self) -> Optimizer[Any]:
        pool = MARGINALS.draw(200, np.random.default_rng(8))
        n_columns = len(ENCODING.slices)
        return Moves(pool, ENCODING.slices, np.full(n_columns, 1 / n_columns), n_pairs=32)

    def test_a_gain_within_the_noise_is_not_taken(self, rng: np.random.Generator) -> None:
        optimizer = self.optimizer()
        state = optimizer.init(start())
        asked = optimizer.ask(state, rng)
        told = optimizer.tell(state, asked, Estimate(np.full(32, -1.9), 1.0))
        np.testing.assert_array_equal(optimizer.result(told), optimizer.result(state))


@pytest.mark.parametrize("n_rows", [4, 5, 16, 100])
def test_tied_rows_share_prototypes_in_order_of_severity(
    n_rows: int, rng: np.random.Generator
) -> None:
    outcomes = np.repeat([0.0, 1.0], [n_rows // 2, n_rows - n_rows // 2])[:, None]
    table = tied(MARGINALS, outcomes, outcomes[:, 0], rng, copies=4, blur=0.0)
    assert table.owner.shape == (n_rows,)
    assert table.prototypes.shape == (max(2, n_rows // 4), ENCODING.width)
    assert set(table.owner) == set(range(len(table.prototypes)))
    assert (np.diff(table.outcomes[:, 0]) >= 0).all()
