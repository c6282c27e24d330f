"""Invented stays in the public layouts of databases of intensive care."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

NUMBERS = {"HR": "220045", "Lactate": "50813", "MechVent": "223848"}  # of a variable, where coded
BEGUN = datetime(2150, 3, 1, 7)


def coded(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose variables are called by number."""
    fields = [f | {"name": NUMBERS.get(f["name"], f["name"])} for f in schema["fields"]]
    return schema | {"fields": fields}


def wide(events: pl.DataFrame, *index: str) -> pl.DataFrame:
    """One row a stay and time, one column a variable."""
    return events.pivot("variable", index=list(index), values="value", aggregate_function="last")


def write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")


def eicu(folder: Path, events: pl.DataFrame, outcomes: pl.DataFrame) -> None:
    """Laboratory values long, vital signs wide, patients beside them; minutes from admission."""
    named = {"stay_id": "patientunitstayid"}
    labs = events.filter(pl.col("variable") == "Lactate").rename(
        named | {"minute": "labresultoffset", "variable": "labname", "value": "labresult"}
    )
    early = labs.with_columns(
        labresultoffset=pl.lit(-30, pl.Int64), labresult=pl.lit(31.0)
    )  # before it
    write(pl.concat([labs, early]), folder / "lab.csv")
    signs = events.filter(pl.col("variable") != "Lactate")
    vitals = wide(signs, "stay_id", "minute").rename(named | {"minute": "observationoffset"})
    write(vitals.with_columns(sao2=97), folder / "vitalPeriodic.csv")
    write(outcomes.rename(named), folder / "patient.csv")


def mimic(folder: Path, events: pl.DataFrame, outcomes: pl.DataFrame) -> None:
    """Charted values by stay, laboratory values by admission; dates; in the modules' folders."""
    starts = outcomes.select("stay_id", intime=BEGUN + pl.duration(days=pl.col("stay_id") - 1000))
    dated = events.join(starts, on="stay_id").select(
        "stay_id",
        hadm_id=pl.col("stay_id") + 20_000_000,
        charttime=pl.col("intime") + pl.duration(minutes="minute"),
        itemid=pl.col("variable").replace(NUMBERS),
        valuenum="value",
    )
    is_lab = pl.col("itemid") == NUMBERS["Lactate"]
    write(dated.filter(~is_lab).drop("hadm_id"), folder / "icu/chartevents.csv")
    write(dated.filter(is_lab).drop("stay_id"), folder / "hosp/labevents.csv")
    keys = {"hadm_id": pl.col("stay_id") + 20_000_000, "subject_id": pl.col("stay_id") + 10_000_000}
    write(starts.with_columns(**keys), folder / "icu/icustays.csv")
    write(outcomes.select("died", hadm_id=keys["hadm_id"]), folder / "hosp/admissions.csv")
    write(
        outcomes.select("age", "sex", subject_id=keys["subject_id"]), folder / "hosp/patients.csv"
    )


def yaib(folder: Path, events: pl.DataFrame, outcomes: pl.DataFrame) -> None:
    """Wide by lengths of time; static columns; the label."""
    time = pl.duration(minutes="minute").alias("time")
    dyn = wide(events, "stay_id", "minute").with_columns(time).drop("minute")
    write(dyn, folder / "dyn.parquet")
    write(outcomes.drop("died"), folder / "sta.parquet")
    write(outcomes.select("stay_id", "died"), folder / "outc.parquet")


def omop(folder: Path, events: pl.DataFrame, outcomes: pl.DataFrame, ending: str = "csv") -> None:
    """Measurements with operators and dates, visits, persons and deaths."""
    person = pl.col("stay_id") + 10_000_000
    start = BEGUN + pl.duration(days=pl.col("stay_id") - 1000)
    starts = outcomes.select("stay_id", start=start)
    measured = events.join(starts, on="stay_id").select(
        visit_occurrence_id="stay_id",
        person_id=person,
        measurement_concept_id=pl.col("variable").replace(NUMBERS).cast(pl.Int64),
        measurement_date=(pl.col("start") + pl.duration(minutes="minute")).dt.date(),
        measurement_datetime=pl.col("start") + pl.duration(minutes="minute"),
        value_as_number="value",
        operator_concept_id=pl.when(pl.col("stay_id") % 2 == 0).then(4172703),
    )
    unmapped = measured.with_columns(measurement_concept_id=pl.lit(0, pl.Int64))
    write(pl.concat([measured, unmapped]), folder / f"measurement.{ending}")
    visits = outcomes.select(
        visit_occurrence_id="stay_id",
        person_id=person,
        visit_start_date=start.dt.date(),
        visit_start_datetime=start,
        visit_end_date=(start + timedelta(days=9)).dt.date(),
    )
    write(visits, folder / f"visit_occurrence.{ending}")
    write(outcomes.select("age", "sex", person_id=person), folder / f"person.{ending}")
    # Of those who live on, every other dies later.
    later = pl.when(pl.col("died") == 1).then(9).otherwise(10)
    gone = outcomes.filter((pl.col("died") == 1) | (pl.col("stay_id") % 2 == 0)).select(
        person_id=person, death_date=(start + pl.duration(days=later)).dt.date()
    )
    write(gone, folder / f"death.{ending}")
