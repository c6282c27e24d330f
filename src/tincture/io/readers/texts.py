"""Text with a line of names, in a dialect; all columns stay text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import TableError
from tincture.io.readers.formats import ZIP, Source
from tincture.io.readers.guard import read_with, require_different
from tincture.io.readers.packed import unpacked
from tincture.io.readers.table import Table
from tincture.public.dialect import DIALECT, Dialect

LONGEST_HEADER = 1_000_000  # bytes
SEPARATORS = ",;\t|"
MARKED = {  # byte order marks, the longer first
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WHOLE = "a whole text (UTF-8, with commas between cells and a line of names)"


def read_text(source: Source, dialect: Dialect = DIALECT) -> Table:
    """Read a CSV, packed or not.

    Raises
    ------
    TableError
        If it is empty, cut off, of another dialect, or a line has other cells than there are names.
    """
    path = source.path
    content = _content(source, dialect)
    if not content.strip():
        raise TableError(f"The table {path} is empty; expected a header and one record a row.")
    separator = dialect.delimiter or ("\t" if source.is_tabbed else ",")
    settings: dict[str, Any] = {"infer_schema": False, "quote_char": dialect.quote}
    names = read_with(path, lambda: header(content, separator, dialect.quote), WHOLE)
    if fault := other_mark(names, separator):
        raise TableError(f"The table {path} has {fault}")
    if len(names) > 1:
        content = content.rstrip(b"\r\n")  # polars makes records of blank lines at the end
    frame = read_with(path, lambda: pl.read_csv(content, separator=separator, **settings), WHOLE)
    require_different(path, names)
    quote = dialect.quote.encode()
    if _ends_early(content, frame.width, separator, quote):
        raise TableError(
            f"The table {path} ends in the middle of a record; expected as many cells as the "
            "header has names. Copy the file again."
        )
    if _has_short_line(content, frame, separator, quote):
        raise TableError(
            f"The table {path} has a blank line or a record with fewer cells than the header has "
            "names; correct it, as what is left out is not told."
        )
    # Polars leaves quotes in a name doubled, as a CSV writes them.
    return Table(frame.rename(dict(zip(frame.columns, names, strict=True))))


def guessed(source: Source) -> Dialect:
    """A dialect for a draft: marks by the line of names, the encoding by whether it is UTF-8.

    Raises
    ------
    TableError
    """
    encoding = None if is_utf8(raw := _raw(source)) or _mark_of(raw) else "windows-1252"
    content = _decoded(source.path, raw, encoding)
    usual = "\t" if source.is_tabbed else ","
    counts = {s: len(header(content, s)) for s in SEPARATORS}
    best = max(SEPARATORS, key=lambda s: counts[s])
    return Dialect(best if counts[usual] == 1 < counts[best] else None, encoding=encoding)


def _raw(source: Source) -> bytes:
    path, packing = source.path, source.packing
    expected = "a whole archive with a CSV" if packing is ZIP else WHOLE
    return read_with(path, lambda: unpacked(path, packing, source.part), expected)


def _content(source: Source, dialect: Dialect) -> bytes:
    """The content in UTF-8."""
    raw = _raw(source)
    return _decoded(source.path, raw, dialect.encoding)


def _decoded(path: Path, raw: bytes, encoding: str | None) -> bytes:
    told = encoding or _mark_of(raw)
    if told is None:
        if not is_utf8(raw):
            raise TableError(
                f"The table {path} is no UTF-8 text; save it as UTF-8, or declare in the schema "
                'what it is, such as "encoding": "windows-1252".'
            )
        return raw
    try:
        return raw.decode(told).removeprefix("\ufeff").encode()
    except UnicodeError:
        pass
    raise TableError(f"The table {path} is no {told} text; correct the encoding in the schema.")


def is_utf8(raw: bytes) -> bool:
    """Whether bytes are text in UTF-8."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mark_of(raw: bytes) -> str | None:
    return next((name for mark, name in MARKED.items() if raw.startswith(mark)), None)


def header(content: bytes, separator: str, quote: str = '"') -> list[str]:
    """The names of the first line as they stand; Polars gives the second of a pair another."""
    start = content.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")[:LONGEST_HEADER]
    lines = io.StringIO(start.decode("utf-8", errors="replace"), newline="")
    return next(csv.reader(lines, delimiter=separator, quotechar=quote), [])


def other_mark(names: Sequence[str], separator: str) -> str | None:
    """What is odd of one column whose name holds a mark that may stand between cells."""
    other = next(
        (s for s in SEPARATORS if s != separator and len(names) == 1 and s in names[0]), None
    )
    if other is None:
        return None
    shown = "\\t" if other == "\t" else other
    return (
        f"one column, whose name holds '{shown}'; if that stands between cells, declare it in the "
        f'schema as "dialect": {{"delimiter": "{shown}"}}.'
    )


def _ends_early(content: bytes, width: int, separator: str, quote: bytes) -> bool:
    """Whether the last line of a text has too few cells; polars would call them missing."""
    rest = content.rstrip(b"\r\n")
    last = rest[rest.rfind(b"\n") + 1 :]
    return quote not in last and last.count(separator.encode()) + 1 < width


def _has_short_line(content: bytes, frame: pl.DataFrame, separator: str, quote: bytes) -> bool:
    """Whether some line has too few cells; polars refuses those with too many."""
    mark = re.escape(quote)
    quoted = mark + b"[^" + mark + b"]*" + mark
    bare = re.sub(quoted, b"", content) if quote in content else content
    return bare.count(separator.encode()) < (frame.height + 1) * (frame.width - 1)
