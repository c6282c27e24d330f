"""Stays are read cell by cell: identifiers, names, values, times; nothing vanishes unsaid."""

from __future__ import annotations

import gzip
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from series_helpers import SCHEMA, grid_of, make_stays, read_stays
from tincture.errors import SettingError, TableError, TinctureError
from tincture.public.schema import Schema

SENTINEL = "Zx81sentinel"
OUTCOMES = pl.DataFrame(
    {"stay_id": [7, 8, 9], "age": [50, 60, 70], "sex": ["f", "m", "f"], "died": [0, 1, 0]}
)


def events_of(*rows: tuple[Any, Any, Any, Any], **changes: Any) -> pl.DataFrame:
    """Events (stay, minute, variable, value)."""
    names = ["stay_id", "minute", "variable", "value"]
    return pl.DataFrame([*rows], schema=names, orient="row", strict=False, **changes)


EVENTS = events_of(
    (7, 30, "HR", 90.0), (7, 90, "Lactate", 2.0), (8, 30, "HR", 120.0), (9, 610, "HR", 60.0)
)
GRID = grid_of(EVENTS, OUTCOMES)


def declared(variable: str, **keys: Any) -> Schema:
    """The schema with more said of a variable; ``words`` are missing in the whole table."""
    words = keys.pop("words", [""])
    described = SCHEMA.to_dict() | {"missingValues": words}
    for field in described["fields"]:
        if field["name"] == variable:
            field.update(keys)
    return Schema.from_dict(described)


def with_fields(*fields: dict[str, Any]) -> Schema:
    described = SCHEMA.to_dict()
    return Schema.from_dict(described | {"fields": [*described["fields"], *fields]})


def refused(read: Callable[[], Any], *words: str, kind: type = TableError) -> str:
    """The sentence that a reading ends in, which holds the words and no cell."""
    with pytest.raises(kind) as caught:
        read()
    sentence = str(caught.value)
    for word in words:
        assert word in sentence
    error: BaseException | None = caught.value
    while error is not None:
        assert SENTINEL not in str(error)
        assert isinstance(error, TinctureError)
        error = error.__context__
    assert SENTINEL not in "".join(traceback.format_exception(caught.value)).split("Error: ")[-1]
    return sentence


# Identifiers: a number by any spelling and container is one stay, a text is itself.
IDS: dict[str, Callable[[list[int]], Any]] = {
    "integers": lambda ids: pl.Series(ids),
    "short integers": lambda ids: pl.Series(ids, dtype=pl.UInt8),
    "floats": lambda ids: pl.Series(ids).cast(pl.Float64),
    "text": lambda ids: pl.Series([str(i) for i in ids]),
    "text with zeros and blanks": lambda ids: pl.Series([f" {i:06d} " for i in ids]),
    "text of floats": lambda ids: pl.Series([f"{i}.0" for i in ids]),
    "decimals": lambda ids: pl.Series([Decimal(i) for i in ids]),
    "categories": lambda ids: pl.Series([str(i) for i in ids], dtype=pl.Categorical),
}


@pytest.mark.parametrize("here", IDS)
@pytest.mark.parametrize("there", IDS)
def test_a_stay_is_one_by_any_spelling(here: str, there: str) -> None:
    events = EVENTS.with_columns(IDS[here](EVENTS["stay_id"].to_list()).alias("stay_id"))
    outcomes = OUTCOMES.with_columns(IDS[there]([7, 8, 9]).alias("stay_id"))
    np.testing.assert_array_equal(grid_of(events, outcomes), GRID)


def test_pandas_columns_of_several_kinds_are_read() -> None:
    frame = EVENTS.to_pandas()
    frame["stay_id"] = pd.Series(["007", 7.0, Decimal(8), 9], dtype=object)
    frame["value"] = pd.Series([90, "2.0", np.float32(120), Decimal("60")], dtype=object)
    frame["variable"] = frame["variable"].astype("category")
    outcomes = OUTCOMES.to_pandas().assign(stay_id=pd.Series([7, "8", 9.0], dtype=object))
    np.testing.assert_array_equal(grid_of(frame, outcomes), GRID)


