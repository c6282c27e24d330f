"""When something holds, something else does too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, ClassVar

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SchemaError
from tincture.public.encoding import Values
from tincture.public.rules.asking import condition_of
from tincture.public.rules.conditions import Condition
from tincture.public.rules.room import Array, Room
from tincture.public.rules.rule import Columns, Plain, Step, column_of


@dataclass(frozen=True)
class Implication(Plain):
    """``{"when": {…}, "then": {…}}`` or ``{"only": {…}, "if": {…}}``.

    Whenever the first side holds, the second must. The columns of "then" follow those of "when";
    those of "only" follow those of "if".
    """

    told: str
    first: tuple[Condition, ...]
    second: tuple[Condition, ...]
    is_only: bool
    keys: ClassVar[tuple[str, ...]] = ("when", "then")
    only: ClassVar[tuple[str, ...]] = ("only", "if")

    @classmethod
    def of(cls, raw: dict[str, Any], told: str, columns: Columns, at: str) -> Implication:
        """Read both sides."""
        is_only = "only" in raw
        sides = [
            _side(raw.get(key), key, columns, at) for key in (cls.only if is_only else cls.keys)
        ]
        names = [[c.column.name for c in side] for side in sides]
        if set(names[0]) & set(names[1]):
            raise SchemaError(f"{at}: a column stands on both sides; it can on one only.")
        return cls(told, sides[0], sides[1], is_only)

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns."""
        return tuple(c.column.name for c in (*self.first, *self.second))

    def broken(self, values: Values) -> Mask:
        """Rows in which the first holds and some of the second does not."""
        return self._holds(self.first, values) & self._fails(values)

    def applied(self, values: Values) -> dict[str, Array]:
        """These rows with both sides as they should be."""
        out: dict[str, Array] = dict(values)
        for condition in (*self.first, *self.second):
            name = condition.column.name
            out[name] = condition.room(len(out[name])).nearest(out[name])
        return out

    def applies(self, values: Values) -> Mask:
        """Where the first side holds."""
        return self._holds(self.first, values)

    def ways(self, held: frozenset[str]) -> list[list[Step]]:
        """The second side follows the first, or the first the second."""
        ways = []
        if not any(c.column.name in held for c in self.second):
            ways.append([self._forward(c) for c in self.second])
        inverses = [(c, c.inverse()) for c in self.first if c.column.name not in held]
        backward = [[self._backward(c, i)] for c, i in reversed(inverses) if i is not None]
        return backward + ways if self.is_only else ways + backward

    def _forward(self, condition: Condition) -> Step:
        leaders = tuple(c.column.name for c in self.first)
        return Step(condition.column, leaders, partial(self._room, condition))

    def _room(self, condition: Condition, values: Values) -> Room:
        rows = self._holds(self.first, values)
        return condition.room(len(rows)).at(rows)

    def _backward(self, condition: Condition, inverse: Condition) -> Step:
        others = tuple(c for c in self.first if c is not condition)
        leaders = tuple(c.column.name for c in (*others, *self.second))
        return Step(condition.column, leaders, partial(self._room_off, others, inverse))

    def _room_off(self, others: tuple[Condition, ...], inverse: Condition, values: Values) -> Room:
        rows = self._fails(values) & self._holds(others, values)
        return inverse.room(len(rows)).at(rows)

    def _holds(self, conditions: tuple[Condition, ...], values: Values) -> Mask:
        everywhere = np.ones(len(values[self.names[0]]), dtype=bool)
        return reduce(np.logical_and, [c.passed(values) for c in conditions], everywhere)

    def _fails(self, values: Values) -> Mask:
        return reduce(np.logical_or, [c.failed(values) for c in self.second])


def _side(raw: Any, key: str, columns: Columns, at: str) -> tuple[Condition, ...]:
    if not isinstance(raw, dict) or not raw:
        raise SchemaError(f'{at}: "{key}" must be an object of columns and what they hold.')
    return tuple(condition_of(column_of(n, columns, at), told, at) for n, told in raw.items())
