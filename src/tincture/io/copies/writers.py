"""The formats by their suffixes: who writes them, what that needs, and what they cannot hold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import SettingError
from tincture.io.copies.parquet import parquet_bytes
from tincture.io.copies.rds import rds_bytes
from tincture.io.copies.variables import SAS, SPSS, STATA, Limits, held, kind_of, variables
from tincture.io.extras import library
from tincture.public.fields import listed
from tincture.public.schema import Schema


@dataclass(frozen=True, slots=True)
class Writer:
    """How a table is written in a format.

    Parameters
    ----------
    written : callable
        Makes a file of a table, its schema and the name of the file without its suffix.
    needs : str or None
        The library that writes it, where that is an extra.
    limits : Limits or None
        Of the package that it is for, where it has any.
    """

    written: Callable[[pl.DataFrame, Schema, str], bytes]
    needs: str | None = None
    limits: Limits | None = None


def require_copies(also: Sequence[str], schema: Schema) -> None:
    """Refuse what cannot be written, before anything is spent.

    Parameters
    ----------
    also : sequence of str
        Formats, of `WRITERS`.
    schema : Schema
        Of the tables to be written.

    Raises
    ------
    SettingError
        If a format is not known, its library is absent, or it does not hold a declared level.
    """
    if isinstance(also, str):
        raise SettingError(f'also must be a list of formats, such as ["{also}"].')
    for suffix in also:
        if suffix not in WRITERS:
            raise SettingError(
                f"The format {suffix!r} (--also) is not known; use one of {listed(list(WRITERS))}."
            )
        made = WRITERS[suffix]
        if made.needs is not None:
            library(made.needs, f"A copy as {suffix} (--also)")
        _require_room(suffix, made.limits, schema)


def _require_room(suffix: str, limits: Limits | None, schema: Schema) -> None:
    """Refuse texts that a format would cut, so that two levels could become one."""
    for column in schema.columns:
        texts = [str(v) for v in column.levels] if kind_of(column) == pl.String() else []
        if any("\0" in text for text in (*texts, column.name)):
            raise SettingError(
                f"Column {column.name!r} has a zero character in its name or a level, which the "
                f"format {suffix} (--also) does not hold; remove it from the schema."
            )
        if limits is not None and any(len(text.encode()) > limits.text for text in texts):
            raise SettingError(
                f"Column {column.name!r} has a level of more than {limits.text} bytes, which the "
                f"format {suffix} (--also) does not hold; shorten it, or leave the format out."
            )


def _statistical(
    write: str, limits: Limits, settings: Callable[[str], dict[str, Any]]
) -> Callable[[pl.DataFrame, Schema, str], bytes]:
    """A writer by the function of this name of pyreadstat."""

    def written(frame: pl.DataFrame, schema: Schema, stem: str) -> bytes:
        import pyreadstat

        made = variables(schema.select(frame.columns).columns, limits)
        told: dict[str, Any] = {
            "column_labels": {v.name: v.label for v in made if v.label},
            **settings(stem),
        }
        if limits is not SAS:  # whose labels of codes lie in a file of their own
            told["variable_value_labels"] = {v.name: v.labels for v in made if v.labels}
        if limits is SPSS:
            told["variable_measure"] = {v.name: v.measure for v in made}
            told["variable_format"] = {v.name: v.shown for v in made if v.kind != pl.String()}
            told["missing_ranges"] = {v.name: _ranges(v.blanks) for v in made if v.missing}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table"  # pyreadstat writes to paths alone
            getattr(pyreadstat, write)(held(frame, made), path, **told)
            return path.read_bytes()

    return written


def _ranges(blanks: Iterable[Any]) -> list[Any]:
    """In the words of pyreadstat."""
    return [{"lo": b[0], "hi": b[1]} if isinstance(b, tuple) else b for b in blanks]


def _table(stem: str) -> dict[str, Any]:
    return {"table_name": stem[:8].upper(), "file_format_version": 5}


WRITERS = {
    "sav": Writer(
        _statistical("write_sav", SPSS, lambda _: {"row_compress": True}), "pyreadstat", SPSS
    ),
    "dta": Writer(_statistical("write_dta", STATA, lambda _: {}), "pyreadstat", STATA),
    "xpt": Writer(_statistical("write_xport", SAS, _table), "pyreadstat", SAS),
    "parquet": Writer(parquet_bytes, "pyarrow"),
    "rds": Writer(rds_bytes),
}
