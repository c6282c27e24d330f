"""When an event is: hours from the start of the window, counted or between dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import TableError
from tincture.public.cells import Field, Unreadable
from tincture.public.columns import Column
from tincture.public.notation import PLAIN
from tincture.public.times import Moments, moments
from tincture.stays.events import lengths
from tincture.stays.events.values import amounts

HOUR = 3_600_000_000  # in microseconds
TICKS = {"ms": HOUR / 1000, "us": HOUR, "ns": HOUR * 1000}  # of an hour
COUNTED = Column("time", "number")


class Clock(Protocol):
    """Reads the times of events."""

    @property
    def name(self) -> str:
        """Of the column."""

    def read(self, cells: pl.Series) -> tuple[NDArray[Any], Mask]:
        """Times as `hours` takes them, and which of the events have none."""

    def hours(self, times: NDArray[Any], rows: Integers) -> Floats:
        """From the start of the window of these rows of the outcomes."""


@dataclass(frozen=True)
class Counted:
    """Times that count from the start of the stay.

    Attributes
    ----------
    column : Column
        As declared, or a number.
    missing : tuple of str
        Its words for missing.
    each : float
        Hours that one of them is.
    """

    column: Column = COUNTED
    missing: tuple[str, ...] = ()
    each: float = 1.0

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    def read(self, cells: pl.Series) -> tuple[Floats, Mask]:
        """Hours."""
        if isinstance(cells.dtype, pl.Duration | pl.Time):
            ticks = cells.cast(pl.Int64).cast(pl.Float64) / TICKS[_precision(cells.dtype)]
            found = ticks.fill_null(np.nan).to_numpy()
            return found, np.isnan(found)
        try:
            found = self._numbers(cells)
        except Unreadable as error:
            kind = error.args[0]
        else:
            return found, np.isnan(found)
        raise TableError(
            f"The time {self.name!r} of the events holds {kind}; expected numbers, or lengths of "
            "time such as PT3H or 03:00. Correct it, declare how it is written (such as "
            '"decimalChar": ","), or say --time-unit datetime if it holds dates.'
        )

    def _numbers(self, cells: pl.Series) -> Floats:
        """Hours that numbers count, or that texts of lengths are, each by itself."""
        field = Field(self.column, self.missing)
        try:
            return amounts(field, cells) * self.each
        except Unreadable:
            if cells.dtype != pl.String or self.column.notation != PLAIN:
                raise
        known = lengths.hours(without_words(cells, self.missing))
        found = known.fill_null(np.nan).to_numpy().copy()
        rest = known.is_null()
        found[rest.to_numpy()] = amounts(field, cells.filter(rest)) * self.each
        return found

    def hours(self, times: Floats, rows: Integers) -> Floats:
        """The same, whichever row they count for."""
        return times


@dataclass(frozen=True)
class Dated:
    """Times that are dates.

    Attributes
    ----------
    column : Column
        As declared, or any.
    missing : tuple of str
        Its words for missing.
    start : str
        Column of the outcomes that tells when windows begin or end.
    starts : Moments
        When the window of each row begins.
    """

    column: Column
    missing: tuple[str, ...]
    start: str
    starts: Moments
    _ticks: Integers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ticks", self.starts.values.to_physical().to_numpy())

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    def read(self, cells: pl.Series) -> tuple[Integers, Mask]:
        """Microseconds."""
        given = without_words(cells, self.missing)
        found = moments(given, f"The time {self.name!r} of the events", self.column.notation.time)
        if found.is_zoned is not None and found.is_zoned != self.starts.is_zoned:
            with_zone = "events" if found.is_zoned else "outcomes"
            raise TableError(
                f"The times of the {with_zone} have a zone (Z or an offset), and of {self.name!r} "
                f"in the events and {self.start!r} in the outcomes only one does; write both with "
                "it, or both without."
            )
        ticks = found.values.to_physical()
        return ticks.fill_null(0).to_numpy(), ticks.is_null().to_numpy()

    def hours(self, times: Integers, rows: Integers) -> Floats:
        """From the start of the window of each row."""
        return np.asarray((times - self._ticks[rows]) / HOUR)


def _precision(kind: pl.Duration | pl.Time) -> str:
    return kind.time_unit if isinstance(kind, pl.Duration) else "ns"


def without_words(cells: pl.Series, missing: tuple[str, ...]) -> pl.Series:
    """Text without the words that mean missing."""
    gone = {word.strip() for word in missing} - {""}
    if cells.dtype != pl.String or not gone:
        return cells
    is_gone = pl.col(cells.name).str.strip_chars().is_in(list(gone))
    return cells.to_frame().select(pl.when(~is_gone).then(pl.col(cells.name))).to_series()
