"""What may be asked of a cell: a level, an amount, a range, or that it is missing.

A missing cell passes no condition but "missing", and fails none but "missing" neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SchemaError, SettingError
from tincture.public.case import place_of
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.room import Pick, Room, Span, at_least, at_most, is_missing

LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


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


def condition_of(column: Column, told: Any, at: str) -> Condition:
    """Read what a rule says of a column.

    Raises
    ------
    SchemaError
    """
    at = f"{at}, column {column.name!r}"
    if told is None:
        if column.required:
            raise SchemaError(f"{at}: the field is required, so that it cannot be missing.")
        return Missing(column)
    if column.is_categorical:
        words = told if isinstance(told, list) else [told]
        if not words:
            raise SchemaError(f"{at}: the list of levels is empty; name one at least.")
        return Among(column, frozenset(level_of(column, word, at) for word in words))
    if isinstance(told, Mapping):
        return _range(column, told, at)
    number = _number(told, "the amount", at)
    return Within(column, number, number)


def level_of(column: Column, word: Any, at: str) -> int:
    """The place of a level, named by itself or by its label.

    Raises
    ------
    SchemaError
    """
    try:
        if isinstance(word, str | int | float):
            return place_of(column, word)
    except SettingError:
        pass
    raise SchemaError(
        f"{at}: {word!r} is not one of its levels; name one of {', '.join(column.titles)}."
    )


def _range(column: Column, told: Mapping[str, Any], at: str) -> Within:
    if not told or not set(told) <= set(LIMITS):
        raise SchemaError(f"{at}: a range is told by {', '.join(LIMITS)}.")
    limits = {key: _number(value, f'"{key}"', at) for key, value in told.items()}
    low = limits.get("minimum", -math.inf)
    high = limits.get("maximum", math.inf)
    if "exclusiveMinimum" in limits:
        low = max(low, math.nextafter(limits["exclusiveMinimum"], math.inf))
    if "exclusiveMaximum" in limits:
        high = min(high, math.nextafter(limits["exclusiveMaximum"], -math.inf))
    if low > high:
        raise SchemaError(f"{at}: the range is empty; exchange or correct its ends.")
    return Within(column, low, high)


def _number(value: Any, what: str, at: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e15:
        return float(value)
    raise SchemaError(f"{at}: {what} must be a finite number.")
