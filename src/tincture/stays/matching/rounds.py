"""Stays matched to networks: moved until small networks that learn from them rank as the teacher.

    of some drafts of the stays, take the one that networks learn most from
    learners ← networks of many families, each somewhere on its course of learning
    repeat:
        two learners, rather of families that lag, take a few steps on the stays
        what would have made them agree more with the teacher about imagined stays?
        the stays move a little that way, smoothly in time, within the public bounds

It costs no privacy: learners see invented stays and are asked about imagined ones, and both are
made from what is released already. Nothing here ever holds a record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.stays.inputs import channels
from tincture.stays.layout import Grid, Layout
from tincture.stays.matching.learners import LEARNERS
from tincture.stays.matching.movable import Movable
from tincture.stays.matching.slopes import Lesson, every
from tincture.stays.matching.unrolled import Learner, examine, learn, newborn, unroll
from tincture.stays.networks import USUAL
from tincture.stays.prototypes import Draft

N_EXAMINED = 500  # imagined stays that tell how good a draft is
LACK = 0.2  # of agreement with the teacher, by which a family is chosen, before any was seen


@dataclass(frozen=True)
class Effort:
    """How long and how boldly stays are moved, found by trials (docs/decisions/0010-series.md).

    Attributes
    ----------
    rounds : int
        In each, two learners of different families move the stays once.
    unrolled : int
        Steps of learning a round.
    rate : float
        Of the first moves, in deviations of a channel; it falls to a twentieth.
    waves : int
        Cosines over the window, of which moves are made.
    asked : int
        Imagined stays that a learner is asked about each round.
    shown : int
        Bins shown to learners at most, evenly spread.
    pool : int
        Learners a family.
    memory : float
        Rounds over which the stays are averaged in the end.
    """

    rounds: int
    unrolled: int = 5
    rate: float = 0.05
    waves: int = 8
    asked: int = 256
    shown: int = 24
    pool: int = 2
    memory: float = 50.0


def match(
    drafts: Sequence[Draft],
    layout: Layout,
    imagined: Grid,
    scores: Floats,
    effort: Effort,
    rng: np.random.Generator,
    tick: Callable[[], None],
) -> Draft:
    """Move prototypes until networks that learn from the stays agree with the scores.

    Parameters
    ----------
    drafts : sequence of Draft
        The one that networks learn most from is moved; levels, and what is missing, stay as they
        are.
    layout : Layout
    imagined : float32 ndarray of shape (n, layout.width)
        Stays as the real ones may be, which have no part in the release.
    scores : ndarray of shape (n,)
        The teacher's of the imagined stays.
    effort : Effort
    rng : numpy.random.Generator
    tick : callable
        Told of every draft examined and every round done.

    Returns
    -------
    Draft
    """
    tables = [Movable.of(layout, draft.prototypes) for draft in drafts]
    if not tables[0].is_free.any():
        return drafts[0]
    raw, targets = channels(imagined, layout), scores.astype(np.float32)
    best, greatest = None, -math.inf
    for draft, table in zip(drafts, tables, strict=True):
        lessons = _Lessons(draft, table.units(raw), targets, effort, rng)
        success = lessons.success(table.values)
        if best is None or success > greatest:
            best, greatest = (lessons, table), success
        tick()
    return drafts[0] if best is None else _moved(*best, tick)


def _moved(lessons: _Lessons, table: Movable, tick: Callable[[], None]) -> Draft:
    """The draft of the lessons after all rounds."""
    draft, effort = lessons.draft, lessons.effort
    waves = cosines(table.values.shape[1], effort.waves)
    is_open = np.where(table.is_static, np.arange(waves.shape[1])[:, None] == 0, table.is_free)
    moves = _Moves(np.zeros((len(draft.prototypes), *is_open.shape)), effort)
    start, mean = table.values.astype(np.float64), table.values.astype(np.float64)
    lessons.open(table.values)
    for done in range(effort.rounds):
        slopes = [
            np.einsum("ntc,tk->nkc", table.pooled(gradient), waves) * is_open
            for gradient in lessons.gradients(table.values)
        ]
        moves.step([s / max(float(np.linalg.norm(s)), 1e-12) for s in slopes], done)
        table = table.moved(start + np.einsum("nkc,tk->ntc", moves.made, waves))
        mean += (table.values - mean) / min(done + 1.0, effort.memory)
        tick()
    return replace(draft, prototypes=table.moved(mean).written(draft.prototypes))


def cosines(n_bins: int, n: int) -> Floats:
    """Orthonormal slow waves over the bins, (n_bins, n); the first is constant."""
    t = (np.arange(n_bins) + 0.5) / n_bins
    waves = np.cos(np.pi * t[:, None] * np.arange(min(n, n_bins)))
    return np.asarray(waves / np.linalg.norm(waves, axis=0))


@dataclass
class _Lessons:
    """Learners, and what they would have the stays be."""

    draft: Draft
    asked: Grid
    scores: NDArray[np.float32]
    effort: Effort
    rng: np.random.Generator
    learners: dict[str, list[Learner]] = field(default_factory=dict)
    lack: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LEARNERS, LACK))

    def success(self, prototypes: Grid) -> float:
        """How far networks of all families agree with the teacher after half of a training."""
        agreements = [
            examine(self._newborn(f), self._lesson(prototypes, N_EXAMINED), USUAL.steps // 2)
            for f in LEARNERS
        ]
        return float(np.mean(agreements))

    def open(self, prototypes: Grid) -> None:
        """Learners at evenly spread points of their course."""
        pool = self.effort.pool
        for family in LEARNERS:
            self.learners[family] = [
                learn(self._newborn(family), self._lesson(prototypes), USUAL.steps * i // pool)
                for i in range(pool)
            ]

    def gradients(self, prototypes: Grid) -> list[Floats]:
        """Of two families, each learner's with respect to the prototypes."""
        share = np.square([*self.lack.values()])
        pair = self.rng.choice([*self.lack], 2, replace=False, p=share / share.sum()).tolist()
        place, steps = int(self.rng.integers(self.effort.pool)), self.effort.unrolled
        out = []
        for family in pair:
            learner = self.learners[family][place]
            if learner.step + steps > USUAL.steps:
                learner = self._newborn(family)
            learner, gradient, agreement = self._unrolled(learner, prototypes)
            self.learners[family][place] = learner
            if learner.step > USUAL.steps // 4 and np.isfinite(agreement):  # no beginner
                self.lack[family] += 0.1 * (1 - agreement - self.lack[family])
            total = np.zeros(prototypes.shape)
            np.add.at(total, self.draft.owner, gradient)
            out.append(total)
        return out

    def _unrolled(self, learner: Learner, prototypes: Grid) -> tuple[Learner, Grid, float]:
        return unroll(learner, self._lesson(prototypes), self.effort.unrolled)

    def _lesson(self, prototypes: Grid, n: int | None = None) -> Lesson:
        rows = self.rng.integers(len(self.asked), size=n or self.effort.asked)
        return Lesson(
            prototypes[self.draft.owner],
            self.draft.outcomes[:, 0].astype(np.float32),
            self.asked[rows],
            self.scores[rows],
            self._stride,
            int(self.rng.integers(2**31)),
        )

    def _newborn(self, family: str) -> Learner:
        _, n_bins, n_channels = every(self.asked[:1], self._stride).shape
        return newborn(family, n_bins, n_channels, int(self.rng.integers(2**31)))

    @property
    def _stride(self) -> int:
        n_bins: int = self.asked.shape[1]
        return math.ceil(n_bins / self.effort.shown)


class _Moves:
    """What was added to the prototypes so far, by Adam."""

    def __init__(self, made: Floats, effort: Effort) -> None:
        self.made, self.effort = made, effort
        self.first, self.second = np.zeros_like(made), np.zeros_like(made)

    def step(self, slopes: list[Floats], done: int) -> None:
        """Against the sum of slopes; one that is not finite is left out."""
        slope = sum((s for s in slopes if np.isfinite(s).all()), np.zeros_like(self.made))
        slope *= np.sqrt(slope.size)
        self.first += 0.1 * (slope - self.first)
        self.second += 0.01 * (np.square(slope) - self.second)
        first, second = (
            self.first / (1 - 0.9 ** (done + 1)),
            self.second / (1 - 0.99 ** (done + 1)),
        )
        rate = self.effort.rate * max(0.05, 1 - done / self.effort.rounds)
        self.made -= rate * first / (np.sqrt(second) + 1e-8)
