"""SPSS, Stata and SAS, by pyreadstat: codes stay codes, and what they mean goes into a draft.

A user-missing code of SPSS is the number that stands in the file; an extended missing value of
Stata or SAS is the text ``.a``. What either means is for the schema's ``missingValues`` to declare.
The plain missing value is no cell. Lengths of time are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from tincture.errors import TableError
from tincture.io.extras import library
from tincture.io.readers.clocks import Clock, clock_of, dated
from tincture.io.readers.formats import PORTABLE, SAS, SPSS, STATA, TRANSPORT, Source
from tincture.io.readers.guard import read_with, require_different
from tincture.io.readers.meanings import meanings, whole_numbers
from tincture.io.readers.packed import most_bytes, refuse_bomb
from tincture.io.readers.table import Table, as_text, column
from tincture.io.readers.transport import require_whole

BATCH = 262_144  # records of a stream; each batch passes again what lies before it
READERS = {
    SPSS.title: "read_sav",
    PORTABLE.title: "read_por",
    STATA.title: "read_dta",
    SAS.title: "read_sas7bdat",
    TRANSPORT.title: "read_xport",
}
WHOLE = re.compile(r"[FN]\d+(\.0)?")  # a display format of SPSS without decimal places
WITH_CODES = (SPSS, STATA, SAS)  # of whose missing values pyreadstat tells which they are


def read_labelled(source: Source) -> Table:
    """Read a whole file.

    Raises
    ------
    TableError, SettingError
        As of `Labelled`.
    """
    file = Labelled(source)
    frame = next(file.frames())
    return Table(frame, file.fields())


class Labelled:
    """A file of which some records are in memory at once.

    Parameters
    ----------
    source : Source

    Raises
    ------
    TableError
        If it is damaged, or unpacks to too much.
    SettingError
        If pyreadstat is not installed.
    """

    def __init__(self, source: Source) -> None:
        self.source, path = source, source.path
        found = library("pyreadstat", f"Reading {path}")
        self._read = getattr(found, READERS[source.format.title])
        if source.format is TRANSPORT:
            require_whole(path)
        self.about = self._part(metadataonly=True)[1]
        self._names: list[str] = list(self.about.column_names)
        if not self._names:
            raise TableError(f"The table {path} has no column; expected one record a row.")
        require_different(path, self._names)
        self._n_records: int | None = self.about.number_rows
        if self._n_records is not None and self._n_records < 0:
            self._n_records = None
        if (self._n_records or 0) * self._width() > most_bytes(path):
            refuse_bomb(path)
        self._codes: dict[str, set[str]] = {name: set() for name in self._names}
        self._found: dict[str, set[float]] = {name: set() for name in self._names}

    def frames(self, size: int | None = None) -> Iterator[pl.DataFrame]:
        """So many of the records at once, or all of them; a column is of one type in each.

        Raises
        ------
        TableError
            If the file is cut off.
        """
        done = 0
        while True:
            cells, about = self._part(row_offset=done, row_limit=size or 0)
            frame = pl.DataFrame([self._column(name, cells[name], about) for name in self._names])
            del cells
            for numbers in frame:
                if numbers.dtype.is_numeric():
                    self._note_codes(numbers.name, numbers)
            done += frame.height
            is_last = size is None or frame.height < size
            if is_last:
                self._require_all(done)
            if frame.height or done == 0:
                yield frame
            if is_last:
                return

    def _note_codes(self, name: str, numbers: pl.Series) -> None:
        """Keep the user-missing numbers that occur, of ranges that are too wide to be listed."""
        for low, high in self._ranges(name):
            if not whole_numbers(low, high):
                self._found[name] |= set(numbers.filter(numbers.is_between(low, high)))

    def _ranges(self, name: str) -> list[tuple[Any, Any]]:
        found = self.about.missing_ranges.get(name, ()) if self.about.missing_ranges else ()
        return [(r["lo"], r["hi"]) for r in found]

    def _require_all(self, done: int) -> None:
        """Refuse a file that is cut off, of which pyreadstat would read what is left."""
        if self._n_records is not None and done != self._n_records:
            path = self.source.path
            raise TableError(f"The table {path} ends before its last record; copy the file again.")

    def fields(self) -> dict[str, dict[str, Any]]:
        """What the file says of its columns, once its records were read."""
        return {name: self._field(name) for name in self._names}

    def _field(self, name: str) -> dict[str, Any]:
        about, clock = self.about, self._clock(name)
        occurring = [(v, v) for v in sorted(self._found[name])]
        return meanings(
            self._kind(name) if clock is None else clock.kind,
            about.variable_value_labels.get(name, {}),
            tags=self._codes[name],
            missing=[*self._ranges(name), *occurring],
            measure=about.variable_measure.get(name),
            description=about.column_names_to_labels.get(name),
            **({} if clock is None else {"word": clock.word}),
        )

    def _kind(self, name: str) -> str:
        storage = self.about.readstat_variable_types[name]
        if storage == "string":
            return "string"
        is_whole = WHOLE.fullmatch(self.about.original_variable_types.get(name) or "")
        return "number" if storage in ("double", "float") and not is_whole else "integer"

    def _part(self, **rows: Any) -> tuple[Any, Any]:
        settings = {"disable_datetime_conversion": True} | rows
        if self.source.format in WITH_CODES:
            settings["user_missing"] = True
        path, title = self.source.path, self.source.format.title
        found: tuple[Any, Any] = read_with(
            path, lambda: self._read(str(path), **settings), f"a whole file of {title}"
        )
        return found

    def _width(self) -> int:
        """Bytes of a record."""
        return sum(max(8, w) for w in self.about.variable_storage_width.values())

    def _clock(self, name: str) -> Clock | None:
        return clock_of(self.source.format, self.about.original_variable_types.get(name))

    def _column(self, name: str, values: Any, about: Any) -> pl.Series:
        """A column of the pandas frame that pyreadstat makes, as it takes the least memory."""
        storage = about.readstat_variable_types[name]
        if storage == "string":
            texts = [c if isinstance(c, str) else None for c in values]
            return pl.Series(name, texts, dtype=pl.String)
        codes = set(about.missing_user_values.get(name, ())) if about.missing_user_values else set()
        is_single = storage == "float"
        clock = self._clock(name)
        if not codes and clock is None:
            kind = pl.Float32 if is_single else pl.Float64 if storage == "double" else pl.Int64
            return pl.Series(name, values.to_numpy(dtype=float), nan_to_null=True).cast(kind)
        self._codes[name] |= codes
        cells = values.tolist()
        numbers = [None if isinstance(c, str) or c is None or c != c else c for c in cells]
        if clock is not None:
            counts = pl.Series(name, numbers, dtype=pl.Float64)
            self._note_codes(name, counts)
            return _dates(counts, clock, cells)
        texts = [None if n is None else as_text(_short(n, is_single)) for n in numbers]
        found = [f".{c}" if isinstance(c, str) else t for c, t in zip(cells, texts, strict=True)]
        return pl.Series(name, found, dtype=pl.String)


def _dates(counts: pl.Series, clock: Clock, cells: list[Any]) -> pl.Series:
    """Dates of counts; cells beside them that are none stay numbers, or codes."""
    found = dated(counts, clock)
    if found.null_count() == sum(c is None or c != c for c in cells):
        return found.alias(counts.name)
    rest = [f".{c}" if isinstance(c, str) else n for c, n in zip(cells, counts, strict=True)]
    both = zip(found, rest, strict=True)
    return column(counts.name, [other if day is None else day for day, other in both])


def _short(number: float, is_single: bool) -> float:
    """A number; of single precision, the shortest decimal that is meant."""
    return float(str(np.float32(number))) if is_single else number
