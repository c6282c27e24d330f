"""A few steps of a network's learning, and what they would gain if the stays were other.

Feng, Vedantam and Kempe 2023 (arXiv 2310.02687): the steps are unrolled anywhere along the course
of learning, and the gradient of what the network then says flows back through them to the stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from tincture.stays.inputs import CUT
from tincture.stays.layout import Grid
from tincture.stays.matching.learners import LEARNERS
from tincture.stays.networks import USUAL

BETAS, TINY = (0.9, 0.999), 1e-6


@dataclass(frozen=True)
class Learner:
    """A network in the course of learning, as arrays: weights, moments of AdamW, buffers."""

    family: str
    step: int
    weights: dict[str, Any]
    first: dict[str, Any]
    second: dict[str, Any]
    buffers: dict[str, Any]

    def each(self, change: Callable[[Any], Any]) -> Learner:
        """With every array changed."""
        parts = (self.weights, self.first, self.second, self.buffers)
        changed = [{name: change(array) for name, array in part.items()} for part in parts]
        return Learner(self.family, self.step, *changed)


@dataclass(frozen=True)
class Lesson:
    """What a learner is to learn from, and what it is asked afterwards.

    Attributes
    ----------
    table : float32 ndarray of shape (rows, bins, channels)
        The stays, in fixed units; NaN where no value is known.
    label : ndarray of shape (rows,)
    asked : float32 ndarray of shape (n, bins, channels)
        Imagined stays in the same units; NaN where no value is known.
    scores : float32 ndarray of shape (n,)
        The teacher's.
    stride : int
        Every so many bins are shown, the last among them.
    seed : int
        Of batches and dropout.
    """

    table: Grid
    label: NDArray[np.float32]
    asked: Grid
    scores: NDArray[np.float32]
    stride: int
    seed: int


def newborn(family: str, bins: int, channels: int, seed: int) -> Learner:
    """A network with its first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = LEARNERS[family](bins, channels)
    weights = {k: v.detach().numpy().copy() for k, v in module.named_parameters()}
    nothing = {k: np.zeros_like(v) for k, v in weights.items()}
    buffers = {k: v.numpy().copy() for k, v in module.named_buffers()}
    return Learner(family, 0, weights, nothing, nothing, buffers)


def learn(learner: Learner, lesson: Lesson, steps: int) -> Learner:
    """Steps of learning and no question."""
    with _alone(lesson.seed):
        tensors, table = _tensors(learner), torch.tensor(lesson.table)
        inputs, _, _ = _standardised(table, lesson.stride)
        for _ in range(steps):
            tensors = _step(tensors, inputs, lesson.label, keep=False)
    return _arrays(tensors)


def unroll(learner: Learner, lesson: Lesson, steps: int) -> tuple[Learner, Grid, float]:
    """Steps of learning, the gradient of the loss with respect to the table, and the agreement.

    The loss is minus the correlation of what the network says of the imagined stays with the
    scores of the teacher: neither level nor scale of a network's answer matters for ranking.
    """
    with _alone(lesson.seed):
        table = torch.tensor(lesson.table).requires_grad_(True)
        inputs, mean, sd = _standardised(table, lesson.stride)
        tensors = _tensors(learner)
        for _ in range(steps):
            tensors = _step(tensors, inputs, lesson.label, keep=True)
        agreement = _agreement(tensors, lesson, mean, sd)
        (gradient,) = torch.autograd.grad(-agreement, [table])
    return _arrays(tensors), gradient.numpy(), float(agreement.detach())


def examine(learner: Learner, lesson: Lesson, steps: int) -> float:
    """The correlation with the teacher's scores after some steps of learning."""
    end = learn(learner, lesson, steps)
    with _alone(lesson.seed), torch.no_grad():
        _, mean, sd = _standardised(torch.tensor(lesson.table), lesson.stride)
        return float(_agreement(_tensors(end), lesson, mean, sd))


def every(stays: Any, stride: int) -> Any:
    """Every stride-th bin (n, bins, channels), the last among them."""
    return stays[:, (stays.shape[1] - 1) % stride :: stride]


