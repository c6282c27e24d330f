"""The teacher of stays fitted to all answers at once (`tincture.spine.posterior`).

Weights are as if drawn from a Student distribution, few of them large, whose scale the answers tell
(a normal scale mixture fitted by expectation and maximisation: Lange, Little and Taylor 1989).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Task
from tincture.spine.posterior import Asked, posterior

FREEDOM = 4.0  # degrees of it
WORTH = 4.0  # weights that what was believed of their scale counts as
TURNS = 5  # of scale and weights
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
        return _precision(np.square(weights) + np.diag(spread), prior)

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


def _precision(squares: Floats, prior: float) -> Floats:
    """Precision of each weight, given what the square of each but the last is thought to be."""
    scale = prior
    for _ in range(TURNS):
        told = (FREEDOM + 1) / (FREEDOM * scale + squares[:-1])
        scale = (len(told) + WORTH) / (told.sum() + WORTH / prior)
    return np.append(told, LOOSE)
