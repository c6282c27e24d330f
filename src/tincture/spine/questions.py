"""The questions that may be asked of the vault, each one vector a record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.query import Query, Records
from tincture.public.tasks import Task
from tincture.spine.teaching import Features, Teacher, scored

ENOUGH_UNITS = 25_000  # a question learns little from more: then a random share answers


@dataclass(frozen=True, slots=True)
class CellCounts(Query):
    """How many units have their outcome in each public cell: prevalence, or the time scale."""

    task: Task
    question: ClassVar[str] = "outcome counts"
    clip: ClassVar[float] = 1.0

    @property
    def size(self) -> int:
        """One a cell."""
        return self.task.n_cells

    def contributions(self, records: Records) -> Floats:
        """What the task adds for the record's cell, of norm 1."""
        return self.task.coding[self.task.cells(records.outcomes)]


def told_shares(task: Task, counts: Floats, noise: float) -> dict[str, Any]:
    """What counts with noise of this deviation tell of how often the outcome occurs."""
    told: dict[str, Any] = {"prevalence": task.prevalence(counts)}
    if noise:
        told["prevalence_error"] = task.uncertainty(counts, noise)
    return told


def noise_of_side(task: Task, noise: float) -> float:
    """Deviation of the noise in how many have one of two outcomes: the sum of half the cells."""
    added = np.linalg.norm(np.linalg.solve(task.coding, np.ones(task.n_cells)))
    return float(noise * added / math.sqrt(2))


@dataclass(frozen=True, slots=True)
class ResidualSums(Query):
    """What a teacher leaves unexplained along each of its basis functions.

    Parameters
    ----------
    task : Task
    teacher : Teacher
    counts : ndarray
        Released cell counts of the outcome.
    """

    task: Task
    teacher: Teacher[Features]
    counts: Floats
    question: ClassVar[str] = "residual sums"
    clip: ClassVar[float] = 1.0

    @property
    def size(self) -> int:
        """One a basis function, for each score."""
        return self.teacher.weights.size

    def contributions(self, records: Records) -> Floats:
        """(outcome − expected) ψ(x), of norm ‖outcome − expected‖; of several scores in turn."""
        values = self.teacher.basis.values(records.points)
        scores = scored(values, self.teacher.weights)
        residual = self.task.residual(scores, records.outcomes, self.counts)
        return each_along(residual, self.teacher.basis.bounded(values))


def each_along(residual: Floats, functions: Floats) -> Floats:
    """Products of a record's residual, or of each of its residuals in turn, and its functions."""
    every = np.einsum("n...,nk->n...k", residual, functions)
    return np.asarray(every.reshape(len(functions), math.prod(every.shape[1:])))
