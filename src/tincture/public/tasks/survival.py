"""Survival: a right-censored time, and whether the event was seen at it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.errors import SchemaError, TableError
from tincture.public.case import place_of, turned
from tincture.public.encoding import Values
from tincture.public.schema import Schema
from tincture.public.tasks.bins import Bins, Scale
from tincture.public.tasks.common import (
    evenly,
    logistic,
    refuse_missing,
    refuse_time,
    shares,
    uncertainty,
)
from tincture.public.tasks.counting import coding, denoised
from tincture.public.tasks.lifetimes import REACH, lifetimes


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
    scale: Scale = None  # of the bins of time
    reference: Floats | None = None
    anchors: Floats | None = None
    is_turned: bool = False  # whether the event is the first of its column's levels
    others: str = "0"  # the level of those without the event
    name: ClassVar[str] = "survival"
    roles: ClassVar[tuple[str, ...]] = ("time", "event")
    is_probabilistic: ClassVar[bool] = False

    @classmethod
    def of(cls, schema: Schema, time: str, event: str, case: Any = None) -> Survival:
        """Read bounds and levels from the schema; the last level is the event unless one is named.

        Raises
        ------
        SchemaError
            If the time has no bounds from 0 up, or the event has not two declared levels; of more,
            a cause must be named first (`tincture.public.causes`).
        SettingError
            If the case is none of them.
        """
        if schema[time].is_categorical:
            raise SchemaError(f"The time {time!r} must be a number or integer column.")
        refuse_time(schema[time], "time")
        schema.require_public([time, event])
        low, high = schema[time].bounds
        if low < 0:
            raise SchemaError(f"The time {time!r} needs a minimum of 0 or more in the schema.")
        column = schema[event]
        if len(column.levels) > 2:
            raise SchemaError(
                f"The event {event!r} is declared with {len(column.levels)} levels "
                f"({', '.join(column.titles)}); name the one that is the event by --cause (cause= "
                "in Python), and all others count as censored."
            )
        if len(column.levels) != 2:
            raise SchemaError(
                f'The event {event!r} must be declared with two levels, such as "categories": '
                "[0, 1] (the last is the event, unless --case names the other), or as a boolean; "
                "with more of them, name one by --cause."
            )
        place = place_of(column, case)
        return cls(
            time,
            event,
            low,
            high,
            schema[time].places,
            schema[time].scale,
            is_turned=place == 0,
            others=column.titles[1 - place],
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Time and event."""
        return (self.time, self.event)

    @cached_property
    def bins(self) -> Bins:
        """Of time, from public settings alone."""
        return Bins.of(self.low, self.high, self.places, self.scale)

    @property
    def n_bins(self) -> int:
        """Of time."""
        return len(self.bins.starts)

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
        """Every record has a time of 0 or more and an event."""
        time = np.asarray(values[self.time], dtype=np.float64)
        event = turned(np.asarray(values[self.event], dtype=np.int64), self.is_turned)
        refuse_missing(self.time, np.isnan(time))
        refuse_missing(self.event, event < 0)
        if (time < 0).any():
            raise TableError(f"The time {self.time!r} holds negative values; expected 0 or more.")

    def check_together(self, outcomes: Floats) -> None:
        """Some event was seen."""
        if not outcomes[:, 1].any():
            raise TableError(
                f"The event {self.event!r} is {self.others} in every record; some events are "
                "needed to learn who has them early."
            )

    def cells(self, outcomes: Floats) -> Integers:
        """Bin of the time, shifted by the number of bins for events."""
        return self.bins.of_times(outcomes[:, 0]) + self.n_bins * (outcomes[:, 1] > 0.5)

    @property
    def coding(self) -> Floats:
        """A root of running sums, so that errors of the counts do not add up along time."""
        return coding(self.n_bins)

    def counted(self, answer: Floats, noise: float) -> Floats:
        """None below 0, and as smooth along time as the answer itself says."""
        return denoised(answer, noise)

    def prevalence(self, counts: Floats) -> float:
        """Share with the event."""
        return shares(counts.reshape(2, self.n_bins).sum(axis=1))[1]

    def uncertainty(self, counts: Floats, noise: float) -> float:
        """Of a share."""
        return uncertainty(self.coding, counts, noise)

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Real event rate and times, evenly through the cells and inside them."""
        weight = np.maximum(counts, 0.0) if (counts > 0).any() else np.ones(self.n_cells)
        cell, within = evenly(weight, n_rows)
        time = self.bins.times(cell % self.n_bins, within)
        return np.stack([time, cell // self.n_bins], axis=1).astype(np.float64)

    def drawn(self, scores: Floats, counts: Floats, rng: np.random.Generator) -> Floats:
        """Proportional hazards, with the events and censorings of the counts in every bin."""
        known = np.maximum(counts, 0.0) if (counts > 0).any() else np.ones(self.n_cells)
        bins, within, seen = lifetimes(scores, known.reshape(2, self.n_bins), rng)
        return np.stack([self.bins.times(bins, within), seen], axis=1).astype(np.float64)

    def severity(self, outcomes: Floats) -> Floats:
        """Early events first in line, then late events, early and late censorings."""
        time, event = outcomes[:, 0], outcomes[:, 1] > 0.5
        place = np.argsort(np.argsort(time)) / max(len(time), 1)
        return np.where(event, 2.0 - place, 0.5 - 0.5 * place)

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

        reached = self._cumulative_hazard(counts)
        hazard = self.bins.along(outcomes[:, 0], reached)
        seen = (outcomes[:, 1] > 0.5) & (hazard < 1.0)
        expected = np.minimum(hazard, 1.0) * pointwise.exp(np.clip(scores, -REACH, REACH))
        return np.asarray(seen - expected)

    def expected(self, scores: Floats, asked: Floats, counts: Floats) -> Floats:
        """Of the residual at the scores asked about, were hazards those of these scores."""
        hazard, wrong = (np.exp(np.clip(s, -REACH, REACH)) for s in (scores, asked))
        return np.asarray(self._watched(hazard, counts) * (hazard - wrong))

    def information(self, scores: Floats, counts: Floats) -> Floats:
        """Chance of an event before Λ reaches 1."""
        hazard = np.exp(np.clip(scores, -REACH, REACH))
        return np.asarray(np.clip(self._watched(hazard, counts) * hazard, 0.01, 1.0))

    def breadth(self, counts: Floats) -> float:
        """1."""
        return 1.0

    def scatter(self, scores: Floats, counts: Floats) -> Floats:
        """The information itself."""
        return self.information(scores, counts)

    def _watched(self, hazard: Floats, counts: Floats) -> Floats:
        """Expected Λ, up to 1, until people of these hazards leave by the event or censored."""
        edges = np.minimum(self._cumulative_hazard(counts), 1.0)
        censored, events = np.maximum(counts, 0.0).reshape(2, self.n_bins)
        leaving = censored + events
        at_risk = np.maximum(leaving[::-1].cumsum()[::-1] - events, 1.0)
        seen = np.cumprod(1 - np.minimum(censored / at_risk, 1.0))
        steps = np.diff(edges) * np.append(1.0, seen[:-1])
        return np.asarray(np.exp(-np.outer(hazard, (edges[1:] + edges[:-1]) / 2)) @ steps)

    def _cumulative_hazard(self, counts: Floats) -> Floats:
        """Nelson and Aalen's estimate at the edges of the time bins."""
        censored, events = np.maximum(counts, 0.0).reshape(2, self.n_bins)
        leaving = censored + events
        at_risk = leaving[::-1].cumsum()[::-1] - leaving / 2
        hazard = events / np.maximum(at_risk, 1.0)
        return np.concatenate([[0.0], np.cumsum(hazard)])

    def chance(self, scores: Floats) -> Floats:
        """Of coming before the average record of the sample."""
        return logistic(scores - scores.mean())

    def chances(self, predictions: Floats) -> Floats:
        """Of coming before the average record of the sample."""
        risk = predictions[..., 0]
        return logistic(risk - risk.mean(axis=1, keepdims=True))

    def anchored(self, design: Floats, outcomes: Floats) -> Survival:
        """Compare with these rows from now on."""
        return replace(self, reference=design, anchors=outcomes)

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Brier score of coming before the comparable anchors, from log hazards (R, b, 1)."""
        if self.anchors is None or reference is None:
            raise ValueError("a survival loss needs anchors")
        before, after = _comparable(outcomes, self.anchors)
        lead = predictions[..., 0] - reference[..., 0].mean(axis=1, keepdims=True)
        first = logistic(lead)
        return np.asarray(after * np.square(1.0 - first) + before * np.square(first))


def _comparable(outcomes: Floats, anchors: Floats) -> tuple[Floats, Floats]:
    """Shares of the anchors that surely came before, and after, each record."""
    times, events = anchors[:, 0], anchors[:, 1] > 0.5
    own, seen = outcomes[:, 0], outcomes[:, 1] > 0.5
    before = np.searchsorted(np.sort(times[events]), own, side="left")
    after = len(times) - np.searchsorted(np.sort(times), own, side="right")
    return before / len(times), np.where(seen, after, 0) / len(times)
