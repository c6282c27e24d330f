"""The teacher fitted once more, to all answers at once and to how columns go together.

The rounds of residual sums take careful steps, as if columns were independent, and each answer is
used at its own step only. Once the copula is bought, all of them are used together
(`tincture.spine.posterior`), over people in whom columns go together. Nothing more is asked.
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
from tincture.spine.teaching import Features, Teacher
from tincture.tables.additive import PRIOR_WORTH, Belief

STEPS = 20
USUAL_WORTH = 1.0  # columns that what was believed of a usual one counts as
TURNS = 6  # of sizes of blocks and the usual one
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


def refined(
    lesson: Lesson, points: Floats, task: Task, counts: Floats, total: float
) -> Teacher[Features]:
    """The posterior mode given all answers, with sizes of each column's effects.

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
    basis, belief, each = lesson.teacher.basis, lesson.belief, total / len(points)
    widths = [b.stop - b.start for b in basis.blocks]

    def precision(weights: Floats, spread: Floats | None) -> Floats:
        variance = belief.variance if spread is None else _sizes(basis, weights, spread, belief)
        return np.resize(1 / np.repeat(variance, widths), weights.size)

    found = posterior(
        basis.values(points),
        _by_basis(lesson.told, points, each),
        lesson.teacher.weights,
        task,
        counts,
        each=each,
        unlike=UNLIKE,
        steps=STEPS,
        precision=precision,
    )
    return Teacher(basis, found)


def _by_basis(told: Sequence[Heard], points: Floats, each: float) -> list[Asked]:
    out = []
    for basis in {id(heard.basis): heard.basis for heard in told}.values():
        values, alike = basis.values(points), [h for h in told if h.basis is basis]
        answers = [(values @ h.weights.T, h.told.value) for h in alike]
        noise = alike[0].told.noise / math.sqrt(len(alike))
        out.append(Asked(each * basis.bounded(values), answers, noise))
    return out


def _sizes(basis: Features, weights: Floats, spread: Floats, belief: Belief) -> Floats:
    """Variance of a weight of each block: E‖w‖² / size, and some belief in the usual."""
    free, blocks = np.diag(spread).reshape(weights.shape), basis.blocks[:-1]
    squares = [np.square(weights[..., b]).sum() + free[..., b].sum() for b in blocks]
    numbers = [weights[..., b].size for b in blocks]
    own = sizes(
        np.array(squares), np.array(numbers), belief.prior, freedom=PRIOR_WORTH, worth=USUAL_WORTH
    )
    return np.append(own, belief.variance[-1])


def sizes(
    squares: Floats, numbers: Floats, prior: float, *, freedom: float, worth: float
) -> Floats:
    """Variance of the weights of each block, as if sizes were alike, a few of them large.

    Weights of a block are normal, and their variance is drawn from an inverse χ² about the usual
    one, which all blocks tell: of one weight each that is Student's distribution, its scale learned
    (expectation and maximisation: Lange, Little and Taylor 1989).

    Parameters
    ----------
    squares : ndarray of shape (n_blocks,)
        What the sum of a block's squared weights is thought to be.
    numbers : ndarray of shape (n_blocks,)
        Weights a block.
    prior : float
        The usual variance before anything is known.
    freedom : float
        Weights that the usual variance counts as in each block.
    worth : float
        Blocks that the prior counts as in the usual variance.
    """
    usual = prior
    for _ in range(TURNS):
        variance = (squares + freedom * usual) / (numbers + freedom)
        usual = (len(variance) + worth) / ((1 / variance).sum() + worth / prior)
    return np.asarray(variance)
