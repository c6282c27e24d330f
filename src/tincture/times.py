"""Dates and times, read cell by cell: by a declared format, or as ISO 8601 writes them.

No cell tells how another is read. A time with an offset or Z is a moment; one without is a clock on
the wall; a column has one kind, not both.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tincture.errors import TableError

ISO = (  # day, clock and zone, of which the last two may be missing
    r"^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ]+(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*"
    r"([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$"
)
CLOCKS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")  # tried in turn on each cell
MOMENT = pl.Datetime("us")


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
        Text, dates or times.
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
    if isinstance(cells.dtype, pl.Datetime):
        zone = cells.dtype.time_zone
        utc = cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else cells
        return Moments(utc.cast(MOMENT), None if is_empty else zone is not None)
    if is_empty or cells.dtype == pl.Date:
        found = cells.cast(MOMENT) if cells.dtype == pl.Date else _nothing(len(cells))
        return Moments(found, None if is_empty else False)
    if not isinstance(cells.dtype, pl.String | pl.Categorical | pl.Enum):
        raise TableError(
            f"{what} holds cells of type {cells.dtype}; expected times such as "
            "2020-05-01 07:00:00. If they count from the start of the stay, say so by --time-unit."
        )
    text = pl.select(_some(pl.lit(cells.cast(pl.String).str.strip_chars()))).to_series()
    found, n_zoned = _by_iso(text) if pattern is None else _by_pattern(text, pattern)
    n_read = len(found) - found.null_count()
    if n_read < len(text) - text.null_count():
        raise TableError(
            f"{what} holds text that is not read as a time; expected "
            + (f"the declared {pattern}" if pattern else "such as 2020-05-01 07:00:00 in all cells")
            + '. Declare how it is written, as in {"name": "start", "type": "datetime", "format": '
            '"%d.%m.%Y %H:%M"} among the fields of the schema.'
        )
    if 0 < n_zoned < n_read:
        raise TableError(
            f"{what} holds times with a zone (Z or an offset) and times without; expected one "
            "kind. Write all with it, or all without."
        )
    return Moments(found, None if n_read == 0 else n_zoned > 0)


def _by_iso(text: pl.Series) -> tuple[pl.Series, int]:
    """Times in UTC, or on the wall, and how many had a zone."""
    cells = pl.lit(text)
    day, clock, zone = (cells.str.extract(ISO, i) for i in (1, 2, 3))
    whole = pl.concat_str(day, pl.lit(" "), clock.fill_null("00:00").str.replace(",", "."))
    tried = [whole.str.to_datetime(f, time_unit="us", strict=False) for f in CLOCKS]
    digits = zone.str.replace_all(":", "", literal=True).str.replace("(?i)z", "+0000")
    hours, rest = digits.str.slice(1, 2).cast(pl.Int64), digits.str.slice(3, 2)
    minutes = 60 * hours + pl.when(rest == "").then(0).otherwise(rest.cast(pl.Int64, strict=False))
    ahead = pl.when(digits.str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)
    found = pl.coalesce(tried) - pl.duration(minutes=ahead)
    table = pl.select(found.alias("found"), zone.is_not_null().alias("zoned"))
    return table["found"], int((table["zoned"] & table["found"].is_not_null()).sum())


def _by_pattern(text: pl.Series, pattern: str) -> tuple[pl.Series, int]:
    """By a declared format; all cells have a zone if it has one."""
    is_zoned = "%z" in pattern or "%:z" in pattern
    spelled = text.str.replace(r"(?i)z$", "+0000") if is_zoned else text
    found = spelled.str.to_datetime(pattern, time_unit="us", strict=False)
    if isinstance(found.dtype, pl.Datetime) and found.dtype.time_zone:
        found = found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    found = found.cast(MOMENT)
    return found, len(found) - found.null_count() if is_zoned else 0


def _some(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _nothing(n: int) -> pl.Series:
    return pl.Series([None] * n, dtype=MOMENT)
