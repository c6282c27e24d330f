"""Events as they lie about: long tables, PhysioNet-2012 text, mimic3-benchmarks, MEDS.

Every format becomes batches of events with their cells as they stand, one after the other, so that
memory does not grow with their number; `tincture.stays.events` reads them.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from tincture.errors import SettingError, TableError
from tincture.io.frames import FAULTS, alike_columns, hushed, read_table
from tincture.public.cells import Unreadable, identities
from tincture.public.notation import TIMES
from tincture.public.schema import Schema
from tincture.stays.events.members import STAY
from tincture.stays.events.names import VARIABLE
from tincture.stays.events.reader import HOUR, TEXT, VALUE
from tincture.stays.events.reader import Form as Form
from tincture.stays.events.tables import polars_frame
from tincture.stays.events.values import Words
from tincture.stays.glasgow import GLASGOW
from tincture.stays.layout import Use

BATCH = 1_000_000  # events read at once
FILES = 256  # small files read at once
CHUNK = 1_000_000  # bytes
LINE = 100_000  # bytes that a line of text has at most, where its ends are looked at
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0}
DATED = "datetime"
START, END = "start", "prediction_time"
CLOCKS = ("minute", "minutes", "hour", "hours", "Hours", "time", "Time", "charttime")
MEDS, LONG = ("code", "numeric_value"), ("variable", "value")  # columns of name and value
IN_MEDS = {"subject_id", "time", "code"}
BESIDE = {"metadata", "labels"}  # folders of a MEDS data set that hold no events
GENDERS, UNITS = {0.0: "female", 1.0: "male"}, {1.0: "CCU", 2.0: "CSRU", 3.0: "MICU", 4.0: "SICU"}
DESCRIPTORS = {"Age": "age", "Gender": "gender", "Height": "height", "ICUType": "icu_type"}
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
        Static columns and targets that lie among the events.
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
    """What is known of a long table before it is opened.

    Attributes
    ----------
    stay : str
        Column that names the stay.
    time, unit : str, optional
        Column of the time and what it counts, where its name does not tell.
    names : tuple of str, optional
        Columns of the variable and its value, where their names do not tell.
    dated : frozenset of str
        Columns that are declared as dates.
    """

    stay: str
    time: str | None = None
    unit: str | None = None
    names: tuple[str, str] | None = None
    dated: frozenset[str] = frozenset()


def open_events(
    events: Any,
    stay: str,
    *,
    time: str | None = None,
    unit: str | None = None,
    outcomes: Path | None = None,
    schema: Schema | None = None,
    names: tuple[str, str] | None = None,
) -> Source:
    """Recognise a format.

    Parameters
    ----------
    events : path or frame
        Parquet or CSV file, folder of Parquet files, of a MEDS data set, of PhysioNet-2012 records,
        or of mimic3-benchmarks; or a pandas or polars frame.
    stay : str
        Column that names the stay.
    time, unit : str, optional
        Column of the time and what it counts, where its name does not tell.
    outcomes : Path, optional
        Outcomes file beside PhysioNet-2012 records, to be joined with their descriptors.
    schema : Schema, optional
        A time that it declares as a date or datetime is one.
    names : tuple of str, optional
        Columns of the variable and its value, where they are known.

    Raises
    ------
    TableError, SettingError
        If the events cannot be read or lack a column.
    """
    if unit is not None and unit not in (*HOURS, DATED):
        known = ", ".join((*HOURS, DATED))
        raise SettingError(f"The unit of time {unit!r} is not known; use one of {known}.")
    dated = frozenset(c.name for c in schema.columns if c.type in TIMES) if schema else frozenset()
    wanted = Wanted(stay, time, unit, names, dated)
    if not isinstance(events, str | Path):
        return _long([_lazy(events)], wanted, "The events")
    path = Path(events)
    if path.is_file():
        return _long(_scans([path], "The events"), wanted, "The events")
    if not path.is_dir():
        raise TableError(f"The events {path} do not exist; give a file or a folder.")
    if (path / "listfile.csv").is_file():
        return _benchmark(path, stay)
    folder, parts = _parquets(path)
    if parts:
        where = f"The events in {folder}"
        return _long(_scans(parts, where), wanted, where)
    if texts := sorted(path.glob("*.txt")):
        return _physionet(texts, stay, outcomes)
    raise TableError(
        f"The folder {path} holds no events; expected Parquet files, a MEDS data set (data/), "
        "PhysioNet-2012 records (NUMBER.txt) or mimic3-benchmarks (listfile.csv)."
    )


def _parquets(path: Path) -> tuple[Path, list[Path]]:
    """The Parquet files of a folder, or of the data of a MEDS data set, and the folder."""
    if parts := sorted((path / "data").rglob("*.parquet")):
        return path / "data", parts
    found = sorted(path.rglob("*.parquet"))
    return path, [p for p in found if not BESIDE & set(p.relative_to(path).parts[:-1])]


def _lazy(frame: Any) -> pl.LazyFrame:
    return frame if isinstance(frame, pl.LazyFrame) else polars_frame(frame).lazy()


def _scans(paths: list[Path], where: str) -> list[pl.LazyFrame]:
    """Files, those of one form together."""
    separator = "\t" if ".tsv" in paths[0].suffixes else ","
    odd = None
    try:
        if paths[0].suffix.lower() == ".parquet":
            alike = groupby(paths, lambda path: list(pl.read_parquet_schema(path).items()))
            return [pl.scan_parquet(list(some), glob=False) for _, some in alike]
        odd = _odd_text(paths[0], separator)
        if odd is None:
            return [pl.scan_csv(paths, infer_schema=False, separator=separator, glob=False)]
    except (*FAULTS, csv.Error, EOFError, zlib.error):
        pass
    raise TableError(_unreadable(where) if odd is None else f"{where} {odd}")


def _odd_text(path: Path, separator: str) -> str | None:
    """What is wrong with a text's first or last line, of which Polars would say nothing."""
    is_packed = path.suffix.lower() == ".gz"
    with gzip.open(path) if is_packed else path.open("rb") as file:
        rest = first = file.readline(LINE)
        if not is_packed:
            file.seek(max(len(first), path.stat().st_size - LINE))
        while more := file.read(CHUNK):
            rest = (rest + more)[-LINE:]
    last = rest.rstrip(b"\r\n").rpartition(b"\n")[2]
    names = next(csv.reader([first.decode("utf-8-sig", errors="replace")], delimiter=separator), [])
    if alike := alike_columns(names):
        return f"have {alike}; rename or remove one."
    if b'"' not in last and last.count(separator.encode()) + 1 < len(names):
        return "end in the middle of a line; copy the file again."
    return None


