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
from tincture.tables.additive import PRIOR_WORTH, Belief

STEPS = 20
LONGEST = 1.0  # change of a weight in one step
UNLIKE = 0.1  # of sampling's mean variance, by which invented people may differ from real ones


class Heard(NamedTuple):
    """A residual sum, and the teacher of which it was asked."""

    basis: Features
    weights: Floats
    told: Told


class Lesson(NamedTuple):
    """What was asked and told while a teacher was taught.

    Attributes
    ----------
    teacher : Teacher
        After the last round.
    belief : Belief
        With the sizes of blocks' effects as they seemed at last.
    told : list of Heard
    """

    teacher: Teacher[Features]
    belief: Belief
    told: Sequence[Heard]

    @classmethod
    def first(cls, basis: Features, level: float | Floats, prior: float) -> Lesson:
        """Before any answer: all records alike."""
        belief = Belief.first(basis, level, prior)
        return cls(Teacher(basis, belief.weights), belief, [])

    def on(self, basis: Features) -> Lesson:
        """On a basis with more blocks."""
        belief = self.belief.joined(self.teacher.basis, basis)
        return Lesson(Teacher(basis, belief.weights), belief, self.told)


class _Asked(NamedTuple):
    """All that was asked along one basis: ψ of invented people, the noise of the mean, the rest."""

    pull: Floats
    noise: float
    answers: Sequence[tuple[Floats, Floats]]


def refined(
    lesson: Lesson, points: Floats, task: Task, counts: Floats, total: float
) -> Teacher[Features]:
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
    values, scale = basis.values(points), total / len(points)
    asked, size = _by_basis(lesson.told, points, scale), weights.size
    widths = [b.stop - b.start for b in basis.blocks]
    for _ in range(STEPS):
        scores = values @ weights.T
        information = task.information(scores, counts)
        need, mode = np.zeros(size), np.zeros((size, size))
        for pull, noise, answers in asked:
            lack = [a - (pull.T @ task.expected(scores, s, counts)).T.ravel() for s, a in answers]
            slope = _along(pull, information, values)
            sampling = _along(pull, information, pull) / scale
            noisy = sampling + _level(noise, sampling) * np.eye(len(slope))
            gain = np.linalg.solve(noisy, slope).T
            need, mode = need + gain @ np.mean(lack, axis=0), mode + gain @ slope
        precision = np.resize(1 / np.repeat(variance, widths), size)
        mode = (mode + mode.T) / 2 + np.diag(precision)
        step = np.linalg.solve(mode, need - precision * weights.ravel())
        weights = weights + np.clip(step, -LONGEST, LONGEST).reshape(weights.shape)
        variance = _sizes(basis, weights, np.asarray(np.linalg.inv(mode)), lesson.belief)
    return Teacher(basis, weights)


def _level(noise: float, sampling: Floats) -> float:
    """Variance of an answer beside sampling's: of noise, and as invented people are no real ones.

    Without noise the directions in which they hardly differ would otherwise be believed most, and
    the steps never settle.
    """
    return float(noise**2 + UNLIKE * np.trace(sampling) / len(sampling) + 1e-12)


def _by_basis(told: Sequence[Heard], points: Floats, scale: float) -> list[_Asked]:
    out = []
    for basis in {id(heard.basis): heard.basis for heard in told}.values():
        values, alike = basis.values(points), [h for h in told if h.basis is basis]
        answers = [(values @ h.weights.T, h.told.value) for h in alike]
        noise = alike[0].told.noise / math.sqrt(len(alike))
        out.append(_Asked(scale * basis.bounded(values), noise, answers))
    return out


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
