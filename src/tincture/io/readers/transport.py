"""Whether a SAS transport file is whole, as far as its layout tells.

The layout is that of SAS' technical notes on its versions 5 and 8: headers of 80 bytes, records one
after the other, and blanks up to a multiple of 80. Version 8 counts its records.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from tincture.errors import TableError
from tincture.io.readers.guard import read_with

LINE = 80  # bytes
HEAD = b"HEADER RECORD*******"
CUT = "ends before its last record; copy the file again."
TWO = "holds more than one data set, of which only one could be read; save each by itself."


def require_whole(path: Path) -> None:
    """Refuse a file that is cut off, or that holds a second data set, which pyreadstat misreads.

    One of version 5 that is cut off between two records looks whole.

    Raises
    ------
    TableError
    """
    if fault := read_with(path, lambda: _fault(path), "a whole file of SAS transport"):
        raise TableError(f"The table {path} {fault}")


def _fault(path: Path) -> str | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        n = len(content)
        described = next(_headers(content, b"MEMB", 0), n)
        columns = next(_headers(content, b"NAM", described), n)
        start = next(_headers(content, b"OBS", columns), n) + LINE
        if n % LINE or start > n:
            return CUT
        if next(_headers(content, b"MEMB", start), None) is not None:
            return TWO
        width, told = _width(content, described, columns), content[start - 32 : start - 17].strip()
        n_records = int(told) if told.isdigit() else 0  # of version 5, and of some writers, none
        end = start + (n_records or (n - start) // width) * width
        is_whole = end <= n < end + LINE and not content[end:].strip(b" \0")
        return None if is_whole else CUT


def _headers(content: mmap.mmap, name: bytes, start: int) -> Iterator[int]:
    """Where headers whose name begins so stand."""
    while (start := content.find(HEAD + name, start)) >= 0:
        if start % LINE == 0:
            yield start
        start += 1


def _width(content: mmap.mmap, described: int, columns: int) -> int:
    """Bytes of a record: the lengths that its columns have."""
    each, n_columns = _number(content, described + 73), _number(content, columns + 53)
    places = range(columns + LINE + 4, columns + LINE + each * n_columns, each)
    return sum(int.from_bytes(content[at : at + 2], "big") for at in places)


def _number(content: mmap.mmap, at: int) -> int:
    return int(content[at : at + 5])
