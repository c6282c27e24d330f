"""What a reader hands on: cells, and what the file says of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

EXACT = 2**53  # beyond it floats do not tell whole numbers apart
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file.

    Parameters
    ----------
    frame : polars.DataFrame
    fields : mapping of str to dict
        What the file says of a column, as keys of a field of a Table Schema: for a draft alone.
    """

    frame: pl.DataFrame
    fields: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def column(name: str, cells: Sequence[Any], nothing: str | None = None) -> pl.Series:
    """A column of Python's values, None or a text for nothing; a mixture of kinds becomes text.

    Dates and times stay what they are, so that no format declared for text reads them: among other
    cells, each is an object.
    """
    kinds = set(map(type, cells)) - {type(None)}
    if str in kinds and nothing is not None:
        return column(name, [None if cell == nothing else cell for cell in cells])
    if kinds <= {float, int}:
        return _numbers(name, cells, kinds)
    if kinds == {bool} or kinds == {str}:
        return pl.Series(name, cells, dtype=pl.Boolean if bool in kinds else pl.String)
    if kinds == {timedelta}:  # days, as a spreadsheet counts them
        return pl.Series(name, [None if c is None else c / DAY for c in cells], dtype=pl.Float64)
    if kinds == {date} or kinds == {datetime}:
        return pl.Series(name, cells, dtype=pl.Date if date in kinds else pl.Datetime("us"))
    dtype = pl.Object if kinds & {date, datetime} else pl.String
    texts = [c if c is None or isinstance(c, date) else as_text(c) for c in cells]
    return pl.Series(name, texts, dtype=dtype)


def spelled(frame: pl.DataFrame) -> pl.DataFrame:
    """A table whose dates and times are text, as ISO 8601 writes them."""
    dated = [s for s in frame if s.dtype in (pl.Date, pl.Datetime, pl.Object)]
    return frame.with_columns(
        pl.Series(s.name, [None if c is None else as_text(c) for c in s.to_list()], dtype=pl.String)
        for s in dated
    )


def _numbers(name: str, cells: Sequence[Any], kinds: set[type]) -> pl.Series:
    if float not in kinds:
        return pl.Series(name, cells, dtype=pl.Int64)
    numbers = pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return numbers


def as_text(cell: Any) -> str:
    """A cell as a text that means the same, whatever marks a schema declares for numbers.

    1.5 becomes 15e-1, as 1.5 could be read as 15 where the point stands between groups of digits.
    """
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        return str(int(cell))
    if isinstance(cell, float):
        sign, digits, power = Decimal(repr(cell)).as_tuple()
        if not isinstance(power, int):  # NaN or infinite
            return repr(cell)
        return f"{'-' * sign}{''.join(map(str, digits))}e{power}"
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return as_text(cell / DAY)
    return str(cell)
