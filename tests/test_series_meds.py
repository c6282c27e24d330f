"""MEDS data sets as they are laid out, static codes, presence, labels; the words of mimic3."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import (
    BENCHMARK,
    PHYSIONET,
    SCHEMA,
    benchmark,
    grid_of,
    make_stays,
    physionet,
    read_stays,
)
from test_series_reading import refused
from tincture.public.schema import Schema
from tincture.stays.bench import evaluate_series
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.formats.glasgow import GLASGOW
from tincture.stays.layout import Stays
from tincture.stays.reading import read_like

START = datetime(2150, 3, 1, 7)
LABELS = pl.DataFrame(
    {
        "subject_id": [7, 8, 9],
        "prediction_time": [START + timedelta(hours=12)] * 3,
        "boolean_value": [False, True, False],
    }
)
FIELDS: list[dict[str, Any]] = [
    {
        "name": "LAB//lactate",
        "type": "number",
        "constraints": {"minimum": 0.2, "maximum": 20.2},
        "tincture:scale": "linear",
        "role": "variable",
    },
    {"name": "DX//A41.9", "type": "integer", "categories": [0, 1], "role": "variable"},
    {"name": "GENDER", "type": "string", "categories": ["F", "M"], "role": "static"},
    {
        "name": "HEIGHT",
        "type": "number",
        "constraints": {"minimum": 100, "maximum": 200},
        "role": "static",
    },
    {"name": "SMOKER", "type": "boolean", "role": "static"},
    {"name": "boolean_value", "type": "boolean"},
]
KINDS: dict[str, pl.DataType | type[pl.DataType]]
KINDS = {"subject_id": pl.Int64, "time": pl.Datetime("us"), "code": pl.String}
KINDS |= {"numeric_value": pl.Float32, "text_value": pl.String}


def code(
    who: int, name: str, number: float | None = None, hour: float | None = None, text: Any = None
) -> tuple[Any, ...]:
    """One event."""
    return who, None if hour is None else START + timedelta(hours=hour), name, number, text


ROWS = [
    code(7, "LAB//lactate", 10.2, 1.5),
    code(8, "DX//A41.9", None, 2.5),
    code(9, "OTHER", None, 2.5, "whatever"),
    code(7, "GENDER//F"),
    code(8, "GENDER//M"),
    code(7, "HEIGHT", 180),
    code(7, "HEIGHT", 170),
    code(8, "HEIGHT", 150),
    code(9, "SMOKER"),
    code(9, "RACE//X"),
]


def meds(*rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame([*rows], schema=KINDS, orient="row")


def read(
    events: Any, labels: Any = LABELS, fields: list[dict[str, Any]] = FIELDS, **more: Any
) -> Stays:
    settings: dict[str, Any] = {"target": "boolean_value", "stay": "subject_id"}
    settings |= {"hours": 12.0, "bin_hours": 1.0} | more
    return read_stays(events, labels, Schema.from_dict({"fields": fields}), **settings)[0]


def statics(stays: Stays, fields: list[dict[str, Any]] = FIELDS) -> dict[str, list[Any]]:
    """Static columns of each stay."""
    encoding = stays.layout.statics
    assert encoding is not None
    values = encoding.decode(stays.statics(Schema.from_dict({"fields": fields})))
    return {name: v.tolist() for name, v in values.items()}


def changed(name: str, **keys: Any) -> list[dict[str, Any]]:
    return [f | keys if f["name"] == name else f for f in FIELDS]


def test_codes_without_a_time_are_static_and_codes_without_a_number_presence() -> None:
    stays = read(meds(*ROWS))
    assert stays.grid[0, 1, 0] == pytest.approx(0.5)
    assert stays.grid[1, 2, 1] == 1.0
    assert np.isfinite(stays.grid).sum() == 2
    found = statics(stays)
    assert found["GENDER"] == [0, 1, -1]
    np.testing.assert_array_equal(found["HEIGHT"], [180, 150, np.nan])  # the largest of two
    assert found["SMOKER"] == [0, 0, 1]


def test_static_columns_of_the_outcomes_count_first() -> None:
    labels = LABELS.with_columns(GENDER=pl.Series(["M", "M", "F"]), HEIGHT=pl.lit(120.0))
    found = statics(read(meds(*ROWS), labels))
    assert found["GENDER"] == [1, 1, 0]
    assert found["HEIGHT"] == [120, 120, 120]
    assert found["SMOKER"] == [0, 0, 1]


def test_the_largest_value_and_the_last_level_count_in_whatever_order() -> None:
    more = [*ROWS, code(7, "GENDER//M"), code(7, "HEIGHT", 190)]
    both = [statics(read(meds(*rows))) for rows in (more, more[::-1])]
    for found in both:
        assert found["GENDER"] == [1, 1, -1]
        assert found["HEIGHT"][:2] == [190, 150]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (code(7, "LAB//lactate", 2.0), ("'LAB//lactate'", "have no time", '"role": "static"')),
        (code(7, "HEIGHT", 180, 1.0), ("'HEIGHT'", "have a time", '"role": "variable"')),
        (code(7, "GENDER//X"), ("'GENDER'", "does not list", "'F', 'M'")),
        (code(7, "gender//F"), ("'GENDER'", "only by blanks")),
        (code(7, "lab//LACTATE", 2.0, 1.0), ("'LAB//lactate'", "only by blanks")),
        (code(7, "LAB//lactate", None, 1.0, "HEMOLYZED"), ("'LAB//lactate'", "missingValues")),
        (code(7, "LAB//lactate", None, 1.0), ("'LAB//lactate'", "neither a number nor text")),
        (code(7, "HEIGHT"), ("'HEIGHT'", "neither a number nor text")),
        (code(7, "GENDER"), ("'GENDER'", "neither a number nor text")),
    ],
)
def test_what_a_code_cannot_say_is_refused(row: tuple[Any, ...], words: tuple[str, ...]) -> None:
    sentence = refused(lambda: read(meds(*ROWS, row)), *words)
    assert "HEMOLYZED" not in sentence
    # Of a subject without a label it is nobody's business.
    read(meds(*ROWS, (1000, *row[1:])))


def test_text_beside_a_code_is_its_value_as_declared() -> None:
    rows = [code(7, "LAB//lactate", None, 1.5, "<10.2"), code(8, "LAB//lactate", None, 2.5, "NA")]
    fields = changed("LAB//lactate", **{"tincture:limits": True, "missingValues": ["NA", ""]})
    stays = read(meds(*ROWS[1:], *rows, code(9, "LAB//lactate", None, 3.5)), fields=fields)
    assert stays.grid[0, 1, 0] == pytest.approx(0.5)
    assert np.isfinite(stays.grid).sum() == 2  # of words for missing there is no event
    told = [code(7, "DX//A41.9", None, 1.5, "0"), code(8, "DX//A41.9", None, 1.5, "sepsis")]
    assert read(meds(*ROWS, *told)).grid[:2, 1, 1].tolist() == [0, 1]


def test_a_static_column_that_nothing_tells_is_refused() -> None:
    rows = [row for row in ROWS if row[2] not in ("HEIGHT", "SMOKER")]
    refused(lambda: read(meds(*rows)), "'HEIGHT'", "neither in the outcomes nor a code")
    alone = [f for f in FIELDS if f["name"] != "HEIGHT"]
    assert statics(read(meds(*rows), fields=alone), alone)["SMOKER"] == [0, 0, 0]


def write_set(root: Path, events: pl.DataFrame) -> None:
    """A data set as MEDS lays it out, beside tables that are no events."""
    for i, split in enumerate(("train", "held_out")):
        (root / "data" / split).mkdir(parents=True)
        events[i::2].write_parquet(root / "data" / split / "0.parquet")
    for name in ("metadata", "labels"):
        (root / name).mkdir()
        LABELS.write_parquet(root / name / "0.parquet")


def test_the_root_of_a_data_set_and_its_folder_of_data_read_alike(tmp_path: Path) -> None:
    expected = read(meds(*ROWS))
    write_set(tmp_path / "set", meds(*ROWS))
    for folder in (tmp_path / "set", tmp_path / "set/data"):
        stays = read(folder)
        np.testing.assert_array_equal(stays.grid, expected.grid)
        assert statics(stays)["SMOKER"] == [0, 0, 1]


def test_shards_may_differ_in_types_and_a_sentence_names_the_folder_read(tmp_path: Path) -> None:
    write_set(tmp_path, meds(*ROWS))
    whole = meds(*ROWS).drop("text_value").with_columns(pl.col("numeric_value").cast(pl.Float64))
    whole[::2].write_parquet(tmp_path / "data/train/0.parquet")
    np.testing.assert_array_equal(read(tmp_path).grid, read(meds(*ROWS)).grid)
    LABELS.write_parquet(tmp_path / "data/train/1.parquet")
    refused(lambda: read(tmp_path), f"The events in {tmp_path / 'data'} have no column")


def test_a_meds_table_in_csv_reads_as_in_parquet(tmp_path: Path) -> None:
    meds(*ROWS).write_csv(tmp_path / "e.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    stays = read(tmp_path / "e.csv")
    np.testing.assert_array_equal(stays.grid, read(meds(*ROWS)).grid)
    assert statics(stays)["GENDER"] == [0, 1, -1]


def labelled(n: int = 60) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Stays of the helpers as a MEDS data set whose labels name each subject twice."""
    events, outcomes = make_stays(n)
    coded = events.select(
        subject_id="stay_id",
        time=pl.lit(START) + pl.duration(minutes="minute"),
        code="variable",
        numeric_value="value",
    )
    sex = outcomes.select(
        subject_id="stay_id",
        time=pl.lit(None, pl.Datetime("us")),
        code=pl.format("sex//{}", "sex"),
        numeric_value=pl.lit(None, pl.Float64),
    )
    labels = outcomes.select(
        subject_id="stay_id",
        prediction_time=pl.lit(START + timedelta(hours=12)),
        age="age",
        died=pl.col("died").cast(pl.Boolean),
    )
    later = labels.with_columns(pl.col("prediction_time") + pl.duration(hours=1))
    return pl.concat([coded, sex]), pl.concat([labels, later])


