"""Amounts in order: each is at most the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.room import Span, at_least, at_most, same
from tincture.public.rules.rule import Columns, Plain, Step, columns_of, refuse_mixed


@dataclass(frozen=True)
class Order(Plain):
    """``{"order": [a, b], "strict": true, "gap": 5}``: a + gap ≤ b, or below it.

    The smaller follows the larger. Between dates and times the gap is of days.
    """

    told: str
    columns: tuple[Column, ...]
    strict: bool
    gap: float
    keys: ClassVar[tuple[str, ...]] = ("order", "strict", "gap")

    @classmethod
    def of(cls, raw: dict[str, Any], told: str, columns: Columns, at: str) -> Order:
        """Read a chain."""
        found = columns_of(raw["order"], columns, at)
        for column in found:
            if column.is_categorical:
                raise SchemaError(f"{at}: {column.name!r} is no amount to put in order.")
        if len({c.type if c.is_time else "amount" for c in found}) > 1:
            raise SchemaError(
                f"{at}: an order is of amounts, of dates or of datetimes; declare all as one."
            )
        refuse_mixed(found, at)
        strict, gap = raw.get("strict", False), raw.get("gap", 0)
        is_number = isinstance(gap, int | float) and not isinstance(gap, bool)
        if not isinstance(strict, bool) or not is_number or not 0 <= gap <= 1e15:
            raise SchemaError(f'{at}: "strict" must be true or false, "gap" a number from 0.')
        return cls(told, tuple(found), strict, float(gap) * found[0].per_day)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(c.name for c in self.columns)

    def broken(self, values: Values) -> Mask:
        """Rows in which any earlier amount is too large for a later one."""
        out = np.zeros(len(values[self.names[0]]), dtype=bool)
        for i, j in combinations(range(len(self.columns)), 2):
            low = _amounts(values, self.columns[i]) + (j - i) * self.gap
            high = _amounts(values, self.columns[j])
            out |= (low > high) & ~same(low, high)
            if self.strict:
                out |= same(low, high)
        return out

    def ways(self, held: frozenset[str]) -> list[list[Step]]:
        """Of each pair the smaller follows, or the larger where the smaller is held."""
        return [self._way(held, False), self._way(held, True)]

    def _way(self, held: frozenset[str], turned: bool) -> list[Step]:
        steps = []
        for i, j in combinations(range(len(self.columns)), 2):
            low, high = self.columns[i], self.columns[j]
            gap = (j - i) * self.gap
            free = [c for c in (low, high) if c.name not in held]
            if not free:
                continue
            if free[-1 if turned else 0] is low:
                steps.append(Step(low, (high.name,), partial(self._below, low, high, gap)))
                if high in free:
                    steps.append(Step(high, (), partial(self._base, low, high, gap)))
            else:
                steps.append(Step(high, (low.name,), partial(self._above, low, high, gap)))
                if low in free:
                    steps.append(Step(low, (), partial(self._top, low, high, gap)))
        return steps

    def _below(self, low: Column, high: Column, gap: float, values: Values) -> Span:
        limit = _amounts(values, high) - gap
        top = at_most(low, limit, strict=self.strict)
        return _span(~np.isnan(limit), np.full(len(limit), -np.inf), top)

    def _above(self, low: Column, high: Column, gap: float, values: Values) -> Span:
        limit = _amounts(values, low) + gap
        bottom = at_least(high, limit, strict=self.strict)
        return _span(~np.isnan(limit), bottom, np.full(len(limit), np.inf))

    def _base(self, low: Column, high: Column, gap: float, values: Values) -> Span:
        """Room for the smaller, where it is there."""
        there = ~np.isnan(_amounts(values, low))
        bottom = at_least(high, np.full(len(there), low.bounds[0] + gap), strict=self.strict)
        return _span(there, bottom, np.full(len(there), np.inf))

    def _top(self, low: Column, high: Column, gap: float, values: Values) -> Span:
        """Room for the larger, where it is there."""
        there = ~np.isnan(_amounts(values, high))
        top = at_most(low, np.full(len(there), high.bounds[1] - gap), strict=self.strict)
        return _span(there, np.full(len(there), -np.inf), top)


def _amounts(values: Values, column: Column) -> Floats:
    return np.asarray(values[column.name], dtype=np.float64)


def _span(rows: Mask, low: Floats, high: Floats) -> Span:
    return Span(low, high, np.zeros(len(rows), dtype=bool)).at(rows)
