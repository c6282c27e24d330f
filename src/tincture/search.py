"""Optimisers that ask and tell.

An optimiser proposes pairs of tables, is told a noisy estimate of each pair's difference in loss,
and never sees a record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
State = TypeVar("State")
Progress = Callable[[int, int], None]  # rounds done, rounds in all


@dataclass(frozen=True, slots=True)
class Start:
    """A first table.

    Attributes
    ----------
    prototypes : ndarray of shape (P, width)
        In the quantile cube.
    owner : ndarray of int64, shape (m,)
        Prototype of each row.
    outcomes : ndarray of shape (m, outcome width)
        Of each row; fixed during the search, so that rows keep the real prevalence or times.
    """

    prototypes: Floats
    owner: NDArray[np.int64]
    outcomes: Floats


@dataclass(frozen=True, slots=True)
class Candidates:
    """K pairs of prototype tables; the question is ℓ(plus_k) − ℓ(minus_k).

    Attributes
    ----------
    plus : ndarray of shape (K, P, width)
    minus : ndarray of shape (K, P, width), or (1, P, width) shared by all pairs
    seed : int
        Breaks the models' ties, alike for all tables of the round.
    """

    plus: Floats
    minus: Floats
    seed: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What came back: mean loss differences (K,) and the standard deviation of their noise."""

    differences: Floats
    noise: float


class Optimizer(Protocol[State]):
    """Ask and tell, with an explicit state and generator."""

    def init(self, start: Start) -> State:
        """The state before the first round."""
        ...

    def ask(self, state: State, rng: np.random.Generator) -> Candidates:
        """Tables to compare in this round."""
        ...

    def tell(self, state: State, candidates: Candidates, estimate: Estimate) -> State:
        """The state after this round."""
        ...

    def result(self, state: State) -> Floats:
        """The prototypes to release, (P, width)."""
        ...


@dataclass(frozen=True, slots=True)
class DirectionsState:
    """Prototypes S, Adam's moments, the round, and the sum of the late iterates."""

    prototypes: Floats
    momentum: Floats
    energy: float
    round: int
    late_sum: Floats
    late_count: int


@dataclass(frozen=True, slots=True)
class Directions:
    """Antithetic random directions with Adam-like steps (the paper's zero-order method).

    For K directions u_k ~ N(0, I), the differences of ℓ(S + μu_k) and ℓ(S − μu_k) estimate the
    gradient of the smoothed loss, g = Σ_k (ℓ⁺_k − ℓ⁻_k)/(2μ) u_k / K; a step follows its running
    mean, scaled by one running magnitude for all coordinates. Steps shrink by the share ``cooling``
    until the last round, and the iterates of the last share ``late`` of the rounds are averaged.

    References
    ----------
    Nesterov and Spokoiny (2017), eq. 30; Kingma and Ba (2015), algorithm 1.
    """

    rounds: int
    n_pairs: int = 64
    radius: float = 0.3
    step: float = 0.1
    decay: tuple[float, float] = (0.9, 0.99)
    late: float = 0.5
    cooling: float = 0.9

    def init(self, start: Start) -> DirectionsState:
        """At the start, at rest."""
        zero = np.zeros_like(start.prototypes)
        return DirectionsState(start.prototypes, zero, 0.0, 0, zero, 0)

    def ask(self, state: DirectionsState, rng: np.random.Generator) -> Candidates:
        """S + μu_k against S − μu_k."""
        u = self.radius * rng.standard_normal((self.n_pairs, *state.prototypes.shape))
        seed = int(rng.integers(2**31))
        return Candidates(state.prototypes + u, state.prototypes - u, seed)

    def tell(
        self, state: DirectionsState, candidates: Candidates, estimate: Estimate
    ) -> DirectionsState:
        """One Adam-like step, kept inside the cube."""
        u = (candidates.plus - candidates.minus) / (2 * self.radius)
        slope = estimate.differences / (2 * self.radius)
        gradient = np.tensordot(slope, u, axes=1) / self.n_pairs

        first, second = self.decay
        momentum = first * state.momentum + (1 - first) * gradient
        energy = second * state.energy + (1 - second) * float(np.mean(gradient**2))
        t = state.round + 1
        mean = momentum / (1 - first**t)
        magnitude = np.sqrt(energy / (1 - second**t)) + 1e-12
        step = self.step * (1 - self.cooling * state.round / self.rounds)
        prototypes = np.clip(state.prototypes - step * mean / magnitude, 0.0, 1.0)

        is_late = t > self.rounds * (1 - self.late)
        return DirectionsState(
            prototypes,
            momentum,
            energy,
            t,
            state.late_sum + prototypes * is_late,
            state.late_count + is_late,
        )

    def result(self, state: DirectionsState) -> Floats:
        """The mean of the late iterates."""
        if state.late_count == 0:
            return state.prototypes
        return state.late_sum / state.late_count


