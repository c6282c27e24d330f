"""A table as a data frame of R, in a file that ``readRDS`` of any R since 1.4 takes.

R's own binary form (R Internals, "Serialization Formats", version 2). `load.R` reads the CSV to the
same data frame.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from tincture.public.columns import Column
from tincture.public.schema import Schema

HEAD: Final = b"X\n" + struct.pack(">iii", 2, 0x040000, 0x020300)  # version, writer, oldest reader
PAIR, SYMBOL, TEXT, WHOLE, REAL, TEXTS, LIST = 2, 1, 9, 13, 14, 16, 19
IS_OBJECT, HAS_ATTRIBUTES, HAS_TAG, UTF8 = 0x100, 0x200, 0x400, 0x8000
END = struct.pack(">i", 254)  # of a list of attributes
NO_WHOLE = -(2**31)
NO_REAL = struct.pack(">II", 0x7FF00000, 1954)  # the NaN that R prints as NA
Attributes = dict[str, bytes]


def rds_bytes(frame: pl.DataFrame, schema: Schema, stem: str) -> bytes:
    """The file.

    Parameters
    ----------
    frame : polars.DataFrame
    schema : Schema
        Of its own cells.
    stem : str
        Not used, as the file holds one object.
    """
    columns = b"".join(_column(frame[name], schema[name]) for name in frame.columns)
    about = {
        "names": texts(frame.columns),
        "row.names": _whole([NO_WHOLE, -frame.height]),
        "class": texts(["data.frame"]),
    }
    made = _head(LIST, about, is_object=True) + struct.pack(">i", frame.width) + columns
    return gzip.compress(HEAD + made + _attributes(about), mtime=0)


def level_text(level: object) -> str:
    """A level as R's factors have it."""
    if isinstance(level, bool):
        return str(level).lower()
    return f"{level:.15g}" if isinstance(level, float) else str(level)


def _column(values: pl.Series, column: Column) -> bytes:
    label = {"label": texts([column.meaning])} if column.meaning else {}
    if column.is_time:
        return _time(values, column, label)
    if not column.is_categorical:
        amounts = values.to_list()
        if column.type == "integer" and all(abs(v) < 2**31 for v in amounts if v is not None):
            return _whole([NO_WHOLE if v is None else v for v in amounts], label)
        return _real(values, label)
    place = {level: i for i, level in enumerate(column.levels, 1)}
    codes = [NO_WHOLE if v is None else place[v] for v in values.to_list()]
    levels = {"levels": texts([level_text(v) for v in column.levels]), "class": texts(["factor"])}
    return _whole(codes, levels | label, is_object=True)


def _time(values: pl.Series, column: Column, label: Attributes) -> bytes:
    """Days as a Date, or seconds on the clock of UTC as POSIXct."""
    if column.type == "date":
        return _real(values.cast(pl.Int32), {"class": texts(["Date"])} | label, is_object=True)
    about = {"class": texts(["POSIXct", "POSIXt"]), "tzone": texts(["UTC"])}
    return _real(values.dt.epoch("s"), about | label, is_object=True)


def _head(kind: int, about: Attributes, *, is_object: bool = False) -> bytes:
    return struct.pack(">i", kind | IS_OBJECT * is_object | HAS_ATTRIBUTES * bool(about))


def _attributes(about: Attributes) -> bytes:
    """A list of pairs, or nothing where there are none."""
    pairs = (
        struct.pack(">ii", PAIR | HAS_TAG, SYMBOL) + _text(name) + value
        for name, value in about.items()
    )
    return b"".join(pairs) + END if about else b""


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">ii", TEXT | UTF8, len(raw)) + raw


def texts(words: Sequence[str]) -> bytes:
    """A character vector."""
    return struct.pack(">ii", TEXTS, len(words)) + b"".join(map(_text, words))


def _whole(
    values: Sequence[int], about: Attributes | None = None, *, is_object: bool = False
) -> bytes:
    about = about or {}
    raw = np.asarray(values, dtype=">i4").tobytes()
    head = _head(WHOLE, about, is_object=is_object) + struct.pack(">i", len(values))
    return head + raw + _attributes(about)


def _real(values: pl.Series, about: Attributes, *, is_object: bool = False) -> bytes:
    amounts = values.cast(pl.Float64).fill_null(0.0).to_numpy().astype(">f8").view("V8").copy()
    amounts[values.is_null().to_numpy()] = np.void(NO_REAL)
    head = _head(REAL, about, is_object=is_object) + struct.pack(">i", len(values))
    return head + amounts.tobytes() + _attributes(about)
