"""Real records with labels, missing codes and dates are the same points from each kind of file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tincture.demo.study import support2
from tincture.io.copies.rds import rds_bytes
from tincture.io.frames import read_table, to_columns
from tincture.io.released import plain
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema

pyreadstat = pytest.importorskip("pyreadstat")
pytest.importorskip("python_calamine")
pytest.importorskip("rdata")
xlsxwriter = pytest.importorskip("xlsxwriter")

NAMES = ("age", "edu", "crea", "wblc", "hospdead")
SEX, INCOME = ("female", "male"), ("under $11k", "$11-$25k", "$25-$50k", ">$50k")
LABELS = {"sex": {1: "female", 2: "male"}, "edu": {999: "not known"}}
BEGIN = date(1989, 6, 12)  # of the study
BETWEEN = {"minimum": "1989-01-01", "maximum": "1999-12-31"}
WRITTEN = "%d.%m.%Y"


def described(schema: Schema) -> Schema:
    fields = [f for f in schema.to_dict()["fields"] if f["name"] in NAMES]
    for field in fields:
        field["missingValues"] = ["", "999"] if field["name"] == "edu" else [""]
    fields += [
        {"name": "sex", "type": "integer", "categories": [1, 2]},
        {"name": "income", "type": "string", "categories": list(INCOME)},
        {"name": "seen", "type": "date", "format": WRITTEN, "constraints": BETWEEN},
    ]
    return Schema.from_dict({"fields": fields})


def records() -> tuple[pl.DataFrame, Schema]:
    """Of 1,500 patients: sex as codes, unknown years of education as 999, an invented day."""
    table, _, schema = support2(0)
    table = table.head(1500)
    place = {word: i + 1 for i, word in enumerate(SEX)}
    days = pl.lit(BEGIN) + pl.duration(days=(pl.col("age") * 37).floor() % 2000)
    made = table.select(
        pl.col(NAMES),
        pl.col("sex").cast(pl.String).replace_strict(place).cast(pl.Int32),
        pl.col("income").cast(pl.String),
        pl.when(pl.col("crea").is_not_null()).then(days).alias("seen"),
    )
    return made.with_columns(pl.col("edu").fill_null(999)), described(schema)


def book(table: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(path) as made:
        sheet, shown = made.add_worksheet("records"), made.add_format({"num_format": "d/m/yyyy"})
        sheet.write_row(0, 0, table.columns)
        for i, row in enumerate(table.rows(), 1):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, cell, shown)
                elif cell is not None:
                    sheet.write(i, j, cell)


def text(table: pl.DataFrame) -> str:
    return table.write_csv(date_format=WRITTEN)


def spss(table: pl.DataFrame, path: Path, **more: Any) -> None:
    missing = {"edu": [999]}
    pyreadstat.write_sav(table, path, variable_value_labels=LABELS, missing_ranges=missing, **more)


# Portable SPSS is not among them: it tells numbers by digits, of which the last may be rounded.
WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "sav": spss,
    "zsav": lambda t, p: spss(t, p, compress=True),
    "dta": lambda t, p: pyreadstat.write_dta(t, p, variable_value_labels=LABELS),
    "xpt": lambda t, p: pyreadstat.write_xport(t, p),
    "xlsx": book,
    "rds": lambda t, p: p.write_bytes(rds_bytes(t, plain(records()[1]), "r")),
    "parquet": lambda t, p: t.write_parquet(p),
    "csv.gz": lambda t, p: p.write_bytes(gzip.compress(t.write_csv(date_format=WRITTEN).encode())),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_real_records_are_the_same_points_as_from_a_csv(suffix: str, tmp_path: Path) -> None:
    table, schema = records()
    (tmp_path / "r.csv").write_text(text(table))
    WRITERS[suffix](table, tmp_path / f"r.{suffix}")
    read = read_table(tmp_path / f"r.{suffix}")
    found, expected = (
        to_columns(t, schema, schema.names) for t in (read, read_table(tmp_path / "r.csv"))
    )
    lacking = {name for name, x in expected.items() if ((x == -1) | (x != x)).any()}
    assert lacking == {"edu", "crea", "wblc", "income", "seen"}
    encoding = Encoding(schema.columns)
    assert encoding.encode(found).tobytes() == encoding.encode(expected).tobytes()
