"""Events in MEDS: codes with a number, with text beside them, or with neither; static columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import TableError
from tincture.public.cells import MISSING, Field
from tincture.public.columns import Column
from tincture.stays.events.tables import different, spread
from tincture.stays.events.values import Missing, Values, level_numbers

Codes = NDArray[np.int16]


class Coded:
    """How the values of some codes are read.

    An event without a number is the text beside it. One without either is the presence of its code,
    1, of a field of truth values, or of levels or bounds 0 and 1, which holds nothing else.

    Parameters
    ----------
    values : Values
        By which numbers are read.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        columns, missing = values.columns, values.missing
        self._fields = [_presence_field(c, missing(c.name)) for c in columns]
        self._is_presence = np.array([f is not None for f in self._fields], dtype=bool)
        # Words of its own that name nothing: then an event without a value is none.
        self._is_left_out = np.array(["" in (c.missing_values or ()) for c in columns], dtype=bool)

    def read(self, codes: Codes, cells: pl.Series, text: pl.Series | None) -> Floats:
        """The values of events, NaN where missing.

        Raises
        ------
        TableError
        """
        values = self._values.read(codes, cells)
        empty = _is_nothing(cells) | _is_nan(cells)
        if empty.any():
            beside = None if text is None else text.filter(pl.Series(empty))
            values[empty] = self._of_text(codes[empty], beside)
        return values

    def _of_text(self, codes: Codes, text: pl.Series | None) -> Floats:
        values = self._of_nothing(codes, text)
        if text is None:
            return values
        is_presence, spoken = self._is_presence[codes], ~_is_nothing(text)
        for mine, read in ((~is_presence, self._values.read), (is_presence, self._beside)):
            mine = mine & spoken
            if mine.any():
                values[mine] = read(codes[mine], text.filter(pl.Series(mine)))
        return values

    def _of_nothing(self, codes: Codes, text: pl.Series | None) -> Floats:
        """Presence; refused where neither number nor text means anything."""
        odd = ~(self._is_presence | self._is_left_out)[codes]
        if text is not None:
            odd &= _is_nothing(text)
        if odd.any():
            column = self._values.columns[int(codes[odd][0])]
            raise TableError(
                f"The code {column.name!r} has events with neither a number nor text. Give its "
                'field its own "missingValues": [""] to leave them out; or declare it as boolean, '
                "or with the levels 0 and 1, if that the code is there is what counts."
            )
        present = np.array([np.nan if f is None else self._present(f) for f in self._fields])
        return np.where(self._is_left_out[codes], np.nan, present[codes])

    def _present(self, field: Field) -> float:
        return float(field.codes([1])[0]) if self._values.by_place else 1.0

    def _beside(self, codes: Codes, text: pl.Series) -> Floats:
        """Of codes whose presence counts: a level or a missing value if the text says so."""
        values = np.empty(len(codes))
        for code in np.unique(codes):
            if (field := self._fields[code]) is not None:
                mine = codes == code
                some = text.filter(pl.Series(mine))
                words, listed = different(some)
                values[mine] = spread(some, words, self._told(field, listed)).to_numpy()
        return values

    def _told(self, field: Field, words: list[Any]) -> Floats:
        places = field.codes(words)
        numbers = places if self._values.by_place else level_numbers(field.column)[places]
        found = np.where(places < 0, self._present(field), numbers)
        return np.where(places == MISSING, np.nan, found)


def _presence_field(column: Column, missing: tuple[str, ...]) -> Field | None:
    """Of a column that says whether something is there, or None."""
    if column.is_categorical:
        is_presence = set(column.levels) == {0, 1}
        return Field(column, missing) if is_presence else None
    if (column.minimum, column.maximum) != (0, 1):
        return None
    return Field(replace(column, type="number", categories=(0, 1)), missing)


def _is_nothing(cells: pl.Series) -> Mask:
    if cells.dtype == pl.String:
        cells = cells.str.strip_chars()
        return ((cells == "") | cells.is_null()).fill_null(True).to_numpy()
    nothing = cells.is_null()
    return (
        nothing | cells.is_nan().fill_null(True) if cells.dtype.is_float() else nothing
    ).to_numpy()


def _is_nan(cells: pl.Series) -> Mask:
    """Whether text says NaN, as a number that is nothing is written."""
    if cells.dtype != pl.String:
        return np.zeros(len(cells), dtype=bool)
    return cells.str.contains(r"(?i)^\s*[+-]?nan\s*$").fill_null(False).to_numpy()


class Statics:
    """Static columns that lie among the events, of which the largest value or last level counts.

    Parameters
    ----------
    columns : sequence of Column
    missing : callable
    n_stays : int
    """

    def __init__(self, columns: Sequence[Column], missing: Missing, n_stays: int) -> None:
        self._columns, self._missing = columns, missing
        self._coded = Coded(Values(columns, missing, {}, by_place=True))
        self._found = np.full((n_stays, len(columns)), np.nan)

    def enter(
        self,
        keys: Integers,
        codes: Codes,
        named: pl.Series,
        cells: pl.Series,
        text: pl.Series | None,
    ) -> None:
        """Take in events of stays ``keys``.

        Parameters
        ----------
        keys, codes : ndarray of shape (n,)
        named : polars.Series
            Levels that the names of the events tell, null where none.
        cells : polars.Series
        text : polars.Series, optional

        Raises
        ------
        TableError
        """
        values = named.cast(pl.Float64).to_numpy().copy()
        rest = np.isnan(values)
        if rest.any():
            some = pl.Series(rest)
            beside = None if text is None else text.filter(some)
            values[rest] = self._coded.read(codes[rest], cells.filter(some), beside)
        np.fmax.at(self._found, (keys, codes.astype(np.int64)), values)

    def columns(self, key_of_row: Integers) -> dict[str, NDArray[Any]]:
        """Values of each row of the outcomes as `tincture.io.frames.to_columns` gives them.

        Raises
        ------
        TableError
            If nothing tells a column.
        """
        out: dict[str, NDArray[Any]] = {}
        for place, column in enumerate(self._columns):
            values = self._found[:, place]
            field = _presence_field(column, self._missing(column.name))
            if field is None and np.isnan(values).all():
                raise TableError(
                    f"The static column {column.name!r} is neither in the outcomes nor a code of "
                    "events without a time; correct its name, or leave it out of the schema."
                )
            if column.is_categorical:
                absent = MISSING if field is None else int(field.codes([0])[0])
                values = np.where(np.isnan(values), absent, values).astype(np.int64)
            out[column.name] = values[key_of_row]
        return out


def refuse_untimed(column: Column) -> None:
    """Say that events of a variable have no time."""
    raise TableError(
        f"Some events of the variable {column.name!r} have no time; complete or remove them, or "
        'declare the code with "role": "static" if it is known once a stay.'
    )


def refuse_timed(column: Column) -> None:
    """Say that events of a static column have times."""
    raise TableError(
        f"Some events of the static column {column.name!r} have a time; declare it with "
        '"role": "variable", or put it into the outcomes, which then count.'
    )
