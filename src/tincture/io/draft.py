"""A first schema of a table, for a person to complete.

Names come from the header. Types are those of a Parquet file; of a CSV or a workbook they are read
off the cells, as are words for missing and the dialect. Files of SPSS, Stata, SAS and R say more,
which is taken over: labels, levels, words for missing. Bounds and levels are left as explicit
nulls, or proposed from the records by ``from_data``. A draft for which cells were read, or what a
file says was taken, says that it was not reviewed, which `Condenser` refuses. A code book
(`tincture.io.books`) declares all of it, and nothing is read off records.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from tincture.errors import SettingError, TableError
from tincture.io.books import described
from tincture.io.files import slug
from tincture.io.readers import read_source
from tincture.io.readers.formats import EXCEL, PARQUET, TEXT, located, named
from tincture.io.readers.table import spelled
from tincture.io.readers.texts import guessed
from tincture.public.cells import MISSING, Field, cells_of
from tincture.public.dialect import DIALECT
from tincture.public.fields import CONFIRM, LARGEST, REVIEWED, field_read
from tincture.public.notation import PLAIN, TIMES, Notation
from tincture.public.schema import PROFILE
from tincture.public.times import times_of
from tincture.public.words import number_of, truth_of

SEPARATORS = ",;|\t"
USUAL = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "<NA>", ".", "?")  # for missing
MAX_LEVELS = 50  # of a text column; more look like names or free text
CHECK = (
    "The types{more} and words for missing were read off the records: check them field by field "
    f"against the code book or other public knowledge, then {CONFIRM}."
)
CARRIED = (
    "Types, levels, labels and words for missing are those that the file carries{more}: "
    "software may have made them of the records, and labels may be of some values only. Check them "
    f"field by field against the code book or other public knowledge, then {CONFIRM}."
)
LAST = (
    "Of the two levels of an outcome, list the case last, or name it by --case; of several of an "
    "event, name one by --cause."
)
ROW_NAMES = "Column {place} has no name, as row names have none, and is left out."
INDEX = "__index_level_"  # what pandas calls row names in a Parquet file


DTYPES: dict[type, Any] = {
    bool: pl.Boolean,
    int: pl.Int64,
    float: pl.Float64,
    date: pl.Date,
    datetime: pl.Datetime("us"),
}


class Guess(NamedTuple):
    """What a text column seems to hold: values of a type, and words for missing beside them."""

    values: pl.Series
    missing: frozenset[str]
    notation: Notation = PLAIN


COMMA = Notation(decimal=",")


def draft(path: str | Path, *, from_data: bool = False) -> dict[str, Any]:
    """Draft a Frictionless Table Schema.

    Parameters
    ----------
    path : path
        A file that `tincture.io.frames.read_table` reads, or a code book, whose declarations are
        taken as they stand.
    from_data : bool
        Fill in rounded proposals read off the records.

    Raises
    ------
    TableError
        If the file cannot be read, or its first line is no line of names.
    SchemaError
        If it is a code book that cannot be read.
    """
    if (declared := described(Path(path))) is not None:
        if from_data:
            raise SettingError(f"{path} is a code book, which holds no record; leave --from-data.")
        return declared
    source = located(path)
    dialect = guessed(source) if source.format is TEXT else DIALECT
    table = read_source(source, dialect)
    frame = table.frame if source.format is PARQUET else spelled(table.frame)
    if source.format in (TEXT, EXCEL):
        _require_names(frame.cast(pl.String))
    names = [c for c in frame.columns if not _is_unnamed(c)]
    is_guessed = source.format is not PARQUET or from_data
    has_comma = dialect.delimiter not in (None, ",")
    guesses = [
        _guess(frame[c], has_comma) if is_guessed else Guess(frame[c], frozenset())
        for c in names
        if c not in table.fields
    ]
    missing = [w for w in USUAL if any(w in g.missing for g in guesses)]
    schema: dict[str, Any] = {"$schema": PROFILE, **_naming(source.path), **dialect.to_dict()}
    more = ", bounds, levels" if from_data else ""
    also = "; bounds and other levels were read off the records" if from_data else ""
    check = CARRIED.format(more=also) if table.fields else CHECK.format(more=more)
    notes = [check] if is_guessed else []
    notes += [LAST] if from_data else []
    notes += [ROW_NAMES.format(place=i + 1) for i, c in enumerate(frame.columns) if c not in names]
    if notes:
        schema["description"] = " ".join(notes)
    if from_data:
        schema[REVIEWED] = False
    mark = {REVIEWED: False} if is_guessed and not from_data else {}  # each goes when it is checked
    made = {g.values.name: _field(g.values, from_data) | g.notation.to_dict() for g in guesses}
    made |= {c: _carried(frame[c], told, from_data) for c, told in table.fields.items()}
    fields = [made[name] | mark for name in names]
    return {**schema, "fields": fields, "missingValues": ["", *missing]}


def _naming(path: Path) -> dict[str, str]:
    """A name that every reader of the standard allows, and the file's own as the title."""
    stem = path.name
    while named(Path(stem)) is not None:
        stem = Path(stem).stem
    name = slug(stem)
    return {"name": name} if name == stem else {"name": name, "title": " ".join(stem.split())}


def _is_unnamed(column: str) -> bool:
    return not column.strip() or column.startswith(INDEX)


