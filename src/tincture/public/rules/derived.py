"""A column that others tell, by a formula."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Mask
from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.formula import Formula
from tincture.public.rules.room import Room, free, is_missing, written
from tincture.public.rules.rule import Columns, Plain, Step, column_of, refuse_mixed


@dataclass(frozen=True)
class Derived(Plain):
    """``{"derive": c, "formula": "a / b ** 2"}``, of levels with ``"cuts": [40, 65]``.

    Dates and times count as days, also in parts. A value is cut to the bounds of its field. It is
    missing where the formula has no value, as where a column of it is missing; a field that is
    required keeps what it holds there.
    """

    told: str
    column: Column
    inputs: tuple[Column, ...]
    formula: Formula
    cuts: tuple[float, ...]
    codes: tuple[int, ...]  # level of each piece between the cuts
    keys: ClassVar[tuple[str, ...]] = ("derive", "formula", "cuts")

    @classmethod
    def of(cls, raw: dict[str, Any], told: str, columns: Columns, at: str) -> Derived:
        """Read a formula."""
        column = column_of(raw["derive"], columns, at)
        formula = Formula.of(raw.get("formula"), at)
        inputs = tuple(column_of(name, columns, at) for name in formula.names)
        for given in inputs:
            if given.is_categorical and not _are_numbers(given):
                raise SchemaError(f"{at}: the levels of {given.name!r} are no numbers.")
        refuse_mixed((column, *inputs), at)
        if column.name in formula.names:
            raise SchemaError(f"{at}: {column.name!r} cannot be derived from itself.")
        cuts, codes = _pieces(column, raw.get("cuts"), at)
        return cls(told, column, inputs, formula, cuts, codes)

    @property
    def names(self) -> tuple[str, ...]:
        """What is derived, and from what."""
        return (self.column.name, *self.formula.names)

    @property
    def derives(self) -> str:
        """The column."""
        return self.column.name

    def broken(self, values: Values) -> Mask:
        """Rows that hold another value than the formula's."""
        own, told = values[self.column.name], self._source(values)
        both = is_missing(self.column, own) & is_missing(self.column, told)
        return np.asarray((own != told) & ~both)

    def beyond(self, values: Values) -> Mask | None:
        """Rows whose amount was cut to the bounds."""
        if self.column.is_categorical:
            return None
        x, (low, high) = self._computed(values), self.column.bounds
        half = 0.51 * 10.0**-self.column.places
        return np.asarray((x < low - half) | (x > high + half))

    def ways(self, held: frozenset[str]) -> list[list[Step]]:
        """The column follows the formula's."""
        return [[Step(self.column, self.formula.names, self._room, self._source)]]

    def _room(self, values: Values) -> Room:
        return free(self.column, len(values[self.formula.names[0]]))

    def _computed(self, values: Values) -> Floats:
        amounts = {c.name: _numbers(c, values[c.name]) for c in self.inputs}
        return self.formula.of_values(amounts) * self.column.per_day

    def _source(self, values: Values) -> NDArray[np.generic]:
        x, own = self._computed(values), values[self.column.name]
        gone = np.isnan(x)
        if not self.column.is_categorical:
            told = np.where(gone, np.nan, written(self.column, np.where(gone, 0.0, x)))
            return np.where(gone, own, told) if self.column.required else told
        place = np.searchsorted(self.cuts, np.where(gone, 0.0, x), side="right")
        return np.where(gone, own if self.column.required else -1, np.asarray(self.codes)[place])


def _are_numbers(column: Column) -> bool:
    return all(not isinstance(level, str) for level in column.levels)


def _numbers(column: Column, values: NDArray[np.generic]) -> Floats:
    """Amounts, days of dates and times, or the numbers that levels are."""
    if not column.is_categorical:
        return np.asarray(values, dtype=np.float64) / column.per_day
    return np.array([*(float(v) for v in column.levels), np.nan])[np.asarray(values, np.int64)]


def _pieces(column: Column, cuts: Any, at: str) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Cuts, and the place of the level of each piece; levels of numbers take the nearest."""
    n = len(column.levels)
    if not column.is_categorical:
        if cuts is not None:
            raise SchemaError(f'{at}: "cuts" are for levels, and {column.name!r} has none.')
        return (), ()
    if cuts is None and _are_numbers(column):
        numbers = np.array([float(v) for v in column.levels])
        order = np.argsort(numbers)
        return tuple((a + b) / 2 for a, b in pairwise(numbers[order])), tuple(order.tolist())
    is_numbers = isinstance(cuts, list) and all(type(cut) in (int, float) for cut in cuts)
    if not is_numbers or len(cuts) != n - 1 or not all(a < b for a, b in pairwise(cuts)):
        raise SchemaError(
            f'{at}: "cuts" must be {n - 1} numbers that rise, one between each two of the {n} '
            f"levels of {column.name!r}."
        )
    return tuple(float(cut) for cut in cuts), tuple(range(n))
