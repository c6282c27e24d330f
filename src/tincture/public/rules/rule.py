"""What every kind of rule tells, and how it is obeyed: by one column that follows others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from tincture.arrays import Mask
from tincture.errors import SchemaError
from tincture.public.columns import Column
from tincture.public.encoding import Values
from tincture.public.rules.room import Array, Room

Columns = Mapping[str, Column]


class Step(NamedTuple):
    """How one column follows others.

    Attributes
    ----------
    column : Column
        That may change.
    leaders : tuple of str
        That are settled before.
    room : callable
        From the leaders' values to what the column may hold.
    source : callable or None
        From the leaders' and its own values to what it would hold, if not its own.
    """

    column: Column
    leaders: tuple[str, ...]
    room: Callable[[Values], Room]
    source: Callable[[Values], Array] | None = None


class Rule(Protocol):
    """A rule between columns; one of missing cells holds."""

    @property
    def told(self) -> str:
        """As the schema tells it, in JSON."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns it binds."""

    @property
    def derives(self) -> str | None:
        """The column that it computes, if it does."""

    def broken(self, values: Values) -> Mask:
        """Which rows break it, (n,)."""

    def beyond(self, values: Values) -> Mask | None:
        """Which rows obey only because a computed value was cut to its bounds."""

    def applied(self, values: Values) -> dict[str, Array] | None:
        """These rows, changed so that it applies and holds, if it does not always apply."""

    def applies(self, values: Values) -> Mask:
        """To which rows it does, (n,)."""

    def ways(self, held: frozenset[str]) -> list[list[Step]]:
        """How it can be obeyed without a change of the columns held, the best way first."""


class Plain(ABC):
    """A rule that computes no column and applies wherever no cell of it is missing."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Columns it binds."""

    @property
    def derives(self) -> str | None:
        """No column."""
        return None

    def beyond(self, values: Values) -> Mask | None:
        """Nothing is computed."""
        return None

    def applied(self, values: Values) -> dict[str, Array] | None:
        """It is in any row."""
        return None

    def applies(self, values: Values) -> Mask:
        """Where its cells are all there."""
        there = [_is_there(values[name]) for name in self.names]
        return np.asarray(np.logical_and.reduce(there))


def _is_there(cells: Array) -> Mask:
    """Which amounts, or codes of levels, are not missing."""
    x = np.asarray(cells, dtype=np.float64)
    return np.asarray(x >= 0 if cells.dtype.kind == "i" else ~np.isnan(x))


def columns_of(names: Any, columns: Columns, at: str, fewest: int = 2) -> list[Column]:
    """The columns that a rule names.

    Raises
    ------
    SchemaError
        If they are no list of different columns whose bounds or levels are declared.
    """
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise SchemaError(f"{at}: names of columns must be a list of text.")
    if len(names) < fewest or len(set(names)) < len(names):
        raise SchemaError(f"{at}: name {fewest} columns at least, each once.")
    return [column_of(name, columns, at) for name in names]


def refuse_mixed(columns: Sequence[Column], at: str) -> None:
    """Refuse clocks on the wall beside moments.

    Raises
    ------
    SchemaError
    """
    if len({c.is_zoned for c in columns if c.is_time}) > 1:
        names = ", ".join(repr(c.name) for c in columns if c.is_time)
        raise SchemaError(f"{at}: of {names} some have a zone and some none; declare them alike.")


def column_of(name: Any, columns: Columns, at: str) -> Column:
    """A column that a rule names.

    Raises
    ------
    SchemaError
    """
    column = columns.get(name) if isinstance(name, str) else None
    if column is None:
        raise SchemaError(f"{at}: the schema has no column {name!r}.")
    if column.gap:
        raise SchemaError(
            f"{at}: the column {name!r} has no public bounds or levels, which a rule needs."
        )
    return column
