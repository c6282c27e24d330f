"""Inputs for the fuzzer: stays in every layout, with something wrong, and their command lines."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import databases
from fuzz_inputs import NAME, NUMBER, TEXTS, pick, spoil, spoil_bytes
from series_helpers import BENCHMARK, PHYSIONET, SCHEMA, benchmark, make_stays, physionet
from tincture.public.schema import Schema


def write_stays(rng: np.random.Generator, folder: Path) -> list[str]:
    """A schema, events and outcomes in the folder; a command line that fits them."""
    layouts = [long_table, long_table, long_table, records_2012, listed, dated, wide, database]
    layout = pick(rng, layouts)
    schema, flags = layout(rng, folder)
    described: Any = schema.to_dict()
    for _ in range(int(pick(rng, [0, 0, 0, 1, 2]))):
        described = spoil(rng, described)
    (folder / "stays.json").write_text(json.dumps(described))
    (folder / "budget.json").write_text('{"epsilon": 5, "delta": 1e-4}')
    if rng.uniform() < 0.4:
        spoil_some(rng, [p for p in sorted(folder.rglob("*")) if p.is_file()])
    usual = [
        "--schema=stays.json",
        "--epsilon=4",
        "--delta=1e-5",
        "--out=out",
        "--rows=8",
        "--effort=0",
    ]
    more = [[], [], ["--budget=budget.json"], ["--bin=30min"], ["--unit=sex"], ["--json"]]
    return ["condense-series", *flags, *usual, *pick(rng, more)]


def spoil_some(rng: np.random.Generator, paths: list[Path]) -> None:
    """Change, cut, empty or remove one of the files."""
    path = pick(rng, paths)
    if rng.uniform() < 0.1:
        path.unlink()
    else:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))


def spoil_cells(rng: np.random.Generator, frame: pl.DataFrame) -> pl.DataFrame:
    """A frame with one odd cell, an odd column, one less, or none of its rows."""
    name, odd = pick(rng, frame.columns), pick(rng, TEXTS)
    cells = frame[name].cast(pl.String).to_list()
    cells[int(rng.integers(len(cells)))] = pick(rng, [*TEXTS, None, NAME])
    ways: list[Callable[[], pl.DataFrame]] = [
        lambda: frame.with_columns(pl.Series(name, cells)),
        lambda: frame.with_columns(pl.lit(odd).alias(name)),
        lambda: frame.with_columns(pl.lit(None).alias(name)),
        lambda: frame.with_columns(pl.lit(b"\xff").alias(name)),
        lambda: frame.with_columns(pl.concat_list(name).alias(name)),
        lambda: frame.drop(name),
        lambda: frame.clear(),
        lambda: pl.concat([frame, frame]),
        lambda: frame.rename({name: odd or "empty"}),
    ]
    with contextlib.suppress(pl.exceptions.PolarsError):
        return pick(rng, ways)()
    return frame


def long_frames(rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events and outcomes with sentinels among them; often something wrong with a column."""
    events, outcomes = make_stays(40)
    stay = pl.format("{}{}", pl.lit(NAME), "stay_id").alias("stay_id")
    is_marked = pl.Series(rng.uniform(size=len(events)) < 0.1)
    value = pl.when(is_marked).then(float(NUMBER)).otherwise("value").alias("value")
    events, outcomes = events.with_columns(stay, value), outcomes.with_columns(stay)
    if rng.uniform() < 0.4:
        events = spoil_cells(rng, events)
    if rng.uniform() < 0.4:
        outcomes = spoil_cells(rng, outcomes)
    return events, outcomes


def write_frame(rng: np.random.Generator, frame: pl.DataFrame, name: str) -> str:
    """Write a table in one of the formats, if that knows its cells; the file's name."""
    ending = pick(rng, ["csv", "csv", "tsv", "parquet"])
    with contextlib.suppress(pl.exceptions.PolarsError):
        if ending == "parquet":
            frame.write_parquet(f"{name}.parquet")
        else:
            frame.write_csv(f"{name}.{ending}", separator="\t" if ending == "tsv" else ",")
    return f"{name}.{ending}"


