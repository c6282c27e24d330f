"""What may be asked of a cell: a level, an amount, a range, or that it is missing.

A missing cell passes no condition but "missing", and fails none but "missing" neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tincture.arrays import Mask
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.room import Pick, Room, Span, at_least, at_most, is_missing


class Condition(Protocol):
    """A test of one column's cells."""

    @property
    def column(self) -> Column:
        """Whose cells are tested."""

    def passed(self, values: Values) -> Mask:
        """Which cells do so for sure, (n,)."""

    def failed(self, values: Values) -> Mask:
        """Which do not, for sure."""

    def room(self, n: int) -> Room:
        """What passes, for n rows."""

    def inverse(self) -> Condition | None:
        """What fails, if that is a condition too."""


@dataclass(frozen=True, slots=True)
class Among:
    """One of these levels."""

    column: Column
    codes: frozenset[int]

    def passed(self, values: Values) -> Mask:
        """Its level is one of them."""
        return np.isin(values[self.column.name], list(self.codes))

    def failed(self, values: Values) -> Mask:
        """Its level is another."""
        return ~self.passed(values) & ~is_missing(self.column, values[self.column.name])

    def room(self, n: int) -> Pick:
        """These levels."""
        is_open = np.isin(np.arange(len(self.column.levels)), list(self.codes))
        return Pick(np.repeat(is_open[None], n, axis=0), np.zeros(n, dtype=bool))

    def inverse(self) -> Among | None:
        """The other levels."""
        others = frozenset(range(len(self.column.levels))) - self.codes
        return Among(self.column, others) if others else None


@dataclass(frozen=True, slots=True)
class Within:
    """From low to high, both among them."""

    column: Column
    low: float
    high: float

    def passed(self, values: Values) -> Mask:
        """Inside."""
        x = np.asarray(values[self.column.name], dtype=np.float64)
        return np.asarray((x >= self.low) & (x <= self.high))

    def failed(self, values: Values) -> Mask:
        """Outside."""
        x = np.asarray(values[self.column.name], dtype=np.float64)
        return np.asarray((x < self.low) | (x > self.high))

    def room(self, n: int) -> Span:
        """The range, as far as a row can hold it."""
        bottom, top = self.column.bounds
        low = at_least(self.column, np.full(n, max(self.low, bottom)))
        high = at_most(self.column, np.full(n, min(self.high, top)))
        return Span(low, high, np.zeros(n, dtype=bool))

    def inverse(self) -> Within | None:
        """The rest of the field's range, where it is in one piece."""
        bottom, top = self.column.bounds
        if self.low <= bottom and self.high < top:
            return Within(self.column, math.nextafter(self.high, math.inf), math.inf)
        if self.high >= top and self.low > bottom:
            return Within(self.column, -math.inf, math.nextafter(self.low, -math.inf))
        return None


@dataclass(frozen=True, slots=True)
class Missing:
    """No value."""

    column: Column

    def passed(self, values: Values) -> Mask:
        """Missing."""
        return is_missing(self.column, values[self.column.name])

    def failed(self, values: Values) -> Mask:
        """Present."""
        return ~self.passed(values)

    def room(self, n: int) -> Room:
        """Nothing."""
        gone = np.ones(n, dtype=bool)
        if self.column.is_categorical:
            return Pick(np.ones((n, len(self.column.levels)), dtype=bool), gone)
        return Span(np.full(n, -np.inf), np.full(n, np.inf), gone)

    def inverse(self) -> None:
        """A value would have to be invented."""
