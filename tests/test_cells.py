"""What a cell means depends on that cell and its field alone, in every container and spelling."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.errors import SchemaError, TableError
from tincture.io.frames import labels, person_codes, read_table, to_columns
from tincture.public.schema import Schema

MISSING = ["", "NA", "-9", "99.5"]
FIELDS: list[dict[str, Any]] = [
    {"name": "age", "type": "integer", "constraints": {"minimum": 0, "maximum": 120}},
    {"name": "lab", "type": "number", "constraints": {"minimum": 0, "maximum": 50}},
    {"name": "smokes", "type": "boolean"},
    {"name": "grade", "type": "string", "categories": ["1", "2", "3"]},
    {"name": "dose", "type": "number", "categories": [0, 0.1, 1]},
    {"name": "answer", "type": "string", "categories": ["true", "false", "unsure"]},
]
SCHEMA = Schema.from_dict({"missingValues": MISSING, "fields": FIELDS})
USUAL = {
    "age": ["40", "7", "-9"],
    "lab": ["1.5", "-9", "99.5", "7"],
    "smokes": ["true", "false"],
    "grade": ["1", "2", "3"],
    "dose": ["0", "0.1", "1"],
    "answer": ["true", "false"],
}
ODD = ["", "NA", "-9", "-9.0", "99.5", "1.5", " 7", "TRUE", "false", "unsure", "1", "3.0", "1e0"]


def typed(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text))


def through_parquet(frame: pl.DataFrame) -> pl.DataFrame:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return pl.read_parquet(buffer.getvalue())


READERS: dict[str, Callable[[str], Any]] = {
    "text": lambda t: pl.read_csv(io.StringIO(t), infer_schema=False),
    "polars": typed,
    "parquet": lambda t: through_parquet(typed(t)),
    "pandas": lambda t: pd.read_csv(io.StringIO(t)),
    "pandas, few words": lambda t: pd.read_csv(
        io.StringIO(t), keep_default_na=False, na_values=[""]
    ),
    "pandas, nullable": lambda t: pd.read_csv(io.StringIO(t)).convert_dtypes(),
    "pandas, categories": lambda t: pd.read_csv(io.StringIO(t)).astype("category"),
}


def values(cells: Sequence[str], name: str, reader: str) -> np.ndarray[Any, Any] | None:
    """One column as the reader makes it, or None if it is refused."""
    text = f"{name},other\n" + "".join(f"{cell},1\n" for cell in cells)
    try:
        return to_columns(READERS[reader](text), SCHEMA, [name])[name]
    except TableError:
        return None


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("odd", ODD)
def test_one_record_more_changes_no_other_in_any_reader(name: str, odd: str) -> None:
    usual = USUAL[name] * 3
    expected = values(usual, name, "text")
    assert expected is not None
    alone = values([odd], name, "text")
    for reader in READERS:
        before, after = values(usual, name, reader), values([odd, *usual], name, reader)
        np.testing.assert_array_equal(before, expected)
        # Whether it is refused depends on the added record alone.
        assert (after is None) == (alone is None), reader
        if after is not None and alone is not None:
            np.testing.assert_array_equal(after, np.concatenate([alone, expected]))


def column(cells: Any, field: dict[str, Any], missing: Sequence[Any] = ("",)) -> list[Any]:
    frame = cells if isinstance(cells, pl.DataFrame) else pd.DataFrame({"x": cells})
    schema = Schema.from_dict({"missingValues": list(missing), "fields": [{"name": "x", **field}]})
    return [None if v != v else v for v in to_columns(frame, schema, ["x"])["x"].tolist()]


NUMBER: dict[str, Any] = {"type": "number", "constraints": {"minimum": -1e6, "maximum": 1e6}}


@pytest.mark.parametrize(
    "cells",
    [
        ["-9.9", "-9.90", " -9.9 ", "-99e-1"],
        [-9.9, np.nan],
        np.array([-9.9], dtype=np.float32),
        [Decimal("-9.9"), Decimal("-9.90"), Decimal("NaN"), None],
        pd.Series([-9.9, None], dtype="Float64"),
        pd.Series([-9.9, -9.9]).astype("category"),
        pd.Series([np.float32(-9.9), "-9.9", -9.9], dtype=object),
        pl.DataFrame({"x": [-9.9]}, schema={"x": pl.Float32}),
        pl.DataFrame({"x": [Decimal("-9.9")]}),
        pl.DataFrame({"x": ["-9.9", "nan"]}, schema={"x": pl.Categorical}),
    ],
    ids=str,
)
def test_a_number_that_means_missing_does_so_in_every_spelling(cells: Any) -> None:
    assert set(column(cells, NUMBER, ["", "-9.9"])) == {None}
    levels = {"type": "number", "categories": [-1, 1]}
    assert set(column(cells, levels, ["", "-9.9"])) == {-1}


@pytest.mark.parametrize(
    "cells",
    [
        ["2", "2.0", " 2", "2e0"],
        pd.Series([2, 2], dtype="Int64"),
        np.array([2, 2], dtype=np.int8),
        [Decimal(2), Decimal("2.00")],
        pd.Categorical([2, 2]),
        pl.DataFrame({"x": ["2"]}, schema={"x": pl.Enum(["2", "3"])}),
    ],
    ids=str,
)
@pytest.mark.parametrize("levels", [[1, 2], [1.0, 2.0], ["1", "2"], ["one", "2.0"]], ids=str)
def test_a_level_is_found_in_every_spelling(cells: Any, levels: list[Any]) -> None:
    kind = "string" if isinstance(levels[1], str) else "number"
    assert set(column(cells, {"type": kind, "categories": levels})) == {1}


def test_a_field_may_have_words_for_missing_of_its_own() -> None:
    field = NUMBER | {"missingValues": [{"value": "999", "label": "not known"}, "?"]}
    assert column(["999.0", "?", "-9", ""], field, ["", "-9"]) == [None, None, -9, None]


def test_marks_of_the_standard_are_honoured() -> None:
    comma = NUMBER | {"decimalChar": ",", "groupChar": "."}
    assert column(["1.234,5", "7", "-0,25"], comma) == [1234.5, 7, -0.25]
    assert column(["1 234", "1234"], NUMBER | {"groupChar": " "}) == [1234, 1234]
    assert column(["1,5", "1.5"], NUMBER | {"decimalChar": ","}) == [1.5, 1.5]
    assert column(["95%", "about -3.5 kg"], NUMBER | {"bareNumber": False}) == [95, -3.5]
    with pytest.raises(TableError, match=r'units in cells .* by "bareNumber": false'):
        column(["95%"], NUMBER)
    assert column(["<1.0", "> 20", ">=3", "≤2"], NUMBER | {"tincture:limits": True}) == [
        1,
        20,
        3,
        2,
    ]
    truth = {"type": "boolean", "trueValues": ["Yes", "2"], "falseValues": ["No", "1"]}
    assert column(["Yes", "No", "2.0", "1", "TRUE"], truth) == [1, 0, 1, 0, 1]
    assert column([True, False], truth) == [1, 0]
    assert column([2, 1], truth) == [1, 0]


@pytest.mark.parametrize(
    ("cells", "field", "sentence"),
    [
        (["1,5"], NUMBER, "text that is not a number"),
        (["<1.0"], NUMBER, "text that is not a number"),
        (["1_000"], NUMBER, "text that is not a number"),
        ([".a"], NUMBER, "a missing code of Stata"),
        (["0"], {"type": "boolean", "trueValues": ["2"], "falseValues": ["1"]}, "does not list"),
        ([1.5], NUMBER | {"decimalChar": ",", "groupChar": "."}, "read it as text"),
        ([1.0], {"type": "string", "categories": ["1.0", "1.00"]}, "two of its levels"),
        ([b"m"], {"type": "string", "categories": ["m", "f"]}, "cells of type bytes"),
        (pd.to_timedelta([1], unit="D"), NUMBER, "timedelta64"),
        (pd.to_datetime(["2020-01-01"]), NUMBER, "datetime64"),
        (pd.period_range("2020", periods=1, freq="D"), NUMBER, "period[D]"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named_by_its_kind(cells: Any, field: Any, sentence: str) -> None:
    with pytest.raises(TableError) as caught:
        column(cells, field)
    assert sentence in str(caught.value)
    assert caught.value.__context__ is None


def test_words_for_missing_of_truth_and_of_any_length_are_found() -> None:
    for cells in (["true", "TRUE", "2"], pd.Series([True, np.bool_(True), 2], dtype=object)):
        assert column(cells, NUMBER, ["", "true"]) == [None, None, 2]
    assert column([True, False], NUMBER, ["", "true"]) == [None, 0]
    long = "9" * 20
    for same in ([long, "1"], [float(long), 1.0], [Decimal(long), 1], ["1e20", "1"]):
        assert column(same, NUMBER, ["", long]) == [None, 1]


def test_one_list_of_truth_values_leaves_the_other_as_it_is() -> None:
    some = {"type": "boolean", "trueValues": ["Y"]}
    assert column(["Y", "0", "false", "true"], some) == [1, 0, 0, 1]
    usual = {"type": "boolean", "trueValues": ["true", "True", "TRUE", "1"], "falseValues": ["N"]}
    assert column(["1", "N", "true"], usual) == [1, 0, 1]


def test_a_point_between_groups_says_nothing_of_empty_cells() -> None:
    dots = NUMBER | {"decimalChar": ",", "groupChar": "."}
    assert column([np.nan, np.nan], dots) == [None, None]
    assert column(pd.Series([np.nan, "1.000,5"]), dots) == [None, 1000.5]


def test_text_tells_levels_apart_that_a_number_cannot() -> None:
    codes = {"type": "string", "categories": ["250.0", "250.00"]}
    assert column(["250.00", "250.0"], codes) == [1, 0]


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"type": "integer", "decimalChar": ","}, '"decimalChar" says how a number is written'),
        ({"type": "string", "trueValues": ["y"]}, '"trueValues" says how a boolean is written'),
        ({"type": "number", "groupChar": "5"}, "one character"),
        ({"type": "number", "decimalChar": ",", "groupChar": ","}, "must differ"),
        ({"type": "number", "bareNumber": "no"}, "true or false"),
        ({"type": "boolean", "trueValues": "y"}, "list of words"),
        ({"type": "boolean", "trueValues": ["y"], "falseValues": ["y"]}, "means false too"),
        ({"type": "number", "format": "currency"}, '"format" says how a date or datetime'),
        ({"type": "date", "format": "any"}, '"any" leaves each reader to guess'),
        ({"type": "integer", "categories": [1, 2], "missingValues": ["2.0"]}, "means missing too"),
        ({"type": "boolean", "falseValues": ["N"], "missingValues": ["N"]}, "means missing too"),
        ({"type": "boolean", "trueValues": ["0"]}, "means false too"),
        ({"type": "string", "categories": ["a", " a"]}, "all different"),
        ({"type": "number", "categories": [0.1, 0.10000000001]}, "all different"),
        ({"type": "integer", "categories": [2**63, 1]}, "18 digits at most"),
        ({"type": "number", "categories": [2**53 + 1, 1]}, "hold 15 digits"),
        ({"type": "string", "categories": ["a", "\ud800"]}, "what JSON cannot"),
        ({"type": "string", "description": date(2020, 5, 1)}, "what JSON cannot"),
        ({"type": "number", "tincture:limit": True}, "'tincture:limit' is not known"),
        ({"type": "date", "categories": ["a", "b"]}, "has no levels"),
    ],
    ids=str,
)
def test_a_key_that_says_nothing_here_is_refused_by_name(field: Any, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        Schema.from_dict({"fields": [{"name": "x", **field}]})


@pytest.mark.parametrize(
    "ids",
    [
        pd.Series([1, 1.0, "1", "01", Decimal("1.00"), np.int8(1)], dtype=object),
        ["7", "007", " 7", "7.0"],
        pd.Series([3.0, 3.0]),
    ],
    ids=str,
)
def test_one_person_is_one_whatever_spells_the_number(ids: Any) -> None:
    assert set(person_codes(pd.DataFrame({"who": ids}), "who").tolist()) == {0}


def test_names_that_differ_are_two_persons() -> None:
    ids = ["a", "a\0", "A", "12345678901234567890", "12345678901234567891", "1.5", "true"]
    assert len(set(person_codes(pl.DataFrame({"who": ids}), "who").tolist())) == len(ids)


def test_a_person_without_a_name_is_refused_in_every_spelling_of_missing() -> None:
    for ids in (["1", "-9.0"], [1, -9], [1.0, None], ["1", "nan"], ["1", " "]):
        with pytest.raises(TableError, match="some records have none"):
            person_codes(pd.DataFrame({"who": ids}), "who", ["-9"])


def test_sites_are_one_word_in_every_container() -> None:
    for cells in (["2", "1", "-9"], [2, 1, -9], [2.0, 1.0, np.nan], pd.Categorical([2, 1, -9])):
        names, codes = labels(pd.DataFrame({"site": cells}), "site", ["-9"])
        assert (names, codes.tolist()) == (["1", "2"], [1, 0, -1])


def test_names_that_are_no_text_and_an_index_are_told() -> None:
    for frame in (
        pd.DataFrame({0: [1, 2]}),
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("lab", "x")])),
        pd.DataFrame({"y": [1]}, index=pd.Index([3], name="x")),
    ):
        with pytest.raises(TableError, match=r"not text|reset_index"):
            to_columns(frame, Schema.from_dict({"fields": [{"name": "x", **NUMBER}]}), ["x"])


@given(st.lists(st.floats(-1e5, 1e5) | st.sampled_from([-9.0, -9.9, 0.1]), min_size=1))
def test_numbers_mean_the_same_as_the_text_that_writes_them(numbers: list[float]) -> None:
    told = column([repr(n) for n in numbers], NUMBER, ["-9", "-9.9"])
    assert told == column(numbers, NUMBER, ["-9", "-9.9"])


def test_a_header_with_one_name_twice_is_refused(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text('age,"lab, serum",age\n1,2,3\n')
    with pytest.raises(TableError, match="one name for columns 1 and 3"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n3,4,5,secret\n", b'a,b\n1,"secret\n', b"a,b\n\xff\xfe,secret\n"]
)
def test_no_error_of_a_file_keeps_a_cell(tmp_path: Any, content: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableError) as caught:
        read_table(tmp_path / "t.csv")
    told = "".join(traceback.format_exception(caught.value, chain=True))
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in str(error)
        error = error.__context__
    assert "secret" not in told


def test_a_name_that_differs_by_blanks_or_case_is_hinted_at() -> None:
    schema = Schema.from_dict({"fields": [{"name": "age", **NUMBER}]})
    for name in ("age ", "Age"):
        with pytest.raises(TableError, match="only by blanks, or by upper and lower case"):
            to_columns(pl.DataFrame({name: [1]}), schema, ["age"])


@given(st.decimals(-99999, 99999, places=2) | st.decimals(-1, 1, places=5))
def test_single_precision_means_the_decimal_that_it_was_written_as(number: Decimal) -> None:
    told = column([str(number)], NUMBER)
    for cells in (np.array([number], dtype=np.float32), [np.float32(number)]):
        if abs(number) < 10000 or number == number.to_integral_value():  # six digits are kept
            assert column(pd.Series(cells, dtype=None), NUMBER) == told
    levels = {"type": "number", "categories": [float(number), 1e6]}
    assert column(np.array([number], dtype=np.float32), levels) == [0]