@dataclass(frozen=True, slots=True)
class MovesState:
    """The present table, and the changes of the last one that helped, best first."""

    table: Floats
    before: Floats
    helpful: Floats


@dataclass(frozen=True, slots=True)
class Moves:
    """Combinatorial moves on prototypes, kept when they beat the noise.

    Hard splits do not feel small steps, so that models made of them are searched by whole changes:
    another value for one prototype, for all that share a value, or for a run of them (they lie in
    order of risk); two prototypes exchanged, which exchanges their outcomes. The best of K tables
    is kept if its estimated gain over the present one exceeds ``caution`` standard deviations of
    the noise. The next round also tries this round's helpful changes together.

    Parameters
    ----------
    pool : ndarray of shape (N, width)
        Points whose values are taken.
    columns : sequence of slice
        Coordinates of each column.
    weights : ndarray of shape (n_columns,)
        How often each column is changed, summing to 1.
    """

    pool: Floats
    columns: Sequence[slice]
    weights: Floats
    n_pairs: int = 54
    changes: float = 1.7
    together: tuple[int, ...] = (2, 3, 4, 6, 8, 12)
    caution: float = 2.0

    def init(self, start: Start) -> MovesState:
        """The prototypes themselves."""
        return MovesState(start.prototypes, start.prototypes, start.prototypes[:0][None][:0])

    def ask(self, state: MovesState, rng: np.random.Generator) -> Candidates:
        """K changed tables against the present one."""
        counts = [count for count in self.together if count <= len(state.helpful)]
        tables = [self._joined(state, count) for count in counts]
        while len(tables) < self.n_pairs:
            tables.append(self._changed(state.table, rng))
        return Candidates(np.stack(tables), state.table[None], int(rng.integers(2**31)))

    def tell(self, state: MovesState, candidates: Candidates, estimate: Estimate) -> MovesState:
        """The best candidate, if it is clearly better."""
        order = np.argsort(estimate.differences)
        better = order[estimate.differences[order] < -self.caution * estimate.noise]
        if len(better) == 0:
            return self.init(Start(state.table, np.zeros(0, np.int64), state.table))
        most = max(self.together, default=0)
        helpful = candidates.plus[better[:most]]
        return MovesState(candidates.plus[better[0]], state.table, helpful)

    def result(self, state: MovesState) -> Floats:
        """The present table."""
        return state.table

    def _joined(self, state: MovesState, count: int) -> Floats:
        """The present table with the best ``count`` helpful changes, the best ones last.

        A column's coordinates change together: parts of two levels would make neither.
        """
        table = state.table.copy()
        for changed in state.helpful[:count][::-1]:
            for column in self.columns:
                rows = (changed[:, column] != state.before[:, column]).any(axis=1)
                table[rows, column] = changed[rows, column]
        return table

    def _changed(self, prototypes: Floats, rng: np.random.Generator) -> Floats:
        table = prototypes.copy()
        for _ in range(rng.geometric(1 / self.changes)):
            column = self.columns[rng.choice(len(self.columns), p=self.weights)]
            self._change(table, column, rng)
        return table

    def _change(self, table: Floats, column: slice, rng: np.random.Generator) -> None:
        """One move, in place."""
        n = len(table)
        row, other = rng.integers(n, size=2)
        fresh = self.pool[rng.integers(len(self.pool)), column]
        move = rng.choice(5, p=[0.45, 0.2, 0.1, 0.15, 0.1])
        if move == 0:
            table[row, column] = fresh
        elif move == 1:
            table[row, column] = table[other, column]
        elif move == 2:  # wherever the value stands
            table[(table[:, column] == table[row, column]).all(axis=1), column] = fresh
        elif move == 3:  # a run in order of risk
            table[min(row, other) : max(row, other) + 1, column] = fresh
        else:
            table[[row, other]] = table[[other, row]]
