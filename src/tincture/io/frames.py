"""Files and data frames in, checked columns out, and back again.

A table enters as pandas, polars or anything narwhals knows. Numeric columns become float64 with NaN
for missing, categorical ones integer codes with -1 for missing; what a cell means is in
`tincture.public.cells`. No error quotes a cell, nor keeps one in its context.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Integers
from tincture.errors import TableError
from tincture.io.readers import read_source
from tincture.io.readers.formats import located
from tincture.io.readers.guard import FAULTS as FAULTS
from tincture.io.readers.guard import alike_columns as alike_columns
from tincture.io.readers.guard import hushed as hushed
from tincture.public.causes import is_cause
from tincture.public.cells import (
    AMBIGUOUS,
    MISSING,
    UNLISTED,
    Field,
    Unreadable,
    cells_of,
    identities,
    listed,
)
from tincture.public.columns import Column
from tincture.public.dates import counted
from tincture.public.dialect import DIALECT, Dialect
from tincture.public.origins import days_since
from tincture.public.schema import Schema

Columns = dict[str, NDArray[np.generic]]
DECLARED = ", which the schema declares; correct the header, or leave the column out of the schema"
WRITTEN = (
    'its words for missing in "missingValues", a decimal comma by "decimalChar", <1 and >20 by '
    '"tincture:limits", units in cells (70 kg) by "bareNumber": false'
)
WRITTEN_TIMES = (
    'its words for missing in "missingValues", dates that are not as ISO 8601 writes them by '
    '"format", as in "%d.%m.%Y"; bounds with Z tell that times have a zone'
)


def read_table(path: str | Path, dialect: Dialect = DIALECT) -> pl.DataFrame:
    """Read a file, by its ending; of a CSV all columns are text.

    Parameters
    ----------
    path : path
        ``file``, or ``file#part``: a sheet of a workbook, a frame of R, a member of an archive.
    dialect : Dialect
        How text is written.

    Raises
    ------
    TableError
        If the file is absent, of another format than its name, truncated, names a column twice or
        holds no record.
    SettingError
        If the library that reads it is not installed.
    """
    return read_source(located(path), dialect).frame


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
        column, missing = schema[name], schema.missing_of(name)
        values = _values(column, missing, table)
        gone = values == MISSING if column.is_categorical else np.isnan(cast(Any, values))
        if column.required and bool(gone.any()):
            raise TableError(
                f"Column {name!r} is required but has missing values; complete or remove those "
                'records, or drop "required" from its constraints.'
            )
        out[name] = values
    return out


def _series(table: nw.DataFrame[Any], name: str, why: str) -> nw.Series[Any]:
    """A column by its name.

    Raises
    ------
    TableError
    """
    if name in table.columns:
        return table[name]
    index = getattr(getattr(table.to_native(), "index", None), "names", ())
    if name in index:
        raise TableError(
            f"The table has no column {name!r}: its index is named so; call reset_index() first."
        )
    if not all(isinstance(n, str) for n in table.columns):
        raise TableError("The table's columns have names that are not text; rename them.")
    is_near = any(n.strip().casefold() == name.strip().casefold() for n in table.columns)
    hint = " One differs from it only by blanks, or by upper and lower case." if is_near else ""
    raise TableError(f"The table has no column {name!r}{why}.{hint}")


def _values(
    column: Column, missing: Sequence[str], table: nw.DataFrame[Any]
) -> NDArray[np.generic]:
    """Codes or amounts.

    Raises
    ------
    TableError
    """
    whole = column.declared
    if column.since is not None:
        origin = column.since[1]
        others = origin.missing_values or ()
        both = [_values(*of, table) for of in ((whole, missing), (origin, others))]
        return days_since(column, *both)
    series = _series(table, column.name, DECLARED)
    field = Field(whole, missing)
    try:
        if column.is_time:
            return counted(series, column, missing)
        cells = cells_of(series, column.name)
        if not column.is_categorical:
            return field.amounts(cells)
        codes = field.codes(cells)
    except Unreadable as error:
        found = error.args[0]
    else:
        _refuse_unlisted(whole, codes)
        return codes if column.cause_of is None else is_cause(codes, column.cause_of[1])
    how = WRITTEN_TIMES if column.is_time else WRITTEN
    raise TableError(
        f"Column {column.name!r} holds {found}; the schema declares {whole.type}. Correct the "
        f"column, or declare how it is written: {how}."
    )


def _refuse_unlisted(column: Column, codes: Integers) -> None:
    if (codes == AMBIGUOUS).any():
        raise TableError(
            f"Column {column.name!r} holds a number that two of its levels read as; give the "
            "column as text, as its levels are written."
        )
    if (codes == UNLISTED).any():
        listed = ", ".join(repr(level) for level in column.levels[:12])
        raise TableError(
            f"Column {column.name!r} holds a level that the schema does not list; expected one of "
            f"{listed}{', …' if len(column.levels) > 12 else ''}. Correct the records, or add the "
            'level to "categories".'
        )


def person_codes(frame: Any, name: str, missing: Sequence[str] = ()) -> Integers:
    """Number the persons of an identifier column 0, 1, ….

    Raises
    ------
    TableError
        If the column is absent or a record has no identifier.
    """
    found = _persons(frame, name, missing)
    everyone = sorted(set(found), key=lambda who: (isinstance(who, str), who))
    code = {who: i for i, who in enumerate(everyone)}
    return np.array([code[who] for who in found], dtype=np.int64)


def person_digests(frame: Any, name: str, key: bytes, missing: Sequence[str] = ()) -> Integers:
    """A digest of each record's person, of 64 bits: under one key the same in whatever frame.

    With a key that nobody knows, nobody can choose identifiers that have one digest.

    Raises
    ------
    TableError
        As for `person_codes`.
    """
    found = _persons(frame, name, missing)
    bits = {
        who: hashlib.blake2b(repr(who).encode(), digest_size=8, key=key).digest()
        for who in set(found)
    }
    return np.frombuffer(b"".join(bits[who] for who in found), dtype="<i8").astype(np.int64)


def _persons(frame: Any, name: str, missing: Sequence[str]) -> list[Any]:
    found = identifiers(frame, name, missing, " to tell persons apart (--unit)")
    if any(who is None for who in found):
        raise TableError(f"Column {name!r} tells persons apart, but some records have none.")
    return found


def labels(frame: Any, name: str, missing: Sequence[str] = ()) -> tuple[list[str], Integers]:
    """The different cells of a column as text, sorted, and which of them each record has.

    A missing cell has the code -1.

    Raises
    ------
    TableError
        If the column is absent.
    """
    words = [None if who is None else str(who) for who in identifiers(frame, name, missing)]
    names = sorted({w for w in words if w is not None})
    code = {word: i for i, word in enumerate(names)}
    return names, np.array([-1 if w is None else code[w] for w in words], dtype=np.int64)


def identifiers(frame: Any, name: str, missing: Sequence[str] = (), why: str = "") -> list[Any]:
    """What each cell of a column tells apart, None where missing.

    Raises
    ------
    TableError
        If the column is absent, or holds what tells nothing apart.
    """
    series = _series(_native(frame), name, why)
    try:
        return identities(listed(series), missing)
    except Unreadable as error:
        found = error.args[0]
    raise TableError(f"Column {name!r} holds {found}; expected text or numbers.")


def has_column(frame: Any, name: str) -> bool:
    """Whether a frame has a column of this name; reads only the header."""
    try:
        return name in _native(frame).columns
    except TableError:
        return False


def to_pandas(frame: pl.DataFrame) -> Any:
    """The same in pandas, without pyarrow."""
    import pandas as pd

    zoned = {s.name for s in frame if getattr(s.dtype, "time_zone", None)}
    columns = {s.name: s.to_numpy() for s in frame}
    return pd.DataFrame(
        {n: pd.Series(c).dt.tz_localize("UTC") if n in zoned else c for n, c in columns.items()}
    )


def to_frame(columns: Mapping[str, NDArray[np.generic]], schema: Schema) -> pl.DataFrame:
    """Values by column name, in schema order, as a typed polars frame with nulls for missing."""
    series = []
    for column in schema.columns:
        if column.name not in columns:
            continue
        values = columns[column.name]
        if column.is_categorical:
            levels = pl.Series(column.name, [*column.levels, None], dtype=_dtype(column))
            series.append(levels.gather(np.asarray(values, dtype=np.int64) % len(levels)))
        else:
            amounts = pl.Series(column.name, np.asarray(values, dtype=np.float64)).fill_nan(None)
            series.append(
                _times(amounts, column) if column.is_time else amounts.cast(_dtype(column))
            )
    return pl.DataFrame(series)


def _times(amounts: pl.Series, column: Column) -> pl.Series:
    """Days or seconds as dates, or times, of UTC where they are moments."""
    if column.type == "date":
        return amounts.cast(pl.Int32).cast(pl.Date)
    times = (amounts.cast(pl.Int64) * 1_000_000).cast(pl.Datetime("us"))
    return times.dt.replace_time_zone("UTC") if column.is_zoned else times


def _dtype(column: Column) -> Any:
    return {"string": pl.String, "integer": pl.Int64, "boolean": pl.Boolean}.get(
        column.type, pl.Float64
    )


def _native(frame: Any) -> nw.DataFrame[Any]:
    if isinstance(frame, nw.DataFrame):
        return frame
    kind = f"A table of type {type(frame).__name__} is not known; give a pandas or polars frame."
    try:
        return nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError:
        kind = "The table has two columns of one name; rename or remove one."
    except TypeError:
        pass
    except Exception:
        kind = "The table cannot be read; its columns need one line of names that are text."
    raise TableError(kind)
