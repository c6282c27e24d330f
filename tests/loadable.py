"""A table whose names, levels and labels would run as code, had a script not held them as text."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tincture.io.copies import copied
from tincture.io.released import copied_schema, resource_schema
from tincture.public.schema import Schema
from tincture.tables.loading import scripts
from tincture.tables.release import csv_bytes

ATTACKS = (
    '"; system("touch pwned")',
    "'); file.create('pwned')#",
    "$HOME `touch pwned`",
    "\\\"'`\\$x",
    "it's\\",
    "é 患者 %d {x}",
)
FIELDS: list[dict[str, Any]] = [
    {
        "name": "age",
        "type": "integer",
        "constraints": {"minimum": 18, "maximum": 100},
        "description": f"Age {ATTACKS[0]}",
        "unit": "years\nEXECUTE.",
        "missingValues": [{"value": "999", "label": ATTACKS[1]}, {"value": "50"}, {"value": "-9"}],
    },
    {
        "name": "lactate (mmol/l)",
        "type": "number",
        "constraints": {"minimum": 0.2, "maximum": 20},
    },
    {"name": ATTACKS[2], "type": "string", "categories": list(ATTACKS)},
    {"name": 'a "grade"', "type": "string", "categories": ["01", "02", "NA", "T"]},
    {
        "name": "sex",
        "type": "integer",
        "categories": [{"value": 2, "label": ATTACKS[3]}, {"value": 1, "label": "man"}],
        "description": "Sex",
    },
    {"name": "diabetes", "type": "boolean"},
    {"name": "cm", "type": "number", "categories": [1, 2.5, 100000]},
    {
        "name": "with",
        "type": "string",
        "missingValues": ["?'?", "more than eight bytes"],
        "categories": [{"value": "m", "label": "much $5"}, {"value": "l", "label": "little"}],
    },
    {
        "name": "admitted",
        "type": "date",
        "constraints": {"minimum": "1815-01-01", "maximum": "2399-12-31"},
        "description": "Day of admission",
    },
    {
        "name": "tested at",
        "type": "datetime",
        "constraints": {"minimum": "2010-01-01T00:00:00Z", "maximum": "2019-12-31T23:59:59Z"},
    },
    {
        "name": "left",
        "type": "datetime",
        "constraints": {"minimum": "2010-01-01T00:00:00", "maximum": "2019-12-31T23:59:59"},
    },
]
SCHEMA = copied_schema(Schema.from_dict({"name": "loadable", "fields": FIELDS}))
N = 12


def table() -> pl.DataFrame:
    """Every level, and a blank in each column."""
    columns: dict[str, list[Any]] = {
        "age": [18 + 5 * i for i in range(N)],
        "lactate (mmol/l)": [0.2 + 1.25 * i for i in range(N - 1)] + [1e-05],
    }
    for c in (c for c in SCHEMA.columns if c.is_categorical):
        columns[c.name] = [c.levels[i % len(c.levels)] for i in range(N)]
    columns["admitted"] = [date(1815 + 53 * i, 6, 18) for i in range(N)]
    columns["left"] = [datetime(2012, 2, 29, 23, 59, 59) + i * timedelta(days=33) for i in range(N)]
    columns["tested at"] = [t - timedelta(minutes=7) for t in columns["left"]]
    gaps = [
        [None if i == 3 + j else v for i, v in enumerate(c)] for j, c in enumerate(columns.values())
    ]
    frame = pl.DataFrame(dict(zip(columns, gaps, strict=True)), strict=False)
    return frame.select(SCHEMA.names).with_columns(pl.col("tested at").dt.replace_time_zone("UTC"))


def written(folder: Path, also: tuple[str, ...] = ()) -> Path:
    """The files of a release that its scripts read, and copies of them."""
    frame = table()
    (folder / "condensed.csv").write_bytes(csv_bytes(frame))
    resources = [{"name": "condensed", "schema": resource_schema(SCHEMA)}]
    (folder / "datapackage.json").write_text(json.dumps({"resources": resources}))
    made = scripts(SCHEMA, ["condensed.csv"]) | copied({"condensed": frame}, SCHEMA, also)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return folder
