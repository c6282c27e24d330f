"""Invented stays for the tests, and a schema of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.public.schema import Schema
from tincture.stays import reading
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.events.reader import Form
from tincture.stays.layout import Grid, Layout, Stays, Use
from tincture.stays.occupancy import Scale
from tincture.stays.release import CondensedSeries


def fed(*batches: pl.DataFrame) -> Callable[[Use], None]:
    """Batches as `bin_stays` takes them."""

    def each(use: Use) -> None:
        for batch in batches:
            use(batch)

    return each


def grid_of(events: Any, outcomes: Any, schema: Schema | None = None, **changes: Any) -> Grid:
    """The grid of stays that are read as a run would."""
    settings: dict[str, Any] = {
        "target": "died",
        "stay": "stay_id",
        "hours": 12.0,
        "bin_hours": 1.0,
    } | changes
    return read_stays(events, outcomes, schema or SCHEMA, **settings)[0].grid


def amount(name: str, low: float, high: float, role: str) -> dict[str, Any]:
    """A field of the schema that holds numbers."""
    constraints = {"minimum": low, "maximum": high}
    return {"name": name, "type": "number", "constraints": constraints, "role": role}


SCHEMA = Schema.from_dict(
    {
        "fields": [
            amount("HR", 0, 300, "variable"),
            amount("Lactate", 0.1, 32, "variable"),
            {"name": "MechVent", "type": "integer", "categories": [0, 1], "role": "variable"},
            amount("age", 15, 95, "static"),
            {"name": "sex", "type": "string", "categories": ["f", "m"], "role": "static"},
            {
                "name": "died",
                "type": "integer",
                "categories": [0, 1],
                "constraints": {"required": True},
                "role": "target",
            },
        ]
    }
)
LAYOUT = Layout.of(SCHEMA, target="died", stay="stay_id", hours=12, bin_hours=1)
SCALE = Scale(
    mean=np.array([0.3, 0.5, 1.0]),
    sd=np.array([0.05, 0.1, 0.1]),
    held=np.array([0.95, 0.6, 0.5]),
    static_mean=np.array([0.6, 0.05, 0.5, 0.5, 0.05]),
    static_sd=np.array([0.2, 0.2, 0.5, 0.5, 0.2]),
    cells=np.full((3, 32), 1 / 32),
    rate=np.array([0.8, 0.2, 0.15]),
    present=np.ones(3, dtype=bool),
    static_present=np.ones(2, dtype=bool),
)


def stays_condenser(schema: Schema = SCHEMA, **changes: Any) -> SeriesCondenser:
    """For stays as `make_stays` makes them; without privacy and cohort, unless asked for."""
    private: dict[str, Any] = {"epsilon": math.inf, "delta": 1e-5}
    settings: dict[str, Any] = (
        {"target": "died", "n_rows": 16, "cohort": 0, "hours": 12, "effort": 0} | private | changes
    )
    return SeriesCondenser(schema=schema, **settings)


@cache
def make_stays(n: int = 300, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events and outcomes; those who die have a faster heart and more lactate."""
    rng = np.random.default_rng(seed)
    died = rng.random(n) < 0.3
    events = []
    for name, level, step, rate in (("HR", 85.0, 12.0, 0.8), ("Lactate", 1.5, 0.6, 0.2)):
        value = level + step * (rng.standard_normal((n, 1)) + 1.2 * died[:, None])
        value = value + 0.5 * step * rng.standard_normal((n, 12))
        stay, hour = np.nonzero(rng.random((n, 12)) < rate)
        events.append(
            pl.DataFrame(
                {
                    "stay_id": stay + 1000,
                    "minute": hour * 60 + 7,
                    "variable": name,
                    "value": value[stay, hour],
                }
            )
        )
    outcomes = pl.DataFrame(
        {
            "stay_id": np.arange(n) + 1000,
            "age": np.clip(60 + 10 * rng.standard_normal(n) + 8 * died, 15, 95),
            "sex": rng.choice(["f", "m"], n),
            "died": died.astype(int),
        }
    )
    return pl.concat(events), outcomes


