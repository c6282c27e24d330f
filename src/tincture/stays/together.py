"""The teacher of stays fitted once more, to all answers at once; as `tincture.tables.refined`.

The rounds of residual sums take careful steps, each from its own answer, and end short of where
they lead: chances that such a teacher gives are too modest. Together the answers a_k to weights w_k
say that the weights w to be found solve

    mean_k a_k = mean_k Σ ψ (expected at w − expected at w_k)

over imagined stays, as far as noise and the usual size of a weight allow. Nothing more is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Task

STEPS = 15
LONGEST = 1.0  # change of a weight in one step
WORTH = 4.0  # weights that what was believed of their size counts as


class Heard(NamedTuple):
    """A residual sum, and the weights of which it was asked."""

    weights: Floats
    told: Told


class Crowd(NamedTuple):
    """Imagined stays.

    Attributes
    ----------
    values, bounded : ndarray of shape (N, size)
        Summaries φ, and ψ, which is φ of norm 1 at most.
    each : float
        Real stays that one stands for.
    """

    values: Floats
    bounded: Floats
    each: float


def together(
    heard: Sequence[Heard], start: Floats, crowd: Crowd, task: Task, counts: Floats, prior: float
) -> Floats:
    """The posterior mode given all answers (Gauss-Newton), sizes by evidence (MacKay 1992).

    Parameters
    ----------
    heard : sequence of Heard
        At least one.
    start : ndarray of shape (size,)
    crowd : Crowd
    task : Task
    counts : ndarray
        Released cell counts of the outcome.
    prior : float
        Variance of a weight before anything is known.

    Returns
    -------
    ndarray of shape (size,)
    """
    told, size = np.mean([h.told.value for h in heard], axis=0), len(start)
    noise = heard[0].told.noise / math.sqrt(len(heard))
    values, pull = crowd.values, crowd.each * crowd.bounded
    asked = [values @ h.weights for h in heard]
    weights, variance = start, prior
    for _ in range(STEPS):
        scores = values @ weights
        information = task.information(scores, counts)[:, None]
        expected = np.mean([task.expected(scores, a, counts) for a in asked], axis=0)
        slope = (pull * information).T @ values
        sampling = (pull * information).T @ crowd.bounded
        noisy = sampling + (noise**2 + 1e-12) * np.eye(size)
        gain = np.linalg.solve(noisy, slope).T
        precision = np.append(np.full(size - 1, 1 / variance), 1e-6)
        mode = gain @ slope
        mode = (mode + mode.T) / 2 + np.diag(precision)
        step = np.linalg.solve(mode, gain @ (told - pull.T @ expected) - precision * weights)
        weights = weights + np.clip(step, -LONGEST, LONGEST)
        free = np.trace(np.linalg.inv(mode)[:-1, :-1])
        seen = np.square(weights[:-1]).sum() + free
        variance = (seen + WORTH * prior) / (size - 1 + WORTH)
    return np.asarray(weights)
