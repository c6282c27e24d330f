"""Dates on the whole way: condensed, loaded, judged and attacked, from any container."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from helpers import make_condenser
from recipients import in_python, in_r
from tincture.io.frames import read_table
from tincture.privacy.query import Records
from tincture.public.schema import Schema
from tincture.report.in_house import in_house_page
from tincture.report.summary import InHouse
from tincture.tables.bench import evaluate
from tincture.tables.release import CondensedTable
from tincture.tables.target import TableTarget

DATES = {"minimum": "2010-01-01", "maximum": "2019-12-31"}
CLOCKS = {"minimum": "2010-01-01T00:00:00Z", "maximum": "2019-12-31T00:00:00Z"}
SCHEMA = Schema.from_dict(
    {
        "fields": [
            {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
            {"name": "admitted", "type": "date", "format": "%d.%m.%Y", "constraints": DATES},
            {
                "name": "tested",
                "type": "datetime",
                "constraints": CLOCKS,
                "missingValues": ["", "9999-12-31"],
            },
            {
                "name": "seen",
                "type": "date",
                "constraints": DATES,
                "tincture:days": {"minimum": 0, "maximum": 365},
            },
            {
                "name": "died",
                "type": "integer",
                "categories": [{"value": 0, "label": "no"}, {"value": 1, "label": "yes"}],
            },
        ],
        "tincture:rules": [{"order": ["admitted", "seen"]}],
    }
)


def records(seed: int, n: int = 120) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 3200, n)
    admitted = [date(2010, 1, 1) + timedelta(days=int(d)) for d in days]
    stays = rng.integers(1, 300, n)
    tested = [datetime(2010, 1, 1, 6, 30) + timedelta(days=int(d)) for d in days]
    died = rng.uniform(size=n) < np.where(stays < 150, 0.8, 0.2)
    return pl.DataFrame(
        {
            "age": rng.integers(18, 100, n),
            "admitted": admitted,
            "tested": pl.Series(tested).dt.replace_time_zone("UTC"),
            "seen": [a + timedelta(days=int(s)) for a, s in zip(admitted, stays, strict=True)],
            "died": died.astype(int),
        }
    )


def condensed(frame: Any, **changes: Any) -> CondensedTable:
    few = {"n_rows": 16, "cohort": 40, "drop": []}
    return make_condenser(**{"schema": SCHEMA, **few} | changes).fit(frame).table_


@pytest.fixture(scope="module")
def table() -> CondensedTable:
    return condensed(records(0))


def test_rows_hold_dates_and_are_the_same_from_text(table: CondensedTable, tmp_path: Path) -> None:
    text = records(0).with_columns(
        pl.col("admitted").dt.strftime("%d.%m.%Y"),
        pl.col("seen").dt.strftime("%Y-%m-%d 00:00:00"),
        pl.col("tested").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    text.write_csv(tmp_path / "t.csv")
    assert condensed(read_table(tmp_path / "t.csv")).data() == table.data()
    assert table.rows.schema["admitted"] == pl.Date
    assert (table.rows["admitted"] <= table.rows["seen"]).all()
    table.save(tmp_path / "out")
    again = CondensedTable.load(tmp_path / "out")
    assert again.data() == table.data() and again.schema == table.schema
    assert str(again.to_frame().dtypes["tested"]).endswith("UTC]")
    first = (tmp_path / "out" / "condensed.csv").read_text().splitlines()[1].split(",")
    assert [len(cell) for cell in first[1:4]] in ([10, 20, 10], [10, 0, 10])
    assert "| admitted | feature | date | 2010-01-01 to 2019-12-31 |" in (
        (tmp_path / "out" / "README.md").read_text()
    )


def test_copies_and_scripts_hold_dates_and_labels(
    table: CondensedTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyreadstat: Any = pytest.importorskip("pyreadstat")
    folder = tmp_path / "out"
    table.save(folder, also=("sav", "dta", "parquet", "rds"))
    dated = ["admitted", "tested", "seen"]
    rows = table.rows.with_columns(pl.col("tested").cast(pl.Datetime("us")))  # the clock of UTC
    for read, name in ((pyreadstat.read_sav, "sav"), (pyreadstat.read_dta, "dta")):
        copy, about = read(folder / f"condensed.{name}", output_format="polars")
        assert copy.select(dated).equals(rows.select(dated))
        assert about.variable_value_labels == {"died": {0: "no", 1: "yes"}}
    assert (
        pl.read_parquet(folder / "condensed.parquet").select(dated).equals(table.rows.select(dated))
    )
    made = in_python("from load import condensed", folder, monkeypatch)
    assert pl.from_pandas(made["condensed"][["tested"]]).equals(
        table.rows.select(pl.col("tested").cast(pl.Datetime("ms", "UTC")))
    )
    said = in_r(
        'source("load.R")\nstopifnot(identical(condensed, readRDS("condensed.rds")))\n'
        "cat(class(condensed$admitted), class(condensed$tested), levels(labelled(condensed)$died))",
        folder,
    )
    assert said == "Date POSIXct POSIXt 0 (no) 1 (yes)"


def test_an_evaluation_tells_dates(table: CondensedTable) -> None:
    found = evaluate(
        table,
        records(0).to_pandas(),
        records(1),
        by=["admitted:2014-01-01"],
        pictures=True,
    )
    groups = {g.label for g in found.groups}
    assert {"admitted < 2014-01-01", "admitted ≥ 2014-01-01"} <= groups
    labels = {b.column: b.labels for b in found.bars}
    for name in ("admitted", "tested"):
        assert all(len(x) == 15 and x.startswith("from 20") for x in labels[name] if x != "missing")
    assert any(r.term.endswith(" days") for r in found.ratios)
    assert "from 201" in in_house_page(InHouse("t", "p", found))


def test_days_since_an_origin_are_loaded_judged_and_attacked(tmp_path: Path) -> None:
    made = condensed(
        records(0), origin="admitted", target=None, time="seen", event="died", models=["cox"],
        drop=["tested"],
    )  # fmt: skip
    assert made.rows.columns == ["age", "seen", "died"]
    made.save(tmp_path / "out")
    again = CondensedTable.load(tmp_path / "out")
    assert again.schema == made.schema
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    assert package["resources"][0]["schema"]["fields"][1]["unit"] == "days"
    assert "days since admitted, each person's own" in (tmp_path / "out" / "README.md").read_text()
    target = TableTarget(again)
    sealed = target.seal(records(1))
    assert isinstance(sealed.records, Records) and (sealed.records.outcomes[:, 0] < 300).all()
    found = evaluate(again, records(0), records(1))
    assert {s.metric for s in found.scores} >= {"C-index"}
