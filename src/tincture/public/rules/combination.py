"""Levels that go together: a table of all that are allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.asking import level_of
from tincture.public.rules.room import Pick, is_missing
from tincture.public.rules.rule import Columns, Plain, Step, columns_of

MOST = 1_000_000  # combinations


@dataclass(frozen=True)
class Combination(Plain):
    """``{"columns": [a, b], "allowed": [["a1", "b1"], ["a2", ["b1", "b2"]]]}``.

    The last column follows the others.
    """

    told: str
    columns: tuple[Column, ...]
    allowed: Mask = field(compare=False, repr=False)
    keys: ClassVar[tuple[str, ...]] = ("columns", "allowed")

    @classmethod
    def of(cls, raw: dict[str, Any], told: str, columns: Columns, at: str) -> Combination:
        """Read a table."""
        found = columns_of(raw["columns"], columns, at)
        for column in found:
            if not column.is_categorical:
                raise SchemaError(f"{at}: {column.name!r} has no levels to combine.")
        shape = [len(c.levels) for c in found]
        rows = raw["allowed"]
        is_table = isinstance(rows, list) and all(
            isinstance(row, list) and len(row) == len(found) for row in rows
        )
        if not is_table or not rows or prod(shape) > MOST:
            raise SchemaError(
                f'{at}: "allowed" must be a list of rows, each of a level (or a list of levels) '
                "for every column, of a million combinations at most."
            )
        allowed = np.zeros(shape, dtype=bool)
        for row in rows:
            cells = [cell if isinstance(cell, list) else [cell] for cell in row]
            pairs = zip(found, cells, strict=True)
            codes = [[level_of(c, word, at) for word in words] for c, words in pairs]
            allowed[np.ix_(*codes)] = True
        return cls(told, tuple(found), allowed)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(c.name for c in self.columns)

    def broken(self, values: Values) -> Mask:
        """Rows whose levels are all there, and in no row of the table."""
        codes, gone = self._codes(values, range(len(self.columns)))
        return np.asarray(~self.allowed[codes] & ~gone)

    def ways(self, held: frozenset[str]) -> list[list[Step]]:
        """Each column is to leave room for the next."""
        places = range(len(self.columns))
        first = [i for i in places if self.names[i] in held]
        rest = [i for i in places if i not in first]
        return [self._way(first, rest), self._way(first, rest[::-1])]

    def _way(self, first: list[int], rest: list[int]) -> list[Step]:
        order, steps = [*first, *rest], []
        for k in range(len(first), len(order)):
            leaders = tuple(self.names[i] for i in order[:k])
            steps.append(Step(self.columns[order[k]], leaders, partial(self._room, order, k)))
        return steps

    def _room(self, order: list[int], k: int, values: Values) -> Pick:
        later = tuple(range(k + 1, len(order)))
        open_ = np.asarray(self.allowed.transpose(order).any(axis=later))
        codes, gone = self._codes(values, order[:k])
        n = len(values[self.names[order[k]]])
        rows = open_[codes] if k else np.repeat(open_[None], n, axis=0)
        return Pick(rows | np.broadcast_to(gone, n)[:, None], np.zeros(n, dtype=bool))

    def _codes(self, values: Values, places: Any) -> tuple[tuple[Any, ...], Any]:
        """Levels of some columns, and rows that lack one of them."""
        codes = [np.asarray(values[self.names[i]], dtype=np.int64) for i in places]
        gone: Any = np.False_
        for i, code in zip(places, codes, strict=True):
            gone = gone | is_missing(self.columns[i], code)
        return tuple(codes), gone
