"""What an event is of: names of variables, exactly as declared; numbers by any spelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import polars as pl

from tincture.errors import TableError
from tincture.public.cells import MISSING, Field, Unreadable
from tincture.public.columns import Column
from tincture.public.words import AMBIGUOUS, Lookup, number_of
from tincture.stays.events.tables import different
from tincture.stays.events.values import Missing, refuse_unlisted, sentence

VARIABLE, CODE, LEVEL = "variable", "code", "level"
BETWEEN = "//"  # stands between the parts of a MEDS code


class Found(NamedTuple):
    """A declared name: its place, and the level that the event's name adds to it, if any."""

    code: int
    level: int | None = None


class Names:
    """Declared names.

    Parameters
    ----------
    variables : sequence of str
        With the codes 0, 1, ….
    statics : sequence of Column
        Static columns sought among the events, with the codes that follow. A name such as GENDER
        followed by // and one of its levels is an event of this level.
    missing : callable
    """

    def __init__(
        self, variables: Sequence[str], statics: Sequence[Column], missing: Missing
    ) -> None:
        names = [*variables, *(column.name for column in statics)]
        self._exact = {name: code for code, name in enumerate(names)}
        self._folded = {_folded(name): name for name in names}
        self._numbers = Lookup(((n, c) for n, c in self._exact.items()), is_truth_number=False)
        self._levels = {c.name: Field(c, missing(c.name)) for c in statics if c.is_categorical}
        self._beginnings = {_folded(n + BETWEEN): n for n in self._levels}

    def among(self, batch: pl.DataFrame, name: str) -> pl.DataFrame:
        """The events of declared names, with columns ``code`` and ``level``.

        Of a column ``variable``, whose name in the table is ``name``.

        Raises
        ------
        TableError
            If a name differs from a declared one by blanks or case alone, or is of a level that is
            not declared; naming what is declared.
        """
        words, listed = different(batch[VARIABLE].alias(name))
        found = [self._find(cell) for cell in listed]
        table = pl.DataFrame(
            {
                VARIABLE: words,
                CODE: [None if f is None else f.code for f in found],
                LEVEL: [None if f is None else f.level for f in found],
            },
            schema_overrides={CODE: pl.Int16, LEVEL: pl.Int64},
        )
        return batch.join(table.filter(pl.col(CODE).is_not_null()), on=VARIABLE)

    def has(self, name: str) -> bool:
        """Whether a name is declared.

        Raises
        ------
        TableError
            As `among`.
        """
        return self._find(name) is not None

    def _find(self, cell: Any) -> Found | None:
        if cell is None or isinstance(cell, bool):
            return None
        if not isinstance(cell, str):
            return self._by_number(cell)
        if cell in self._exact:
            return Found(self._exact[cell])
        if (near := self._folded.get(_folded(cell))) is not None:
            raise TableError(_near(near))
        number = number_of(cell.strip())
        return self._by_level(cell) if number is None else self._by_number(number)

    def _by_number(self, number: Any) -> Found | None:
        code = self._numbers.of(float(number) if not isinstance(number, int) else number)
        if code == AMBIGUOUS:
            raise TableError(
                "The events name a variable by a number that two declared names read as; give "
                "names as text, as the schema writes them."
            )
        return None if code is None else Found(code)

    def _by_level(self, cell: str) -> Found | None:
        """A static column and one of its levels, such as GENDER//F."""
        parts = cell.split(BETWEEN)
        for n in range(1, len(parts)):
            name, rest = BETWEEN.join(parts[:n]), BETWEEN.join(parts[n:])
            if (field := self._levels.get(name)) is not None:
                level = _level(field, rest)
                return None if level == MISSING else Found(self._exact[name], level)
            if (near := self._beginnings.get(_folded(name) + BETWEEN)) is not None:
                raise TableError(_near(near))
        return None


def declared(names: Iterable[str], variables: Sequence[str]) -> list[str]:
    """The names of columns that are those of declared variables, by the same rules.

    Raises
    ------
    TableError
        As `Names.among`.
    """
    known = Names(variables, (), lambda name: ())
    return [name for name in names if known.has(name)]


def _level(field: Field, word: str) -> int:
    try:
        codes = field.codes([word])
        refuse_unlisted(codes)
        return int(codes[0])
    except Unreadable as error:
        found = error.args[0]
    raise TableError(sentence(field.column, found))


def _folded(name: str) -> str:
    return name.strip().casefold()


def _near(name: str) -> str:
    return (
        f"The events have a variable whose name differs from {name!r} of the schema only by blanks "
        "around it or by upper and lower case; write both alike."
    )
