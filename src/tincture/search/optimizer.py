"""Optimisers that ask and tell.

An optimiser proposes pairs of tables, is told a noisy estimate of each pair's difference in loss,
and never sees a record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from tincture.arrays import Floats, Integers

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
    owner: Integers
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

    @property
    def both(self) -> Floats:
        """All of them, (2K, P, width) or (K + 1, P, width)."""
        return np.concatenate([self.plus, self.minus])

    def placed(self, place: Callable[[Floats], Floats]) -> Candidates:
        """The same pairs elsewhere."""
        return Candidates(place(self.plus), place(self.minus), self.seed)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What came back: mean loss differences (K,) and the standard deviation of their noise."""

    differences: Floats
    noise: float


class Optimizer(Protocol[State]):
    """Ask and tell, with an explicit state and generator."""

    def init(self, start: Start) -> State:
        """The state before the first round."""

    def ask(self, state: State, rng: np.random.Generator) -> Candidates:
        """Tables to compare in this round."""

    def tell(self, state: State, candidates: Candidates, estimate: Estimate) -> State:
        """The state after this round."""

    def result(self, state: State) -> Floats:
        """The prototypes to release, (P, width)."""
