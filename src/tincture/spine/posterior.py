"""Weights of a score given all answers at once (Gauss-Newton; sizes by evidence, MacKay 1992).

The rounds of residual sums take careful steps, each from its own answer, and end short of where
they lead: chances that such a teacher gives are too modest. An answer a_k to weights w_k says what
Σ ψ (outcome − expected at w_k) is on real records. For weights w it should be what it is on
invented people whose outcomes follow w, so that the weights to be found solve

    mean_k a_k = mean_k Σ ψ (expected at w − expected at w_k)

over them, as far as noise and the usual size of a weight allow. Nothing more is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.public.tasks import Task

LONGEST = 1.0  # change of a weight in one step


class Asked(NamedTuple):
    """All that was asked along one basis.

    Attributes
    ----------
    pull : ndarray of shape (N, size)
        ψ of invented people, times the real ones that each stands for.
    answers : list of tuple of ndarray
        Scores of invented people by the weights that were asked about, and the residual sum.
    noise : float
        Standard deviation of the mean of the sums.
    """

    pull: Floats
    answers: Sequence[tuple[Floats, Floats]]
    noise: float


def posterior(
    values: Floats,
    asked: Sequence[Asked],
    weights: Floats,
    task: Task,
    counts: Floats,
    *,
    each: float,
    unlike: float,
    steps: int,
    precision: Callable[[Floats, Floats | None], Floats],
) -> Floats:
    """The posterior mode, after steps from the weights there are.

    Parameters
    ----------
    values : ndarray of shape (N, size)
        φ of invented people.
    asked : sequence of Asked
    weights : ndarray of shape (size,) or (n_scores, size)
    task : Task
    counts : ndarray
        Released cell counts of the outcome.
    each : float
        Real people that an invented one stands for.
    unlike : float
        Of sampling's mean variance, by which invented people may differ from real ones. Without
        noise the directions in which they hardly differ would otherwise be believed most, and the
        steps never settle.
    steps : int
    precision : callable
        From weights and the covariance of what is believed of them (none at first) to one over the
        prior variance of every weight.

    Returns
    -------
    ndarray
        Shaped like the weights.
    """
    prior = precision(weights, None)
    for _ in range(steps):
        scores = values @ weights.T
        information = task.information(scores, counts)
        need, mode = np.zeros(weights.size), np.zeros((weights.size, weights.size))
        for pull, answers, noise in asked:
            lack = [a - (pull.T @ task.expected(scores, s, counts)).T.ravel() for s, a in answers]
            slope = _along(pull, information, values)
            sampling = _along(pull, information, pull) / each
            beside = noise**2 + unlike * np.trace(sampling) / len(sampling) + 1e-12
            gain = np.linalg.solve(sampling + beside * np.eye(len(slope)), slope).T
            need, mode = need + gain @ np.mean(lack, axis=0), mode + gain @ slope
        mode = (mode + mode.T) / 2 + np.diag(prior)
        step = np.linalg.solve(mode, need - prior * weights.ravel())
        weights = weights + np.clip(step, -LONGEST, LONGEST).reshape(weights.shape)
        prior = precision(weights, np.asarray(np.linalg.inv(mode)))
    return weights


def _along(left: Floats, information: Floats, right: Floats) -> Floats:
    """Σ left ⊗ information ⊗ right over people: of several scores a block for each two of them."""
    if information.ndim == 1:
        return np.asarray((left * information[:, None]).T @ right)
    pairs = information.transpose(1, 2, 0)
    return np.block([[_along(left, told, right) for told in row] for row in pairs])
