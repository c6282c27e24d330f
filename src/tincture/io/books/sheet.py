"""Code books as files: lines of cells in CSV or in the first sheet of an Excel workbook.

A code book is public, so that sentences may quote it; a file of records is never read beyond its
first line here.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tincture.errors import SchemaError, SettingError
from tincture.io.extras import library
from tincture.io.readers.formats import EXCEL
from tincture.io.readers.packed import unpacked_archive
from tincture.io.readers.sheets import PARTS
from tincture.public.fields import LARGEST
from tincture.public.words import number_of

SEPARATORS = {".csv": ",;\t", ".tsv": "\t", ".txt": ",;\t"}
MOST = 10_000_000  # bytes of a code book, unpacked; what is larger holds records
FIRST = 100_000  # bytes, in which the line of names must end
LONGEST = 32_767  # characters of a cell of Excel
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # or locked
OTHERWISE = ", or use a .csv file"
Lines = list[list[str]]
IsBook = Callable[[Sequence[str]], bool]


def read_book(path: Path, is_book: IsBook) -> Lines | None:
    """The lines of a code book, the first of which names its columns.

    Parameters
    ----------
    path : Path
    is_book : callable
        Whether a first line is that of a code book.

    Returns
    -------
    list of list of str, or None
        None where the file is of another kind.

    Raises
    ------
    SchemaError
        If it is a code book that cannot be read.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        return None
    if suffix in EXCEL.suffixes and path.stat().st_size <= MOST:
        lines = _excel_lines(path)
        return lines if lines and is_book(lines[0]) else None
    for separator in SEPARATORS.get(suffix, ""):
        with open(path, "rb") as file:
            head = file.read(FIRST).decode("utf-8-sig", errors="replace")
        first = next(_cells(head, separator), [])
        if is_book(first):
            return _text_lines(path, separator)
    return None


def _cells(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _text_lines(path: Path, separator: str) -> Lines:
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = list(_cells(text, separator))
    except (UnicodeDecodeError, csv.Error):
        raise SchemaError(
            f"The code book {path} cannot be read; save it as CSV in UTF-8."
        ) from None
    return [line for line in lines if any(line)]


def _excel_lines(path: Path) -> Lines | None:
    """Of the first sheet; None where it is no workbook or one of records' size."""
    calamine = library("python_calamine", "An Excel file", otherwise=OTHERWISE)
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST:
                return None
        with calamine.CalamineWorkbook.from_object(unpacked_archive(path, PARTS)) as book:
            cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError, ValueError, IndexError, *BROKEN):
        raise SchemaError(
            f"The file {path} cannot be read as an Excel workbook; save it again as .xlsx."
        ) from None
    return [line for row in cells if any(line := [_text(cell) for cell in row])]


def _text(cell: Any) -> str:
    """A cell as it would be typed."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) <= LARGEST else repr(cell)
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def book_bytes(lines: Lines, marked: Sequence[tuple[int, int]], suffix: str) -> bytes:
    """A file of these lines.

    Parameters
    ----------
    lines : list of list of str
    marked : sequence of (line, place)
        Cells that a person has yet to fill in, coloured in a workbook.
    suffix : str
        ``.csv`` or ``.xlsx``.

    Raises
    ------
    SettingError
    """
    if suffix == ".csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        return text.getvalue().encode("utf-8-sig")  # by which Excel knows UTF-8
    if suffix == ".xlsx":
        return _workbook(lines, frozenset(marked))
    raise SettingError(
        f"A code book is written as .xlsx or .csv, not {suffix or 'without ending'}."
    )


def _workbook(lines: Lines, marked: frozenset[tuple[int, int]]) -> bytes:
    xlsxwriter = library("xlsxwriter", "A code book as .xlsx", otherwise=OTHERWISE)
    if max(len(cell) for line in lines for cell in line) > LONGEST:
        raise SettingError(
            f"A cell of this code book has more than {LONGEST:,} characters, which Excel does not "
            "take; write it as .csv."
        )
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2000, 1, 1)})  # one schema, one file
        sheet = book.add_worksheet("code book")
        plain, head, open_ = (
            book.add_format({"text_wrap": True, "valign": "top", **more})
            for more in ({}, {"bold": True}, {"bg_color": "#fff2b3"})
        )
        for i, line in enumerate(lines):
            for j, cell in enumerate(line):
                form = head if i == 0 else open_ if (i, j) in marked else plain
                if _is_number(cell):
                    sheet.write_number(i, j, float(cell), form)
                elif cell or form is open_:
                    sheet.write_string(i, j, cell, form) if cell else sheet.write_blank(
                        i, j, None, form
                    )
        sheet.freeze_panes(1, 1)
        for j in range(len(lines[0])):
            longest = max(len(part) for line in lines for part in line[j].split("\n"))
            sheet.set_column(j, j, min(max(longest + 2, 9), 48))
    return out.getvalue()


def _is_number(cell: str) -> bool:
    """Whether a number of Excel, of 16 digits, reads as this text again."""
    number = number_of(cell)
    is_finite = number is not None and abs(float(number)) <= LARGEST
    return is_finite and _text(float(f"{number:.16G}")) == cell
