"""Files and data frames in, checked columns out, and back again.

A table enters as pandas, polars or anything narwhals knows. Numeric columns become float64 with NaN
for missing, categorical ones integer codes with -1 for missing. No error quotes a cell.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.errors import TableError
from tincture.schema import Column, Level, Schema

Columns = dict[str, NDArray[np.generic]]
CSV_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
FAULTS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
WORDS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}


def read_table(path: str | Path, missing_values: Sequence[str] = ("",)) -> pl.DataFrame:
    """Read a CSV (all columns as text) or Parquet file.

    Raises
    ------
    TableError
        If the file is absent, unreadable, truncated or holds no record.
    """
    path = Path(path)
    is_text = path.suffix.lower() in CSV_SUFFIXES
    if not path.is_file():
        found = "is a directory" if path.is_dir() else "does not exist"
        raise TableError(f"The table {path} {found}; give a CSV or Parquet file.")
    try:
        is_empty = is_text and not path.read_bytes().strip()
        if not is_empty:
            with hushed():
                frame = _read_csv(path, missing_values) if is_text else pl.read_parquet(path)
    except (*FAULTS, ValueError):
        raise TableError(
            f"The table {path} cannot be read; expected a whole CSV (UTF-8, comma-separated, with "
            "a header) or Parquet file."
        ) from None
    if is_text and not is_empty and _ends_early(path, frame.width):
        raise TableError(
            f"The table {path} ends in the middle of a record; expected as many cells as the "
            "header has names. Copy the file again."
        )
    if is_empty:
        raise TableError(f"The table {path} is empty; expected a header and one record a row.")
    if frame.height == 0:
        raise TableError(f"The table {path} holds no record; expected one record a row.")
    return frame


@contextlib.contextmanager
def hushed() -> Iterator[Callable[[], None]]:
    """Hold back standard error while Polars reads, and drop what is held if it cannot.

    Its threads print a panic of their own about a damaged file, which the sentence that follows
    makes needless. Yields a function that passes on what is held, for the words of others.
    """
    true = os.dup(2)
    with tempfile.TemporaryFile(buffering=0) as held:

        def pass_on() -> None:
            held.seek(0)
            os.write(true, held.read() or b"")
            held.seek(0)
            held.truncate()

        os.dup2(held.fileno(), 2)
        try:
            yield pass_on
            pass_on()
        finally:
            os.dup2(true, 2)
            os.close(true)


def _read_csv(path: Path, missing_values: Sequence[str]) -> pl.DataFrame:
    separator = "\t" if ".tsv" in path.suffixes else ","
    return pl.read_csv(
        path, infer_schema=False, null_values=list(missing_values), separator=separator
    )


def _ends_early(path: Path, width: int) -> bool:
    """Whether the last line of a text file has too few cells; polars would call them missing."""
    if path.suffix.lower() == ".gz":  # a torn archive is refused as such
        return False
    separator = b"\t" if ".tsv" in path.suffixes else b","
    content = path.read_bytes().rstrip(b"\r\n")
    last = content[content.rfind(b"\n") + 1 :]
    return b'"' not in last and last.count(separator) + 1 < width


def record_count(frame: Any) -> int:
    """Rows of any supported frame."""
    return len(_native(frame))


def to_columns(frame: Any, schema: Schema, names: Iterable[str]) -> Columns:
    """Check the named columns of a frame against the schema and convert them.

    Raises
    ------
    TableError
        If a column is absent or disagrees with its declared type, levels or ``required``.
    """
    table = _native(frame)
    out: Columns = {}
    for name in names:
        column = schema[name]
        if name not in table.columns:
            raise TableError(
                f"The table has no column {name!r}, which the schema declares; correct the header, "
                "or leave the column out of the schema."
            )
        series = table[name]
        values = (
            _codes(series, column, schema.missing_values)
            if column.is_categorical
            else _amounts(series, column, schema.missing_values)
        )
        missing = values < 0 if column.is_categorical else np.isnan(cast(Any, values))
        if column.required and bool(missing.any()):
            raise TableError(
                f"Column {name!r} is required but has missing values; complete or remove those "
                'records, or drop "required" from its constraints.'
            )
        out[name] = values
    return out


def person_codes(frame: Any, name: str, missing: Sequence[str] = ("",)) -> NDArray[np.int64]:
    """Number the persons of an identifier column 0, 1, ….

    Raises
    ------
    TableError
        If the column is absent or a record has no identifier.
    """
    table = _native(frame)
    if name not in table.columns:
        raise TableError(f"The table has no column {name!r} to tell persons apart (--unit).")
    cells = _cells(table[name], missing)
    if any(cell is None for cell in cells):
        raise TableError(f"Column {name!r} tells persons apart, but some records have none.")
    _, codes = np.unique([str(cell) for cell in cells], return_inverse=True)
    return codes.astype(np.int64)


def labels(
    frame: Any, name: str, missing: Sequence[str] = ("",)
) -> tuple[list[str], NDArray[np.int64]]:
    """The different cells of a column as text, sorted, and which of them each record has.

    A missing cell has the code -1.

    Raises
    ------
    TableError
        If the column is absent.
    """
    table = _native(frame)
    if name not in table.columns:
        raise TableError(f"The table has no column {name!r}.")
    words = [None if cell is None else _word(cell) for cell in _cells(table[name], missing)]
    names = sorted({w for w in words if w is not None})
    code = {word: i for i, word in enumerate(names)}
    return names, np.array([-1 if w is None else code[w] for w in words], dtype=np.int64)


def has_column(frame: Any, name: str) -> bool:
    """Whether a frame has a column of this name; reads only the header."""
    try:
        return name in _native(frame).columns
    except TableError:
        return False


def to_frame(columns: Mapping[str, NDArray[np.generic]], schema: Schema) -> pl.DataFrame:
    """Values by column name, in schema order, as a typed polars frame with nulls for missing."""
    series = []
    for column in schema.columns:
        if column.name not in columns:
            continue
        values = columns[column.name]
        if column.is_categorical:
            levels: list[Level | None] = [*column.levels, None]
            data: list[Any] = [levels[int(code)] for code in values]
        else:
            amounts = cast(NDArray[np.float64], values)
            whole = column.type == "integer"
            data = [None if np.isnan(v) else int(v) if whole else float(v) for v in amounts]
        series.append(pl.Series(column.name, data, dtype=_dtype(column)))
    return pl.DataFrame(series)


def _dtype(column: Column) -> Any:
    return {"string": pl.String, "integer": pl.Int64, "boolean": pl.Boolean}.get(
        column.type, pl.Float64
    )


def _native(frame: Any) -> nw.DataFrame[Any]:
    if isinstance(frame, nw.DataFrame):
        return frame
    try:
        return nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError:
        raise TableError("The table has two columns of one name; rename or remove one.") from None
    except TypeError:
        raise TableError(
            f"A table of type {type(frame).__name__} is not known; give a pandas or polars frame."
        ) from None


def _nulls(series: nw.Series[Any], missing_values: Sequence[str]) -> nw.Series[Any]:
    """Text with its missing words replaced by null, stripped of blanks.

    Raises
    ------
    TableError
        If the library has no text for cells of this kind.
    """
    try:
        text = series.cast(nw.String).str.strip_chars()
    except Exception:
        raise TableError(
            f"Column {series.name!r} holds cells of type {series.dtype}; expected numbers or text."
        ) from None
    return text.zip_with(
        ~text.is_in([*missing_values, ""]),
        nw.new_series("null", [None] * len(text), nw.String, backend=nw.get_native_namespace(text)),
    )


def _amounts(series: nw.Series[Any], column: Column, missing: Sequence[str]) -> NDArray[np.float64]:
    if series.dtype == nw.Boolean:
        series = series.cast(nw.Int8)
    numbers = _numbers(series, missing)
    if numbers is None:
        raise TableError(
            f"Column {column.name!r} holds text that is not a number; the schema declares "
            f'{column.type}. Correct the column, or list its word for missing in "missingValues".'
        )
    values = np.array([np.nan if v is None else v for v in _listed(numbers)], dtype=np.float64)
    if np.isinf(values).any():
        raise TableError(
            f"Column {column.name!r} holds infinite values; expected finite numbers or missing."
        )
    return values


def _numbers(series: nw.Series[Any], missing: Sequence[str]) -> nw.Series[Any] | None:
    """As floats, or None: what a library says of a cell it cannot read may quote it."""
    try:
        if not series.dtype.is_numeric():
            series = _nulls(series, missing)
        return series.cast(nw.Float64)
    except Exception:
        return None


def _codes(series: nw.Series[Any], column: Column, missing: Sequence[str]) -> NDArray[np.int64]:
    known = {_word(level): code for code, level in enumerate(column.levels)}
    unlisted = len(known)
    by_word = {w: known.get(_word(_read(w, column)), unlisted) for w in _words(series, missing)}
    cells = _cells(series, missing)
    codes = np.array([-1 if w is None else by_word[w] for w in cells], dtype=np.int64)
    if (codes == unlisted).any():
        listed = ", ".join(repr(level) for level in column.levels[:12])
        raise TableError(
            f"Column {column.name!r} holds a level that the schema does not list; expected one of "
            f"{listed}{', …' if len(column.levels) > 12 else ''}. Correct the records, or add the "
            'level to "categories".'
        )
    return codes


def _cells(series: nw.Series[Any], missing: Sequence[str]) -> list[Any]:
    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return [None if v is None or v != v else v for v in _listed(series)]
    return _listed(_nulls(series, missing))


def _listed(series: nw.Series[Any]) -> list[Any]:
    """Cells with None for null, whatever the library puts there."""
    nulls = series.is_null().to_list()
    return [None if null else v for v, null in zip(series.to_list(), nulls, strict=True)]


def _words(series: nw.Series[Any], missing: Sequence[str]) -> set[Any]:
    return {c for c in _cells(series, missing) if c is not None}


def _read(cell: Any, column: Column) -> Any:
    """A cell as its declared type; unreadable text stays text and so matches no level."""
    if not isinstance(cell, str) or column.type == "string":
        return cell
    try:
        return float(WORDS.get(cell, cell))
    except ValueError:
        return cell


def _word(level: Any) -> str:
    """One spelling for 1, 1.0 and True, so that a CSV and a Parquet file read alike."""
    if isinstance(level, bool | np.bool_):
        return f"{int(level)}"
    if isinstance(level, int | float | np.number):
        # Seven digits survive single precision; whole numbers keep all of theirs.
        number = float(level)
        return f"{number:.0f}" if number.is_integer() else f"{number:.7g}"
    return str(level)
