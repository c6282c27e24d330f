"""The teacher fitted once more, to all answers at once and to how columns go together.

The rounds of residual sums take careful steps, as if columns were independent, and each answer is
used at its own step only. Once the copula is bought, all of them are used together: an answer a_k
to weights w_k says what Σ ψ (outcome − expected at w_k) is on real records. For weights w it should
be what it is on invented people whose outcomes follow w, so that the teacher to be found solves

    mean_k a_k = mean_k Σ ψ (expected at w − expected at w_k)

over them, as far as noise and the columns' prior sizes allow. Nothing more is asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.engine import Told
from tincture.public.tasks import Task
from tincture.spine.teaching import Features, Teacher
from tincture.tables.additive import PRIOR_WORTH, Basis, Belief

STEPS = 20
LONGEST = 1.0  # change of a weight in one step


class Lesson(NamedTuple):
    """What was asked and told while a teacher was taught.

    Attributes
    ----------
    teacher : Teacher
        After the last round.
    belief : Belief
        With the sizes of columns' effects as they seemed at last.
    told : list of (ndarray, Told)
        Weights asked about, and the answer.
    """

    teacher: Teacher[Basis]
    belief: Belief
    told: Sequence[tuple[Floats, Told]]


def refined(
    lesson: Lesson, points: Floats, task: Task, counts: Floats, total: float
) -> Teacher[Basis]:
    """The posterior mode given all answers (Gauss-Newton), sizes by evidence (MacKay 1992).

    Parameters
    ----------
    points : ndarray of shape (N, width)
        Invented people, from the copula.
    counts : ndarray
        Noisy counts of the outcomes' cells.
    total : float
        Records that count.
    """
    if not lesson.told:
        return lesson.teacher
    basis, weights, variance = lesson.teacher.basis, lesson.teacher.weights, lesson.belief.variance
    values = basis.values(points)
    scale = total / len(values)
    pull = scale * basis.bounded(values)
    noise = lesson.told[0][1].noise / math.sqrt(len(lesson.told))
    asked = [(values @ w.T, told.value) for w, told in lesson.told]
    widths = [b.stop - b.start for b in basis.blocks]
    for _ in range(STEPS):
        scores = values @ weights.T
        rest = [a - (task.expected(scores, s, counts).T @ pull).ravel() for s, a in asked]
        information = task.information(scores, counts)
        slope, sampling = _along(pull, information, values), _along(pull, information, pull) / scale
        noisy = sampling + (noise**2 + 1e-9 * np.trace(sampling) + 1e-12) * np.eye(weights.size)
        gain = np.linalg.solve(noisy, slope).T
        precision = np.resize(1 / np.repeat(variance, widths), weights.size)
        mode = gain @ slope
        mode = (mode + mode.T) / 2 + np.diag(precision)
        step = np.linalg.solve(mode, gain @ np.mean(rest, axis=0) - precision * weights.ravel())
        weights = weights + np.clip(step, -LONGEST, LONGEST).reshape(weights.shape)
        variance = _sizes(basis, weights, np.asarray(np.linalg.inv(mode)), lesson.belief)
    return Teacher(basis, weights)


def _along(left: Floats, information: Floats, right: Floats) -> Floats:
    """Σ left ⊗ information ⊗ right over people: of several scores a block for each two of them."""
    if information.ndim == 1:
        return np.asarray((left * information[:, None]).T @ right)
    pairs = information.transpose(1, 2, 0)
    return np.block([[_along(left, told, right) for told in row] for row in pairs])


def _sizes(basis: Features, weights: Floats, spread: Floats, belief: Belief) -> Floats:
    """Variance of a weight of each block: E‖w‖² / size, and some belief in the usual."""
    variance = belief.variance.copy()
    free = np.diag(spread).reshape(weights.shape)
    for b, block in enumerate(basis.blocks[:-1]):
        own = weights[..., block].ravel()
        seen = own @ own + free[..., block].sum()
        variance[b] = (seen + PRIOR_WORTH * belief.prior) / (own.size + PRIOR_WORTH)
    return variance