def _unreadable(where: str) -> str:
    return f"{where} cannot be read; expected whole Parquet or CSV files."


def _long(frames: list[pl.LazyFrame], wanted: Wanted, where: str) -> Source:
    """A long table, or MEDS, which is one with other names."""
    kinds = [_types(frame, where) for frame in frames]
    types = kinds[0]
    names = wanted.names or (MEDS if set(types) >= IN_MEDS else LONG)
    time = wanted.time or next((t for t in CLOCKS if t in types), CLOCKS[0])
    for column in (wanted.stay, time, *names):
        if any(column not in known for known in kinds):
            raise TableError(
                f"{where} have no column {column!r}; expected {wanted.stay!r}, a time (--time "
                f"names it), {names[0]!r} and {names[1]!r}."
            )
    is_coded = names == MEDS
    is_dated = is_coded or time in wanted.dated
    unit = wanted.unit or (DATED if is_dated else _unit(time, types[time]))
    form = Form(wanted.stay, time, *names, unit)
    return Source(form, lambda use: _each(frames, form, is_coded, where, use), is_coded=is_coded)


def _types(frame: pl.LazyFrame, where: str) -> pl.Schema:
    try:
        return frame.collect_schema()
    except FAULTS:
        pass
    raise TableError(_unreadable(where))


def _unit(name: str, kind: pl.DataType) -> str:
    if kind.is_temporal():
        return "hour" if isinstance(kind, pl.Duration) else DATED
    word = name.lower().rstrip("s")
    if word not in HOURS:
        raise SettingError(
            f"What the column {name!r} counts is not plain; say --time-unit minute (or hour, day), "
            "or --time-unit datetime if it holds dates."
        )
    return word


def _each(frames: list[pl.LazyFrame], form: Form, is_coded: bool, where: str, use: Use) -> None:
    """Hand on the columns that are read, in batches."""
    for frame in frames:
        columns = {STAY: form.stay, HOUR: form.time, VARIABLE: form.variable, VALUE: form.value}
        if is_coded and "text_value" in _types(frame, where):
            columns[TEXT] = "text_value"
        chosen = frame.select(pl.col(name).alias(ours) for ours, name in columns.items())
        if not _sink(chosen, use):
            raise TableError(_unreadable(where))


def _sink(frame: pl.LazyFrame, use: Use) -> bool:
    """Hand on batches; whether all could be read. An error of the user of one ends it as it is."""
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

            frame.sink_batches(take, chunk_size=BATCH, maintain_order=False)
    except FAULTS:
        if not failed:
            return False
    if failed:
        raise failed[0]
    return True