def _standardised(table: Any, stride: int) -> tuple[Any, Any, Any]:
    """The table as a recipient standardises it, every stride-th bin; its means and deviations."""
    known = torch.isfinite(table)
    n, filled = known.sum((0, 1)), torch.where(known, table, 0.0)
    mean = filled.sum((0, 1)) / n
    centred = torch.where(known, filled - mean, 0.0)
    sd = torch.sqrt(torch.square(centred).sum((0, 1)) / n) + TINY
    return every(torch.clamp(centred / sd, -CUT, CUT), stride), mean, sd


def _agreement(tensors: Learner, lesson: Lesson, mean: Any, sd: Any) -> Any:
    """Correlation of what a network says of the imagined stays with the teacher's scores."""
    asked = torch.tensor(lesson.asked)
    known = torch.isfinite(asked)
    asked = torch.clamp((torch.where(known, asked, mean.detach()) - mean) / sd, -CUT, CUT)
    shown = every(asked * known, lesson.stride)
    module = _module(tensors, shown).eval()
    answer = functional_call(module, {**tensors.weights, **tensors.buffers}, (shown,))[:, 0]
    return _correlation(answer, torch.tensor(lesson.scores))


def _correlation(a: Any, b: Any) -> Any:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).mean() / torch.sqrt((a * a).mean() * (b * b).mean() + TINY)


@contextmanager
def _alone(seed: int) -> Iterator[None]:
    """One thread, seeded, with attention that can be differentiated twice; all put back after."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), sdpa_kernel(SDPBackend.MATH):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _tensors(learner: Learner) -> Learner:
    tensors = learner.each(torch.tensor)
    return replace(tensors, weights={k: v.requires_grad_(True) for k, v in tensors.weights.items()})


def _arrays(learner: Learner) -> Learner:
    return learner.each(lambda tensor: tensor.detach().numpy())


def _module(learner: Learner, inputs: Any) -> nn.Module:
    """A module to run a learner's weights through; its own weights do not matter."""
    return _made(learner.family, *inputs.shape[1:])


@lru_cache(maxsize=64)
def _made(family: str, bins: int, channels: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # or the first of equal lessons would be another
        return LEARNERS[family](bins, channels)


def _step(learner: Learner, inputs: Any, label: NDArray[np.float32], *, keep: bool) -> Learner:
    """One step of AdamW on a batch of both classes alike, as `networks.train` does it.

    ``keep``: to be differentiated through.
    """
    half = max(1, min(USUAL.batch, len(label)) // 2)
    classes = [torch.from_numpy(np.flatnonzero(label == k)) for k in (0, 1)]
    rows = torch.cat([mine[torch.randint(len(mine), (half,))] for mine in classes])
    module = _module(learner, inputs).train()
    logits = functional_call(module, {**learner.weights, **learner.buffers}, (inputs[rows],))[:, 0]
    target = torch.tensor(label)[rows]
    loss = nn.functional.binary_cross_entropy_with_logits(logits, target)
    slopes = torch.autograd.grad(loss, list(learner.weights.values()), create_graph=keep)
    norm = float(torch.stack([s.detach().norm() for s in slopes]).norm())
    shrink = min(1.0, USUAL.steepest / (norm + TINY))
    rate = USUAL.rate * 0.5 * (1 + np.cos(np.pi * learner.step / USUAL.steps))
    done = learner.step + 1
    weights, first, second = {}, {}, {}
    for (name, weight), slope in zip(learner.weights.items(), slopes, strict=True):
        slope = slope * shrink
        first[name] = BETAS[0] * learner.first[name] + (1 - BETAS[0]) * slope
        second[name] = BETAS[1] * learner.second[name] + (1 - BETAS[1]) * slope * slope
        size = torch.sqrt(second[name] / (1 - BETAS[1] ** done) + TINY**2)
        step = first[name] / (1 - BETAS[0] ** done) / size
        weights[name] = weight * (1 - rate * USUAL.decay) - rate * step
    if not keep:
        weights = {k: v.detach().requires_grad_(True) for k, v in weights.items()}
    return replace(learner, step=done, weights=weights, first=first, second=second)