def test_identifiers_that_are_text_are_told_apart_by_their_text() -> None:
    names = pl.Series(["a1", "A1", "a 1"])
    events = EVENTS.with_columns(stay_id=pl.Series(["a1 ", "a1", "A1", "a 1"]))
    np.testing.assert_array_equal(grid_of(events, OUTCOMES.with_columns(stay_id=names)), GRID)


def test_an_outcome_without_a_stay_is_refused_and_an_event_without_one_left_out() -> None:
    blank = events_of(("", 30, "HR", "x"), (None, 30, "HR", "x"), ("7", 30, "HR", "90"))
    assert np.isfinite(grid_of(blank, OUTCOMES)).sum() == 1
    refused(
        lambda: grid_of(EVENTS, OUTCOMES.with_columns(stay_id=pl.Series([7, None, 9]))),
        "Some outcomes have no 'stay_id'",
    )
    odd = EVENTS.with_columns(stay_id=pl.Series([b"\xff"] * 4))
    refused(lambda: grid_of(odd, OUTCOMES), "'stay_id'", "expected text or numbers")


# Names of variables.
@pytest.mark.parametrize(
    "cells",
    [[220045] * 4, [220045.0] * 4, ["220045"] * 4, ["220045.0"] * 4, [Decimal(220045)] * 4],
    ids=["integer", "float", "text", "text of a float", "decimal"],
)
def test_a_name_that_is_a_number_is_found_by_any_spelling(cells: list[Any]) -> None:
    fields = SCHEMA.to_dict()["fields"]
    schema = Schema.from_dict({"fields": [fields[0] | {"name": "220045"}, *fields[1:]]})
    events = EVENTS.with_columns(variable=pl.Series(cells))
    assert np.isfinite(grid_of(events, OUTCOMES, schema)[:, :, 0]).sum() == 4


@pytest.mark.parametrize("name", ["HR ", " HR", "hr", "Hr\t"])
def test_a_name_that_differs_by_blanks_or_case_is_refused(name: str) -> None:
    events = EVENTS.with_columns(variable=pl.Series(["HR", "Lactate", "HR", name]))
    refused(lambda: grid_of(events, OUTCOMES), "'HR'", "only by blanks")
    # Of a stay that nobody asked about, it is left out as all its events are.
    strange = events.with_columns(stay_id=pl.Series([7, 7, 8, 1000]))
    np.testing.assert_array_equal(grid_of(strange, OUTCOMES)[:2], GRID[:2])


def test_a_number_that_two_names_read_as_is_refused() -> None:
    fields = SCHEMA.to_dict()["fields"]
    both = [fields[0] | {"name": "1"}, fields[1] | {"name": "01"}, *fields[2:]]
    schema = Schema.from_dict({"fields": both})
    texts = EVENTS.with_columns(variable=pl.Series(["1", "01", "1", "1"]))
    np.testing.assert_array_equal(grid_of(texts, OUTCOMES, schema), GRID)
    numbers = EVENTS.with_columns(variable=pl.lit(1))
    refused(lambda: grid_of(numbers, OUTCOMES, schema), "two declared names")


# Values.
WORDS: list[tuple[dict[str, Any], list[Any], list[float]]] = [
    ({"missingValues": ["", "NA", "-9"]}, ["90", "NA", "-9.0", ""], [90]),
    ({"words": ["", "-9"]}, [90, -9, -9, 60], [90, 60]),
    ({"decimalChar": ","}, ["90,5", "60.25", "7", "8,0"], [90.5, 60.25, 7, 8]),
    ({"groupChar": ","}, ["1,50", "60", "7", "8"], [150, 60, 7, 8]),
    ({"bareNumber": False}, ["90 bpm", "~60", "7", "8/min"], [90, 60, 7, 8]),
    ({"tincture:limits": True}, ["<90", ">=120", "7", "≤ 8"], [90, 120, 7, 8]),
]


