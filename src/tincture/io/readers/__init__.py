"""Readers of files of tables, each by the library that reads it, chosen by the file's ending."""

from __future__ import annotations

import polars as pl

from tincture.errors import TableError
from tincture.io.readers.formats import EXCEL, LABELLED, PARQUET, TEXT, Source
from tincture.io.readers.guard import read_with
from tincture.io.readers.labelled import read_labelled
from tincture.io.readers.robjects import read_r
from tincture.io.readers.sheets import read_sheet
from tincture.io.readers.table import Table
from tincture.io.readers.texts import read_text
from tincture.public.dialect import DIALECT, Dialect

__all__ = ["formats", "guard", "labelled", "packed", "read_source", "sheets", "table", "texts"]


def read_source(source: Source, dialect: Dialect = DIALECT) -> Table:
    """Read the table of a file; only text has a dialect.

    Raises
    ------
    TableError
        If it cannot be read whole, or holds no record.
    SettingError
        If the library that reads it is not installed.
    """
    table = _read(source, dialect)
    if table.frame.height == 0:
        raise TableError(f"The table {source.path} holds no record; expected one record a row.")
    return table


def _read(source: Source, dialect: Dialect) -> Table:
    if source.format is TEXT:
        return read_text(source, dialect)
    if source.format is PARQUET:
        path, whole = source.path, "a whole Parquet file"
        return Table(read_with(path, lambda: pl.read_parquet(path, glob=False), whole))
    if source.format in LABELLED:
        return read_labelled(source)
    return read_sheet(source) if source.format is EXCEL else read_r(source)
