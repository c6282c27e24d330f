"""A sheet of a workbook of Excel, by python-calamine: a line of names, then a record a line.

A number stays a number whatever format shows it, a formula is its last value, a cell with an error
is empty. Lengths of time are days, times of day text.
"""

from __future__ import annotations

from typing import IO, Any

import polars as pl

from tincture.errors import TableError
from tincture.io.extras import library
from tincture.io.readers.formats import Source
from tincture.io.readers.guard import read_with, require_different, uncollected
from tincture.io.readers.packed import unpacked_archive
from tincture.io.readers.table import EXACT, Table, as_text, column
from tincture.public.fields import listed

PARTS = (".xml", ".rels")  # of a workbook, that hold cells or tell where they are
WHOLE = "a whole workbook of Excel"


def read_sheet(source: Source) -> Table:
    """Read the one sheet that holds cells, or that which is named.

    Raises
    ------
    TableError
        If the file is damaged or unpacks to too much, the sheet cannot be told, or it is no table.
    SettingError
        If python-calamine is not installed.
    """
    with uncollected():
        return _table(source)


def _table(source: Source) -> Table:
    path = source.path
    calamine = library("python_calamine", f"Reading {path}")
    content = read_with(path, lambda: unpacked_archive(path, PARTS), WHOLE)
    name, lines = read_with(path, lambda: _lines(calamine, source, content), WHOLE)
    while lines and not any(cell != "" for cell in lines[-1]):
        lines.pop()
    if not lines:
        raise TableError(f"The table {path} is empty; expected a line of names, then records.")
    names = [as_text(cell) for cell in lines.pop(0)]
    where = path.with_name(f"{path.name}#{name}")
    require_different(where, names)
    if any(line[0] == "" and not any(cell != "" for cell in line) for line in lines):
        raise TableError(f"The table {where} has a blank line among its records; remove it.")
    return Table(pl.DataFrame([_column(n, [x[i] for x in lines]) for i, n in enumerate(names)]))


def _lines(calamine: Any, source: Source, content: IO[bytes]) -> tuple[str, list[list[Any]]]:
    """The cells of the sheet, line by line, "" for nothing."""
    with calamine.CalamineWorkbook.from_object(content) as book:
        names: list[str] = book.sheet_names
        if source.part is not None and source.part in names:
            return source.part, book.get_sheet_by_name(source.part).to_python()
        if source.part is None:
            sheets = {name: book.get_sheet_by_name(name) for name in names}
            full = [name for name, sheet in sheets.items() if sheet.height]
            if len(full) < 2:
                return (full or names)[0], sheets[full[0]].to_python() if full else []
            names = full
    raise TableError(
        f"The workbook {source.path} has the sheets {listed(names)}; name one of them, as in "
        f"{source.path.name}#{names[0]}."
    )


def _column(name: str, cells: list[Any]) -> pl.Series:
    made = column(name, cells, nothing="")
    if made.dtype == pl.Float64 and ((made == made.floor()) & (made.abs() < EXACT)).all():
        return made.cast(pl.Int64)
    return made
