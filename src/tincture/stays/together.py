"""The teacher of stays fitted to all answers at once (`tincture.spine.posterior`).

Weights are as if drawn from a Student distribution, few of them large, whose scale answers tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Task
from tincture.spine.posterior import Asked, posterior, sizes

FREEDOM = 4.0  # degrees of the distribution
WORTH = 4.0  # weights that what was believed of their scale counts as
LOOSE = 1e-6  # precision of the constant, which is hardly held back


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
    heard: Sequence[Heard],
    start: Floats,
    crowd: Crowd,
    task: Task,
    counts: Floats,
    *,
    prior: float,
    steps: int,
) -> Floats:
    """The posterior mode given all answers so far.

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
    steps : int

    Returns
    -------
    ndarray of shape (size,)
    """

    def precision(weights: Floats, spread: Floats | None) -> Floats:
        if spread is None:
            return np.append(np.full(len(start) - 1, 1 / prior), LOOSE)
        squares = np.square(weights[:-1]) + np.diag(spread)[:-1]
        own = sizes(squares, np.ones_like(squares), prior, freedom=FREEDOM, worth=WORTH)
        return np.append(1 / own, LOOSE)

    noise = heard[0].told.noise / math.sqrt(len(heard))
    answers = [(crowd.values @ h.weights, h.told.value) for h in heard]
    return posterior(
        crowd.values,
        [Asked(crowd.each * crowd.bounded, answers, noise)],
        start,
        task,
        counts,
        each=crowd.each,
        unlike=0.0,
        steps=steps,
        precision=precision,
    )
