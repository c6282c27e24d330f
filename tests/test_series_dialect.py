"""Tables of stays in the dialect that their schema declares."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from series_helpers import SCHEMA, grid_of
from tincture.errors import TableError
from tincture.public.schema import Schema

EVENTS = pl.DataFrame(
    {
        "stay_id": ["ä7", "ä7", "8", "8"],
        "minute": ["30", "90", "30", "610"],
        "variable": ["HR", "Lactate", "HR", "HR"],
        "value": ["90,5", "2,25", "120", "60,0"],
    }
)
OUTCOMES = pl.DataFrame(
    {"stay_id": ["ä7", "8"], "age": ["50,5", "60"], "sex": ["f", "m"], "died": ["0", "1"]}
)
POINT = pl.all().str.replace(",", ".")


def schema(**dialect: Any) -> Schema:
    described = SCHEMA.to_dict() | dialect
    for field in described["fields"]:
        if field["type"] == "number":
            field["decimalChar"] = ","
    return Schema.from_dict(described)


def files(folder: Path, encoding: str, **marks: Any) -> tuple[Path, Path]:
    """Events and outcomes as a spreadsheet of some countries writes them."""
    paths = (folder / "events.csv", folder / "outcomes.csv")
    for path, table in zip(paths, (EVENTS, OUTCOMES), strict=True):
        path.write_bytes(table.write_csv(**marks).encode(encoding))
    return paths


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_stays_are_read_in_the_declared_dialect(encoding: str, tmp_path: Path) -> None:
    paths = files(tmp_path, encoding, separator=";", quote_char="'", quote_style="non_numeric")
    told = schema(dialect={"delimiter": ";", "quoteChar": "'"}, encoding=encoding)
    assert Schema.from_dict(told.to_dict()).dialect == told.dialect  # as a release keeps it
    expected = grid_of(EVENTS.with_columns(POINT), OUTCOMES.with_columns(POINT))
    assert np.isfinite(expected).any()
    assert np.array_equal(grid_of(*paths, told), expected, equal_nan=True)


def test_a_start_that_is_a_date_is_that_date_among_text_of_the_declared_format() -> None:
    described = schema().to_dict()
    field = {"name": "start", "type": "datetime", "format": "%d.%m.%Y %H:%M"}
    told = Schema.from_dict(described | {"fields": [*described["fields"], field]})
    dated = EVENTS.with_columns(
        (pl.datetime(2150, 1, 2) + pl.duration(minutes=pl.col("minute").cast(pl.Int64))).alias("at")
    ).drop("minute")
    for starts in (["02.01.2150 00:00", datetime(2150, 1, 2)], [datetime(2150, 1, 2)] * 2):
        outcomes = OUTCOMES.with_columns(pl.Series("start", starts, dtype=pl.Object))
        grid = grid_of(dated, outcomes, told, time="at", time_unit="datetime")
        assert np.array_equal(grid, grid_of(EVENTS, OUTCOMES, schema()), equal_nan=True)


def test_a_delimiter_that_is_not_declared_is_proposed(tmp_path: Path) -> None:
    paths = files(tmp_path, "utf-8", separator=";")
    with pytest.raises(TableError, match=r'name holds \';\'.*"dialect": \{"delimiter": ";"\}'):
        grid_of(*paths, schema())


def test_text_in_a_dialect_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    paths = files(tmp_path, "utf-8", separator=";")
    paths[0].write_bytes(paths[0].read_bytes()[:-9])
    with pytest.raises(TableError, match="end in the middle of a line"):
        grid_of(*paths, schema(dialect={"delimiter": ";"}))
