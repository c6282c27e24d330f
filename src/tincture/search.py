"""First tables, and optimisers that ask and tell.

An optimiser proposes pairs of tables, is told a noisy estimate of each pair's difference in loss,
and never sees a record. A *start* is a small table of prototypes in the quantile cube; row i of the
condensed table is a copy of prototype ``owner[i]``, with outcome ``outcomes[i]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tincture.proxy import Marginals

Floats = NDArray[np.float64]
State = TypeVar("State")


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


def scattered(marginals: Marginals, outcomes: Floats, rng: np.random.Generator) -> Start:
    """Every row a prototype of its own, drawn column by column."""
    n_rows = len(outcomes)
    return Start(marginals.draw(n_rows, rng), np.arange(n_rows), outcomes)


def tied(
    marginals: Marginals,
    outcomes: Floats,
    severity: Floats,
    rng: np.random.Generator,
    *,
    copies: int,
    blur: float = 1.0,
) -> Start:
    """Identical typical prototypes, each repeated with mixed outcomes of graded severity.

    Repeated rows with mixed outcomes carry probabilities that the pure leaves of a tree cannot.

    Parameters
    ----------
    severity : ndarray of shape (m,)
        Larger for the outcomes that a higher risk leads to.
    copies : int
        Rows a prototype.
    blur : float
        How far the outcomes are mixed, in standard deviations of the severity.
    """
    n_rows = len(outcomes)
    noisy = severity + blur * severity.std() * rng.standard_normal(n_rows)
    n_prototypes = max(2, n_rows // copies)
    owner = np.arange(n_rows) * n_prototypes // n_rows
    prototypes = np.repeat(marginals.typical()[None], n_prototypes, axis=0)
    return Start(prototypes, owner, outcomes[np.argsort(noisy)])


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
class Moves:
    """Combinatorial moves on prototypes, kept when they beat the noise.

    Hard splits do not feel small steps, so that models made of them are searched by whole changes:
    a value for a run of neighbouring prototypes (which lie in order of risk), a copy, a shift of
    one value wherever it stands. The best of K tables is kept if its estimated gain over the
    present one exceeds ``caution`` standard deviations of the noise.
    """

    marginals: Marginals
    n_pairs: int = 64
    changes: float = 2.0
    caution: float = 2.0
    shift: float = 0.15

    def init(self, start: Start) -> Floats:
        """The prototypes themselves."""
        return start.prototypes

    def ask(self, state: Floats, rng: np.random.Generator) -> Candidates:
        """K changed tables against the present one."""
        changed = np.stack([self._changed(state, rng) for _ in range(self.n_pairs)])
        return Candidates(changed, state[None], int(rng.integers(2**31)))

    def tell(self, state: Floats, candidates: Candidates, estimate: Estimate) -> Floats:
        """The best candidate, if it is clearly better."""
        best = int(np.argmin(estimate.differences))
        gain = -estimate.differences[best]
        return candidates.plus[best] if gain > self.caution * estimate.noise else state

    def result(self, state: Floats) -> Floats:
        """The present table."""
        return state

    def _changed(self, prototypes: Floats, rng: np.random.Generator) -> Floats:
        table = prototypes.copy()
        fresh = self.marginals.draw(1, rng)[0]
        slices = self.marginals.encoding.slices
        for _ in range(rng.geometric(1 / self.changes)):
            column = slices[rng.integers(len(slices))]
            self._change(table, column, fresh, rng)
        return table

    def _change(
        self, table: Floats, column: slice, fresh: Floats, rng: np.random.Generator
    ) -> None:
        """One move in one column, in place."""
        n = len(table)
        row, other = rng.integers(n, size=2)
        move = rng.choice(4, p=[0.35, 0.15, 0.25, 0.25])
        if move == 0:  # a run in order of risk
            low, high = np.sort(rng.integers(n + 1, size=2))
            table[low : high if rng.uniform() < 0.5 else n, column] = fresh[column]
        elif move == 1:
            table[row, column] = table[other, column]
        elif move == 2:  # wherever the value stands
            same = (table[:, column] == table[row, column]).all(axis=1)
            shifted = table[row, column] + self.shift * rng.standard_normal(fresh[column].shape)
            table[same, column] = np.clip(shifted, 0.0, 1.0)
        else:
            table[row, column] = fresh[column]
