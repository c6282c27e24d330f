"""Every kind of table reads alike, and what is wrong with one is said without quoting a cell."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers import FEATURES, SCHEMA, make_table
from tincture.errors import TableError
from tincture.io.frames import person_codes, read_table, record_count, to_columns, to_frame
from tincture.public.schema import Schema

NAMES = [*FEATURES, "died", "days", "event", "stage"]
SENTINEL = "Zx81sentinel"
ODD = Schema.from_dict(
    {
        "fields": [
            {"name": "x", "type": "number", "constraints": {"minimum": 0, "maximum": 9}},
            {"name": "k", "type": "integer", "categories": [0, 1, 2]},
            {"name": "b", "type": "boolean"},
            {"name": "s", "type": "string", "categories": ["a", "b", "1"]},
            {"name": "r", "type": "boolean", "constraints": {"required": True}},
        ],
        "missingValues": ["", "NA", "-99"],
    }
)


def assert_same(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_pandas_polars_csv_and_parquet_read_alike(tmp_path: Path) -> None:
    table = make_table(200)
    expected = to_columns(table, SCHEMA, NAMES)
    table.write_csv(tmp_path / "t.csv")
    table.write_csv(tmp_path / "t.tsv", separator="\t")
    table.to_pandas().to_csv(tmp_path / "t.csv.gz", index=False)
    table.write_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.tsv", "t.csv.gz", "t.parquet"):
        assert_same(to_columns(read_table(tmp_path / name), SCHEMA, NAMES), expected)
    assert_same(to_columns(table.to_pandas(), SCHEMA, NAMES), expected)
    assert_same(to_columns(table.to_pandas().convert_dtypes(), SCHEMA, NAMES), expected)
    arrow = table.to_pandas(use_pyarrow_extension_array=True)
    assert_same(to_columns(arrow, SCHEMA, NAMES), expected)
    assert record_count(arrow) == record_count(table) == 200


def test_a_table_written_from_its_columns_reads_as_the_same_columns() -> None:
    columns = to_columns(make_table(100), SCHEMA, NAMES)
    frame = to_frame(columns, SCHEMA)
    assert frame.columns == NAMES
    assert frame.schema["age"] == pl.Int64
    assert frame.schema["ward"] == pl.String
    assert frame.schema["diabetes"] == pl.Boolean
    assert_same(to_columns(frame, SCHEMA, NAMES), columns)


@pytest.mark.parametrize(
    "cells",
    [
        [1, 0, None],
        [1.0, 0.0, float("nan")],
        [True, False, None],
        ["1", "0", ""],
        ["1.0", "0.0", "NA"],
        [" 1 ", "0", " NA "],
        np.array([1, 0, None], dtype=object),
        pd.array([1, 0, None], dtype="Int64"),
        pd.array([True, False, None], dtype="boolean"),
        pd.Categorical([1, 0, None]),
    ],
    ids=str,
)
def test_one_by_any_spelling_is_the_same_level(cells: Any) -> None:
    for name in ("k", "b"):
        codes = to_columns(pd.DataFrame({name: cells}), ODD, [name])[name]
        assert codes.tolist() == [1, 0, -1]


def test_true_and_false_are_read_as_words() -> None:
    for words in (["true", "false"], ["True", "False"], ["TRUE", "FALSE"]):
        assert to_columns(pl.DataFrame({"b": words}), ODD, ["b"])["b"].tolist() == [1, 0]


@pytest.mark.parametrize("cells", [["a", None], ["a", "NA"], ["a", "-99"], ["a", " "]])
def test_missing_words_are_missing_in_text(cells: list[str | None]) -> None:
    for frame in (pl.DataFrame({"s": cells}), pd.DataFrame({"s": cells})):
        assert to_columns(frame, ODD, ["s"])["s"].tolist() == [0, -1]
        numbers = frame.rename({"s": "x"}) if isinstance(frame, pl.DataFrame) else None
        if numbers is not None:
            numbers = numbers.with_columns(pl.col("x").replace("a", "3"))
            assert np.isnan(to_columns(numbers, ODD, ["x"])["x"]).tolist() == [False, True]


def test_a_blank_is_missing_whatever_the_words_are() -> None:
    # A release writes missing as a blank, so every schema must read it back.
    schema = Schema(ODD.columns, missing_values=("NA",))
    columns = to_columns(
        pl.DataFrame({"s": ["a", "", " "], "x": ["1", "", " "]}), schema, ["s", "x"]
    )
    assert columns["s"].tolist() == [0, -1, -1]
    assert np.isnan(columns["x"]).tolist() == [False, True, True]


def test_an_entirely_missing_column_is_missing() -> None:
    frame = pl.DataFrame({"x": [None, None], "s": [None, None]})
    columns = to_columns(frame, ODD, ["x", "s"])
    assert np.isnan(columns["x"]).all()
    assert (columns["s"] == -1).all()


def test_out_of_range_numbers_are_read_as_they_are() -> None:
    # Clipping belongs to the encoding, which alone is told the bounds.
    assert to_columns(pl.DataFrame({"x": [-5.0, 99.0]}), ODD, ["x"])["x"].tolist() == [-5.0, 99.0]


@pytest.mark.parametrize(
    ("frame", "name", "sentence"),
    [
        ({"y": [SENTINEL]}, "x", "has no column 'x'"),
        ({"x": ["1", SENTINEL]}, "x", "text that is not a number"),
        ({"x": [[1], [2]]}, "x", "cells of type"),
        ({"x": [1.0, float("inf")]}, "x", "infinite"),
        ({"x": ["1", "-inf"]}, "x", "infinite"),
        ({"s": ["a", SENTINEL]}, "s", "does not list; expected one of 'a', 'b', '1'"),
        ({"s": ["A"]}, "s", "does not list"),
        ({"k": [0, 3]}, "k", "does not list"),
        ({"k": [0.5]}, "k", "does not list"),
        ({"k": ["0", SENTINEL]}, "k", "does not list"),
        ({"b": [2]}, "b", "does not list"),
        ({"b": ["yes"]}, "b", "does not list"),
        ({"r": [True, None]}, "r", "required but has missing"),
    ],
    ids=str,
)
def test_a_wrong_column_is_named_and_no_cell_is_quoted(
    frame: dict[str, Any], name: str, sentence: str
) -> None:
    for library in (pl.DataFrame, pd.DataFrame):
        with pytest.raises(TableError) as caught:
            to_columns(library(frame), ODD, [name])
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
        error = caught.value
        assert SENTINEL not in "".join(traceback.format_exception(error))
        assert error.__cause__ is None
        assert error.__context__ is None


@pytest.mark.parametrize("thing", [[1, 2], {"x": [1]}, None, pl.DataFrame({"x": [1]}).lazy()])
def test_what_is_no_frame_is_named_by_its_type(thing: Any) -> None:
    with pytest.raises(TableError, match=type(thing).__name__):
        to_columns(thing, ODD, ["x"])


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(TableError, match="two columns of one name"):
        to_columns(frame, ODD, ["x"])


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b" \n\n", "is empty"),
        ("t.csv", b"x,y\n", "holds no record"),
        ("t.csv", b"x,y\n1,2\n" + SENTINEL.encode() + b",2,3\n", "cannot be read"),
        ("t.csv", b"x\n\xff" + SENTINEL.encode() + b"\n", "is no UTF-8 text"),
        ("t.parquet", b"", "cannot be read"),
        ("t.parquet", b"PAR1" + SENTINEL.encode(), "cannot be read"),
        ("t.xlsx", b"PK" + SENTINEL.encode(), "cannot be read"),
        ("t.csv.gz", b"\x1f\x8b\x08\x00" + SENTINEL.encode(), "cannot be read"),
    ],
)
def test_an_unreadable_file_is_named_and_not_quoted(
    tmp_path: Path, name: str, content: bytes, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / name)
    assert sentence in str(caught.value)
    assert name in str(caught.value)
    assert SENTINEL not in "".join(traceback.format_exception(caught.value))
    assert SENTINEL not in "".join(capfd.readouterr())


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    make_table(100).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TableError, match="cannot be read"):
        read_table(path)


def test_a_folder_or_an_absent_file_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="is a directory"):
        read_table(tmp_path)
    with pytest.raises(TableError, match="does not exist"):
        read_table(tmp_path / "t.csv")


def test_an_empty_parquet_table_holds_no_record(tmp_path: Path) -> None:
    make_table(5).clear().write_parquet(tmp_path / "t.parquet")
    with pytest.raises(TableError, match="holds no record"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize("ids", [["b", "a", "b"], [7, 3, 7], [2.0, 1.0, 2.0]])
def test_persons_are_numbered_whatever_identifies_them(ids: list[Any]) -> None:
    for library in (pl.DataFrame, pd.DataFrame):
        assert person_codes(library({"who": ids}), "who").tolist() == [1, 0, 1]


def test_a_record_without_a_person_is_refused() -> None:
    for library in (pl.DataFrame, pd.DataFrame):
        with pytest.raises(TableError, match="some records have none"):
            person_codes(library({"who": ["a", None]}), "who")
    with pytest.raises(TableError, match="no column 'who'"):
        person_codes(pl.DataFrame({"x": [1]}), "who")
