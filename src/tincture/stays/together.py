"""The teacher of stays fitted once more, to all answers at once (`tincture.spine.posterior`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Task
from tincture.spine.posterior import Asked, posterior

STEPS = 15
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
    """The posterior mode given all answers, with one usual size of all weights.

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
    size = len(start)

    def precision(weights: Floats, spread: Floats | None) -> Floats:
        variance = prior
        if spread is not None:
            seen = np.square(weights[:-1]).sum() + np.trace(spread[:-1, :-1])
            variance = (seen + WORTH * prior) / (size - 1 + WORTH)
        return np.append(np.full(size - 1, 1 / variance), 1e-6)

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
        steps=STEPS,
        precision=precision,
    )