def test_several_labels_of_a_subject_are_condensed_and_read_back(tmp_path: Path) -> None:
    events, labels = labelled()
    write_set(tmp_path / "set", events)
    pattern = "%d.%m.%Y %H:%M"
    texts = labels.with_columns(pl.col("prediction_time").dt.to_string(pattern))
    texts.write_csv(tmp_path / "labels.csv")
    fields = SCHEMA.to_dict()["fields"][:-1]
    fields.append({"name": "died", "type": "boolean"})
    fields.append({"name": "prediction_time", "type": "datetime", "format": pattern})
    schema = Schema.from_dict({"fields": fields})
    settings: dict[str, Any] = {"target": "died", "stay": "subject_id", "unit": "subject_id"}
    settings |= {"hours": 12, "n_rows": 8, "epsilon": math.inf, "delta": 0, "effort": 0}
    condenser = SeriesCondenser(schema=schema, **settings)
    condenser.fit(tmp_path / "set", tmp_path / "labels.csv")
    made = condenser.table_
    assert made.ledger.unit == "subject_id"
    assert made.schema["prediction_time"].notation.time == pattern
    condenser.save(tmp_path / "release")
    own = read_like(made.own, made.events, made.outcomes)
    assert len(own) == 8
    again = read_like(made, tmp_path / "set", tmp_path / "labels.csv")
    expected, _ = read_stays(
        events, labels, schema, target="died", stay="subject_id", hours=12.0, bin_hours=1.0,
        unit="subject_id",
    )  # fmt: skip
    np.testing.assert_array_equal(again.grid, expected.grid)
    for name, is_mine in (
        ("train", pl.col("subject_id") < 1040),
        ("test", pl.col("subject_id") >= 1040),
    ):
        texts.filter(is_mine).write_csv(tmp_path / f"{name}.csv")
    scored = evaluate_series(
        tmp_path / "release", tmp_path / "set", tmp_path / "train.csv", tmp_path / "test.csv",
        networks=[],
    )  # fmt: skip
    assert scored is not None
    refused(
        lambda: evaluate_series(
            made, tmp_path / "set", tmp_path / "train.csv", tmp_path / "labels.csv", networks=[]
        ),
        "both among those condensed and among those held out",
    )