@pytest.mark.parametrize(("keys", "cells", "values"), WORDS, ids=[str(w[0]) for w in WORDS])
def test_values_are_read_as_declared(
    keys: dict[str, Any], cells: list[Any], values: list[float], tmp_path: Path
) -> None:
    events = events_of(*((7, 60 * i + 30, "HR", cell) for i, cell in enumerate(cells)))
    schema = declared("HR", **keys)
    grid = grid_of(events, OUTCOMES, schema)
    found = grid[0, :, 0] * 300
    np.testing.assert_allclose(found[np.isfinite(found)], values, rtol=1e-5)
    events.write_csv(tmp_path / "e.csv")
    np.testing.assert_array_equal(grid_of(tmp_path / "e.csv", OUTCOMES, schema), grid)


@pytest.mark.parametrize(
    "kind", [pl.Int64, pl.UInt16, pl.Float64, pl.Float32, pl.Decimal(12, 2), pl.String]
)
def test_values_mean_the_same_in_every_container(kind: Any, tmp_path: Path) -> None:
    schema = declared("HR", missingValues=["-9", "99"])
    events = events_of(
        *((7, 60 * i + 30, "HR", cell) for i, cell in enumerate([90, 99, 60, None, 300]))
    )
    expected = grid_of(events, OUTCOMES, schema)
    assert np.isfinite(expected).sum() == 3
    events = events.with_columns(pl.col("value").cast(kind))
    events.write_parquet(tmp_path / "e.parquet")
    for form in (events, events.to_pandas(), tmp_path / "e.parquet"):
        np.testing.assert_array_equal(grid_of(form, OUTCOMES, schema), expected)


@pytest.mark.parametrize("cells", [["1", "0"], [1.0, 0.0], [True, False], ["true", "False"]])
def test_levels_and_truth_values_count_as_numbers(cells: list[Any]) -> None:
    events = events_of((7, 30, "MechVent", cells[0]), (7, 90, "MechVent", cells[1]))
    truth = declared("MechVent")
    spoken = {"name": "MechVent", "type": "boolean", "role": "variable"}
    fields = [f if f["name"] != "MechVent" else spoken for f in truth.to_dict()["fields"]]
    for schema in (truth, Schema.from_dict({"fields": fields})):
        assert grid_of(events, OUTCOMES, schema)[0, :2, 2].tolist() == [1, 0]


