"""Raw records of the PhysioNet Challenge of 2012: a text of Time,Parameter,Value a stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tincture.errors import TableError
from tincture.io.frames import FAULTS
from tincture.stays.events.members import STAY
from tincture.stays.events.names import VARIABLE
from tincture.stays.events.reader import HOUR, VALUE
from tincture.stays.formats.source import Form, Source, Wanted, chunks, table_of, with_known
from tincture.stays.layout import Use

GENDERS, UNITS = {0.0: "female", 1.0: "male"}, {1.0: "CCU", 2.0: "CSRU", 3.0: "MICU", 4.0: "SICU"}
DESCRIPTORS = {"Age": "age", "Gender": "gender", "Height": "height", "ICUType": "icu_type"}


def open_records(paths: list[Path], wanted: Wanted, outcomes: Any) -> Source:
    """Descriptors at 00:00 become static columns beside the outcomes, a frame or a path, if any.

    Raises
    ------
    TableError
    """

    def each(use: Use) -> None:
        for some in chunks(paths):
            # In these records −1 stands for unknown.
            is_known = pl.col(VALUE).cast(pl.Float64, strict=False).ne_missing(-1)
            use(pl.concat([_record(path).filter(is_known) for path in some]))

    found = []
    for some in chunks(paths):
        first = pl.concat([_record(path).filter(pl.col(HOUR) == 0) for path in some])
        told = first.filter(pl.col(VARIABLE).is_in([*DESCRIPTORS, "Weight"]))
        found.append(told.unique([STAY, VARIABLE], keep="first", maintain_order=True))
    wide = pl.concat(found).pivot(VARIABLE, index=STAY, values=VALUE).rename({STAY: wanted.stay})
    return Source(Form(wanted.stay), each, _described(wide, wanted, outcomes))


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


def _described(wide: pl.DataFrame, wanted: Wanted, outcomes: Any) -> pl.DataFrame:
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
    table, stay = table_of(outcomes, wanted.dialect), wanted.stay
    name = "RecordID" if stay not in table.columns else stay
    spoken = {c: stay if c == name else c.lower().replace("-", "_") for c in table.columns}
    if twice := [c for c in spoken.values() if list(spoken.values()).count(c) > 1]:
        raise TableError(f"The outcomes have two columns that are called {twice[0]!r}; keep one.")
    table = table.rename(spoken)
    if stay not in table.columns:
        raise TableError(f"The outcomes have no column {stay!r} or 'RecordID'.")
    return with_known(table, named, stay)


def _descriptor(name: str, words: Mapping[float, str] | None = None) -> pl.Expr:
    """A descriptor as text: its word, if it is a code; unknown below 0."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    if words is None:
        return pl.when((number >= 0) | number.is_null()).then(pl.col(name)).alias(name)
    known = number.replace_strict(words, default=None, return_dtype=pl.String)
    return pl.when(number.is_null()).then(pl.col(name)).otherwise(known).alias(name)
