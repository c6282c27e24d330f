"""Events as they lie about: long tables, PhysioNet-2012 text, mimic3-benchmarks, MEDS.

Every format becomes batches of (stay, hour, variable, value), read one after the other, so that
memory does not grow with the number of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from tincture.errors import SettingError, TableError
from tincture.frames import FAULTS, hushed, read_table
from tincture.stays import HOUR, STAY, VALUE, VARIABLE, Use

BATCH = 1_000_000  # events read at once
FILES = 256  # small files read at once
HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0}
TIMES = ("minute", "minutes", "hour", "hours", "Hours", "time", "Time", "charttime")
MEDS = {"subject_id", "time", "code"}
START, END = "start", "prediction_time"
UNREADABLE = "The events cannot be read; expected a whole Parquet or CSV file."
GENDERS, UNITS = {0.0: "female", 1.0: "male"}, {1.0: "CCU", 2.0: "CSRU", 3.0: "MICU", 4.0: "SICU"}
DESCRIPTORS = {"Age": "age", "Gender": "gender", "Height": "height", "ICUType": "icu_type"}


@dataclass(frozen=True)
class Form:
    """Column names of a long table of events, and what its times count.

    ``unit`` is "second", "minute", "hour" or "day" since the start of the stay, or "datetime".
    """

    stay: str
    time: str = "minute"
    variable: str = "variable"
    value: str = "value"
    unit: str = "minute"


@dataclass(frozen=True)
class Source:
    """Events to be read.

    Attributes
    ----------
    form : Form
        The release is written in this form.
    each : callable
        Given the start of each stay (columns ``stay``, ``start``) or None, and a function, hands it
        frames of (stay, hour, variable, value).
    outcomes : polars.DataFrame or None
        Static columns and targets that lie among the events.
    """

    form: Form
    each: Callable[[pl.DataFrame | None, Use], None]
    outcomes: pl.DataFrame | None = None


def open_events(
    events: Any,
    stay: str,
    *,
    time: str | None = None,
    unit: str | None = None,
    outcomes: Path | None = None,
) -> Source:
    """Recognise a format.

    Parameters
    ----------
    events : path or frame
        Parquet or CSV file, folder of Parquet files, of PhysioNet-2012 records, or of
        mimic3-benchmarks; or a pandas or polars frame.
    stay : str
        Column that names the stay.
    time, unit : str, optional
        Column of the time and what it counts, where its name does not tell.
    outcomes : Path, optional
        Outcomes file beside PhysioNet-2012 records, to be joined with their descriptors.

    Raises
    ------
    TableError, SettingError
        If the events cannot be read or lack a column.
    """
    if not isinstance(events, str | Path):
        return _long(_lazy(events), stay, time, unit)
    path = Path(events)
    if path.is_file():
        return _long(_scan([path]), stay, time, unit)
    if not path.is_dir():
        raise TableError(f"The events {path} do not exist; give a file or a folder.")
    if (path / "listfile.csv").is_file():
        return _benchmark(path, stay)
    if parts := sorted(path.rglob("*.parquet")):
        return _long(_scan(parts), stay, time, unit)
    if texts := sorted(path.glob("*.txt")):
        return _physionet(texts, stay, outcomes)
    raise TableError(
        f"The folder {path} holds no events; expected Parquet files, PhysioNet-2012 records "
        "(NUMBER.txt) or mimic3-benchmarks (listfile.csv)."
    )


def _lazy(frame: Any) -> pl.LazyFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame
    if isinstance(frame, pl.DataFrame):
        return frame.lazy()
    try:
        return cast(pl.DataFrame, pl.from_pandas(frame)).lazy()
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        raise TableError(
            f"Events of type {type(frame).__name__} are not known; give a path or a pandas or "
            "polars frame."
        ) from None


def _scan(paths: list[Path]) -> pl.LazyFrame:
    if paths[0].suffix.lower() == ".parquet":
        return pl.scan_parquet(paths)
    separator = "\t" if ".tsv" in paths[0].suffixes else ","
    return pl.scan_csv(paths, infer_schema=False, separator=separator)


def _long(frame: pl.LazyFrame, stay: str, time: str | None, unit: str | None) -> Source:
    """A long table, or MEDS, which is one with other names."""
    try:
        types = frame.collect_schema()
    except FAULTS:
        raise TableError(UNREADABLE) from None
    names = ("code", "numeric_value") if set(types) >= MEDS else ("variable", "value")
    found = time or next((t for t in TIMES if t in types), None)
    for column in (stay, found or "minute", *names):
        if column not in types:
            raise TableError(
                f"The events have no column {column!r}; expected {stay!r}, a time (--time names "
                f"it), {names[0]!r} and {names[1]!r}."
            )
    found = found or "minute"
    is_dated = types[found].is_temporal() or set(types) >= MEDS
    unit = unit or ("datetime" if is_dated else _unit(found))
    if unit not in (*HOURS, "datetime"):
        raise SettingError(f"The unit of time {unit!r} is not known; use {', '.join(HOURS)}.")
    form = Form(stay, found, *names, unit)
    return Source(form, lambda starts, use: _each(frame, form, types[found], starts, use))


def _unit(name: str) -> str:
    word = name.lower().rstrip("s")
    if word not in HOURS:
        raise SettingError(
            f"What the column {name!r} counts is not plain; say --time-unit minute (or hour, day)."
        )
    return word


def _each(
    frame: pl.LazyFrame, form: Form, kind: pl.DataType, starts: pl.DataFrame | None, use: Use
) -> None:
    columns = frame.select(
        pl.col(form.stay).cast(pl.String).str.strip_chars().alias(STAY),
        _clock(form, kind).alias(HOUR),
        pl.col(form.variable).cast(pl.String).alias(VARIABLE),
        pl.col(form.value).cast(pl.Float64, strict=False).alias(VALUE),
    )
    if form.unit == "datetime":
        if starts is None:
            raise TableError(
                f"The events have dates; the outcomes need a column {START!r} (start of the "
                f"window) or {END!r} (its end)."
            )
        hours = (pl.col(HOUR) - pl.col(START)).dt.total_seconds(fractional=True) / 3600
        columns = columns.join(starts.lazy(), on=STAY).select(
            STAY, hours.alias(HOUR), VARIABLE, VALUE
        )
    # Not collect_batches: it ends without an error where a file is damaged (Polars 2.1).
    try:
        with hushed() as pass_on:

            def take(batch: pl.DataFrame) -> None:
                pass_on()
                use(batch)

            columns.drop_nulls().sink_batches(take, chunk_size=BATCH)
    except FAULTS:
        raise TableError(UNREADABLE) from None


def _clock(form: Form, kind: pl.DataType) -> pl.Expr:
    if form.unit != "datetime":
        return pl.col(form.time).cast(pl.Float64, strict=False) * HOURS[form.unit]
    return moment(pl.col(form.time), kind)


def moment(cells: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Dates, or texts of dates, as microseconds; unknown where they are none."""
    if kind == pl.String:
        cells = cells.str.to_datetime(time_unit="us", strict=False)
    return cells.cast(pl.Datetime("us"), strict=False)