def test_declared_words_for_truth_are_read() -> None:
    spoken: dict[str, Any] = {"name": "MechVent", "type": "boolean", "role": "variable"}
    spoken |= {"trueValues": ["on"], "falseValues": ["off"]}
    fields = [f if f["name"] != "MechVent" else spoken for f in SCHEMA.to_dict()["fields"]]
    events = events_of((7, 30, "MechVent", "on"), (7, 90, "MechVent", "off"))
    grid = grid_of(events, OUTCOMES, Schema.from_dict({"fields": fields}))
    assert grid[0, :2, 2].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("<1.0", "tincture:limits"),
        ("3,1", "decimalChar"),
        (SENTINEL, "missingValues"),
        ("inf", "infinite"),
        ("1e400", "infinite"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_its_variable(cell: str, said: str) -> None:
    events = EVENTS.with_columns(pl.col("value").cast(pl.String))
    odd = events.with_columns(value=pl.Series(["90", cell, "120", "60"]))
    sentence = refused(lambda: grid_of(odd, OUTCOMES), "'Lactate'", said)
    assert cell not in sentence or cell in ("<1.0", "inf")  # a word of ours is no cell
    # What nobody asked for is not read.
    for names in (["HR", "CRP", "HR", "HR"], None):
        ids = [7, 7, 8, 9] if names else [7, 1000, 8, 9]
        left = odd.with_columns(stay_id=pl.Series(ids))
        left = left.with_columns(variable=pl.Series(names)) if names else left
        np.testing.assert_array_equal(grid_of(left, OUTCOMES)[..., 0], GRID[..., 0])


def test_a_level_that_is_not_listed_and_numbers_that_are_infinite_are_refused() -> None:
    other = events_of((7, 30, "MechVent", 2.0), (8, 30, "HR", 80.0))
    refused(lambda: grid_of(other, OUTCOMES), "'MechVent'", "does not list", "lists 0, 1")
    endless = events_of((7, 30, "HR", float("inf")), (8, 30, "Lactate", 2.0))
    refused(lambda: grid_of(endless, OUTCOMES), "'HR'", "infinite values")


# Files.
def test_a_text_that_ends_in_a_line_or_has_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    EVENTS.write_csv(path)
    whole = path.read_text().rstrip("\n")
    path.write_text(whole.rpartition(",")[0])
    refused(lambda: grid_of(path, OUTCOMES), "end in the middle of a line")
    path.write_text(whole.replace("variable", "value", 1))
    refused(lambda: grid_of(path, OUTCOMES), "one name for columns")
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress(whole.encode()))
    np.testing.assert_array_equal(grid_of(tmp_path / "e.csv.gz", OUTCOMES), GRID)


# Times that count from the start of the stay.
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["30", "90", "x", "610"], "text that is not a number"),
        (["30", "90", "", "610"], "have no time"),
        ([30, 90, None, 610], "have no time"),
        ([30.0, 90.0, float("inf"), 610.0], "infinite"),
        (["2020-05-01"] * 4, "--time-unit datetime"),
    ],
)
def test_a_time_that_cannot_be_read_is_refused(cells: list[Any], said: str) -> None:
    events = EVENTS.with_columns(minute=pl.Series(cells))
    refused(lambda: grid_of(events, OUTCOMES), "'minute'" if "no time" not in said else said, said)
    others = events.with_columns(stay_id=pl.Series([7, 7, 1000, 9]))
    if "2020-05-01" not in cells:
        np.testing.assert_array_equal(grid_of(others, OUTCOMES)[0], GRID[0])


def test_times_are_read_as_declared_and_lengths_of_time_are_hours() -> None:
    comma = {"name": "hour", "type": "number", "decimalChar": ","}
    hours = EVENTS.with_columns(hour=pl.Series(["0,5", "1,5", "0,5", "10,2"])).drop("minute")
    np.testing.assert_array_equal(grid_of(hours, OUTCOMES, with_fields(comma)), GRID)
    lengths = EVENTS.select("stay_id", "variable", "value", time=pl.duration(minutes="minute"))
    np.testing.assert_array_equal(grid_of(lengths, OUTCOMES), GRID)


def test_words_for_missing_of_the_table_are_no_times_of_undeclared_columns() -> None:
    schema = declared("HR", words=["", "30", "610"])
    np.testing.assert_array_equal(grid_of(EVENTS, OUTCOMES, schema), GRID)


# Dates.
def dated(events: pl.DataFrame, pattern: str = "%Y-%m-%d %H:%M:%S") -> pl.DataFrame:
    """Events whose minutes are texts of dates from 2150-03-01 07:00."""
    start = pl.lit("2150-03-01 07:00:00").str.to_datetime()
    time = (start + pl.duration(minutes="minute")).dt.to_string(pattern)
    return events.with_columns(charttime=time).drop("minute")


