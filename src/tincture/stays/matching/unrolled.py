"""A few steps of a network's learning, and what they would gain if the stays were other.

Feng, Vedantam and Kempe 2023 (arXiv 2310.02687): the steps are unrolled anywhere along the course
of learning, and the gradient of what the network then says flows back through them to the stays.

On the way back a step needs the product of second derivatives of its loss and a vector u. It is
taken as a difference of slopes, at weights w and w + hu (Pearlmutter 1994, section 2): half the
work of a graph through a graph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from tincture.stays.layout import Grid
from tincture.stays.matching.learners import LEARNERS
from tincture.stays.matching.slopes import (
    TINY,
    Batch,
    Lesson,
    Network,
    Shown,
    Vector,
    network_of,
)
from tincture.stays.networks import USUAL

BETAS = 0.9, 0.999
NUDGE = 0.005  # ‖hu‖ among ‖w‖: less drowns in single precision, more bends
STILL = 1e-5  # a weight whose slopes are smaller has none but rounding


@dataclass(frozen=True)
class Learner:
    """A network in the course of learning.

    Attributes
    ----------
    family : str
    step : int
        Done so far.
    weights, first, second : float32 tensor of shape (size,)
        Weights, and moments of AdamW.
    buffers : dict of tensors
    """

    family: str
    step: int
    weights: Vector
    first: Vector
    second: Vector
    buffers: dict[str, Any]

    def stepped(self, slope: Vector, buffers: dict[str, Any]) -> Learner:
        """After a step of AdamW, as `networks.train` does it."""
        step = _Step.of(self, slope)
        weights = self.weights * step.kept - step.rate * step.first / step.size
        return Learner(self.family, self.step + 1, weights, step.first, step.second, buffers)


class _Step(NamedTuple):
    """A step of AdamW: w ← kept · w − rate · first / size."""

    shrink: float
    first: Vector
    second: Vector
    size: Vector
    kept: float
    rate: float
    unbiased: float  # second / unbiased is what size is the root of

    @classmethod
    def of(cls, learner: Learner, slope: Vector) -> _Step:
        shrink = min(1.0, USUAL.steepest / (float(slope.norm()) + TINY))
        slope, done = slope * shrink, learner.step + 1
        rate = USUAL.rate * 0.5 * (1 + math.cos(math.pi * learner.step / USUAL.steps))
        first = BETAS[0] * learner.first + (1 - BETAS[0]) * slope
        second = BETAS[1] * learner.second + (1 - BETAS[1]) * slope**2
        unbiased = 1 - BETAS[1] ** done
        size = torch.sqrt(second / unbiased + TINY**2)
        kept, rate = 1 - rate * USUAL.decay, rate / (1 - BETAS[0] ** done)
        return cls(shrink, first, second, size, kept, rate, unbiased)


class _Back(NamedTuple):
    """Gradients of what is wanted by a learner's weights and moments."""

    weights: Vector
    first: Vector
    second: Vector

    def through(self, learner: Learner, slope: Vector) -> tuple[_Back, Vector]:
        """Those before the step, less what flows through its slope; and those by the slope."""
        step = _Step.of(learner, slope)
        by_first = self.first - step.rate / step.size * self.weights
        bend = step.rate * step.first / (2 * step.unbiased * step.size**3)
        by_second = self.second + bend * self.weights
        u = (1 - BETAS[0]) * by_first + 2 * (1 - BETAS[1]) * step.shrink * slope * by_second
        u = torch.where(step.size > STILL, step.shrink * u, 0.0)
        return _Back(self.weights * step.kept, BETAS[0] * by_first, BETAS[1] * by_second), u


def newborn(family: str, bins: int, channels: int, seed: int) -> Learner:
    """A network with its first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Network(LEARNERS[family](bins, channels))
    nothing = torch.zeros_like(network.weights)
    return Learner(family, 0, network.weights, nothing, nothing, network.buffers)


def learn(learner: Learner, lesson: Lesson, steps: int) -> Learner:
    """Steps of learning and no question."""
    with _alone():
        shown = Shown.of(torch.from_numpy(lesson.table), lesson.stride)
        return _learned(learner, lesson, shown, steps)[0]


def unroll(learner: Learner, lesson: Lesson, steps: int) -> tuple[Learner, Grid, float]:
    """Steps of learning, the gradient of the loss with respect to the table, and the agreement.

    The loss is minus the agreement.
    """
    with _alone():
        table = torch.from_numpy(lesson.table.copy()).requires_grad_(True)
        shown = Shown.of(table, lesson.stride)
        alone = shown.alone()
        end, path = _learned(learner, lesson, alone, steps)
        network = network_of(learner.family, *alone.inputs.shape[1:])
        network.put(end.weights, end.buffers)
        agreement, gain, by_scale = network.agreement(lesson, alone)
        back = _Back(-gain, torch.zeros_like(gain), torch.zeros_like(gain))
        by_inputs = torch.zeros_like(alone.inputs)
        for before, batch, slope, pull in reversed(path):
            back, u = back.through(before, slope)
            long = float(u.norm())
            if long == 0:
                continue
            h = NUDGE * float(before.weights.norm()) / long
            network.put(before.weights + h * u, before.buffers)
            slope_there, pull_there = network.slopes(alone.inputs, batch)
            back = back._replace(weights=back.weights + (slope_there - slope) / h)
            by_inputs.index_add_(0, batch.rows, (pull_there - pull) / h)
        outward = [by_inputs, *(-part for part in by_scale)]
        (gradient,) = torch.autograd.grad([*shown], [table], outward)
    return end, gradient.numpy(), agreement


def examine(learner: Learner, lesson: Lesson, steps: int) -> float:
    """The correlation with the teacher's scores after some steps of learning."""
    end = learn(learner, lesson, steps)
    with _alone():
        shown = Shown.of(torch.from_numpy(lesson.table), lesson.stride)
        network = network_of(end.family, *shown.inputs.shape[1:])
        network.put(end.weights, end.buffers)
        return network.agreement(lesson, shown)[0]


Path = list[tuple[Learner, Batch, Vector, Any]]


def _learned(learner: Learner, lesson: Lesson, shown: Shown, steps: int) -> tuple[Learner, Path]:
    """Steps of learning; before each the learner, its batch, and slopes by weights and stays."""
    network, path = network_of(learner.family, *shown.inputs.shape[1:]), []
    for batch in _batches(lesson, steps):
        network.put(learner.weights, learner.buffers)
        slope, pull = network.slopes(shown.inputs, batch)
        path.append((learner, batch, slope, pull))
        learner = learner.stepped(slope, network.buffers)
    return learner, path


def _batches(lesson: Lesson, steps: int) -> Iterator[Batch]:
    """Of both classes alike, drawn with replacement."""
    rng = np.random.default_rng(lesson.seed)
    half = max(1, min(USUAL.batch, len(lesson.label)) // 2)
    classes = [np.flatnonzero(lesson.label == k) for k in (0, 1)]
    for _ in range(steps):
        rows = np.concatenate([rng.choice(mine, half) for mine in classes])
        target = torch.from_numpy(lesson.label[rows])
        yield Batch(torch.from_numpy(rows), target, int(rng.integers(2**31)))


@contextmanager
def _alone() -> Iterator[None]:
    """One thread, and torch's own generator put back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(threads)
