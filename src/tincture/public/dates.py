"""What a cell of a date or a time means, and how either is told.

A date counts as whole days since 1970-01-01, a time as whole seconds since then: of UTC where its
field is of moments, which have a zone, else of the clock on the wall. A cell means the same in
every container; a number is no date, whatever a spreadsheet counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.public.cells import Unreadable, each, listed, plain
from tincture.public.columns import DAY, Column
from tincture.public.patterns import Pattern, pattern_of
from tincture.public.words import Lookup, number_of

EPOCH = datetime(1970, 1, 1)
FIRST, BEYOND = np.datetime64("0001-01-01"), np.datetime64("10000-01-01")
NUMBERS = "numbers, of which none is a date (a spreadsheet's count of days is not read as one)"
Spelled = tuple[str | None, bool]  # text, and whether it is of ISO 8601 whatever is declared


def counted(series: nw.Series[Any], column: Column, missing: Sequence[str] = ()) -> Floats:
    """Days of a date's cells, seconds of a time's, NaN where missing.

    The time of day that a cell of a date has is left out.

    Raises
    ------
    Unreadable
        If a cell is no date or time, or has a zone where its field has none, or none where it has.
    """
    reader = _Reader(column, missing)
    is_typed = series.dtype == nw.Date or series.dtype == nw.Datetime
    return reader.typed(series) if is_typed else reader.cells(listed(series))


def moment_of(word: Any, column: Column) -> tuple[float, bool] | None:
    """What a date or time in a schema counts as, and whether it has a zone (Z or an offset).

    It is written by ISO 8601, or else as cells of the column are; None where it is neither, or in
    no year from 1 to 9999.
    """
    text = _iso(word)
    values, zoned = _parsed([(text, True), (text, False)], column)
    for value, is_zoned in zip(values, zoned, strict=True):
        if FIRST <= value < BEYOND:  # which what is no time is not
            return float(_whole(value, column)), bool(is_zoned)
    return None


def told(column: Column, amount: float) -> str:
    """An amount as people read it: of dates and times by ISO 8601, of others by its digits."""
    if column.type == "date":
        return (EPOCH + timedelta(days=amount)).date().isoformat()
    if column.type == "datetime":
        at = EPOCH + timedelta(seconds=round(amount))
        return f"{at.isoformat()}{'Z' if column.is_zoned else ''}"
    return f"{amount:g}"


class _Reader:
    """Reads the cells of one column."""

    def __init__(self, column: Column, missing: Sequence[str]) -> None:
        self.column = column
        self._missing = Lookup(((w, 0) for w in ("", *missing)), is_truth_number=False)
        pattern = pattern_of(column.notation.time) if column.notation.time else None
        self._digits = pattern.digits if isinstance(pattern, Pattern) else 0
        words = [(word.strip(), is_iso) for word in missing for is_iso in (True, False)]
        read, _ = _parsed(words, column)
        self._gone = read[~np.isnat(read)]

    def typed(self, series: nw.Series[Any]) -> Floats:
        """Cells of a column that is of dates or of times."""
        zone = getattr(series.dtype, "time_zone", None)
        if series.dtype == nw.Date:
            series = series.cast(nw.Datetime("us"))
        elif zone is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        values = series.to_numpy().astype("datetime64[s]")
        return self._amounts(values, np.full(len(values), zone is not None))

    def cells(self, cells: list[Any]) -> Floats:
        """Cells of any kind; most are text, and read at once."""
        text = [cell.strip() if isinstance(cell, str) else None for cell in cells]
        values, zoned = _times(text, self.column.notation.time)
        left = np.flatnonzero(np.isnat(values))
        spelled = each(self._spelled, [cells[i] for i in left])
        values[left], zoned[left] = _parsed(spelled, self.column)
        is_there = np.array([text is not None for text, _ in spelled], dtype=bool)
        if (is_there & np.isnat(values[left])).any():
            raise Unreadable(f"text that is no {self._kind}")
        return self._amounts(values, zoned)

    @property
    def _kind(self) -> str:
        return "date" if self.column.type == "date" else "time"

    def _amounts(self, values: Any, zoned: Mask) -> Floats:
        """Whole days or seconds, once all that mean missing are set aside."""
        gone = np.isnat(values) | np.isin(values, self._gone)
        if (zoned != self.column.is_zoned)[~gone].any():
            has = "no zone" if self.column.is_zoned else "a zone (Z or an offset)"
            raise Unreadable(f"a {self._kind} with {has}")
        return np.where(
            gone, np.nan, _whole(np.where(gone, np.datetime64(0, "s"), values), self.column)
        )

    def _spelled(self, cell: Any) -> Spelled:
        """The text of a cell, None for a missing one."""
        if isinstance(cell, np.datetime64 | date):
            return _iso(cell), True
        cell = plain(cell)
        if cell is None or self._missing.of(cell) is not None:
            return None, False
        text = cell.strip() if isinstance(cell, str) else ""
        number = number_of(text) if isinstance(cell, str) else cell
        if number is not None and number != number:
            return None, False
        if number is None or (self._digits and text.isdigit()):
            return text.zfill(self._digits), False
        if isinstance(number, bool) or not self._digits or number != number // 1 or number < 0:
            raise Unreadable(NUMBERS)
        return str(int(number)).zfill(self._digits), False


def _iso(cell: Any) -> str | None:
    """A date or time of Python as ISO 8601 writes it."""
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        try:
            return f"{cell.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
        except (OverflowError, ValueError):
            return "at the end of the calendar"
    if isinstance(cell, np.datetime64):
        return str(cell)
    return cell.isoformat() if isinstance(cell, date) else cell if isinstance(cell, str) else None


def _parsed(spelled: Sequence[Spelled], column: Column) -> tuple[Any, Mask]:
    """Times of texts, by ISO 8601 or as the column's cells are."""
    values, zoned = _times([None] * len(spelled), None)
    is_iso = np.array([iso for _, iso in spelled], dtype=bool)
    for rows, pattern in ((is_iso, None), (~is_iso, column.notation.time)):
        if rows.any():
            mine = [text for (text, _), here in zip(spelled, rows, strict=True) if here]
            values[rows], zoned[rows] = _times(mine, pattern)
    return values, zoned


def _times(text: Sequence[str | None], pattern: str | None) -> tuple[Any, Mask]:
    """Times (datetime64[s]), NaT where there is none, and which have a zone."""
    import polars as pl

    from tincture.public.times import times_of

    found, zoned = times_of(pl.Series(text, dtype=pl.String), pattern)
    return found.to_numpy().astype("datetime64[s]"), zoned.copy()


def _whole(values: Any, column: Column) -> Floats:
    """Whole days or seconds of times that are there; what is left over is cut off."""
    seconds: Integers = np.asarray(values, dtype="datetime64[s]").astype(np.int64)
    return (seconds // DAY if column.type == "date" else seconds).astype(np.float64)
