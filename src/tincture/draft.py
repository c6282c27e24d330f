"""A first schema of a table, for a person to complete.

Without ``from_data`` nothing but names and types is taken from the file; bounds and levels are left
as explicit nulls. With it they are proposed from the records, and the schema says that it was not
reviewed, which `Condenser` refuses.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import TableError
from tincture.frames import read_table
from tincture.schema import PROFILE, REVIEWED

SEPARATORS = set(",;|\t")
MAX_LEVELS = 50  # of a text column; more look like names or free text


def draft(path: str | Path, *, from_data: bool = False) -> dict[str, Any]:
    """Draft a Frictionless Table Schema.

    Parameters
    ----------
    path : path
        CSV or Parquet file.
    from_data : bool
        Fill in rounded proposals read off the records, and mark the schema as not reviewed.

    Raises
    ------
    TableError
        If the file cannot be read, or its first line is no line of names.
    """
    frame = read_table(path)
    _require_names(frame.columns)
    frame = _typed(frame)
    fields = [_field(frame[name], from_data) for name in frame.columns]
    schema: dict[str, Any] = {"$schema": PROFILE, "name": Path(path).stem.lower()}
    if from_data:
        schema[REVIEWED] = False
    return {**schema, "fields": fields, "missingValues": [""]}


def _require_names(columns: list[str]) -> None:
    """Refuse a first line that may be a record: a draft would tell it."""
    if any(not name.strip() or set(name) & SEPARATORS or _is_number(name) for name in columns):
        raise TableError(
            "The first line of the file holds a number, a blank or a separator where a column's "
            "name was expected; add a line of names, or correct the file's ending (.csv for "
            "commas, .tsv for tabs)."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Text columns that hold only whole numbers, numbers or truth values, as such."""
    return frame.with_columns([_parsed(frame[name]) for name in frame.columns])


def _parsed(series: pl.Series) -> pl.Series:
    if series.dtype != pl.String:
        return series
    words = set(series.drop_nulls().str.to_lowercase().unique())
    if words and words <= {"true", "false"}:
        return series.str.to_lowercase() == "true"
    for dtype in (pl.Int64, pl.Float64):
        numbers = series.str.strip_chars().cast(dtype, strict=False)
        if numbers.null_count() == series.null_count() and len(words) > 0:
            return numbers
    return series


def _field(series: pl.Series, from_data: bool) -> dict[str, Any]:
    field: dict[str, Any] = {"name": series.name}
    if series.dtype == pl.Boolean:
        return field | {"type": "boolean"}
    if series.dtype.is_numeric():
        whole = series.dtype.is_integer()
        field["type"] = "integer" if whole else "number"
        return field | (_proposed_bounds(series, whole) if from_data else {"constraints": _BLANK})
    return field | {"type": "string", "categories": _proposed_levels(series) if from_data else None}


_BLANK = {"minimum": None, "maximum": None}


def _proposed_levels(series: pl.Series) -> list[str] | None:
    levels = sorted(str(v) for v in series.drop_nulls().unique())
    return levels if 2 <= len(levels) <= MAX_LEVELS else None


def _proposed_bounds(series: pl.Series, whole: bool) -> dict[str, Any]:
    present = series.drop_nulls()
    if whole and present.n_unique() == 2:
        return {"categories": sorted(present.unique().to_list())}
    finite = present.cast(pl.Float64)
    finite = finite.filter(finite.is_finite())
    if len(finite) == 0:
        return {"constraints": _BLANK}
    low, high = float(finite.min()), float(finite.max())  # type: ignore[arg-type]
    step = 10.0 ** math.floor(math.log10(max(high - low, abs(high), 1e-12)))
    step = max(step, 1.0) if whole else step
    bounds = [math.floor(low / step) * step, math.ceil(high / step) * step]
    if bounds[0] == bounds[1]:
        bounds[1] += step
    kept = [round(b) if whole else float(f"{b:.10g}") for b in bounds]
    return {"constraints": {"minimum": kept[0], "maximum": kept[1]}}
