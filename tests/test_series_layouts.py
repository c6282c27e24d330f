"""Stays as they lie on disk: named columns, wide tables, lengths of time, databases by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import databases
from databases import NUMBERS, coded
from series_helpers import SCHEMA, grid_of, make_stays, read_stays, stays_condenser
from tincture.errors import SettingError, TableError
from tincture.public.schema import Schema
from tincture.stays.events.lengths import hours
from tincture.stays.reading import read_like, read_sides

EVENTS, OUTCOMES = make_stays(30)
GRID = grid_of(EVENTS, OUTCOMES)
CODED = Schema.from_dict(coded(SCHEMA.to_dict()))


# Names.
def test_columns_of_the_variable_and_its_value_are_named(tmp_path: Path) -> None:
    renamed = EVENTS.rename({"variable": "item", "value": "result"})
    names: dict[str, Any] = {"variable": "item", "value": "result"}
    renamed.write_csv(tmp_path / "e.csv")
    for events in (renamed, tmp_path / "e.csv"):
        np.testing.assert_array_equal(grid_of(events, OUTCOMES, **names), GRID)
        with pytest.raises(TableError, match=r"no column 'variable'.*--variable"):
            grid_of(events, OUTCOMES)
        with pytest.raises(TableError, match="no column 'x'"):
            grid_of(events, OUTCOMES, variable="item", value="x")
    half = EVENTS.rename({"value": "result"})
    np.testing.assert_array_equal(grid_of(half, OUTCOMES, value="result"), GRID)


# Wide tables.
WIDE = databases.wide(EVENTS, "stay_id", "minute").with_columns(note=pl.lit("x"), rate=pl.lit(2))


@pytest.mark.parametrize("container", ["polars", "pandas", "CSV", "Parquet"])
def test_a_wide_table_is_known_by_the_declared_variables(container: str, tmp_path: Path) -> None:
    WIDE.write_csv(tmp_path / "e.csv")
    WIDE.write_parquet(tmp_path / "e.parquet")
    containers: dict[str, Any] = {"polars": WIDE, "pandas": WIDE.to_pandas()}
    containers |= {"CSV": tmp_path / "e.csv", "Parquet": tmp_path / "e.parquet"}
    np.testing.assert_array_equal(grid_of(containers[container], OUTCOMES), GRID)


def test_columns_of_a_wide_table_are_read_by_their_own_types() -> None:
    whole = pl.DataFrame(
        {
            "stay_id": [1000, 1000],
            "hour": [0.5, 1.5],
            "HR": [90, None],
            "Lactate": ["<1", "2.5"],
            "MechVent": [True, None],
        }
    )
    fields = [f | {"tincture:limits": True} if f["name"] == "Lactate" else f for f in
              SCHEMA.to_dict()["fields"]]  # fmt: skip
    schema = Schema.from_dict({"fields": fields})
    long = pl.DataFrame(
        {
            "stay_id": [1000] * 4,
            "hour": [0.5, 0.5, 1.5, 0.5],
            "variable": ["HR", "Lactate", "Lactate", "MechVent"],
            "value": ["90", "<1", "2.5", "1"],
        }
    )
    np.testing.assert_array_equal(
        grid_of(whole, OUTCOMES[:1], schema), grid_of(long, OUTCOMES[:1], schema)
    )


def test_a_wide_column_whose_name_differs_by_case_is_refused() -> None:
    with pytest.raises(TableError, match=r"'HR'.*only by blanks"):
        grid_of(WIDE.rename({"HR": "hr"}), OUTCOMES)
    with pytest.raises(TableError, match="or a column for each declared variable"):
        grid_of(WIDE.select("stay_id", "minute", "note"), OUTCOMES)


def test_a_wide_row_without_a_time_is_refused_if_it_holds_a_value() -> None:
    blank = WIDE.with_columns(minute=pl.when(pl.col("minute") != 7).then("minute"))
    with pytest.raises(TableError, match="have no time"):
        grid_of(blank, OUTCOMES)
    names = ["HR", "Lactate"]
    empty = blank.with_columns(
        pl.when(pl.col("minute").is_not_null()).then(n).alias(n) for n in names
    )
    np.testing.assert_array_equal(grid_of(empty, OUTCOMES)[:, 1:], GRID[:, 1:])
    nan = empty.with_columns(pl.col(names).fill_null(float("nan")))
    np.testing.assert_array_equal(grid_of(nan, OUTCOMES)[:, 1:], GRID[:, 1:])


# Lengths of time.
SPELLINGS: dict[str, Callable[[int], str]] = {
    "ISO 8601": lambda m: f"PT{m // 60}H{m % 60}M",
    "ISO 8601, minutes": lambda m: f"PT{m}M",
    "clock": lambda m: f"{m // 60:02d}:{m % 60:02d}",
    "clock with seconds": lambda m: f"{m // 60}:{m % 60:02d}:00",
    "pandas": lambda m: str(pd.Timedelta(minutes=m)),
    "Python": lambda m: str(timedelta(minutes=m)),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_lengths_of_time_are_read_from_text(spelling: str, tmp_path: Path) -> None:
    times = [SPELLINGS[spelling](m) for m in EVENTS["minute"]]
    events = EVENTS.with_columns(minute=pl.Series(times)).rename({"minute": "time"})
    events.write_csv(tmp_path / "e.csv")
    grid = grid_of(tmp_path / "e.csv", OUTCOMES, time_unit="minute")
    np.testing.assert_array_equal(grid, GRID)
    with pytest.raises(SettingError, match="PT3H or 03:00"):
        grid_of(events, OUTCOMES)


def test_lengths_of_time_are_read_from_every_type() -> None:
    length = EVENTS.with_columns(time=pl.duration(minutes="minute")).drop("minute")
    objects = length.to_pandas().assign(
        time=pd.Series([timedelta(minutes=m) for m in EVENTS["minute"]], dtype=object)
    )
    for unit in ("ms", "us", "ns"):
        cast = length.with_columns(pl.col("time").cast(pl.Duration(unit)))
        np.testing.assert_array_equal(grid_of(cast, OUTCOMES), GRID)
    ticks = pl.col("time").cast(pl.Duration("ns")).cast(pl.Int64)
    clock = length.with_columns(time=ticks.cast(pl.Time))
    for events in (length.to_pandas(), clock):
        np.testing.assert_array_equal(grid_of(events, OUTCOMES), GRID)
    np.testing.assert_array_equal(grid_of(objects, OUTCOMES, time_unit="hour"), GRID)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1 days +23:59:00", -1 / 60), ("-02:00", -2), ("P1W", 168), ("1 day, 1:30:00", 25.5),
        ("2 days", 48), ("PT1,5H", 1.5), ("-PT30M", -0.5), ("P1DT0.5H", 24.5), ("12:30:36", 12.51),
        ("P", None), ("PT", None), ("P1Y", None), ("P1M", None), ("3", None), ("03:70", None),
        ("", None), ("2020-05-01", None), ("1 days, x", None), (None, None),
    ],
)  # fmt: skip
def test_a_length_of_time_is_that_of_the_standards(
    text: str | None, expected: float | None
) -> None:
    found = hours(pl.Series([text], dtype=pl.String))[0]
    assert found == (None if expected is None else pytest.approx(expected))


def test_numbers_and_lengths_are_told_apart_cell_by_cell() -> None:
    times = [str(m) if i % 2 else f"PT{m}M" for i, m in enumerate(EVENTS["minute"])]
    mixed = EVENTS.with_columns(minute=pl.Series(times))
    np.testing.assert_array_equal(grid_of(mixed, OUTCOMES), GRID)
    with pytest.raises(TableError, match=r"'minute'.*text that is not a number.*PT3H"):
        grid_of(mixed.with_columns(minute=pl.Series([*times[:-1], "P1Y"])), OUTCOMES)


# Databases.
def read(folder: Path, outcomes: Any, stay: str, schema: Schema = SCHEMA) -> Any:
    settings: dict[str, Any] = {"target": "died", "stay": stay, "hours": 12, "bin_hours": 1}
    return read_stays(folder, outcomes, schema, **settings)


DATABASES: dict[str, tuple[Callable[..., None], str, Schema]] = {
    "eICU": (databases.eicu, "patientunitstayid", SCHEMA),
    "MIMIC-IV": (databases.mimic, "stay_id", CODED),
    "YAIB": (databases.yaib, "stay_id", SCHEMA),
    "OMOP": (databases.omop, "visit_occurrence_id", CODED),
}


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_is_known_by_its_tables_and_brings_its_stays(name: str, tmp_path: Path) -> None:
    lay_out, stay, schema = DATABASES[name]
    lay_out(tmp_path, EVENTS, OUTCOMES)
    stays, form = read(tmp_path, None, stay, schema)
    np.testing.assert_allclose(stays.grid, GRID, rtol=1e-6)
    assert form.stay == stay
    expected, _ = read_stays(
        EVENTS, OUTCOMES, SCHEMA, target="died", stay="stay_id", hours=12, bin_hours=1
    )
    np.testing.assert_allclose(stays.statics(schema), expected.statics(SCHEMA))
    died = stays.outcomes["died"].cast(pl.Int64).to_list()
    assert died == OUTCOMES["died"].to_list()
    # Outcomes of some stays, in another order and as a frame or a file, count first.
    some = pl.DataFrame({stay: [1003, 1001], "died": [0, 1]})
    some.write_csv(tmp_path / "some.csv")
    for outcomes in (some, some.to_pandas(), tmp_path / "some.csv"):
        stays, _ = read(tmp_path, outcomes, stay, schema)
        np.testing.assert_allclose(stays.grid, GRID[[3, 1]], rtol=1e-6)
        assert [int(v) for v in stays.outcomes["died"]] == [0, 1]
    other = "stay" if stay == "stay_id" else "stay_id"
    with pytest.raises(SettingError, match=f"laid out as {name}.*--id {stay}"):
        read(tmp_path, None, other, schema)


@pytest.mark.parametrize(
    ("name", "table", "flags"),
    [
        ("eICU", "lab.csv", {}),
        ("eICU", "vitalPeriodic.csv", {}),
        ("MIMIC-IV", "icu/chartevents.csv", {}),
        ("YAIB", "dyn.parquet", {}),
        ("OMOP", "measurement.csv", {}),
    ],
)
def test_a_table_of_a_database_is_known_by_its_columns(
    name: str, table: str, flags: dict[str, Any], tmp_path: Path
) -> None:
    lay_out, stay, schema = DATABASES[name]
    lay_out(tmp_path, EVENTS, OUTCOMES)
    start = databases.BEGUN + pl.duration(days=pl.col(stay) - 1000)
    outcomes = OUTCOMES.rename({"stay_id": stay}).with_columns(start=start)
    grid = grid_of(tmp_path / table, outcomes, schema, stay=stay, **flags)
    expected = GRID.copy()
    if table == "lab.csv":
        expected[..., [0, 2]] = np.nan
    elif table.endswith(("vitalPeriodic.csv", "chartevents.csv")):
        expected[..., 1] = np.nan
    np.testing.assert_allclose(grid, expected, rtol=1e-6)


def test_laboratory_values_of_an_admission_count_in_each_of_its_stays(tmp_path: Path) -> None:
    databases.mimic(tmp_path, EVENTS, OUTCOMES)
    path = tmp_path / "icu/icustays.csv"
    stays = pl.read_csv(path)
    second = stays[:1].with_columns(
        stay_id=pl.lit(9, pl.Int64), intime=pl.lit("2150-03-01 08:00:00")
    )
    pl.concat([stays, second]).write_csv(path)
    found, _ = read(tmp_path, None, "stay_id", CODED)
    np.testing.assert_allclose(found.grid[:-1], GRID, rtol=1e-6)
    np.testing.assert_allclose(found.grid[-1, :-1, 1], GRID[0, 1:, 1], rtol=1e-6)
    assert np.isnan(found.grid[-1, :, 0]).all()  # charted values are of the stay alone


def test_operators_of_omop_are_limits_and_unmapped_concepts_none(tmp_path: Path) -> None:
    databases.omop(tmp_path, EVENTS, OUTCOMES, ending="parquet")
    path = tmp_path / "measurement.parquet"
    table = pl.read_parquet(path)
    is_lab = pl.col("measurement_concept_id") == int(NUMBERS["Lactate"])
    below = pl.when(is_lab).then(4171756).otherwise("operator_concept_id")
    table.with_columns(operator_concept_id=below.cast(pl.Int64)).write_parquet(path)
    with pytest.raises(TableError, match=f"'{NUMBERS['Lactate']}'.*tincture:limits"):
        read(tmp_path, None, "visit_occurrence_id", CODED)
    fields = [f | {"tincture:limits": True} if "constraints" in f and f.get("role") == "variable"
              else f for f in CODED.to_dict()["fields"]]  # fmt: skip
    fields.append({"name": "0", "type": "number", "role": "variable"}
                  | {"constraints": {"minimum": 0, "maximum": 9}})  # fmt: skip
    limits = Schema.from_dict({"fields": fields})
    stays, _ = read(tmp_path, None, "visit_occurrence_id", limits)
    np.testing.assert_allclose(stays.grid[..., :3], GRID, rtol=1e-6)
    assert np.isnan(stays.grid[..., 3]).all()
    table.with_columns(operator_concept_id=pl.lit(7)).write_parquet(path)
    with pytest.raises(TableError, match="text that is not a number"):
        read(tmp_path, None, "visit_occurrence_id", limits)


def test_headers_in_capitals_and_dates_without_a_clock_are_read(tmp_path: Path) -> None:
    databases.omop(tmp_path, EVENTS, OUTCOMES)
    for path in tmp_path.glob("*.csv"):
        header, _, rest = path.read_text().partition("\n")
        path.write_text(header.upper() + "\n" + rest)
        path.rename(path.with_name(path.name.upper().replace(".CSV", ".csv")))
    stays, _ = read(tmp_path, None, "visit_occurrence_id", CODED)
    np.testing.assert_allclose(stays.grid, GRID, rtol=1e-6)
    path = tmp_path / "MEASUREMENT.csv"
    table = pl.read_csv(path, infer_schema=False)
    table.with_columns(MEASUREMENT_DATETIME=pl.lit("")).write_csv(path)
    visits = tmp_path / "VISIT_OCCURRENCE.csv"
    pl.read_csv(visits, infer_schema=False).drop("VISIT_START_DATETIME").write_csv(visits)
    stays, _ = read(tmp_path, None, "visit_occurrence_id", CODED)
    assert np.isfinite(stays.grid[:, 0]).any()
    assert np.isnan(stays.grid[:, 1:]).all()


def test_parts_of_a_table_are_read_together(tmp_path: Path) -> None:
    databases.omop(tmp_path, EVENTS, OUTCOMES, ending="parquet")
    for path in list(tmp_path.glob("*.parquet")):
        table = pl.read_parquet(path)
        (tmp_path / path.stem).mkdir()
        for i in range(2):
            table[i::2].write_parquet(tmp_path / path.stem / f"part-{i}.parquet")
        path.unlink()
    stays, _ = read(tmp_path, OUTCOMES.rename({"stay_id": "visit_occurrence_id"}),
                    "visit_occurrence_id", CODED)  # fmt: skip
    np.testing.assert_allclose(stays.grid, GRID, rtol=1e-6)


def test_an_older_copy_in_a_folder_within_is_not_read(tmp_path: Path) -> None:
    databases.yaib(tmp_path, EVENTS, OUTCOMES)
    more = EVENTS.with_columns(value=pl.lit(0.0), minute=pl.col("minute") + 1)
    databases.yaib(tmp_path / "old", more, OUTCOMES)
    np.testing.assert_allclose(read(tmp_path, None, "stay_id")[0].grid, GRID, rtol=1e-6)


def test_what_a_database_lacks_is_said_in_a_sentence(tmp_path: Path) -> None:
    databases.mimic(tmp_path, EVENTS, OUTCOMES)
    path = tmp_path / "icu/chartevents.csv"
    table = pl.read_csv(path)
    table.drop("valuenum").write_csv(path)
    with pytest.raises(TableError, match=r"table chartevents of .* no column 'valuenum'"):
        read(tmp_path, None, "stay_id", CODED)
    table.write_csv(path)
    stays = tmp_path / "icu/icustays.csv"
    whole = pl.read_csv(stays)
    whole.drop("hadm_id").write_csv(stays)
    with pytest.raises(TableError, match=r"icustays of .* no column 'hadm_id', by which labevents"):
        read(tmp_path, None, "stay_id", CODED)
    whole.write_csv(stays)
    some = OUTCOMES.select("stay_id", "died", "age", "sex")[:5]
    pl.concat([pl.read_csv(stays), pl.read_csv(stays)[:2]]).write_csv(stays)
    with pytest.raises(TableError, match="names a 'stay_id' twice"):
        read(tmp_path, some, "stay_id", CODED)
    found, _ = read(tmp_path, some[2:], "stay_id", CODED)  # of others it is nobody's business
    np.testing.assert_allclose(found.grid, GRID[2:5], rtol=1e-6)
    with pytest.raises(TableError, match="Some outcomes have no 'start'"):
        read(tmp_path, some.with_columns(stay_id=pl.Series([1, 2, 3, 4, 5])), "stay_id", CODED)


def test_a_folder_is_condensed_read_again_and_kept_per_person(tmp_path: Path) -> None:
    folder = tmp_path / "mimic"
    databases.mimic(folder, *make_stays(60))
    condenser = stays_condenser(CODED, stay="stay_id", unit="subject_id", n_rows=8, cohort=0)
    made = condenser.fit(folder).table_
    assert made.ledger.unit == "subject_id"
    assert made.events.columns == ["stay_id", "charttime", "itemid", "valuenum"]
    assert set(made.events["itemid"]) <= set(NUMBERS.values())
    assert {"start", "prediction_time"} <= set(made.outcomes.columns)
    assert len(read_like(made.own, made.events, made.outcomes)) == 8
    sides = make_stays(60)[1].select("stay_id", "died")
    for name, rows in (("train", sides[:40]), ("test", sides[40:])):
        rows.write_csv(tmp_path / f"{name}.csv")
    train, test = read_sides(made, folder, tmp_path / "train.csv", tmp_path / "test.csv", None)
    assert (len(train), len(test)) == (40, 20)


def test_a_release_of_a_wide_table_is_long_and_reads_the_real_one_again(tmp_path: Path) -> None:
    events, outcomes = make_stays(60)
    wide = databases.wide(events, "stay_id", "minute")
    made = stays_condenser(n_rows=8, cohort=0).fit(wide, outcomes).table_
    assert made.events.columns == ["stay_id", "minute", "variable", "value"]
    np.testing.assert_array_equal(read_like(made, wide, outcomes).grid, grid_of(events, outcomes))
    assert len(read_like(made.own, made.events, made.outcomes)) == 8
    named = events.rename({"variable": "item", "value": "result"})
    own = stays_condenser(n_rows=8, cohort=0, variable="item", value="result")
    made = own.fit(named, outcomes).table_
    assert made.events.columns == ["stay_id", "minute", "item", "result"]
    np.testing.assert_array_equal(read_like(made, named, outcomes).grid, grid_of(events, outcomes))


def test_ages_of_eicu_are_read_with_their_limit(tmp_path: Path) -> None:
    databases.eicu(tmp_path, EVENTS, OUTCOMES)
    path = tmp_path / "patient.csv"
    old = pl.read_csv(path, infer_schema=False)
    cells = pl.when(pl.col("patientunitstayid") == "1000").then(pl.lit("> 89")).otherwise("age")
    old.with_columns(age=cells).write_csv(path)
    fields = [f | {"tincture:limits": True} if f["name"] == "age" else f for f in
              SCHEMA.to_dict()["fields"]]  # fmt: skip
    schema = Schema.from_dict({"fields": fields})
    stays, _ = read(tmp_path, None, "patientunitstayid", schema)
    encoding = stays.layout.statics
    assert encoding is not None
    assert encoding.decode(stays.statics(schema))["age"][0] == pytest.approx(89)
