"""Figures of merit and curves of each kind of outcome, by the name of its task."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self, cast

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import SettingError
from tincture.evaluation import curves
from tincture.evaluation.learning import Learned
from tincture.evaluation.metrics import amounts, classes, survival
from tincture.evaluation.metrics.figure import Statistic
from tincture.evaluation.pictures import Chart
from tincture.privacy.query import Records
from tincture.public.tasks import Amounts, Task

Named = Iterator[tuple[str, Statistic]]


@dataclass(frozen=True)
class Merits(ABC):
    """What is figured and drawn of one kind of outcome.

    Attributes
    ----------
    outcomes : ndarray of shape (n, width)
        Of the held-out records.
    signs : mapping
        1 for figures of which larger is better, -1 where smaller is; these have gaps.
    needs_own : bool
        Whether a model's predictions for its own training table are needed.
    """

    outcomes: Floats
    signs: ClassVar[Mapping[str, float]]
    needs_own: ClassVar[bool] = False

    @classmethod
    def check(cls, at: Sequence[float]) -> None:
        """Refuse times to look at that mean nothing, before a record is seen.

        Raises
        ------
        SettingError
        """
        if at:
            raise SettingError("The release has no survival outcome; leave out the times (--at).")

    @classmethod
    @abstractmethod
    def of(cls, task: Task, outcomes: Floats, at: Sequence[float]) -> Self:
        """For held-out outcomes (n, width), and times to look at."""

    def among(self, inside: Mask) -> Self:
        """Of some of the records alone, where what models share is worked out once."""
        return replace(self, outcomes=self.outcomes[inside])

    @abstractmethod
    def figures(self, one: Learned) -> Named:
        """The figures of one model trained on one source."""

    def opening(self, sources: Mapping[str, Records]) -> list[Chart]:
        """Curves of the outcome itself, if it has any."""
        return []

    @abstractmethod
    def charts(self, model: str, sources: Mapping[str, Learned]) -> list[Chart]:
        """Curves of one model, by what it was trained on."""


@dataclass(frozen=True)
class OfClasses(Merits):
    """Of probabilities of classes; outcomes are labels (n, 1)."""

    n_classes: int
    signs: ClassVar[Mapping[str, float]] = {"AUROC": 1.0, "Brier": -1.0}

    @classmethod
    def of(cls, task: Task, outcomes: Floats, at: Sequence[float]) -> Self:
        """For held-out outcomes."""
        return cls(outcomes, task.n_outputs)

    @property
    def _label(self) -> Integers:
        return self.outcomes[:, 0].astype(np.int64)

    def figures(self, one: Learned) -> Named:
        """Discrimination, error and, of two classes, calibration."""
        predicted, label = one.held_out, self._label
        yield "AUROC", classes.auroc(predicted, label)
        yield "AUPRC", classes.auprc(predicted, label)
        yield "Brier", classes.brier(predicted, label)
        if self.n_classes == 2:
            yield "calibration slope", classes.calibration_slope(predicted, label)
            yield "calibration intercept", classes.calibration_intercept(predicted, label)
            yield "observed / predicted", classes.observed_to_predicted(predicted, label)

    def charts(self, model: str, sources: Mapping[str, Learned]) -> list[Chart]:
        """ROC and calibration of two classes."""
        if self.n_classes != 2:
            return []
        chances = {name: one.held_out[:, 1] for name, one in sources.items()}
        return [draw(model, chances, self._label) for draw in (curves.roc, curves.calibration)]


@dataclass(frozen=True)
class OfTimes(Merits):
    """Of risks against right-censored times.

    Attributes
    ----------
    name : str
        Of the time.
    grid : ndarray of shape (n_times,)
        Times of the integrated Brier score.
    horizons : tuple of float
        Times by which predicted and observed risk are compared.
    observed : Steps
        Share of the held-out records still under observation.
    """

    name: str
    grid: Floats
    horizons: tuple[float, ...]
    observed: survival.Steps
    signs: ClassVar[Mapping[str, float]] = {"C-index": 1.0, "integrated Brier": -1.0}
    needs_own: ClassVar[bool] = True

    @classmethod
    def check(cls, at: Sequence[float]) -> None:
        """They are positive."""
        if not all(math.isfinite(t) and t > 0 for t in at):
            raise SettingError("The times (--at) must be positive numbers.")

    @classmethod
    def of(cls, task: Task, outcomes: Floats, at: Sequence[float]) -> Self:
        """For held-out outcomes; without horizons, the quartiles of their event times."""
        time, event = outcomes.T
        if not at and (event > 0.5).any():
            quartiles = np.quantile(time[event > 0.5], [0.25, 0.5, 0.75])
            at = [float(f"{q:.2g}") for q in quartiles]
        horizons = tuple(sorted(set(map(float, at))))
        steps = survival.censoring(time, event)
        return cls(outcomes, task.columns[0], survival.grid(time, event), horizons, steps)

    @cached_property
    def _observed(self) -> list[Statistic]:
        """Risk by each horizon."""
        time, event = self.outcomes.T
        return survival.observed_risks(time, event, self.horizons)

    def figures(self, one: Learned) -> Named:
        """Order, error over time, and risk by each horizon."""
        risk = one.held_out[:, 0]
        time, event = (np.ascontiguousarray(v) for v in self.outcomes.T)
        yield "C-index", survival.concordance(risk, time, event)
        alive = _survival(one, risk, self.grid)
        error = survival.integrated_brier(alive, time, event, self.grid, self.observed)
        yield "integrated Brier", error
        for horizon, observed in zip(self.horizons, self._observed, strict=True):
            died = 1 - _survival(one, risk, np.array([horizon]))[:, 0]
            name = f"risk by {horizon:g}, predicted − observed"
            yield name, survival.risk_difference(died, observed)

    def opening(self, sources: Mapping[str, Records]) -> list[Chart]:
        """Kaplan and Meier's."""
        return [curves.survival_curves(self.name, sources)]

    def charts(self, model: str, sources: Mapping[str, Learned]) -> list[Chart]:
        """Calibration at the middle horizon."""
        if not self.horizons:
            return []
        middle = self.horizons[len(self.horizons) // 2]
        risks = {
            name: 1 - _survival(one, one.held_out[:, 0], np.array([middle]))[:, 0]
            for name, one in sources.items()
        }
        return [curves.survival_calibration(model, risks, self.outcomes, middle)]


def _survival(one: Learned, risk: Floats, at: Floats) -> Floats:
    """Survival (n, n_times) predicted from a model's risks, by its own training table's times."""
    time, event = one.outcomes.T
    return survival.predicted_survival(one.own[:, 0], time, event, risk, at)


@dataclass(frozen=True)
class OfAmounts(Merits):
    """Of predicted numbers; outcomes are places between the bounds (n, 1).

    Attributes
    ----------
    task : Amounts
        By which places are amounts in their unit.
    """

    task: Amounts
    signs: ClassVar[Mapping[str, float]] = {"R2": 1.0}

    @classmethod
    def of(cls, task: Task, outcomes: Floats, at: Sequence[float]) -> Self:
        """For held-out outcomes."""
        return cls(outcomes, cast("Amounts", task))

    def figures(self, one: Learned) -> Named:
        """What is explained, on the scale of the places, and errors in the outcome's unit."""
        places, true = one.held_out[:, 0], self.outcomes[:, 0]
        yield "R2", amounts.r2(places, true)
        found, known = self.task.amounts(places), self.task.amounts(true)
        yield "mean absolute error", amounts.absolute_error(found, known)
        yield "mean, predicted − observed", amounts.difference(found, known)

    def charts(self, model: str, sources: Mapping[str, Learned]) -> list[Chart]:
        """None."""
        return []


MERITS: Mapping[str, type[Merits]] = {
    "classification": OfClasses,
    "survival": OfTimes,
    "amounts": OfAmounts,
}
