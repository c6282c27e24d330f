"""Columns of any library as Polars keeps them, and the different cells of one."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

from tincture.errors import TableError
from tincture.io.frames import FAULTS
from tincture.public.cells import Unreadable, listed, plain

CELL, FOUND = "cell", "found"


def polars_frame(frame: Any) -> pl.DataFrame:
    """A pandas, polars or other frame as a Polars one, column by column.

    Raises
    ------
    TableError
        If it is no frame.
    """
    kind = type(frame).__name__
    try:
        table = nw.from_native(frame, eager_only=True)
        return pl.DataFrame([polars_series(table[name], str(name)) for name in table.columns])
    except Exception:  # noqa: S110 -- whatever a library says of a table could quote a cell
        pass
    raise TableError(
        f"Events of type {kind} are not known; give a path or a pandas or polars frame, whose "
        "columns have one name each."
    )


def polars_series(series: nw.Series[Any], name: str) -> pl.Series:
    """A column; cells of any kind become text that means the same, each by itself."""
    try:
        found = None if _is_mixed(series) else pl.Series(name, series.to_polars())
        if found is not None and found.dtype != pl.Object:
            return found
    except Exception:  # noqa: S110 -- as above
        pass
    cells = listed(series)
    try:
        return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)
    except (Unreadable, ValueError):
        pass
    return pl.Series(name, [None] * len(cells), dtype=pl.Binary)  # refused where it is needed


def _is_mixed(series: nw.Series[Any]) -> bool:
    """Whether a library would give the cells one type by looking at all of them.

    After a date, a time of the day would become a date.
    """
    words = series.cat.get_categories() if series.dtype == nw.Categorical else series
    return bool(words.dtype == nw.Object)


def _text(cell: Any) -> str | None:
    if hasattr(cell, "total_seconds"):  # a length of time, as ISO 8601 writes it
        seconds = float(cell.total_seconds())
        return None if seconds != seconds else f"{'-' * (seconds < 0)}PT{abs(seconds):.6f}S"
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    found = plain(cell)
    return found if found is None or isinstance(found, str) else repr(found)


def without_categories(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame whose categories are text."""
    words = [n for n, kind in frame.schema.items() if isinstance(kind, pl.Categorical | pl.Enum)]
    return frame.with_columns(pl.col(words).cast(pl.String)) if words else frame


def different(cells: pl.Series) -> tuple[pl.Series, list[Any]]:
    """The different cells of a column of the events, also as a list.

    Raises
    ------
    TableError
        If the column holds neither text, numbers nor truth values.
    """
    try:
        if cells.dtype.is_numeric() or cells.dtype in (pl.String, pl.Boolean, pl.Null):
            found = cells.unique()
            return found, found.to_list()
    except FAULTS:
        pass
    raise TableError(
        f"The column {cells.name!r} of the events holds cells of type {cells.dtype}; expected text "
        "or numbers."
    )


def spread(cells: pl.Series, words: pl.Series, found: Any) -> pl.Series:
    """What was ``found`` for each of the different ``words``, for every cell."""
    table = pl.DataFrame({CELL: words, FOUND: found}, strict=False)
    whole = cells.to_frame(CELL)
    return whole.join(table, on=CELL, how="left", nulls_equal=True, maintain_order="left")[FOUND]
