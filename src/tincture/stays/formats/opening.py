"""Which format events lie in, by names of files and columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tincture.errors import SettingError, TableError
from tincture.public.dialect import DIALECT
from tincture.public.notation import TIMES
from tincture.public.schema import Schema
from tincture.stays.formats.benchmark import LIST, open_benchmark
from tincture.stays.formats.challenge import open_records
from tincture.stays.formats.database import Database, files_of, preset_of
from tincture.stays.formats.source import DATED, HOURS, Source, Wanted, lazy, scans
from tincture.stays.formats.tables import open_tables

BESIDE = {"metadata", "labels"}  # folders of a MEDS data set that hold no events


def open_events(
    events: Any,
    stay: str,
    *,
    time: str | None = None,
    unit: str | None = None,
    outcomes: Any = None,
    schema: Schema | None = None,
    variable: str | None = None,
    value: str | None = None,
) -> Source:
    """Recognise a format.

    Parameters
    ----------
    events : path or frame
        Parquet or CSV file; folder of Parquet files, of a MEDS data set, of a database that
        `tincture.stays.formats.presets` knows, of PhysioNet-2012 records, or of mimic3-benchmarks;
        or a pandas or polars frame.
    stay : str
        Column that names the stay.
    time, unit : str, optional
        Column of the time and what it counts, where its name does not tell.
    outcomes : frame or path, optional
        To be joined with what such a folder tells of each stay.
    schema : Schema, optional
        A time that it declares as a date or datetime is one; its variables are the columns of a
        wide table; its dialect is that of tables in CSV, but where a format has its own.
    variable, value : str, optional
        Columns of the variable and its value, where their names do not tell.

    Raises
    ------
    TableError, SettingError
        If the events cannot be read or lack a column.
    """
    if unit is not None and unit not in (*HOURS, DATED):
        known = ", ".join((*HOURS, DATED))
        raise SettingError(f"The unit of time {unit!r} is not known; use one of {known}.")
    columns = schema.columns if schema else ()
    dated = frozenset(c.name for c in columns if c.type in TIMES)
    variables = tuple(c.name for c in columns if c.role == "variable")
    dialect = schema.dialect if schema else DIALECT
    wanted = Wanted(stay, time, unit, variable, value, dated, variables, dialect)
    if not isinstance(events, str | Path):
        return open_tables([lazy(events)], wanted, "The events")
    path = Path(events)
    if path.is_file():
        return open_tables(scans([path], "The events", wanted.dialect), wanted, "The events")
    if not path.is_dir():
        raise TableError(f"The events {path} do not exist; give a file or a folder.")
    return _open_folder(path, wanted, outcomes)


def _open_folder(path: Path, wanted: Wanted, outcomes: Any) -> Source:
    if (path / LIST).is_file():
        return open_benchmark(path, wanted.stay)
    files = files_of(path)
    if preset := preset_of(files):
        return Database(path, preset, files, wanted).open(outcomes)
    folder, parts = _parquets(path)
    if parts:
        where = f"The events in {folder}"
        return open_tables(scans(parts, where), wanted, where)
    if texts := sorted(path.glob("*.txt")):
        return open_records(texts, wanted, outcomes)
    raise TableError(
        f"The folder {path} holds no events; expected Parquet files, a MEDS data set (data/), "
        "tables of eICU, MIMIC-IV, YAIB or OMOP by their names, PhysioNet-2012 records "
        "(NUMBER.txt) or mimic3-benchmarks (listfile.csv)."
    )


def _parquets(path: Path) -> tuple[Path, list[Path]]:
    """The Parquet files of a folder, or of the data of a MEDS data set, and the folder."""
    if parts := sorted((path / "data").rglob("*.parquet")):
        return path / "data", parts
    found = sorted(path.rglob("*.parquet"))
    return path, [p for p in found if not BESIDE & set(p.relative_to(path).parts[:-1])]