def long_table(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """One file of events, one of outcomes."""
    events, outcomes = long_frames(rng)
    flags = ["--target=died", "--id=stay_id", "--hours=12"]
    if rng.uniform() < 0.3 and "minute" in events.columns:
        events = events.rename({"minute": "when"})
        flags += ["--time=when", "--time-unit=minute"]
    table = write_frame(rng, outcomes, "outcomes")
    return SCHEMA, [write_frame(rng, events, "events"), f"--outcomes={table}", *flags]


def dated(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """MEDS: a data set, or its folder of Parquet files, whose events have dates or are static."""
    events, outcomes = long_frames(rng)
    start = datetime(2020, 5, 1, 7)
    names = {"stay_id": "subject_id", "variable": "code", "value": "numeric_value"}
    with contextlib.suppress(pl.exceptions.PolarsError):
        time = pl.lit(start) + pl.duration(minutes="minute")
        events = events.with_columns(time.alias("time")).drop("minute")
    events, outcomes = (f.rename(names, strict=False) for f in (events, outcomes))
    outcomes = outcomes.with_columns(pl.lit(start).alias(pick(rng, ["start", "prediction_time"])))
    if rng.uniform() < 0.4:  # the sex is told by the events
        events, outcomes = with_static_codes(rng, events, outcomes)
    twice = [outcomes, outcomes] if rng.uniform() < 0.2 else [outcomes]
    data = pick(rng, ["meds", "meds/data", "meds/labels"])
    (folder / data).mkdir(parents=True)
    for i, part in enumerate((events[:100], events[100:])):
        part.write_parquet(folder / data / f"{i}.parquet")
    table = write_frame(rng, pl.concat(twice), "outcomes")
    unit = ["--unit=subject_id"] if rng.uniform() < 0.3 else []
    return SCHEMA, [
        *("meds", f"--outcomes={table}", "--target=died", "--id=subject_id", "--hours=12", *unit),
    ]


def with_static_codes(
    rng: np.random.Generator, events: pl.DataFrame, outcomes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The sex as codes without a time instead of a column of the outcomes."""
    with contextlib.suppress(pl.exceptions.PolarsError):
        words = [f"sex//{pick(rng, ['f', 'm', 'f', 'm', *TEXTS])}" for _ in range(len(outcomes))]
        sex = outcomes.select("subject_id", code=pl.Series(words))
        if rng.uniform() < 0.3:
            sex = sex.with_columns(text_value=pl.lit(NAME))
        whole = pl.concat([events, sex], how="diagonal_relaxed")
        return whole, outcomes.drop("sex")
    return events, outcomes


def records_2012(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """PhysioNet-2012: a text a stay."""
    (folder / "set-a").mkdir()
    physionet(folder / "set-a", 20)
    table = "set-a/outcomes/Outcomes-a.txt"
    path = pick(rng, sorted((folder / "set-a").glob("*.txt")))
    lines = path.read_text().splitlines()
    odd = [
        f"00:00,Gender,{NUMBER}",
        f"{NAME},HR,80",
        f"07:07,HR,{NAME}",
        ":,,",
        "1,2,3,4",
        "a:b,HR",
    ]
    lines[int(rng.integers(len(lines)))] = pick(rng, [*odd, f"00:00,ICUType,{pick(rng, TEXTS)}"])
    path.write_text("\n".join(lines))
    return PHYSIONET, ["set-a", f"--outcomes={table}", "--target=in_hospital_death"]


def wide(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """One file of a row a time, one of outcomes."""
    events, outcomes = long_frames(rng)
    with contextlib.suppress(pl.exceptions.PolarsError):
        events = databases.wide(events, "stay_id", "minute")
        if rng.uniform() < 0.4:
            events = spoil_cells(rng, events)
    table = write_frame(rng, outcomes, "outcomes")
    flags = ["--target=died", "--id=stay_id", "--hours=12"]
    return SCHEMA, [write_frame(rng, events, "events"), f"--outcomes={table}", *flags]


def database(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """A folder in a public layout; often something wrong with a cell or column of a table."""
    lay_out, stay = pick(
        rng,
        [
            (databases.eicu, "patientunitstayid"),
            (databases.mimic, "stay_id"),
            (databases.yaib, "stay_id"),
            (databases.omop, "visit_occurrence_id"),
        ],
    )
    lay_out(folder / "db", *make_stays(40))
    path = pick(rng, sorted(p for p in (folder / "db").rglob("*") if p.is_file()))
    with contextlib.suppress(pl.exceptions.PolarsError):
        if path.suffix == ".csv" and rng.uniform() < 0.6:
            spoil_cells(rng, pl.read_csv(path)).write_csv(path)
        elif rng.uniform() < 0.6:
            spoil_cells(rng, pl.read_parquet(path)).write_parquet(path)
    schema = SCHEMA
    if lay_out in (databases.mimic, databases.omop):
        schema = Schema.from_dict(databases.coded(SCHEMA.to_dict()))
    return schema, ["db", "--target=died", f"--id={stay}", "--hours=12"]


def listed(rng: np.random.Generator, folder: Path) -> tuple[Schema, list[str]]:
    """mimic3-benchmarks: a table a stay, and a list of them."""
    (folder / "train").mkdir()
    benchmark(folder / "train", 20)
    if rng.uniform() < 0.4:
        path = folder / "train/listfile.csv"
        path.write_text(path.read_text() + pick(rng, [",", "..,1", f"{NAME},0", "/,1", '"\n",']))
    return BENCHMARK, ["train", "--target=y_true"]
