"""Dates and times, read cell by cell: by a declared format, or as ISO 8601 writes them.

No cell tells how another is read. A time with an offset or Z is a moment; one without is a clock on
the wall; a column has one kind, not both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from tincture.arrays import Integers, Mask
from tincture.errors import TableError
from tincture.public.patterns import MONTHS, Pattern, pattern_of

ISO = (  # day, clock and zone, of which the last two may be missing
    r"^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ]+(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*"
    r"([Zz]|[+-][012]\d(?::?[0-5]\d)?)?)?$"
)
CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")  # tried in turn on each cell
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
ZONE = r"\s*(?:[Zz]|[+-][012][0-9](?::?[0-5][0-9])?)?$"
USUAL = (  # what most cells are, and how many characters of them a format reads; quickly
    (DAY + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?" + ZONE, 19, "%Y-%m-%d %H:%M:%S"),
    (DAY + r"[Tt ][0-9]{2}:[0-9]{2}" + ZONE, 16, "%Y-%m-%d %H:%M"),
    (DAY + "$", 10, "%Y-%m-%d"),
)
MOMENT = pl.Datetime("us")
BOTH = (
    "holds times with a zone (Z or an offset) and times without; expected one kind. Write all with "
    "it, or all without."
)


@dataclass(frozen=True)
class Moments:
    """Times of a column.

    Attributes
    ----------
    values : polars.Series of Datetime("us")
        Moments in UTC where there are zones, else clocks on the wall; null where there is none.
    is_zoned : bool or None
        Whether the times have zones; None where there is no time.
    """

    values: pl.Series
    is_zoned: bool | None


def moments(cells: pl.Series, what: str, pattern: str | None = None) -> Moments:
    """Read a column of times.

    Parameters
    ----------
    cells : polars.Series
        Text, dates or times; or objects that are either, of which a date is that date.
    what : str
        The column, as a sentence begins with it.
    pattern : str, optional
        How text is written, in the letters of strptime.

    Raises
    ------
    TableError
        If a cell is no time, or some have zones and some have none; never quoting one.
    """
    is_empty = cells.null_count() == len(cells)
    if cells.dtype == pl.Object and not is_empty:
        return _each(cells, what, pattern)
    if isinstance(cells.dtype, pl.Datetime):
        zone = cells.dtype.time_zone
        utc = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else cells
        return Moments(utc.cast(MOMENT), None if is_empty else zone is not None)
    if (is_empty and cells.dtype != pl.Binary) or cells.dtype == pl.Date:
        found = cells.cast(MOMENT) if cells.dtype == pl.Date else _nothing(len(cells))
        return Moments(found, None if is_empty else False)
    if not isinstance(cells.dtype, pl.String | pl.Categorical | pl.Enum):
        raise TableError(
            f"{what} holds cells of type {cells.dtype}; expected times such as "
            "2020-05-01 07:00:00. If they count from the start of the stay, say so by --time-unit."
        )
    text = pl.select(_some(pl.lit(cells.cast(pl.String).str.strip_chars()))).to_series()
    found, is_zoned = times_of(text, pattern)
    n_zoned = int(is_zoned.sum())
    n_read = len(found) - found.null_count()
    if n_read < len(text) - text.null_count():
        raise TableError(
            f"{what} holds text that is not read as a time; expected "
            + (f"the declared {pattern}" if pattern else "such as 2020-05-01 07:00:00 in all cells")
            + '. Declare how it is written, as in {"name": "start", "type": "datetime", "format": '
            '"%d.%m.%Y %H:%M"} among the fields of the schema.'
        )
    if 0 < n_zoned < n_read:
        raise TableError(f"{what} {BOTH}")
    return Moments(found, None if n_read == 0 else n_zoned > 0)


def _each(cells: pl.Series, what: str, pattern: str | None) -> Moments:
    """Objects: dates by themselves, and the rest as text."""
    every = cells.to_list()
    dates = [c.isoformat() if isinstance(c, date) else None for c in every]
    texts = [None if c is None or isinstance(c, date) else str(c) for c in every]
    told = moments(pl.Series(dates, dtype=pl.String), what)
    rest = moments(pl.Series(texts, dtype=pl.String), what, pattern)
    kinds = {told.is_zoned, rest.is_zoned} - {None}
    if len(kinds) > 1:
        raise TableError(f"{what} {BOTH}")
    both = pl.select(pl.coalesce(pl.lit(told.values), pl.lit(rest.values))).to_series()
    return Moments(both, next(iter(kinds), None))


def times_of(text: pl.Series, pattern: str | None = None) -> tuple[pl.Series, Mask]:
    """Times of cells, in UTC or on the wall, null where there is none, and which have a zone.

    Parameters
    ----------
    text : polars.Series of str
        Without blanks around it.
    pattern : str, optional
        One that `tincture.public.patterns` reads; without it, ISO 8601.
    """
    told = None if pattern is None else pattern_of(pattern)
    return _by_pattern(text, told) if isinstance(told, Pattern) else _by_iso(text)


def _by_iso(text: pl.Series) -> tuple[pl.Series, Mask]:
    ticks, is_read = np.zeros(len(text), dtype=np.int64), np.zeros(len(text), dtype=bool)
    left, zoned = text.is_not_null().to_numpy().copy(), np.zeros(len(text), dtype=bool)
    for shape, length, clock in (*USUAL, (None, 0, "")):
        if not left.any():
            break
        mine = left if shape is None else text.str.contains(shape).fill_null(False).to_numpy()
        if not mine.any():
            continue
        some = text.filter(pl.Series(mine))
        found, zoned[mine] = _by_parts(some) if shape is None else _usual(some, length, clock)
        ticks[mine], is_read[mine] = _ticks(found)
        left = left & ~mine
    values = pl.Series(ticks).cast(MOMENT)
    return pl.select(pl.when(pl.Series(is_read)).then(values)).to_series(), zoned


def _ticks(found: pl.Series) -> tuple[Integers, Mask]:
    return found.to_physical().fill_null(0).to_numpy(), found.is_not_null().to_numpy()


def _usual(text: pl.Series, length: int, clock: str) -> tuple[pl.Series, Mask]:
    """Texts of one shape: the clock, and what follows it."""
    head = text.str.slice(0, length).str.replace("[Tt]", " ")
    found = head.str.to_datetime(clock, time_unit="us", strict=False)
    tail = text.str.slice(length).alias("tail")
    if not (tail != "").any():
        return found, np.zeros(len(text), dtype=bool)
    rest = tail.unique().to_frame().with_columns(_fraction(), _ahead(_zone()), zoned=_zone() != "")
    table = pl.DataFrame([found.alias("found"), tail]).join(
        rest, on="tail", how="left", maintain_order="left"
    )
    moved = table.select(pl.col("found") + pl.col("fraction") - pl.col("ahead")).to_series()
    return moved, (table["zoned"] & moved.is_not_null()).to_numpy()


def _fraction() -> pl.Expr:
    digits = pl.col("tail").str.extract("^[.,]([0-9]+)").fill_null("0")
    micro = (digits + pl.lit("000000")).str.slice(0, 6).cast(pl.Int64)
    return pl.duration(microseconds=micro).alias("fraction")


def _zone() -> pl.Expr:
    return pl.col("tail").str.replace("^[.,][0-9]+", "").str.strip_chars()


def _ahead(zone: pl.Expr) -> pl.Expr:
    """How far clocks of a zone are ahead of UTC."""
    digits = zone.str.replace_all(":", "", literal=True).str.replace("(?i)z", "+0000")
    hours, rest = digits.str.slice(1, 2).cast(pl.Int64, strict=False), digits.str.slice(3, 2)
    minutes = 60 * hours + pl.when(rest == "").then(0).otherwise(rest.cast(pl.Int64, strict=False))
    ahead = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    return pl.duration(minutes=ahead).alias("ahead")


def _by_parts(text: pl.Series) -> tuple[pl.Series, Mask]:
    """Texts of any shape that ISO 8601 allows."""
    cells = pl.lit(text)
    day, clock, zone = (cells.str.extract(ISO, i) for i in (1, 2, 3))
    return _joined(day, clock.fill_null("00:00").str.replace(",", "."), zone)


def _by_pattern(text: pl.Series, pattern: Pattern) -> tuple[pl.Series, Mask]:
    """Texts of a declared shape."""
    groups = text.alias("cell").to_frame().select(pl.col("cell").str.extract_groups(pattern.shape))
    parts = groups.unnest("cell")

    def part(name: str, otherwise: str) -> pl.Expr:
        return pl.lit(parts[name]) if name in pattern.parts else pl.lit(otherwise)

    month, hour = part("month", "1"), part("hour", "0")
    if "name" in pattern.parts:
        places = {name: str(i + 1) for i, name in enumerate(MONTHS)}
        first = part("name", "").str.slice(0, 3).str.to_lowercase()
        month = first.replace_strict(places, default=None)
    if "half" in pattern.parts:
        half = part("half", "").cast(pl.Int64)
        is_late = part("noon", "").str.to_lowercase() == "pm"
        hour = pl.when(half.is_between(1, 12)).then(half % 12 + 12 * is_late).cast(pl.String)
    day = pl.concat_str(part("year", ""), month, part("day", ""), separator="-")
    clock = pl.concat_str(hour, part("minute", "00"), part("second", "00"), separator=":")
    if "fraction" in pattern.parts:
        clock = pl.concat_str(clock, pl.lit("."), part("fraction", ""))
    zone = part("zone", "") if "zone" in pattern.parts else pl.lit(None, pl.String)
    found, _ = _joined(day, clock, zone)
    found = pl.select(pl.when(pl.lit(text).is_not_null()).then(pl.lit(found))).to_series()
    is_zoned = found.is_not_null().to_numpy() & ("zone" in pattern.parts)
    return found, is_zoned


def _joined(day: pl.Expr, clock: pl.Expr, zone: pl.Expr) -> tuple[pl.Series, Mask]:
    """Times of days, clocks and zones; null where the calendar has none such."""
    whole = pl.concat_str(day, pl.lit(" "), clock)
    tried = [whole.str.to_datetime(f, time_unit="us", strict=False) for f in CLOCKS]
    found = pl.coalesce(tried) - _ahead(zone)
    table = pl.select(found.alias("found"), zone.is_not_null().alias("zoned"))
    return table["found"], (table["zoned"] & table["found"].is_not_null()).to_numpy()


def _some(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _nothing(n: int) -> pl.Series:
    return pl.Series([None] * n, dtype=MOMENT)