def begun(*cells: Any) -> pl.DataFrame:
    return OUTCOMES.with_columns(start=pl.Series(cells * (3 // len(cells))))


FORMS = {
    "a text": (dated(EVENTS), begun("2150-03-01 07:00:00")),
    "minutes": (dated(EVENTS, "%Y-%m-%d %H:%M"), begun("2150-03-01T07:00")),
    "zones": (dated(EVENTS, "%Y-%m-%dT%H:%M:%S+01:00"), begun("2150-03-01T06:00:00Z")),
    "fractions": (dated(EVENTS, "%Y-%m-%d %H:%M:%S.000"), begun("2150-03-01 07:00:00,0")),
}


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_read_as_iso_writes_them(form: str, tmp_path: Path) -> None:
    events, outcomes = FORMS[form]
    np.testing.assert_array_equal(grid_of(events, outcomes, time_unit="datetime"), GRID)
    events.write_csv(tmp_path / "e.csv")
    outcomes.write_csv(tmp_path / "o.csv")
    grid = grid_of(tmp_path / "e.csv", tmp_path / "o.csv", time_unit="datetime")
    np.testing.assert_array_equal(grid, GRID)


def test_cells_that_are_dates_are_read_beside_texts_of_them() -> None:
    events, outcomes = FORMS["a text"]
    events = events.with_columns(pl.col("charttime").str.to_datetime())
    np.testing.assert_array_equal(grid_of(events, outcomes), GRID)
    np.testing.assert_array_equal(grid_of(events.to_pandas(), outcomes.to_pandas()), GRID)
    aware = events.with_columns(pl.col("charttime").dt.replace_time_zone("Europe/Paris"))
    zoned = begun("2150-03-01 06:00Z")
    np.testing.assert_array_equal(grid_of(aware, zoned), GRID)


def test_declared_patterns_tell_how_dates_are_written() -> None:
    events, outcomes = dated(EVENTS, "%d.%m.%Y %H:%M"), begun("01/03/2150 07:00:00")
    schema = with_fields(
        {"name": "charttime", "type": "datetime", "format": "%d.%m.%Y %H:%M"},
        {"name": "start", "type": "datetime", "format": "%d/%m/%Y %H:%M:%S"},
    )
    np.testing.assert_array_equal(grid_of(events, outcomes, schema), GRID)  # no --time-unit
    refused(
        lambda: grid_of(events, outcomes, time_unit="datetime"),
        "'start' of the outcomes",
        '"format": "%d.%m.%Y %H:%M"',
    )


def test_the_end_of_the_window_may_be_given_instead() -> None:
    events, outcomes = FORMS["a text"]
    ended = outcomes.with_columns(prediction_time=pl.lit("2150-03-01 19:00:00")).drop("start")
    np.testing.assert_array_equal(grid_of(events, ended, time_unit="datetime"), GRID)


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        (("2150-03-01 07:00", "", "2150-03-01 07:00"), "Some outcomes have no 'start'"),
        (("2150-03-01 07:00", None, "2150-03-01 07:00"), "Some outcomes have no 'start'"),
        (("2150-03-01 07:00", SENTINEL, "2150-03-01 07:00"), "not read as a time"),
        (("2150-03-01 07:00", "2150-03-01 07:00Z", "2150-03-01 07:00"), "with a zone"),
        (("2150-03-01 07:00Z",), "only one does"),
    ],
)
def test_starts_that_cannot_be_read_are_refused(starts: tuple[Any, ...], said: str) -> None:
    outcomes = begun(*starts)
    refused(lambda: grid_of(dated(EVENTS), outcomes, time_unit="datetime"), said, "'start'")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (SENTINEL, "not read as a time"),
        ("", "have no time"),
        ("2150-03-01 07:30Z", "with a zone"),
    ],
)
def test_dates_of_events_that_cannot_be_read_are_refused(cell: str, said: str) -> None:
    events, outcomes = FORMS["a text"]
    times = [*events["charttime"][:3], cell]
    odd = events.with_columns(charttime=pl.Series(times))
    refused(lambda: grid_of(odd, outcomes, time_unit="datetime"), said)
    left = odd.with_columns(variable=pl.Series(["HR", "Lactate", "HR", "CRP"]))
    grid = grid_of(left, outcomes, time_unit="datetime")
    np.testing.assert_array_equal(grid[:2], GRID[:2])


