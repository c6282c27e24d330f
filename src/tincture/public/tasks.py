"""What is to be predicted, and a bounded loss for each record.

A loss is *record-local*: the value for a record depends on that record, the candidate and public or
already released things, never on another record. It lies in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tincture.errors import SchemaError, SettingError, TableError
from tincture.public.case import place_of, turned
from tincture.public.encoding import Values
from tincture.public.schema import Schema

Floats = NDArray[np.float64]


class Task(Protocol):
    """An outcome, how it is laid out in arrays, and the loss of a prediction.

    *Outcomes* are float64 arrays of shape (n, width) in the task's own layout. *Cells* are a public
    partition of the outcomes whose private histogram tells prevalence and time scale.
    """

    @property
    def name(self) -> str:
        """Kind of the task."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Outcome columns of the table."""
        ...

    @property
    def n_cells(self) -> int:
        """Cells of the public partition."""
        ...

    @property
    def n_outputs(self) -> int:
        """Numbers a model predicts for a record: class probabilities, or one risk."""
        ...

    @property
    def is_probabilistic(self) -> bool:
        """Whether a prediction is one probability, which rows with mixed outcomes can carry."""
        ...

    @property
    def reference(self) -> Floats | None:
        """Design rows that every model also predicts, as fixed points of comparison, or None."""
        ...

    def outcomes(self, values: Values) -> Floats:
        """Table values of ``columns`` to outcomes (n, width)."""
        ...

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Outcomes back to table values."""
        ...

    def check(self, values: Values) -> None:
        """Refuse outcomes that nothing can be learned from.

        Raises
        ------
        TableError
        """
        ...

    def cells(self, outcomes: Floats) -> NDArray[np.int64]:
        """Cell of each outcome, in 0 … n_cells − 1."""
        ...

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Outcomes (n_rows, width) for the condensed rows, in proportion to noisy cell counts."""
        ...

    def severity(self, outcomes: Floats) -> Floats:
        """Larger for outcomes that a higher risk leads to, (n,)."""
        ...

    @property
    def is_ordered(self) -> bool:
        """Whether outcomes lie on one line from mild to severe, so that one score tells all."""
        ...

    def level(self, counts: Floats) -> float:
        """Score of an average record, from noisy cell counts."""
        ...

    def rarer(self, counts: Floats) -> float:
        """Units with the event or without it, whichever are fewer, from noisy cell counts."""
        ...

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Outcome less what the scores (n,) and the noisy cell counts expect, (n,)."""
        ...

    def information(self, scores: Floats, counts: Floats) -> float:
        """Mean information of a record about its score."""
        ...

    def chance(self, scores: Floats) -> Floats:
        """What scores (n,) say on the scale on which models are compared, in [0, 1]."""
        ...

    def chances(self, predictions: Floats) -> Floats:
        """What predictions (R, b, n_outputs) say on the same scale, (R, b)."""
        ...

    def anchored(self, design: Floats, outcomes: Floats) -> Task:
        """The same task, comparing records with these already released rows if it compares."""
        ...

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Loss in [0, 1] of shape (R, b) from predictions (R, b, n_outputs) of R models."""
        ...