def _physionet(paths: list[Path], stay: str, outcomes: Path | None) -> Source:
    """Files of Time,Parameter,Value; descriptors at 00:00 become static columns."""
    form = Form(stay)

    def each(starts: pl.DataFrame | None, use: Use) -> None:
        for some in _chunks(paths):
            use(pl.concat([_record(path).filter(pl.col(VALUE) != -1) for path in some]))

    found = []
    for some in _chunks(paths):
        first = pl.concat([_record(path).filter(pl.col(HOUR) == 0) for path in some])
        wanted = first.filter(pl.col(VARIABLE).is_in([*DESCRIPTORS, "Weight"]))
        found.append(wanted.unique([STAY, VARIABLE], keep="first", maintain_order=True))
    wide = pl.concat(found).pivot(VARIABLE, index=STAY, values=VALUE).rename({STAY: stay})
    return Source(form, each, _described(wide, stay, outcomes))


def _record(path: Path) -> pl.DataFrame:
    try:
        raw = pl.read_csv(path, infer_schema=False)
        clock = pl.col("Time").str.split(":").list
        hour = clock.get(0).cast(pl.Float64) + clock.get(1).cast(pl.Float64) / 60
        return raw.select(
            pl.lit(path.stem).alias(STAY),
            hour.alias(HOUR),
            pl.col("Parameter").alias(VARIABLE),
            pl.col("Value").cast(pl.Float64, strict=False).alias(VALUE),
        ).drop_nulls()
    except FAULTS:
        raise TableError(
            "A record of the folder cannot be read; expected lines of Time,Parameter,Value."
        ) from None