def test_a_unit_that_is_not_known_is_refused_by_those_that_are() -> None:
    said = refused(lambda: grid_of(EVENTS, OUTCOMES, time_unit="date"), "minute", kind=SettingError)
    assert "datetime" in said
    unknown = dated(EVENTS)
    refused(lambda: grid_of(unknown, OUTCOMES), "--time-unit datetime", kind=SettingError)


# Several labels of a stay.
def test_a_stay_with_several_windows_counts_in_each_from_its_own_start() -> None:
    starts = ["2150-03-01 07:00", "2150-03-01 08:00", "2150-03-01 07:00", "2150-03-01 07:00"]
    outcomes = pl.concat([OUTCOMES[:1], OUTCOMES]).with_columns(start=pl.Series(starts))
    events = dated(EVENTS)
    refused(
        lambda: grid_of(events, outcomes, time_unit="datetime"),
        "name a stay twice",
        "--unit stay_id",
    )
    grid = grid_of(events, outcomes, time_unit="datetime", unit="stay_id")
    np.testing.assert_array_equal(grid[[0, 2, 3]], GRID)
    moved = np.full_like(GRID[0], np.nan)
    moved[:11] = GRID[0, 1:]
    np.testing.assert_array_equal(grid[1], moved)


# Locality: what stands in the rows of one stay changes no other one's grid.
ODD = [
    ("30", "HR", "-9"), ("1e1", "HR", "NA"), ("30", "unheard of", SENTINEL), ("0", "HR", "1e5"),
    ("-5", "Lactate", ".5"), ("99999", "HR", "60"), ("30.5", "MechVent", "true"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_one_more_stay_with_odd_cells_changes_no_other_one(
    odd: tuple[str, str, str], tmp_path: Path
) -> None:
    schema = declared("HR", words=["", "NA", "-9"])
    events, outcomes = make_stays(25)
    texts = events.with_columns(pl.col("*").cast(pl.String))
    more = pl.concat([pl.DataFrame([("0999", *odd)], schema=texts.columns, orient="row"), texts])
    another = outcomes[:1].with_columns(stay_id=pl.lit(999, pl.Int64), age=pl.lit(95.0))
    everyone = pl.concat([outcomes, another])
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    texts.write_csv(before)
    more.write_csv(after)
    expected = grid_of(before, outcomes, schema)
    readers: list[Callable[[Path], Any]] = [
        lambda path: path,
        lambda path: pl.read_csv(path),
        lambda path: pl.read_csv(path, infer_schema=False),
        lambda path: pd.read_csv(path, keep_default_na=False, na_values=[""]),
        lambda path: parquet_of(pl.read_csv(path), tmp_path),
    ]
    for read in readers:
        np.testing.assert_array_equal(grid_of(read(before), outcomes, schema), expected)
        np.testing.assert_array_equal(grid_of(read(after), everyone, schema)[:-1], expected)


def parquet_of(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "e.parquet"
    frame.write_parquet(path)
    return path


def test_rows_of_outcomes_change_no_other_ones_points() -> None:
    events, outcomes = make_stays(25)
    odd = outcomes.with_columns(pl.col("stay_id", "age").cast(pl.String))
    odd = pl.concat([odd, odd[:1].with_columns(stay_id=pl.lit("x9"), age=pl.lit(""))])
    settings: dict[str, Any] = {"target": "died", "stay": "stay_id", "hours": 12, "bin_hours": 1}
    before, _ = read_stays(events, outcomes, SCHEMA, **settings)
    after, _ = read_stays(events, odd, SCHEMA, **settings)
    np.testing.assert_array_equal(after.grid[:-1], before.grid)
    np.testing.assert_array_equal(after.statics(SCHEMA)[:-1], before.statics(SCHEMA))