# The words of the Glasgow Coma Scale.
EYES, VERBAL, MOTOR = (
    f"Glascow coma scale {part}" for part in ("eye opening", "verbal response", "motor response")
)


@pytest.mark.parametrize(
    ("name", "words", "score"),
    [
        (EYES, ["None", "1 No Response"], 1),
        (EYES, ["To Pain", "2 To pain"], 2),
        (EYES, ["To Speech", "3 To speech"], 3),
        (EYES, ["Spontaneously", "4 Spontaneously", "4", "4.0"], 4),
        (VERBAL, ["No Response", "1 No Response", "No Response-ETT", "1.0 ET/Trach"], 1),
        (VERBAL, ["Incomprehensible sounds", "2 Incomp sounds"], 2),
        (VERBAL, ["Inappropriate Words", "3 Inapprop words"], 3),
        (VERBAL, ["Confused", "4 Confused"], 4),
        (VERBAL, ["Oriented", "5 Oriented"], 5),
        (MOTOR, ["No response", "1 No Response"], 1),
        (MOTOR, ["Abnormal extension", "2 Abnorm extensn"], 2),
        (MOTOR, ["Abnormal Flexion", "3 Abnorm flexion"], 3),
        (MOTOR, ["Flex-withdraws", "4 Flex-withdraws"], 4),
        (MOTOR, ["Localizes Pain", "5 Localizes Pain"], 5),
        (MOTOR, ["Obeys Commands", "6 Obeys Commands"], 6),
    ],
)
def test_words_of_the_coma_scale_are_read_with_and_without_their_number(
    name: str, words: list[str], score: int, tmp_path: Path
) -> None:
    most = max(GLASGOW[name].values())
    for kind in (
        {"constraints": {"minimum": 1, "maximum": most}},
        {"categories": [1, 2, 3, 4, 5, 6]},
    ):
        schema = schema_of({"name": name, "type": "integer", "role": "variable"} | kind)
        grid = grid_of(wide(tmp_path, name, words), None, schema, target="y_true", hours=8)
        top = most if "constraints" in kind else 6
        found = grid[0, : len(words), 0]
        np.testing.assert_allclose(found, (score - 1) / (top - 1), rtol=1e-6)


