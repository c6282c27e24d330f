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
from tincture.kernels.rows import norms, products
from tincture.privacy.engine import Engine, Told
from tincture.privacy.query import Query
from tincture.public.tasks import Task

TINY = 1e-12  # below which a reach, or a norm, is none


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


def shrunk(values: Floats, reach: float) -> Floats:
    """φ of norm 1 at most: ψ = φ / max(reach, ‖φ‖), and 0 where φ is."""
    return np.asarray(values / np.maximum(norms(values), max(reach, TINY))[:, None])


def usual_norm(values: Floats) -> float:
    """The median norm of φ over invented records: a reach that shrinks half of them."""
    return float(np.median(norms(values)))


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


def levelled(
    teacher: Teacher[Features], sample: Floats, task: Task, counts: Floats
) -> Teacher[Features]:
    """With the released prevalence as its mean chance over a sample of the proxy.

    A log hazard stays as it is: it is measured from the average record's, so has no level.
    """
    if task.name == "survival":
        return teacher
    scores = teacher.score(sample)
    if teacher.weights.ndim > 1:
        level = np.zeros(scores.shape[1])
        for _ in range(50):
            met = task.level(task.chance(scores + level).mean(axis=0))
            level = level + task.level(counts) - met
        return shifted(teacher, level)
    wanted = task.chance(np.full(1, task.level(counts)))[0]
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        too_low = task.chance(scores + middle).mean() < wanted
        low, high = (middle, high) if too_low else (low, middle)
    return shifted(teacher, low)


def shifted(teacher: Teacher[Features], by: float | Floats) -> Teacher[Features]:
    """The same from another level."""
    weights = teacher.weights.copy()
    weights[..., -1] += by
    return Teacher(teacher.basis, weights)
