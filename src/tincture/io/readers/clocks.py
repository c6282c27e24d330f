"""Dates and times that SPSS, Stata and SAS count as numbers.

Lengths of time, times of day, and weeks, months or quarters of Stata stay numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

from tincture.io.readers.formats import PORTABLE, SPSS, STATA, Format
from tincture.io.readers.table import as_text
from tincture.public.columns import DAY

SPSS_EPOCH, EPOCH = -141_428, -3_653  # 1582-10-14 and 1960-01-01, in days since 1970-01-01
FIRST, LAST = (d.toordinal() - date(1970, 1, 1).toordinal() for d in (date.min, date.max))
MILLI = 1000 * DAY
SPSS_DATE = re.compile(r"([AESJ]?DATE|MOYR|QYR|WKYR)\d*")
SPSS_TIME = re.compile(r"(DATETIME|YMDHMS)[\d.]*")
STATA_DATE, STATA_TIME = re.compile(r"%-?t?d.*"), re.compile(r"%-?tc.*")
SAS_DATE = re.compile(
    r"(DATE|(DD|MM|YY)MM(DD|YY)\w?|MMDDYY\w?|DDMMYY\w?|YYMM\w?|YYMMDD\w?|YYQ\w*|JULIAN|MONYY|"
    r"WORDDAT\w|WEEKDAT\w|(E|B|IS)8601DA|NLDATE\w*?)[\d.]*"
)
SAS_TIME = re.compile(r"(DATETIME|DATEAMPM|MDYAMPM|(E|B|IS)8601D[TZN]|NLDATM\w*?)[\d.]*")


@dataclass(frozen=True, slots=True)
class Clock:
    """How a column counts.

    Parameters
    ----------
    kind : {"date", "datetime"}
    epoch : int
        Its day 0, in days since 1970-01-01.
    ticks : int
        Of a day.
    """

    kind: str
    epoch: int
    ticks: int

    def word(self, value: str | float) -> str:
        """What a cell of this number holds, as a word for missing."""
        found = dated(pl.Series([value], dtype=pl.Float64), self)[0]
        return as_text(value if found is None else found)


def clock_of(form: Format, pattern: str | None) -> Clock | None:
    """The clock by which numbers of this display format are dates or times, or None."""
    if pattern is None:
        return None
    if form in (SPSS, PORTABLE):
        is_date, is_time = SPSS_DATE.fullmatch(pattern), SPSS_TIME.fullmatch(pattern)
        return _clock(is_date, is_time, SPSS_EPOCH, DAY, DAY)
    if form is STATA:
        is_date, is_time = STATA_DATE.fullmatch(pattern), STATA_TIME.fullmatch(pattern)
        return _clock(is_date, is_time, EPOCH, 1, 1000 * DAY)
    return _clock(SAS_DATE.fullmatch(pattern), SAS_TIME.fullmatch(pattern), EPOCH, 1, DAY)


def _clock(is_date: object, is_time: object, epoch: int, days: int, times: int) -> Clock | None:
    if is_time:
        return Clock("datetime", epoch, times)
    return Clock("date", epoch, days) if is_date else None


def dated(numbers: pl.Series, clock: Clock) -> pl.Series:
    """Date or time of each; null where the years 1 to 9999 have none such."""
    if clock.kind == "date":
        days = (numbers / clock.ticks).floor() + clock.epoch
        return _near(days, 1).cast(pl.Int32).cast(pl.Date)
    milli = (numbers * (MILLI // clock.ticks)).round(0) + clock.epoch * MILLI
    return (1000 * _near(milli, MILLI).cast(pl.Int64)).cast(pl.Datetime("us"))


def _near(counts: pl.Series, each: int) -> pl.Series:
    """Null where a count, of so many a day, lies outside of these years."""
    is_near = counts.is_between(FIRST * each, (LAST + 1) * each, closed="left")
    return counts.set(~is_near.fill_null(False), None)