def schema_of(field: dict[str, Any]) -> Schema:
    target = {"name": "y_true", "type": "integer", "categories": [0, 1]}
    return Schema.from_dict({"fields": [field, target]})


def wide(folder: Path, name: str, words: list[str]) -> Path:
    lines = [f"Hours,{name}", *(f"{i + 0.5},{word}" for i, word in enumerate(words))]
    (folder / "1_episode1_timeseries.csv").write_text("\n".join(lines) + "\n")
    (folder / "listfile.csv").write_text("stay,y_true\n1_episode1_timeseries.csv,1\n")
    return folder


@pytest.mark.parametrize(
    "word", ["5 Spontaneously", "Blinking", "Obeys Commands", "4Spontaneously"]
)
def test_a_word_that_the_scale_does_not_know_is_refused(word: str, tmp_path: Path) -> None:
    field = {"name": EYES, "type": "number", "role": "variable"}
    schema = schema_of(field | {"constraints": {"minimum": 1, "maximum": 4}})
    folder = wide(tmp_path, EYES, ["4", word])
    sentence = refused(lambda: grid_of(folder, None, schema, target="y_true"), EYES)
    assert word not in sentence
    # A declared word for missing comes before the scale.
    gone = schema_of(field | {"constraints": {"minimum": 1, "maximum": 4}, "missingValues": [word]})
    assert np.isfinite(grid_of(folder, None, gone, target="y_true")).sum() == 1


