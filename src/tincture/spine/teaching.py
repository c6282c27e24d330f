"""A private teacher: a score of risk, linear in features, fitted by rounds of residual sums.

Nothing else of the outcome is asked of the records, and the fitted teacher labels invented ones for
free, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.kernels.rows import products
from tincture.privacy.engine import Engine, Told
from tincture.privacy.query import Query


class Features(Protocol):
    """Numbers φ of a record, in blocks whose weights are thought to be of one size."""

    @property
    def size(self) -> int:
        """Numbers a record."""

    @property
    def blocks(self) -> Sequence[slice]:
        """Numbers of each column; the constant comes last."""

    def values(self, points: Any) -> Floats:
        """φ of encoded points, (n, size)."""

    def bounded(self, values: Floats) -> Floats:
        """ψ, which is φ shrunk to norm 1 at most."""


Basis = TypeVar("Basis", bound=Features, covariant=True)


@dataclass(frozen=True)
class Teacher(Generic[Basis]):
    """A score of risk, weights · φ(x): a log odds or a log hazard, or several of many classes.

    Attributes
    ----------
    basis : Features
    weights : ndarray of shape (basis.size,), or (n_scores, basis.size)
    """

    basis: Basis
    weights: Floats

    def score(self, points: NDArray[np.floating[Any]]) -> Floats:
        """Of encoded points, (n,) or (n, n_scores)."""
        return scored(self.basis.values(points), self.weights)


def scored(values: Floats, weights: Floats) -> Floats:
    """Scores of records with these φ, (n,) or (n, n_scores), each from its own record alone."""
    if weights.ndim == 1:
        return products(values, weights)
    return np.stack([products(values, one) for one in weights], axis=1)


def in_line(scores: Floats, shares: Floats | None = None) -> Floats:
    """One number a record, (n,): of several scores the way along which they differ most.

    Parameters
    ----------
    shares : ndarray of shape (n,), optional
        How much each record counts.
    """
    if scores.ndim == 1:
        return scores
    away = scores - np.average(scores, axis=0, weights=shares)
    counted = away if shares is None else away * shares[:, None]
    return np.asarray(away @ np.linalg.eigh(counted.T @ away)[1][:, -1])


def taught(
    engine: Engine,
    first: Floats,
    asked: Callable[[Floats], Query],
    learned: Callable[[Floats, Told], Floats],
    tick: Callable[[], None],
    *,
    share: float = 1.0,
    rounds: int | None = None,
) -> Floats:
    """Weights after some rounds: the mean over the later half.

    Parameters
    ----------
    engine : Engine
    first : ndarray of shape (size,) or (n_scores, size)
    asked : callable
        From the present weights to the question of a round; all are of one kind.
    learned : callable
        From the present weights and an answer to the next ones. A round whose answer was lost by a
        killed run changes nothing.
    tick : callable
        Told of each round.
    share : float
        Of the units that take part, to save time.
    rounds : int, optional
        All planned by default.
    """
    question = asked(first).question
    plan = engine.ledger.plan
    mechanism, number = plan.mechanism(question), plan.count(question) if rounds is None else rounds
    weights, late = first, []
    for done in range(number):
        tick()
        answer = engine.answer(asked(weights), mechanism, share=share)
        if answer.value is not None:
            weights = learned(weights, Told(answer.value, answer.noise))
        if 2 * done >= number - 1:
            late.append(weights)
    return np.asarray(np.mean(late, axis=0))
