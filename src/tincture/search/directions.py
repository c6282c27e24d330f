"""Antithetic random directions: small steps of a whole table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.search.optimizer import Candidates, Estimate, Start


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
