"""Embedding sums: class-wise sums of what an embedding makes of each stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from tincture.arrays import Floats
from tincture.kernels.rows import courses
from tincture.privacy.query import Query, Records
from tincture.public.tasks import Task
from tincture.stays.layout import Grid, Layout, carried
from tincture.stays.occupancy import Scale
from tincture.stays.summaries import REACH

HATS = 4  # functions of time a variable: pieces of straight line between as many knots


class Embedding(Protocol):
    """A fixed function of a stay, drawn or released before it is asked."""

    @property
    def size(self) -> int:
        """Numbers a stay."""

    @property
    def clip(self) -> float:
        """Norm of an ordinary stay's embedding; longer ones are shrunk to it."""

    def values(self, points: Grid) -> Floats:
        """Embeddings of stays, (n, size); each depends on its own stay alone."""


@dataclass(frozen=True)
class EmbeddingSums(Query):
    """For each outcome cell, the sum of its stays' embeddings."""

    task: Task
    embedding: Embedding
    question: ClassVar[str] = "embedding sums"

    @property
    def size(self) -> int:
        """Embedding times cells."""
        return self.embedding.size * self.task.n_cells

    @property
    def clip(self) -> float:
        """The embedding's; a stay lies in one cell."""
        return self.embedding.clip

    def contributions(self, records: Records) -> Floats:
        """The embedding in the place of the stay's cell, 0 elsewhere; (n, size)."""
        out = np.zeros((len(records), self.task.n_cells, self.embedding.size))
        out[np.arange(len(records)), self.task.cells(records.outcomes)] = self.embedding.values(
            records.points
        )
        return out.reshape(len(records), self.size)

    def parts(self, answer: Floats) -> Floats:
        """Sums a cell, (n_cells, embedding size)."""
        return answer.reshape(self.task.n_cells, -1)


def hats(n_bins: int) -> Floats:
    """Weights of the bins in each hat, (n_bins, HATS); every bin's sum to 1."""
    knots = np.linspace(0, n_bins - 1, HATS)
    width = max((n_bins - 1) / (HATS - 1), 1e-9)
    near = np.maximum(0.0, 1 - np.abs(np.arange(n_bins)[:, None] - knots) / width)
    return np.asarray(near / near.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Trajectories:
    """Course of each variable: its mean around HATS knots of time, its square, and squared mean.

    In deviations of the scale, cut at REACH, and nothing where no value is known; with the share of
    time around each knot at which one is.
    """

    layout: Layout
    scale: Scale

    @property
    def size(self) -> int:
        """Values and presence a hat, and two moments."""
        return (2 * HATS + 2) * len(self.layout.variables)

    @property
    def clip(self) -> float:
        """Norm of a stay whose numbers all are as large as the scale lets expect."""
        held = self.scale.held
        return float(np.sqrt((held * (2 * HATS + 3)).sum()) + 1.0)

    def values(self, points: Grid) -> Floats:
        """Courses, (n, size)."""
        grid, _ = self.layout.parts(points)
        z = np.clip((carried(grid) - self.scale.mean) / self.scale.sd, -REACH, REACH)
        known = np.isfinite(z)
        z = np.where(known, z, 0.0)
        weights = hats(grid.shape[1])
        weights = weights / weights.sum(axis=0)
        evenly = np.full((len(weights), 1), 1 / len(weights))
        width = HATS * z.shape[2]
        return np.concatenate(
            [
                courses(z, weights).swapaxes(1, 2).reshape(len(z), width),
                courses(known, weights).swapaxes(1, 2).reshape(len(z), width),
                courses(np.square(z), evenly)[:, 0],
                np.square(courses(z, evenly)[:, 0]),
            ],
            axis=1,
        )

    def course(self, sums: Floats, noise: float, n_units: float) -> Course:
        """What the sum over all stays tells."""
        n_variables = len(self.layout.variables)
        cuts = np.cumsum([HATS, HATS, 1]) * n_variables
        mean, known, square, level = np.split(sums / n_units, cuts)
        noise /= n_units
        known = np.clip(known.reshape(-1, HATS), 0.05, 1.0)
        trend = mean.reshape(-1, HATS) / known
        # Shrunk towards no trend where noise could explain it.
        error = noise / known
        trend *= np.square(trend) / np.maximum(np.square(trend) + np.square(error), 1e-12)
        held = np.maximum(known.mean(axis=1), 0.05)
        spread = np.maximum(square / held - np.square(trend.mean(axis=1)), 0.05)
        steady = np.clip(level / np.maximum(square * held, 1e-9), 0.2, 0.95)
        return Course(trend, np.clip(np.sqrt(spread), 0.3, 2.0), steady, known)


@dataclass(frozen=True)
class Course:
    """Released facts of the variables' course, in deviations of the scale.

    Attributes
    ----------
    trend : ndarray of shape (variables, HATS)
        Mean around each knot.
    spread : ndarray of shape (variables,)
        Deviation of values.
    steady : ndarray of shape (variables,)
        Share of the variance that lies between stays.
    known : ndarray of shape (variables, HATS)
        Share of stays in which a value is known around each knot.
    """

    trend: Floats
    spread: Floats
    steady: Floats
    known: Floats

    @property
    def ever(self) -> Floats:
        """Share of stays in which a value is recorded at all, (variables,).

        What is told of the last knot is a mean over the third of a step before the end.
        """
        last, before = self.known[:, -1], self.known[:, -2]
        return np.clip(last + np.maximum(last - before, 0.0) / 2, 0.0, 1.0)
