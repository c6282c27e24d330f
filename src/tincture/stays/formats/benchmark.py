"""mimic3-benchmarks: a wide text a stay with a column Hours, and listfile.csv (stay, y_true)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tincture.errors import TableError
from tincture.io.frames import FAULTS, read_table
from tincture.stays.events.members import STAY
from tincture.stays.events.names import VARIABLE
from tincture.stays.events.reader import HOUR, VALUE
from tincture.stays.formats.glasgow import GLASGOW
from tincture.stays.formats.source import Form, Source, chunks
from tincture.stays.layout import Use

LIST = "listfile.csv"


def open_benchmark(folder: Path, stay: str) -> Source:
    """The stays that are listed, which is their outcomes too.

    Raises
    ------
    TableError
    """
    listed = read_table(folder / LIST)
    if not {"stay", "y_true"} <= set(listed.columns):
        raise TableError("listfile.csv needs the columns stay and y_true.")
    names = [str(name) for name in dict.fromkeys(listed["stay"])]

    def each(use: Use) -> None:
        for some in chunks(names):
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