def test_times_and_values_of_the_benchmark_are_read_as_all_others(tmp_path: Path) -> None:
    benchmark(tmp_path)
    path = tmp_path / "0_episode1_timeseries.csv"
    whole = path.read_text()
    for old, new, said in (
        ("2.5,", "x,", "'hour'"), ("2.5,", ",", "have no time"), (",60,", ",60 bpm,", "Heart Rate"),
    ):  # fmt: skip
        path.write_text(whole.replace(old, new))
        refused(lambda: grid_of(tmp_path, None, BENCHMARK, target="y_true"), said)


def test_values_of_physionet_records_are_read_as_all_others(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    physionet(records, 4)
    (records / "outcomes").rename(tmp_path / "outcomes")
    path = records / "132500.txt"
    whole = path.read_text()
    outcomes = tmp_path / "outcomes/Outcomes-a.txt"
    settings: dict[str, Any] = {"target": "in_hospital_death", "hours": 48.0}
    before = grid_of(records, outcomes, PHYSIONET, **settings)
    path.write_text(whole + "01:30,HR,-1\n01:31,HR,\n")
    np.testing.assert_array_equal(grid_of(records, outcomes, PHYSIONET, **settings), before)
    path.write_text(whole + "01:30,HR,fast\n")
    refused(lambda: grid_of(records, outcomes, PHYSIONET, **settings), "'HR'")
    path.write_text(whole.replace("00:00,Height,-1", "00:00,Height,tall"))
    stays, _ = read_stays(
        *(records, outcomes, PHYSIONET), **{"stay": "stay_id", "bin_hours": 1.0, **settings}
    )
    refused(lambda: stays.statics(PHYSIONET), "'height'")
    path.write_text(whole)
    # Outcomes whose identifiers are numbers or padded text find their records too.
    table = pl.read_csv(outcomes)
    for ids in (pl.col("RecordID").cast(pl.Float64), pl.format("00{}", "RecordID")):
        spelled = tmp_path / "outcomes/o.parquet"
        table.with_columns(ids.alias("RecordID")).write_parquet(spelled)
        stays, _ = read_stays(
            *(records, spelled, PHYSIONET),
            **{"stay": "stay_id", "bin_hours": 1.0, **settings},
        )
        np.testing.assert_array_equal(stays.grid, before)
        assert stays.statics(PHYSIONET)[:, 0].tolist() == [1, 0, 1, 0]


def test_the_command_line_condenses_a_data_set(tmp_path: Path) -> None:
    events, labels = labelled()
    write_set(tmp_path / "set", events)
    labels.write_parquet(tmp_path / "labels.parquet")
    fields = [*SCHEMA.to_dict()["fields"][:-1], {"name": "died", "type": "boolean"}]
    (tmp_path / "schema.json").write_text(json.dumps({"fields": fields}))
    flags = ["--outcomes", tmp_path / "labels.parquet", "--schema", tmp_path / "schema.json"]
    flags += ["--out", tmp_path / "release", "--id", "subject_id", "--target", "died"]
    flags += "--hours 12 --rows 8 --epsilon inf --delta 0 --effort 0".split()
    said = run("condense-series", tmp_path / "set", *flags)
    assert "--unit subject_id" in said.err
    said = run("condense-series", tmp_path / "set", *flags, "--unit", "subject_id")
    assert said.code == 0, said.err
    assert json.loads((tmp_path / "release/ledger.json").read_text())["unit"] == "subject_id"
