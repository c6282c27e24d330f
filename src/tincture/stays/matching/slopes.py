"""Networks whose weights are one vector, and first derivatives of what they learn and say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tincture.stays.inputs import CUT
from tincture.stays.layout import Grid
from tincture.stays.matching.learners import LEARNERS

TINY = 1e-6

Vector = Any  # tensor


@dataclass(frozen=True)
class Lesson:
    """What a learner is to learn from, and what it is asked afterwards.

    Attributes
    ----------
    table : float32 ndarray of shape (rows, bins, channels)
        The stays, in fixed units; NaN where no value is known.
    label : float32 ndarray of shape (rows,)
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


class Batch(NamedTuple):
    """Stays of one step: rows of the table, their outcomes, and the seed of dropout."""

    rows: Any
    target: Any
    seed: int


class Shown(NamedTuple):
    """The table as a recipient standardises it, every stride-th bin; its means and deviations."""

    inputs: Any
    mean: Any
    sd: Any

    @classmethod
    def of(cls, table: Any, stride: int) -> Shown:
        """Of a tensor in fixed units, NaN where no value is known."""
        known = torch.isfinite(table)
        n, filled = known.sum((0, 1)), torch.where(known, table, 0.0)
        mean = filled.sum((0, 1)) / n
        centred = torch.where(known, filled - mean, 0.0)
        sd = torch.sqrt(torch.square(centred).sum((0, 1)) / n) + TINY
        return cls(every(torch.clamp(centred / sd, -CUT, CUT), stride), mean, sd)

    def alone(self) -> Shown:
        """Without what it was made from."""
        return Shown(*(part.detach() for part in self))


def every(stays: Any, stride: int) -> Any:
    """Every stride-th bin (n, bins, channels), the last among them."""
    return stays[:, (stays.shape[1] - 1) % stride :: stride]


class Network:
    """A module whose weights are views of one vector, which is put in before each use."""

    def __init__(self, module: nn.Module) -> None:
        self._module, self._weights = module, list(module.parameters())
        self._buffers = dict(module.named_buffers())
        self._flat = nn.utils.parameters_to_vector(self._weights).detach().clone()
        start = 0
        for weight in self._weights:
            weight.data = self._flat[start : start + weight.numel()].view_as(weight)
            start += weight.numel()

    @property
    def weights(self) -> Vector:
        """All weights as they are now, (size,)."""
        return self._flat.clone()

    @property
    def buffers(self) -> dict[str, Vector]:
        """Running means and the like, as they are now."""
        return {name: buffer.clone() for name, buffer in self._buffers.items()}

    def put(self, weights: Vector, buffers: dict[str, Vector]) -> None:
        """Take these."""
        self._flat.copy_(weights)
        for name, buffer in buffers.items():
            self._buffers[name].copy_(buffer)

    def slopes(self, inputs: Any, batch: Batch) -> tuple[Vector, Any]:
        """Gradients of the loss of a batch by the weights (size,) and by its stays."""
        torch.default_generator.manual_seed(batch.seed)  # not those of every accelerator as well
        self._module.train()
        stays = inputs[batch.rows].requires_grad_(True)
        logits = self._module(stays)[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.target)
        *slopes, pull = torch.autograd.grad(loss, [*self._weights, stays])
        return _flat(slopes), pull

    def agreement(self, lesson: Lesson, shown: Shown) -> tuple[float, Vector, list[Any]]:
        """Correlation of what it says of the imagined stays with the teacher's scores.

        Neither level nor scale of a network's answer matters for ranking. Also its gradients by the
        weights, and by means and deviations of the table.
        """
        self._module.eval()
        mean, sd = (part.requires_grad_(True) for part in shown.alone()[1:])
        asked = torch.from_numpy(lesson.asked)
        known = torch.isfinite(asked)
        filled = torch.where(known, asked, mean.detach())
        asked = torch.clamp((filled - mean) / sd, -CUT, CUT) * known
        answer = self._module(every(asked, lesson.stride))[:, 0]
        agreement = _correlation(answer, torch.from_numpy(lesson.scores))
        *slopes, by_mean, by_sd = torch.autograd.grad(agreement, [*self._weights, mean, sd])
        return float(agreement.detach()), _flat(slopes), [by_mean, by_sd]


@lru_cache(maxsize=64)
def network_of(family: str, bins: int, channels: int) -> Network:
    """One to put weights into; its own do not matter."""
    with torch.random.fork_rng(devices=[]):  # or the first of equal lessons would be another
        return Network(LEARNERS[family](bins, channels))


def _flat(slopes: list[Any]) -> Vector:
    return torch.cat([slope.reshape(-1) for slope in slopes])


def _correlation(a: Any, b: Any) -> Any:
    a, b = a - a.mean(), b - b.mean()
    return (a * b).mean() / torch.sqrt((a * a).mean() * (b * b).mean() + TINY)