def stays_release(ledger: Ledger) -> CondensedSeries:
    """Thirty made stays as a release."""
    settings = {
        "version": "0",
        "n_rows": 30,
        "hours": 12,
        "bin_hours": 1,
        "columns": ["stay_id", "minute", "variable", "value"],
        "time_unit": "minute",
        "unit": None,
        "prevalence": 0.3,
    }
    task = {"kind": "classification", "target": "died", "case": 1}
    return CondensedSeries(
        *make_stays(30), schema=SCHEMA, task=task, settings=settings, ledger=ledger
    )


def records(n: int = 40, seed: int = 3) -> Records:
    """Records of any values, some missing."""
    rng = np.random.default_rng(seed)
    grid = rng.random((n, *LAYOUT.shape)).astype(np.float32)
    grid[rng.random(grid.shape) < 0.5] = np.nan
    grid[0] = np.nan  # a stay without any measurement
    statics = np.zeros((n, LAYOUT.n_static))
    statics[:, 0], statics[:, 1] = rng.random(n), rng.random(n) < 0.2
    statics[np.arange(n), 2 + rng.integers(0, 3, n)] = 1.0
    outcomes = (rng.random((n, 1)) < 0.4).astype(np.float64)
    return Records(LAYOUT.points(grid, statics), np.zeros((n, 0), np.float32), outcomes)


def physionet(folder: Path, n: int = 40) -> None:
    """Records and outcomes in the raw layout of the Challenge of 2012."""
    rng = np.random.default_rng(0)
    lines = ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"]
    for i in range(n):
        record, died = 132500 + i, int(rng.random() < 0.4)
        text = ["Time,Parameter,Value", f"00:00,RecordID,{record}", "00:00,Age,60"]
        text += [f"00:00,Gender,{i % 2}", "00:00,Height,-1", "00:00,ICUType,3", "00:00,Weight,80"]
        text += [f"{h:02d}:30,HR,{80 + 20 * died + rng.integers(10)}" for h in range(0, 48, 3)]
        (folder / f"{record}.txt").write_text("\n".join(text) + "\n")
        lines.append(f"{record},6,1,5,-1,{died}")
    (folder / "outcomes").mkdir()
    (folder / "outcomes/Outcomes-a.txt").write_text("\n".join(lines) + "\n")


PHYSIONET = Schema.from_dict(
    {
        "fields": [
            amount("HR", 0, 300, "variable"),
            {
                "name": "gender",
                "type": "string",
                "categories": ["female", "male"],
                "role": "static",
            },
            amount("height", 100, 230, "static"),
            {"name": "in_hospital_death", "type": "integer", "categories": [0, 1]},
        ]
    }
)


def benchmark(folder: Path, n: int = 30) -> None:
    """Stays and their list in the layout of mimic3-benchmarks."""
    rows = ["stay,y_true"]
    for i in range(n):
        name = f"{i}_episode1_timeseries.csv"
        lines = ["Hours,Heart Rate,Glascow coma scale eye opening"]
        lines += [f"{h + 0.5},{60 + 40 * (i % 2)},4 Spontaneously" for h in range(4)]
        (folder / name).write_text("\n".join(lines) + "\n")
        rows.append(f"{name},{i % 2}")
    (folder / "listfile.csv").write_text("\n".join(rows) + "\n")


BENCHMARK = Schema.from_dict(
    {
        "fields": [
            *(
                {
                    "name": name,
                    "type": "number",
                    "constraints": {"minimum": 0, "maximum": high},
                    "role": "variable",
                }
                for name, high in (("Heart Rate", 300), ("Glascow coma scale eye opening", 4))
            ),
            {"name": "y_true", "type": "integer", "categories": [0, 1]},
        ]
    }
)


def read_stays(
    events: Any,
    outcomes: Any,
    schema: Schema,
    *,
    target: str,
    stay: str,
    hours: float,
    bin_hours: float,
    **form: Any,
) -> tuple[Stays, Form]:
    """Stays with the layout that the schema declares."""
    layout = Layout.of(schema, target=target, stay=stay, hours=hours, bin_hours=bin_hours)
    return reading.read_stays(events, outcomes, schema, layout, stay=stay, **form)