def _described(wide: pl.DataFrame, stay: str, outcomes: Path | None) -> pl.DataFrame:
    """Descriptors by our names, −1 being unknown, beside the outcomes."""
    for name in [*DESCRIPTORS, "Weight"]:
        if name not in wide.columns:
            wide = wide.with_columns(pl.lit(None, pl.Float64).alias(name))
    known = [pl.when(pl.col(n) >= 0).then(pl.col(n)).alias(n) for n in [*DESCRIPTORS, "Weight"]]
    named = wide.with_columns(known).rename({**DESCRIPTORS, "Weight": "weight"})
    named = named.with_columns(
        pl.col("gender").replace_strict(GENDERS, default=None),
        pl.col("icu_type").replace_strict(UNITS, default=None),
    )
    if outcomes is None:
        return named
    table = read_table(outcomes)
    table = table.rename({"RecordID": stay}) if "RecordID" in table.columns else table
    spoken = {c: c.lower().replace("-", "_") for c in table.columns if c != stay}
    table = table.rename(spoken)
    if stay not in table.columns:
        raise TableError(f"The outcomes have no column {stay!r} or 'RecordID'.")
    keep = [c for c in named.columns if c == stay or c not in table.columns]
    text = pl.col(stay).cast(pl.String).str.strip_chars()
    return table.with_columns(text).join(named.select(keep), on=stay, how="left")


def _benchmark(folder: Path, stay: str) -> Source:
    """One wide CSV a stay, with a column Hours, and listfile.csv (stay, y_true)."""
    listed = read_table(folder / "listfile.csv")
    if not {"stay", "y_true"} <= set(listed.columns):
        raise TableError("listfile.csv needs the columns stay and y_true.")
    paths = [folder / str(name) for name in listed["stay"]]

    def each(starts: pl.DataFrame | None, use: Use) -> None:
        for some in _chunks(paths):
            use(pl.concat([_wide(path) for path in some]))

    form = Form(stay, time="hour", unit="hour")
    return Source(form, each, listed.rename({"stay": stay}))


def _wide(path: Path) -> pl.DataFrame:
    """A wide record as events; words such as "4 Spontaneously" count by their number."""
    try:
        raw = pl.read_csv(path, infer_schema=False)
        long = raw.unpivot(index="Hours", variable_name=VARIABLE, value_name=VALUE)
        number = pl.col(VALUE).str.extract(r"^\s*(-?\d+(?:\.\d+)?)").cast(pl.Float64)
        return long.select(
            pl.lit(path.name).alias(STAY),
            pl.col("Hours").cast(pl.Float64, strict=False).alias(HOUR),
            VARIABLE,
            number.alias(VALUE),
        ).drop_nulls()
    except FAULTS:
        raise TableError(
            "A stay of listfile.csv cannot be read; expected a CSV with a column Hours."
        ) from None


def _chunks(paths: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(paths), FILES):
        yield paths[start : start + FILES]
