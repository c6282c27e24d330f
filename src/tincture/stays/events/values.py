"""How much an event is: its value, by the declaration of its variable."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.errors import SchemaError, TableError
from tincture.public.cells import AMBIGUOUS, MISSING, UNLISTED, Field, Unreadable, cells_of
from tincture.public.columns import Column
from tincture.public.notation import PLAIN
from tincture.public.words import Lookup, number_of
from tincture.stays.events.tables import different, spread

Missing = Callable[[str], tuple[str, ...]]  # words for missing of a column, by its name
Words = Mapping[str, float]  # in small letters, with what they count


def amounts(field: Field, cells: pl.Series) -> Floats:
    """The amounts of a column, NaN where missing: `Field.amounts`, quickly.

    Raises
    ------
    Unreadable, TableError
    """
    if _are_numbers(cells):
        return field.amounts(cells_of(nw.from_native(cells, series_only=True), cells.name))
    if cells.dtype != pl.String or field.column.notation != PLAIN:
        return _amounts_of_words(field, cells)
    # What Polars reads as a finite number, we do too, and as the same one (tests/test_events.py).
    values = cells.cast(pl.Float64, strict=False).to_numpy()
    odd = ~np.isfinite(values) & cells.is_not_null().to_numpy()
    values = field.amounts(np.where(odd, np.nan, values))
    if odd.any():
        values[odd] = _amounts_of_words(field, cells.filter(pl.Series(odd)))
    return values


def _are_numbers(cells: pl.Series) -> bool:
    return cells.dtype.is_numeric() and not cells.dtype.is_decimal()


def _amounts_of_words(field: Field, cells: pl.Series) -> Floats:
    words, listed = different(cells)
    return spread(cells, words, field.amounts(listed)).to_numpy()


def levels(field: Field, cells: pl.Series) -> Integers:
    """The levels of a column: `Field.codes`, all of them declared.

    Raises
    ------
    Unreadable, TableError
    """
    words, listed = different(cells)
    given = nw.from_native(words, series_only=True)
    codes = field.codes(cells_of(given, cells.name) if _are_numbers(words) else listed)
    refuse_unlisted(codes)
    return spread(cells, words, codes).to_numpy()


def refuse_unlisted(codes: Integers) -> None:
    """Refuse codes that stand for no level.

    Raises
    ------
    Unreadable
    """
    if (codes == AMBIGUOUS).any():
        raise Unreadable("a number that two of its levels read as")
    if (codes == UNLISTED).any():
        raise Unreadable("a level that the schema does not list")


def sentence(column: Column, found: str) -> str:
    """What is wrong with the events of a column, and what to do."""
    what = "static column" if column.role == "static" else "variable"
    expected = f"declares {column.type}"
    if column.is_categorical:
        listed = ", ".join(repr(level) for level in column.levels[:12])
        expected = f"lists {listed}{', …' if len(column.levels) > 12 else ''}"
    return (
        f"The {what} {column.name!r} holds {found} in the events; the schema {expected}. Correct "
        "the events, or declare in its field how it is written: its words for missing as "
        '"missingValues": ["", "NA"], <1 and >20 as "tincture:limits": true, a decimal comma as '
        '"decimalChar": ",".'
    )


@dataclass(frozen=True)
class Group:
    """Columns that are read alike, by the first of them."""

    field: Field
    codes: tuple[int, ...]
    counts: Floats | None  # what each level counts, of columns with levels
    gone: Lookup  # words for missing
    words: Words

    def read(self, cells: pl.Series) -> Floats:
        """Values, NaN where missing.

        Raises
        ------
        Unreadable, TableError
        """
        if self.words and cells.dtype == pl.String:
            cells = self._spelled(cells)
        if self.counts is None:
            return amounts(self.field, cells)
        codes = levels(self.field, cells)
        return np.where(codes == MISSING, np.nan, self.counts[codes])

    def _spelled(self, cells: pl.Series) -> pl.Series:
        """Cells whose words that count are numbers, but for those that mean missing."""
        words, listed = different(cells)
        kept = [w if w is None or self.gone.of(w) is not None else self._number(w) for w in listed]
        return spread(cells, words, kept).alias(cells.name)

    def _number(self, word: str) -> str:
        number = self.words.get(" ".join(word.casefold().split()))
        return word if number is None else repr(number)


class Values:
    """How the values of some columns are read.

    Parameters
    ----------
    columns : sequence of Column
        In the order of their codes.
    missing : callable
    words : mapping of str to mapping
        By column: words that count as numbers beside what is declared.
    by_place : bool
        Whether a level counts by its place instead of its number.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        missing: Missing,
        words: Mapping[str, Words],
        *,
        by_place: bool = False,
    ) -> None:
        self.columns, self.missing, self.by_place = columns, missing, by_place
        alike: dict[Any, list[int]] = {}
        for code, column in enumerate(columns):
            own = (column.type, column.levels) if column.is_categorical else ()
            spoken = column.name if column.name in words else ""
            kind = (column.notation, missing(column.name), own, spoken)
            alike.setdefault(kind, []).append(code)
        self._groups = []
        for codes in alike.values():
            column = columns[codes[0]]
            gone = Lookup(((w, 0) for w in missing(column.name)), is_truth_number=False)
            field = Field(column, missing(column.name))
            counts, own_words = _counts(column, by_place), words.get(column.name, {})
            self._groups.append(Group(field, tuple(codes), counts, gone, own_words))

    def read(self, codes: NDArray[np.int16], cells: pl.Series) -> Floats:
        """The values of events of these columns, NaN where missing.

        Raises
        ------
        TableError
            If a cell cannot be read, naming the column and never the cell.
        """
        if len(self._groups) == 1:
            return self._read(self._groups[0], codes, cells)
        values = np.full(len(codes), np.nan)
        for group in self._groups:
            mine = np.isin(codes, group.codes)
            if mine.any():
                values[mine] = self._read(group, codes[mine], cells.filter(pl.Series(mine)))
        return values

    def _read(self, group: Group, codes: NDArray[np.int16], cells: pl.Series) -> Floats:
        try:
            return group.read(cells)
        except Unreadable as error:
            found = error.args[0]
        raise TableError(sentence(self.columns[_first(group, codes, cells)], found))


def _first(group: Group, codes: NDArray[np.int16], cells: pl.Series) -> int:
    """The first column of a group whose cells cannot be read."""
    for code in group.codes:
        try:
            group.read(cells.filter(pl.Series(codes == code)))
        except Unreadable:
            return code
    return group.codes[0]


def _counts(column: Column, by_place: bool) -> Floats | None:
    if not column.is_categorical:
        return None
    return np.arange(len(column.levels), dtype=np.float64) if by_place else level_numbers(column)


def level_numbers(column: Column) -> Floats:
    """The levels of a variable as numbers.

    Raises
    ------
    SchemaError
        If a level is a word, or two are one number.
    """
    read = [number_of(v.strip()) if isinstance(v, str) else float(v) for v in column.levels]
    found = [float(number) for number in read if number is not None and math.isfinite(number)]
    if len(set(found)) == len(column.levels):
        return np.array(found)
    raise SchemaError(
        f"The variable {column.name!r} has levels that are words, or of one number; a measured "
        "value must be a number. Code its levels as numbers, or leave the variable out."
    )