@dataclass(frozen=True)
class Classification:
    """Two or more classes; the loss is half the multi-class Brier score.

    Brier (1950): ℓ(p, y) = ½ Σ_k (p_k − 1[y = k])², which for two classes is (p − y)². Classes are
    numbered as the levels are declared; but of two, class 1 is always the case.
    """

    target: str
    n_classes: int
    name: str = "classification"
    reference: Floats | None = None
    is_turned: bool = False  # whether the case is the first of two levels

    @classmethod
    def of(cls, schema: Schema, target: str, case: Any = None) -> Classification:
        """Read the classes from the schema; of two, the last is the case unless another is named.

        Raises
        ------
        SchemaError
            If the target has no declared levels.
        SettingError
            If the case is none of them, or they are more than two.
        """
        column = schema[target]
        if not column.is_categorical or not column.levels:
            raise SchemaError(
                f'The target {target!r} has no levels; add "categories": [...] to its field in the '
                "schema, or use --time and --event for a survival outcome."
            )
        n_classes = len(column.levels)
        if n_classes != 2:
            if case is not None:
                raise SettingError(
                    f"The target {target!r} has {n_classes} levels, and figures take each in turn; "
                    "leave out the case (--case), which is for two."
                )
            return cls(target, n_classes)
        return cls(target, n_classes, is_turned=place_of(column, case) == 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The target."""
        return (self.target,)

    @property
    def n_cells(self) -> int:
        """One a class."""
        return self.n_classes

    @property
    def is_probabilistic(self) -> bool:
        """With two classes; more do not lie on one line from mild to severe."""
        return self.n_classes == 2

    @property
    def n_outputs(self) -> int:
        """One probability a class."""
        return self.n_classes

    def outcomes(self, values: Values) -> Floats:
        """Classes, (n, 1)."""
        codes = np.asarray(values[self.target], dtype=np.int64)
        return turned(codes, self.is_turned).astype(np.float64)[:, None]

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Places of the classes among the declared levels."""
        return {self.target: turned(outcomes[:, 0].astype(np.int64), self.is_turned)}

    def check(self, values: Values) -> None:
        """Every record has a class, and there are two classes at least."""
        codes = np.asarray(values[self.target], dtype=np.int64)
        _refuse_missing(self.target, codes < 0)
        if len(np.unique(codes)) < 2:
            raise TableError(
                f"The target {self.target!r} has one class only; two or more are needed to learn "
                "what tells them apart."
            )

    def cells(self, outcomes: Floats) -> NDArray[np.int64]:
        """The class."""
        return outcomes[:, 0].astype(np.int64)

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Real prevalence, with a row at least for every class seen in the counts."""
        share = apportion(counts, n_rows, at_least=1)
        return np.repeat(np.arange(self.n_classes), share).astype(np.float64)[:, None]

    def severity(self, outcomes: Floats) -> Floats:
        """The class."""
        return outcomes[:, 0]

    @property
    def is_ordered(self) -> bool:
        """With two classes."""
        return self.n_classes == 2

    def level(self, counts: Floats) -> float:
        """Log odds of the case."""
        share = np.clip(counts / max(counts.sum(), 1.0), 0.002, 0.998)
        return float(np.log(share[1] / (1 - share[1])))

    def rarer(self, counts: Floats) -> float:
        """The smallest class."""
        return float(counts.min())

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Y − p, in [−1, 1]."""
        return np.asarray(outcomes[:, 0] - _logistic(scores))

    def information(self, scores: Floats, counts: Floats) -> float:
        """Mean p(1 − p)."""
        p = _logistic(scores)
        return float(np.mean(p * (1 - p)))

    def chance(self, scores: Floats) -> Floats:
        """The probability of the case."""
        return _logistic(scores)

    def chances(self, predictions: Floats) -> Floats:
        """The probability of the case."""
        return np.ascontiguousarray(predictions[..., 1])

    def anchored(self, design: Floats, outcomes: Floats) -> Classification:
        """Unchanged: a probability needs no comparison."""
        return self

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Half the Brier score of class probabilities (R, b, n_classes)."""
        total: Floats = np.zeros(predictions.shape[:-1])
        for k in range(self.n_classes):  # in their order, whatever the layout of the predictions
            total += np.square(predictions[..., k] - (outcomes[:, 0] == k))
        return 0.5 * total


@dataclass(frozen=True)
class Survival:
    """A right-censored time; the loss is an anchored Brier score.

    The record is compared with a fixed set of anchors, invented rows with the real distribution of
    times, instead of other records. A log hazard f, measured from its mean over the anchors, says
    that the record comes before an anchor with probability 1/(1 + e^−f), as it would under
    proportional hazards; this is scored for each anchor whose order is known (the earlier of the
    two is an event). The score is proper, so that neither over- nor understated risks pay, which a
    mere count of wrong orders would reward (docs/decisions/0004).
    """

    time: str
    event: str
    low: float
    high: float
    places: int = 3
    n_bins: int = 20
    name: str = "survival"
    is_probabilistic: bool = False
    reference: Floats | None = None
    anchors: Floats | None = None
    is_turned: bool = False  # whether the event is the first of its column's levels
    others: str = "0"  # the level of those without the event

    @classmethod
    def of(cls, schema: Schema, time: str, event: str, case: Any = None) -> Survival:
        """Read bounds and levels from the schema; the last level is the event unless one is named.

        Raises
        ------
        SchemaError
            If the time has no bounds from 0 up, or the event has not two declared levels.
        SettingError
            If the case is none of them.
        """
        if schema[time].is_categorical:
            raise SchemaError(f"The time {time!r} must be a number or integer column.")
        schema.require_public([time, event])
        low, high = schema[time].bounds
        if low < 0:
            raise SchemaError(f"The time {time!r} needs a minimum of 0 or more in the schema.")
        column = schema[event]
        if len(column.levels) != 2:
            raise SchemaError(
                f'The event {event!r} must be declared with two levels, such as "categories": '
                "[0, 1] (the last is the event, unless --case names the other), or as a boolean."
            )
        place = place_of(column, case)
        places, others = schema[time].places, column.titles[1 - place]
        return cls(time, event, low, high, places, is_turned=place == 0, others=others)

    @property
    def columns(self) -> tuple[str, ...]:
        """Time and event."""
        return (self.time, self.event)

    @property
    def n_cells(self) -> int:
        """Time bins for the censored, then for the events."""
        return 2 * self.n_bins

    @property
    def n_outputs(self) -> int:
        """One risk."""
        return 1

    def outcomes(self, values: Values) -> Floats:
        """Time and event, (n, 2)."""
        time = np.clip(np.asarray(values[self.time], dtype=np.float64), self.low, self.high)
        event = turned(np.asarray(values[self.event], dtype=np.int64), self.is_turned)
        return np.stack([time, event.astype(np.float64)], axis=1)

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Time in its unit, place of the event's level among those declared."""
        event = turned(outcomes[:, 1].astype(np.int64), self.is_turned)
        return {self.time: outcomes[:, 0], self.event: event}

    def check(self, values: Values) -> None:
        """Every record has a time of 0 or more and an event; some event was seen."""
        time = np.asarray(values[self.time], dtype=np.float64)
        event = turned(np.asarray(values[self.event], dtype=np.int64), self.is_turned)
        _refuse_missing(self.time, np.isnan(time))
        _refuse_missing(self.event, event < 0)
        if (time < 0).any():
            raise TableError(f"The time {self.time!r} holds negative values; expected 0 or more.")
        if not (event == 1).any():
            raise TableError(
                f"The event {self.event!r} is {self.others} in every record; some events are "
                "needed to learn who has them early."
            )

    def cells(self, outcomes: Floats) -> NDArray[np.int64]:
        """Bin of the time, shifted by the number of bins for events."""
        place = (outcomes[:, 0] - self.low) / (self.high - self.low) * self.n_bins
        bins = np.clip(place.astype(np.int64), 0, self.n_bins - 1)
        return bins + self.n_bins * (outcomes[:, 1] > 0.5)

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Real event rate and times, each uniform in its bin."""
        cell = np.repeat(np.arange(self.n_cells), apportion(counts, n_rows))
        width = (self.high - self.low) / self.n_bins
        time = self.low + (cell % self.n_bins + rng.uniform(size=n_rows)) * width
        time = np.clip(np.round(time, self.places), self.low, self.high)
        return np.stack([time, cell // self.n_bins], axis=1).astype(np.float64)

    def severity(self, outcomes: Floats) -> Floats:
        """Early events first in line, then late events, early and late censorings."""
        time, event = outcomes[:, 0], outcomes[:, 1] > 0.5
        place = np.argsort(np.argsort(time)) / max(len(time), 1)
        return np.where(event, 2.0 - place, 0.5 - 0.5 * place)

    @property
    def is_ordered(self) -> bool:
        """From late to early."""
        return True

    def level(self, counts: Floats) -> float:
        """Log hazards are measured from the average record's."""
        return 0.0

    def rarer(self, counts: Floats) -> float:
        """Events or censorings."""
        return float(counts.reshape(2, self.n_bins).sum(axis=1).min())

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Martingale residual δ − Λ(t) e^score up to the time when Λ reaches 1.

        Λ is the cumulative hazard of all records together, from the released counts (Therneau,
        Grambsch, Fleming 1990). Stopping there bounds what a late time can contribute.
        """
        from tincture.kernels import pointwise

        _, reached = self._cumulative_hazard(counts)
        hazard = pointwise.interpolate(outcomes[:, 0], self.low, self.high, reached)
        seen = (outcomes[:, 1] > 0.5) & (hazard < 1.0)
        expected = np.minimum(hazard, 1.0) * pointwise.exp(np.clip(scores, -5.0, 5.0))
        return np.asarray(seen - expected)

    def information(self, scores: Floats, counts: Floats) -> float:
        """Share of records with an event before Λ reaches 1."""
        _, hazard = self._cumulative_hazard(counts)
        events = np.maximum(counts[self.n_bins :], 0.0)
        share = events[hazard[:-1] < 1.0].sum() / max(np.maximum(counts, 0.0).sum(), 1.0)
        return float(np.clip(share, 0.01, 1.0))

    def _cumulative_hazard(self, counts: Floats) -> tuple[Floats, Floats]:
        """Nelson and Aalen's estimate at the edges of the time bins."""
        censored, events = np.maximum(counts, 0.0).reshape(2, self.n_bins)
        leaving = censored + events
        at_risk = leaving[::-1].cumsum()[::-1] - leaving / 2
        hazard = events / np.maximum(at_risk, 1.0)
        edges = np.linspace(self.low, self.high, self.n_bins + 1)
        return edges, np.concatenate([[0.0], np.cumsum(hazard)])

    def chance(self, scores: Floats) -> Floats:
        """Of coming before the average record of the sample."""
        return _logistic(scores - scores.mean())

    def chances(self, predictions: Floats) -> Floats:
        """Of coming before the average record of the sample."""
        risk = predictions[..., 0]
        return _logistic(risk - risk.mean(axis=1, keepdims=True))

    def anchored(self, design: Floats, outcomes: Floats) -> Survival:
        """Compare with these rows from now on."""
        return replace(self, reference=design, anchors=outcomes)

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Brier score of coming before the comparable anchors, from log hazards (R, b, 1)."""
        if self.anchors is None or reference is None:
            raise ValueError("a survival loss needs anchors")
        before, after = _comparable(outcomes, self.anchors)
        lead = predictions[..., 0] - reference[..., 0].mean(axis=1, keepdims=True)
        first = _logistic(lead)
        return np.asarray(after * np.square(1.0 - first) + before * np.square(first))


def _logistic(x: Floats) -> Floats:
    from tincture.kernels import pointwise

    return np.asarray(1.0 / (1.0 + pointwise.exp(-np.clip(x, -30.0, 30.0))))


def _comparable(outcomes: Floats, anchors: Floats) -> tuple[Floats, Floats]:
    """Shares of the anchors that surely came before, and after, each record."""
    times, events = anchors[:, 0], anchors[:, 1] > 0.5
    own, seen = outcomes[:, 0], outcomes[:, 1] > 0.5
    before = np.searchsorted(np.sort(times[events]), own, side="left")
    after = len(times) - np.searchsorted(np.sort(times), own, side="right")
    return before / len(times), np.where(seen, after, 0) / len(times)


def _refuse_missing(name: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        raise TableError(f"The outcome {name!r} is missing in some records; complete or drop them.")


def apportion(counts: Floats, total: int, at_least: int = 0) -> NDArray[np.int64]:
    """Share ``total`` in proportion to noisy counts by largest remainders.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Noisy, possibly negative.
    total : int
    at_least : int
        Given to every cell with a positive count, as far as the total reaches.
    """
    weight = np.maximum(counts, 0.0)
    if weight.sum() <= 0:
        weight = np.ones_like(weight)
    floor = np.where(weight > 0, at_least, 0)
    if floor.sum() > total:
        floor = np.zeros_like(floor)
    exact = weight / weight.sum() * total
    share: NDArray[np.int64] = np.maximum(np.floor(exact).astype(np.int64), floor)
    while share.sum() < total:
        share[np.argmax(exact - share)] += 1
    while share.sum() > total:
        share[np.argmax(np.where(share > floor, share - exact, -np.inf))] -= 1
    return share