def _require_names(frame: pl.DataFrame) -> None:
    """Refuse a first line that may be a record: a draft would tell it."""
    named = frame.columns if frame.columns[0].strip() else frame.columns[1:]
    is_whole = frame.width == 1 and any(s in frame.columns[0] for s in SEPARATORS)
    if is_whole or 2 * sum(_is_like_a_cell(frame[name]) for name in named) >= len(named):
        raise TableError(
            "The first line of the file looks like a record, or like names that are not told "
            "apart. Check it and add a line of names (of numbers, such as years, make words), or "
            "correct the file's ending (.csv for commas, .tsv for tabs)."
        )


def _is_like_a_cell(column: pl.Series) -> bool:
    """Whether a column's name could be a cell of it: no word, or one that stands below it."""
    name = column.name.strip()
    cells = {cell.strip() for cell in column.drop_nulls().unique().to_list()}
    if name in cells or name in USUAL or truth_of(name) is not None:
        return True
    if any(c.isalpha() for c in name) and number_of(name) is None:
        return False
    return not (name and all(c in ("", "0", "1") for c in cells))  # flags of a code, as 250.00


def _carried(series: pl.Series, told: dict[str, Any], from_data: bool) -> dict[str, Any]:
    """A field of which the file says something; of the rest, what the records have, or null."""
    field = {"name": series.name, **told}
    if told["type"] == "boolean" or "categories" in told:
        return field
    if told["type"] in TIMES:
        moments = times_of(series if from_data else series.clear())[0]
        return field | {"constraints": _proposed_years(moments, told["type"])}
    present = series.clear()
    if from_data:
        column = field_read(field, 0, "the file")
        read = Field(column, column.missing_values or ())
        cells = cells_of(nw.from_native(series, series_only=True), series.name)
        if told["type"] == "string":
            present = series.filter(pl.Series(read.codes(cells)) != MISSING)
        else:
            present = pl.Series(series.name, read.amounts(cells)).fill_nan(None)
    dtype = {"string": pl.String, "integer": pl.Int64}.get(told["type"], pl.Float64)
    rest = _field(present.cast(dtype, strict=False), from_data)
    return field | {k: v for k, v in rest.items() if k in ("constraints", "categories")}


def _guess(series: pl.Series, has_comma: bool = False) -> Guess:
    """What text says: truths, numbers, dates or words, once words for missing are set aside."""
    if series.dtype != pl.String:
        return Guess(series, frozenset())
    text = series.str.strip_chars()
    words = set(text.drop_nulls().unique().to_list()) - {""}
    missing = frozenset(words & set(USUAL))
    read, notation = _read(words - missing), PLAIN
    if has_comma and any(isinstance(v, str) for v in read.values()):
        with_comma = _read(words - missing, COMMA)
        if not any(isinstance(v, str) for v in with_comma.values()):
            read, notation = with_comma, COMMA
    kind = type(next(iter(read.values()), ""))
    dtype = DTYPES.get(kind, pl.String)
    return Guess(text.replace_strict(read, default=None, return_dtype=dtype), missing, notation)


def _read(words: set[str], notation: Notation = PLAIN) -> dict[str, Any]:
    """Words as values of one type."""
    truths = {w: truth_of(w) for w in words}
    if words and None not in truths.values():
        return truths
    numbers = {w: number_of(w, notation) for w in words}
    if not words or None in numbers.values():
        return _dates(words) or {w: w for w in words}
    whole = all(isinstance(n, int) and abs(n) < LARGEST for n in numbers.values())
    return {w: n if whole else float(n) for w, n in numbers.items() if n is not None}


def _dates(words: set[str]) -> dict[str, Any]:
    """Words as dates, or as times, if all are such as ISO 8601 writes them without a zone."""
    text = pl.Series(list(words), dtype=pl.String)
    found, is_zoned = times_of(text)
    if found.null_count() or is_zoned.any():
        return {}
    values = found if (found != found.dt.truncate("1d")).any() else found.dt.date()
    return dict(zip(text, values, strict=True))


def _field(series: pl.Series, from_data: bool) -> dict[str, Any]:
    field: dict[str, Any] = {"name": series.name}
    if series.dtype == pl.Boolean:
        return field | {"type": "boolean"}
    if series.dtype in (pl.Date, pl.Datetime):
        kind = field["type"] = "date" if series.dtype == pl.Date else "datetime"
        return field | {"constraints": _proposed_years(series, kind) if from_data else _BLANK}
    if series.dtype.is_numeric():
        whole = series.dtype.is_integer()
        field["type"] = "integer" if whole else "number"
        return field | (_proposed_bounds(series, whole) if from_data else {"constraints": _BLANK})
    return field | {"type": "string", "categories": _proposed_levels(series) if from_data else None}


_BLANK: dict[str, str | None] = {"minimum": None, "maximum": None}


def _proposed_levels(series: pl.Series) -> list[str] | None:
    levels = sorted(str(v) for v in series.drop_nulls().unique())
    return levels if 2 <= len(levels) <= MAX_LEVELS else None


def _proposed_years(series: pl.Series, kind: str) -> dict[str, str | None]:
    """Whole years."""
    years = series.drop_nulls().dt.year().sort().to_list()
    if not years:
        return _BLANK
    clocks = ("T00:00:00", "T23:59:59") if kind == "datetime" else ("", "")
    zone = "Z" if getattr(series.dtype, "time_zone", None) else ""
    low, high = f"{years[0]:04}-01-01", f"{years[-1]:04}-12-31"
    return {"minimum": f"{low}{clocks[0]}{zone}", "maximum": f"{high}{clocks[1]}{zone}"}


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
