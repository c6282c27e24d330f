"""Containers and file names that could make one unit's cells change how another's are read."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from series_helpers import read_stays
from tincture.errors import SchemaError, TableError
from tincture.io.frames import person_codes, read_table, to_columns
from tincture.public.schema import Schema

LARGE = 2**53 + 1  # its neighbour below is the nearest float
LEVELS = Schema.from_dict(
    {"fields": [{"name": "x", "type": "integer", "categories": [LARGE, LARGE - 1]}]}
)
AMOUNT = {"name": "x", "type": "number", "constraints": {"minimum": -5, "maximum": 5}}
PULSE = {
    "name": "hr",
    "type": "number",
    "role": "variable",
    "constraints": {"minimum": 0, "maximum": 200},
}
DIED = {"name": "died", "type": "integer", "categories": [0, 1]}
STAYS = Schema.from_dict({"fields": [PULSE, DIED], "missingValues": ["", "NA"]})
EVENTS = "stay,minute,variable,value\n1,30,hr,100\n2,30,hr,50\n"


def grid(events: Any, outcomes: Any, schema: Schema = STAYS, **more: Any) -> list[Any]:
    """The pulses of each stay, in two bins of two hours."""
    settings: dict[str, Any] = {"target": "died", "stay": "stay", "hours": 4, "bin_hours": 2} | more
    stays, _ = read_stays(events, outcomes, schema, **settings)
    places = np.round(200.0 * stays.grid[..., 0].astype(float))
    return [[None if v != v else v for v in row] for row in places.tolist()]


def outcomes(stays: Any, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"stay": stays, "died": [0] * len(stays), **more})


@pytest.mark.parametrize(
    "kind", [pl.Int64, pl.UInt64, pl.Int128, "Int64", "int64[pyarrow]"], ids=str
)
def test_an_empty_cell_does_not_round_the_whole_numbers_beside_it(kind: Any) -> None:
    # Among floats, as a column with a null is kept by some, LARGE would be the level below it.
    for cells in ([LARGE, LARGE - 1], [LARGE, LARGE - 1, None]):
        if isinstance(kind, str):
            column: Any = pd.Series(cells, dtype=object)
            frame: Any = pd.DataFrame({"x": column.astype(kind)})
        else:
            frame = pl.DataFrame({"x": cells}, schema={"x": kind})
        assert to_columns(frame, LEVELS, ["x"])["x"].tolist()[:2] == [0, 1]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        (np.longdouble(1.5), 1.5),
        (Fraction(1, 2), 0.5),
        (Decimal("sNaN"), None),
        (Decimal("-1.50"), -1.5),
        (np.bool_(True), 1.0),
        (Fraction(10**400), "infinite values"),
        (Decimal("1e999999"), "infinite values"),
        (np.datetime64("2020-01-01", "ns"), "cells of type datetime64"),
        (np.timedelta64(5, "ns"), "cells of type timedelta64"),
    ],
    ids=str,
)
def test_an_odd_object_is_its_number_or_refused_in_a_sentence(cell: Any, amount: Any) -> None:
    cells = np.empty(4, dtype=object)
    cells[:] = [cell, pd.NA, 2, "3"]
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object)})
    schema = Schema.from_dict({"fields": [AMOUNT]})
    if isinstance(amount, str):
        with pytest.raises(TableError, match=amount) as caught:
            to_columns(frame, schema, ["x"])
        assert caught.value.__context__ is None
        return
    found = [None if v != v else v for v in to_columns(frame, schema, ["x"])["x"].tolist()]
    assert found == [amount, None, 2, 3]


def test_persons_may_be_decimals_that_signal() -> None:
    with pytest.raises(TableError, match="some records have none"):
        person_codes(pd.DataFrame({"who": [Decimal("sNaN"), Decimal(1)]}), "who")


def test_a_start_that_is_a_day_takes_no_clock_from_others() -> None:
    begun = [datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 12)]
    times = [t + timedelta(hours=h) for t, h in zip(begun, (1, 3), strict=True)]
    events = pd.DataFrame({"stay": [1, 2], "time": times, "variable": "hr", "value": [100, 50]})
    for starts, stays in ((begun, [1, 2]), ([date(2020, 1, 1), *begun], [3, 1, 2])):
        table = outcomes(stays, start=pd.Series(starts, dtype=object))
        assert grid(events, table, time="time")[-2:] == [[100, None], [None, 50]]


def test_clocks_with_a_zone_and_without_are_refused_in_whatever_order() -> None:
    here, there = datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    events = pd.DataFrame(
        {"stay": [1], "time": [datetime(2020, 1, 1, 1, tzinfo=UTC)], "variable": "hr", "value": 9}
    )
    for starts in ([here, there], [there, here]):
        table = outcomes([1, 2], start=pd.Series(starts, dtype=object))
        with pytest.raises(TableError, match=r"a zone .* and times without"):
            grid(events, table, time="time")


@pytest.mark.parametrize("kind", [pl.UInt64, pl.Int128, pl.String], ids=str)
def test_events_of_stays_with_large_numbers_are_kept(kind: Any) -> None:
    large = 2**63 + 5
    named = pl.Series("stay", [str(large), "7"]).cast(kind)
    events = pl.DataFrame([named]).with_columns(minute=30, variable=pl.lit("hr"), value=100)
    assert grid(events, outcomes([str(large), "7"])) == [[100, None], [100, None]]


def test_a_name_with_brackets_is_no_pattern(tmp_path: Path) -> None:
    other = EVENTS.replace("100", "10")
    for name, text, value in (("e[1]", EVENTS, 100), ("e1", other, 10)):
        (tmp_path / f"{name}.csv").write_text(text)
        pl.read_csv(io.StringIO(text)).write_parquet(tmp_path / f"{name}.parquet")
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text(f"Time,Parameter,Value\n00:30,hr,{value}\n")
    (tmp_path / "o.csv").write_text("RecordID,died\n1,0\n")
    expected = [[100, None], [50, None]]
    assert grid(tmp_path / "e[1].csv", outcomes([1, 2])) == expected
    assert grid(tmp_path / "e[1].parquet", outcomes([1, 2])) == expected
    assert grid(tmp_path / "e[1]", tmp_path / "o.csv") == expected[:1]
    assert read_table(tmp_path / "e[1].parquet")["value"].to_list() == [100, 50]


def benchmark(folder: Path, names: list[str]) -> list[Any]:
    lines = "".join(f"{name},{i % 2}\n" for i, name in enumerate(names))
    (folder / "listfile.csv").write_text(f"stay,y_true\n{lines}")
    target = {**DIED, "name": "y_true"}
    schema = Schema.from_dict({"fields": [PULSE, target]})
    return grid(folder, None, schema, target="y_true")


def test_a_stay_of_the_benchmark_is_the_file_that_is_listed(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    for name, value in (("a.csv", 100), ("b.csv", 50), ("part/c.csv", 20), ("?.csv", 10)):
        (tmp_path / name).write_text(f"Hours,hr\n0.5,{value}\n")
    names = ["a.csv", "b.csv", "part/c.csv", "?.csv"]
    assert benchmark(tmp_path, names) == [[100, None], [50, None], [20, None], [10, None]]
    (tmp_path / "?.csv").unlink()
    with pytest.raises(TableError, match="cannot be read"):
        benchmark(tmp_path, names)


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (EVENTS.replace("value", "value,value").replace("0\n", "0,1\n"), "columns 4 and 5"),
        (EVENTS + "2,60,hr\n", "end in the middle of a line"),
    ],
    ids=["name", "line"],
)
def test_packed_events_are_refused_as_others_are(
    text: str, sentence: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"e.{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    with pytest.raises(TableError, match=sentence):
        grid(path, outcomes([1, 2]))


def test_packed_events_that_lack_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.csv.gz"
    path.write_bytes(gzip.compress(EVENTS.encode())[:-12])
    with pytest.raises(TableError, match="cannot be read"):
        grid(path, outcomes([1, 2]))


def test_outcomes_whose_names_become_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("Time,Parameter,Value\n00:30,hr,100\n")
    table = tmp_path / "o.csv"
    table.write_text("RecordID,Died,died\n1,0,1\n")
    with pytest.raises(TableError, match="two columns that are called 'died'"):
        grid(tmp_path, table)


@pytest.mark.parametrize(
    "text", ["a,b,c\n1,2\n3,4,5\n", 'a,b,c\n1,"x,y"\n3,4,5\n', "a,b,c\n1,2,3\n\n4,5,6\n"], ids=repr
)
def test_a_line_that_is_too_short_is_refused_wherever_it_stands(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TableError, match="blank line or a record with fewer cells"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize("nothing", ["", "NaN", " nan"])
def test_a_code_whose_number_is_nothing_is_the_text_beside_it(nothing: str) -> None:
    columns = ("stay", "time", "code", "numeric_value", "text_value")
    cells = [[1], ["2020-01-01 01:00"], ["hr"], [nothing], ["100"]]
    events = pl.DataFrame(dict(zip(columns, cells, strict=True)))
    names: dict[str, Any] = {"variable": "code", "value": "numeric_value"}
    for number in (pl.lit(nothing), pl.lit(float("nan")), pl.lit(None, pl.Float64)):
        frame = events.with_columns(number.alias("numeric_value"))
        found = grid(frame, outcomes([1], start="2020-01-01"), time="time", **names)
        assert found == [[100, None]]


@pytest.mark.parametrize(
    "levels", [["nan", "1"], ["inf", "1"], ["1", "1.0"], ["1_0", "2"]], ids=str
)
def test_a_variable_has_levels_of_different_numbers(levels: list[str]) -> None:
    field = {"name": "hr", "type": "string", "role": "variable", "categories": levels}
    events = pl.read_csv(io.StringIO(EVENTS))
    with pytest.raises(SchemaError, match="words, or of one number"):
        grid(events, outcomes([1, 2]), Schema.from_dict({"fields": [field, DIED]}))


def test_a_name_may_have_quotes_and_commas(tmp_path: Path) -> None:
    frame = pl.DataFrame({'the "x"': ["1"], "a,\nb": ["2"], " c ": ["3"]})
    frame.write_csv(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").equals(frame)


def test_blank_lines_at_the_end_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n1,"x\ny,z"\n\r\n\n')
    assert read_table(tmp_path / "t.csv").rows() == [("1", "x\ny,z")]
