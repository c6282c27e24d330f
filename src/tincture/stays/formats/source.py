"""What a format hands on: batches of events, and how their columns are called."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from tincture.errors import TableError
from tincture.io.frames import FAULTS, alike_columns, hushed, read_table
from tincture.io.readers.texts import header, other_mark
from tincture.public.cells import Unreadable, identities
from tincture.public.dialect import DIALECT, Dialect
from tincture.stays.events.reader import Form as Form
from tincture.stays.events.tables import polars_frame
from tincture.stays.events.values import Words
from tincture.stays.layout import Use

BATCH = 1_000_000  # events read at once
FILES = 256  # small files read at once
CHUNK = 1_000_000  # bytes
LINE = 100_000  # bytes that a line of text has at most, where its ends are looked at
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0}
DATED = "datetime"
START, END = "start", "prediction_time"
WHO = "\0who"  # beside columns that may have any name
T = TypeVar("T", str, Path)


@dataclass(frozen=True)
class Source:
    """Events to be read.

    Attributes
    ----------
    form : Form
        The release is written in this form.
    each : callable
        Given a function, hands it frames of columns ``stay``, ``hour`` (the time as it stands),
        ``variable``, ``value`` and, in MEDS, perhaps ``text``.
    outcomes : polars.DataFrame or None
        The outcomes, with what lies beside the events; None if nothing does.
    is_coded : bool
        Whether they are in MEDS.
    words : dict of str to dict
        Words of a variable that count as numbers.
    """

    form: Form
    each: Callable[[Use], None]
    outcomes: pl.DataFrame | None = None
    is_coded: bool = False
    words: Mapping[str, Words] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What is known of events before they are opened.

    Attributes
    ----------
    stay : str
        Column that names the stay.
    time, unit : str, optional
        Column of the time and what it counts, where its name does not tell.
    variable, value : str, optional
        Columns of the variable and its value, where their names do not tell.
    dated : frozenset of str
        Columns that are declared as dates.
    variables : tuple of str
        Declared variables, by which a wide table is known.
    dialect : Dialect
        How text is written.
    """

    stay: str
    time: str | None = None
    unit: str | None = None
    variable: str | None = None
    value: str | None = None
    dated: frozenset[str] = frozenset()
    variables: tuple[str, ...] = ()
    dialect: Dialect = DIALECT


def lazy(frame: Any) -> pl.LazyFrame:
    """A frame of any library.

    Raises
    ------
    TableError
    """
    return frame if isinstance(frame, pl.LazyFrame) else polars_frame(frame).lazy()


def scans(paths: Sequence[Path], where: str, dialect: Dialect = DIALECT) -> list[pl.LazyFrame]:
    """Files, those of one form together; text of another encoding than UTF-8 is in memory.

    Raises
    ------
    TableError
    """
    is_text = paths[0].suffix.lower() != ".parquet"
    if is_text and dialect.encoding is not None:
        return [read_table(path, dialect).lazy() for path in paths]
    usual = "\t" if ".tsv" in paths[0].suffixes else ","
    dialect = replace(dialect, delimiter=dialect.delimiter or usual)
    odd = None
    try:
        if not is_text:
            alike = groupby(paths, lambda path: list(pl.read_parquet_schema(path).items()))
            return [pl.scan_parquet(list(some), glob=False) for _, some in alike]
        odd = _odd_text(paths[0], dialect)
        if odd is None:
            marks: dict[str, Any] = {"separator": dialect.delimiter, "quote_char": dialect.quote}
            return [pl.scan_csv(list(paths), infer_schema=False, glob=False, **marks)]
    except (*FAULTS, csv.Error, EOFError, zlib.error):
        pass
    raise TableError(unreadable(where) if odd is None else f"{where} {odd}")


def _odd_text(path: Path, dialect: Dialect) -> str | None:
    """What is wrong with a text's first or last line, of which Polars would say nothing."""
    separator, quote = dialect.delimiter or ",", dialect.quote
    is_packed = path.suffix.lower() == ".gz"
    with gzip.open(path) if is_packed else path.open("rb") as file:
        rest = first = file.readline(LINE)
        if not is_packed:
            file.seek(max(len(first), path.stat().st_size - LINE))
        while more := file.read(CHUNK):
            rest = (rest + more)[-LINE:]
    last = rest.rstrip(b"\r\n").rpartition(b"\n")[2]
    names = header(first, separator, quote)
    if fault := other_mark(names, separator):
        return f"have {fault}"
    if alike := alike_columns(names):
        return f"have {alike}; rename or remove one."
    if quote.encode() not in last and last.count(separator.encode()) + 1 < len(names):
        return "end in the middle of a line; copy the file again."
    return None


def unreadable(where: str) -> str:
    """That events are damaged, in a sentence."""
    return f"{where} cannot be read; expected whole Parquet or CSV files."


def types_of(frame: pl.LazyFrame, where: str) -> pl.Schema:
    """Names and types of the columns.

    Raises
    ------
    TableError
    """
    try:
        return frame.collect_schema()
    except FAULTS:
        pass
    raise TableError(unreadable(where))


def sink(frame: pl.LazyFrame, use: Use, where: str, size: int = BATCH) -> None:
    """Hand on batches of so many rows. An error of the user of one ends it as it is.

    Raises
    ------
    TableError
        If not all could be read.
    """
    # Not collect_batches: it ends without an error where a file is damaged (Polars 2.1).
    failed: list[Exception] = []
    try:
        with hushed() as pass_on:

            def take(batch: pl.DataFrame) -> bool:
                pass_on()
                try:
                    use(batch)
                except Exception as error:  # Polars would make its own of it
                    failed.append(error)
                return bool(failed)

            frame.sink_batches(take, chunk_size=size, maintain_order=False)
        is_whole = True
    except FAULTS:
        is_whole = False
    if failed:
        raise failed[0]
    if not is_whole:
        raise TableError(unreadable(where))


def chunks(files: list[T]) -> Iterator[list[T]]:
    """Small files that are read at once."""
    for start in range(0, len(files), FILES):
        yield files[start : start + FILES]


def table_of(outcomes: Any, dialect: Dialect = DIALECT) -> pl.DataFrame:
    """A table of outcomes, given as a frame or a path.

    Raises
    ------
    TableError
    """
    if isinstance(outcomes, str | Path):
        return read_table(outcomes, dialect)
    return polars_frame(outcomes)


def with_known(table: pl.DataFrame, known: pl.DataFrame, stay: str) -> pl.DataFrame:
    """Outcomes with the columns that another table of the same stays has and they lack.

    Raises
    ------
    TableError
        If stays are named by neither text nor numbers, or the other table names one twice.
    """
    keep = [c for c in known.columns if c != stay and c not in table.columns]
    left = table.with_columns(identified(table[stay]).alias(WHO))
    right = known.select(identified(known[stay]).alias(WHO), *keep)
    right = right.join(left.select(WHO), on=WHO, how="semi")
    if right[WHO].is_duplicated().any():
        raise TableError(
            f"What lies beside the events names a {stay!r} twice; expected one row a stay. Remove "
            "one, or put all that is needed into the outcomes and give the table of events alone."
        )
    return left.join(right, on=WHO, how="left", maintain_order="left").drop(WHO)


def identified(cells: pl.Series) -> pl.Series:
    """Identities of stays as text.

    Raises
    ------
    TableError
    """
    try:
        who = identities(cells.to_list())
        return pl.Series([None if w is None else str(w) for w in who], dtype=pl.String)
    except Unreadable:
        pass
    raise TableError("The stays of the outcomes are named by neither text nor numbers.")
