"""A private teacher of stays: a linear score of their summaries, from residual sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Engine, Told
from tincture.privacy.query import Query
from tincture.public.tasks import Task
from tincture.spine.questions import ENOUGH_UNITS, ResidualSums
from tincture.spine.teaching import Teacher, taught
from tincture.stays.summaries import Summaries
from tincture.stays.together import Crowd, Heard, together

N_IMAGINED = 4000  # summaries from which expected slopes are computed
PRIOR = 0.015  # variance of a weight before anything is known
PRIOR_EXACT = 0.025
STEP = 0.25  # of a full step in every weight by itself: related summaries would overshoot together
KEPT = 16  # variables and statics that the teacher heeds in the end
INFORMATION = 0.16  # p(1 − p) of fixed Newton steps, between its mean and its bound of ¼


class Teachers(NamedTuple):
    """What residual sums taught.

    Attributes
    ----------
    whole : Teacher[Summaries]
        That heeds all summaries, and draws the outcomes of the cohort.
    few : Teacher[Summaries]
        That heeds the values of a few columns, along which condensed stays are invented. How often
        a variable is recorded depends on the house more than on the patient, and networks that
        learned it from a few dozen stays did worse (docs/decisions/0010-series.md).
    """

    whole: Teacher[Summaries]
    few: Teacher[Summaries]


def teach(
    engine: Engine,
    basis: Summaries,
    task: Task,
    counts: Floats,
    exact: Floats | None,
    rng: np.random.Generator,
    tick: Callable[[], None],
) -> Teachers:
    """Fit the teacher by rounds of residual sums.

    ``exact``: the mean of φ φᵀ over real stays, where it was asked.
    """
    n_units = max(float(counts.sum()), 1.0)
    imagined = basis.imagined(N_IMAGINED, rng)
    basis = replace(basis, reach=float(np.median(np.linalg.norm(imagined, axis=1))))
    products = imagined.T @ imagined / len(imagined) if exact is None else exact
    slopes = n_units * products / basis.reach
    rounds, heard = engine.ledger.plan.count(ResidualSums.question), list[Heard]()

    def asked(weights: Floats) -> Query:
        return ResidualSums(task, Teacher(basis, weights), counts)

    def learned(weights: Floats, answer: Told) -> Floats:
        if exact is not None:
            return _newton(weights, answer.value, slopes, basis.reach)
        heard.append(Heard(weights, answer))
        information = float(task.information(imagined @ weights, counts).mean())
        noise = answer.noise / np.sqrt(rounds)
        slope = np.diag(slopes) * information + 1e-9
        return _by_itself(weights, answer.value, slope, noise, basis.reach)

    first = np.append(np.zeros(basis.size - 1), task.level(counts))
    share = min(1.0, ENOUGH_UNITS / n_units)
    weights = taught(engine, first, asked, learned, tick, share=share)
    if heard:
        crowd = Crowd(imagined, basis.bounded(imagined), n_units / len(imagined))
        weights = together(heard, weights, crowd, task, counts, PRIOR)
    few = Teacher(basis, sparse(weights, basis.blocks, products))
    return Teachers(Teacher(basis, weights), few)


def sparse(weights: Floats, blocks: Sequence[slice], products: Floats, n: int = KEPT) -> Floats:
    """The score nearest in mean square among those of ``n`` blocks, dropped one after the other.

    Networks trained on few stays trust every channel that differs; so those that tell little of the
    outcome are better left out altogether, and a rough weight with them.

    Parameters
    ----------
    weights : ndarray of shape (size,)
    blocks : sequence of slice
        The last, the constant, always stays.
    products : ndarray of shape (size, size)
        Mean of φ φᵀ over stays, real or imagined.
    n : int

    Returns
    -------
    ndarray of shape (size,)
        0 in the blocks left out.
    """
    products = products + 1e-3 * np.eye(len(weights))
    moment, left = products @ weights, list(blocks)
    while True:
        chosen = np.concatenate([np.arange(b.start, b.stop) for b in left])
        inverse = np.linalg.inv(products[np.ix_(chosen, chosen)])
        best = inverse @ moment[chosen]
        if len(left) <= n + 1:
            out = np.zeros_like(weights)
            out[chosen] = best
            return out
        losses, start = [], 0
        for block in left[:-1]:
            own = slice(start, start + block.stop - block.start)
            losses.append(best[own] @ np.linalg.solve(inverse[own, own], best[own]))
            start = own.stop
        left.pop(int(np.argmin(losses)))


def _newton(weights: Floats, answer: Floats, slopes: Floats, reach: float) -> Floats:
    """Whole steps of a ridge regression with a fixed curvature (Böhning and Lindsay 1988)."""
    ridge = _free_constant(len(weights)) / PRIOR_EXACT / reach
    step = np.linalg.solve(INFORMATION * slopes + np.diag(ridge), answer - ridge * weights)
    return np.asarray(weights + step)


def _by_itself(
    weights: Floats, answer: Floats, slope: Floats, noise: float, reach: float
) -> Floats:
    """A damped step to each weight's posterior mode, were summaries independent.

    ``noise`` is that of the mean of all planned answers; sampling noise is slope / reach.
    """
    variance = noise**2 + slope / reach
    precision, prior = slope**2 / variance, _free_constant(len(weights)) / PRIOR
    return weights + STEP * (slope / variance * answer - prior * weights) / (precision + prior)


def _free_constant(size: int) -> Floats:
    """1 for every weight but the last, which is hardly held back."""
    return np.append(np.ones(size - 1), 1e-6)