def _physionet(paths: list[Path], stay: str, outcomes: Path | None) -> Source:
    """Files of Time,Parameter,Value; descriptors at 00:00 become static columns."""

    def each(use: Use) -> None:
        for some in _chunks(paths):
            # In these records −1 stands for unknown.
            is_known = pl.col(VALUE).cast(pl.Float64, strict=False).ne_missing(-1)
            use(pl.concat([_record(path).filter(is_known) for path in some]))

    found = []
    for some in _chunks(paths):
        first = pl.concat([_record(path).filter(pl.col(HOUR) == 0) for path in some])
        wanted = first.filter(pl.col(VARIABLE).is_in([*DESCRIPTORS, "Weight"]))
        found.append(wanted.unique([STAY, VARIABLE], keep="first", maintain_order=True))
    wide = pl.concat(found).pivot(VARIABLE, index=STAY, values=VALUE).rename({STAY: stay})
    return Source(Form(stay), each, _described(wide, stay, outcomes))


def _record(path: Path) -> pl.DataFrame:
    """Events with their time in minutes."""
    try:
        raw = pl.read_csv(path, infer_schema=False, glob=False)
        clock = pl.col("Time").str.split(":").list
        minute = clock.get(0).cast(pl.Float64) * 60 + clock.get(1).cast(pl.Float64)
        return raw.select(
            pl.lit(path.stem).alias(STAY),
            minute.alias(HOUR),
            pl.col("Parameter").alias(VARIABLE),
            pl.col("Value").alias(VALUE),
        )
    except FAULTS:
        pass
    raise TableError(
        "A record of the folder cannot be read; expected lines of Time,Parameter,Value."
    )


def _described(wide: pl.DataFrame, stay: str, outcomes: Path | None) -> pl.DataFrame:
    """Descriptors by our names, less than 0 being unknown, beside the outcomes."""
    for name in [*DESCRIPTORS, "Weight"]:
        if name not in wide.columns:
            wide = wide.with_columns(pl.lit(None, pl.String).alias(name))
    named = wide.with_columns(
        _descriptor("Gender", GENDERS),
        _descriptor("ICUType", UNITS),
        *(_descriptor(name) for name in ("Age", "Height", "Weight")),
    ).rename({**DESCRIPTORS, "Weight": "weight"})
    if outcomes is None:
        return named
    table = read_table(outcomes)
    name = "RecordID" if stay not in table.columns else stay
    spoken = {c: stay if c == name else c.lower().replace("-", "_") for c in table.columns}
    if twice := [c for c in spoken.values() if list(spoken.values()).count(c) > 1]:
        raise TableError(f"The outcomes have two columns that are called {twice[0]!r}; keep one.")
    table = table.rename(spoken)
    if stay not in table.columns:
        raise TableError(f"The outcomes have no column {stay!r} or 'RecordID'.")
    keep = [c for c in named.columns if c != stay and c not in table.columns]
    known = named.select(_identified(named[stay]).alias(STAY), *keep)
    joined = table.with_columns(_identified(table[stay]).alias("\0" + STAY))
    return joined.join(known, left_on="\0" + STAY, right_on=STAY, how="left").drop("\0" + STAY)


def _descriptor(name: str, words: Mapping[float, str] | None = None) -> pl.Expr:
    """A descriptor as text: its word, if it is a code; unknown below 0."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    if words is None:
        return pl.when((number >= 0) | number.is_null()).then(pl.col(name)).alias(name)
    known = number.replace_strict(words, default=None, return_dtype=pl.String)
    return pl.when(number.is_null()).then(pl.col(name)).otherwise(known).alias(name)


def _identified(cells: pl.Series) -> pl.Series:
    """Identities of stays as text."""
    try:
        who = identities(cells.to_list())
        return pl.Series([None if w is None else str(w) for w in who], dtype=pl.String)
    except Unreadable:
        pass
    raise TableError("The stays of the outcomes are named by neither text nor numbers.")


def _benchmark(folder: Path, stay: str) -> Source:
    """One wide CSV a stay, with a column Hours, and listfile.csv (stay, y_true)."""
    listed = read_table(folder / "listfile.csv")
    if not {"stay", "y_true"} <= set(listed.columns):
        raise TableError("listfile.csv needs the columns stay and y_true.")
    names = [str(name) for name in dict.fromkeys(listed["stay"])]

    def each(use: Use) -> None:
        for some in _chunks(names):
            use(pl.concat([_wide(folder, name) for name in some]))

    form = Form(stay, time="hour", unit="hour")
    return Source(form, each, listed.rename({"stay": stay}), words=GLASGOW)


def _wide(folder: Path, name: str) -> pl.DataFrame:
    """A wide record as events of the stay as it is listed."""
    try:
        raw = pl.read_csv(folder / name, infer_schema=False, glob=False)
        long = raw.unpivot(index="Hours", variable_name=VARIABLE, value_name=VALUE)
        return long.select(
            pl.lit(name).alias(STAY), pl.col("Hours").alias(HOUR), VARIABLE, VALUE
        ).drop_nulls(VALUE)
    except FAULTS:
        pass
    raise TableError("A stay of listfile.csv cannot be read; expected a CSV with a column Hours.")


def _chunks(files: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(files), FILES):
        yield files[start : start + FILES]
