"""Dates and times: what a cell means in every container, and how a schema declares them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tincture.errors import SchemaError, TableError
from tincture.io.frames import read_table, to_columns, to_frame
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema

BOUNDS = {"minimum": "2000-01-01", "maximum": "2030-12-31"}
CLOCKS = {"minimum": "2000-01-01T00:00:00", "maximum": "2030-12-31T00:00:00"}
MOMENTS = {"minimum": "2000-01-01T00:00:00Z", "maximum": "2030-12-31T00:00:00Z"}
DAY = 18_322  # 2020-03-01 since 1970-01-01
BERLIN = timezone(timedelta(hours=1))


def schema(kind: str = "date", **more: Any) -> Schema:
    bounds = {"date": BOUNDS, "datetime": CLOCKS}[kind]
    return Schema.from_dict(
        {
            "fields": [{"name": "x", "type": kind, "constraints": bounds, **more}],
            "missingValues": ["", "NA", "9999-12-31"],
        }
    )


def read(frame: Any, described: Schema) -> list[float | None]:
    found = to_columns(frame, described, ["x"])["x"].tolist()
    return [None if v != v else v for v in found]


def objects(*cells: Any) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(list(cells), dtype=object)})


DAYS = [date(2020, 3, 1), None, date(1969, 12, 31), date(9999, 12, 31)]
TIMES = [d and datetime(d.year, d.month, d.day) for d in DAYS]
CONTAINERS: dict[str, Any] = {
    "text": pl.DataFrame({"x": ["2020-03-01", " ", "1969-12-31", "9999-12-31"]}),
    "text of times": pl.DataFrame({"x": ["2020-03-01 00:00:00", "NA", "1969-12-31T00:00", "NA"]}),
    "categories": pl.DataFrame({"x": [None if d is None else str(d) for d in DAYS]}).cast(
        pl.Categorical
    ),
    "polars dates": pl.DataFrame({"x": DAYS}),
    "polars times": pl.DataFrame({"x": TIMES}, schema={"x": pl.Datetime("ms")}),
    "pandas days": pd.DataFrame({"x": np.array(DAYS, dtype="datetime64[D]")}),
    "pandas times": pd.DataFrame({"x": np.array([*TIMES[:3], None], dtype="datetime64[ns]")}),
    "pandas arrow": pd.DataFrame({"x": pd.Series(DAYS, dtype="date32[pyarrow]")}),
    "pandas objects": objects(pd.Timestamp("2020-03-01"), pd.NaT, "1969-12-31", None),
    "python objects": objects(DAYS[0], float("nan"), TIMES[2], date(9999, 12, 31)),
    "numpy objects": objects(np.datetime64("2020-03-01"), pd.NA, np.datetime64(-1, "D"), "nan"),
}


@pytest.mark.parametrize("frame", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_a_day_is_one_point_in_every_container(frame: Any, kind: str) -> None:
    each = 1 if kind == "date" else 86_400
    assert read(frame, schema(kind)) == [DAY * each, None, -each, None]
    values = to_columns(frame, schema(kind), ["x"])
    encoding = Encoding(schema(kind).columns)
    usual = to_columns(CONTAINERS["text"], schema(kind), ["x"])
    assert encoding.encode(values).tobytes() == encoding.encode(usual).tobytes()


def test_a_day_is_one_point_in_files(tmp_path: Path) -> None:
    frame = CONTAINERS["polars dates"]
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    CONTAINERS["pandas times"].to_parquet(tmp_path / "u.parquet")
    for name in ("t.csv", "t.parquet", "u.parquet"):
        assert read(read_table(tmp_path / name), schema()) == [DAY, None, -1, None]


def test_a_moment_is_one_in_every_zone() -> None:
    described = schema("datetime", constraints=MOMENTS)
    seven = DAY * 86_400 + 7 * 3600
    for frame in (
        pl.DataFrame({"x": ["2020-03-01T07:00:00Z", "2020-03-01 08:00:00.5+01:00"]}),
        objects(datetime(2020, 3, 1, 8, tzinfo=BERLIN), datetime(2020, 3, 1, 7, tzinfo=UTC)),
        pl.DataFrame({"x": [datetime(2020, 3, 1, 8, tzinfo=BERLIN)] * 2}),
        pd.DataFrame({"x": pd.to_datetime(["2020-03-01 08:00"] * 2).tz_localize(BERLIN)}),
    ):
        assert read(frame, described) == [seven, seven]
    with pytest.raises(TableError, match="a time with no zone"):
        read(pl.DataFrame({"x": ["2020-03-01T07:00:00"]}), described)
    with pytest.raises(TableError, match=r"a time with a zone .* bounds with Z"):
        read(pl.DataFrame({"x": ["2020-03-01T07:00:00Z"]}), schema("datetime"))


@pytest.mark.parametrize(
    ("pattern", "cells", "amounts"),
    [
        ("%d.%m.%Y", ["01.03.2020", "1.3.2020", date(2020, 3, 1)], [DAY] * 3),
        ("%d-%b-%Y", ["01-MAR-2020", "1-mar-2020", None], [DAY, DAY, None]),
        ("%B %d, %Y", ["March 1, 2020", "march  1, 2020", "NA"], [DAY, DAY, None]),
        ("%Y%m%d", ["20200301", 20200301, 20200301.0, "20200301.0"], [DAY] * 4),
        ("%d%m%Y", ["01032020", "1032020", 1032020, np.int64(1032020)], [DAY] * 4),
        ("%m/%d/%Y %I:%M %p", ["3/1/2020 11:59 PM", "03/01/2020 12:00 am"], [DAY, DAY]),
    ],
)
def test_text_is_read_by_the_declared_format(
    pattern: str, cells: list[Any], amounts: list[Any]
) -> None:
    assert read(objects(*cells), schema(format=pattern)) == amounts


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["2020-02-30"], "text that is no date"),
        (["01.03.2020"], "text that is no date"),
        (["2020-03"], "text that is no date"),
        (["2020"], "numbers, of which none is a date"),
        ([43891], "spreadsheet"),
        ([43891.0, None], "spreadsheet"),
        ([True], "numbers, of which none is a date"),
        (["2020-03-01T07:00Z"], "a date with a zone"),
        ([datetime(2020, 3, 1, tzinfo=UTC)], "a date with a zone"),
        ([timedelta(days=3)], "cells of type"),
        ([pd.Period("2020-03")], "cells of type Period"),
    ],
    ids=str,
)
def test_what_is_no_date_is_refused_without_its_words(cells: list[Any], sentence: str) -> None:
    with pytest.raises(TableError, match=sentence) as caught:
        read(objects(*cells), schema())
    assert not any(str(cell) in str(caught.value) for cell in cells)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ({"format": "%Y-%d-%m"}, "looks like ISO 8601"),
        ({"format": "%d.%m.%y"}, "either century"),
        ({"format": "%Y-%m"}, "no whole day"),
        ({"format": "%Y-%m-%d %Q"}, "%Q, which is not known"),
        ({"format": "%Y-%m-%d %d"}, "twice"),
        ({"format": "%Y-%m-%d %I:%M"}, "%I needs %p"),
        ({"format": "%Y-%m-%d%z"}, "a day has none"),
        ({"constraints": {"minimum": "2020-02-30"}}, "as ISO 8601 writes it"),
        ({"constraints": {"minimum": 2020}}, "as ISO 8601 writes it"),
        ({"constraints": {"minimum": "0000-01-01"}}, "as ISO 8601 writes it"),
        ({"constraints": {"minimum": "2020-01-01T00:00Z"}}, "dates have none"),
        ({"constraints": {"minimum": "2021-01-01", "maximum": "2020-01-01"}}, "below the maximum"),
        ({"tincture:decimals": 1}, "no decimals"),
        ({"tincture:scale": "log"}, "no scale"),
        ({"tincture:days": {"minimum": 3}}, "larger"),
        ({"tincture:days": {"minimum": 3, "maximum": 2}}, "larger"),
        ({"tincture:days": {"minimum": 0.5, "maximum": 2}}, "each a whole number of days"),
        ({"tincture:days": {"minimum": "0", "maximum": 2}}, "each a whole number of days"),
        ({"tincture:days": {"minimum": 0, "max": 2}}, "each a whole number of days"),
        ({"type": "integer", "tincture:days": {"minimum": 0, "maximum": 2}}, "of dates and times"),
    ],
    ids=str,
)
def test_a_field_that_cannot_be_is_refused(field: Any, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        Schema.from_dict({"fields": [{"name": "x", "type": "date", **field}]})


def test_bounds_may_be_written_as_cells_are_and_as_yaml_reads_them() -> None:
    for ends in (("01.01.2000", "31.12.2030"), (date(2000, 1, 1), datetime(2030, 12, 31))):
        bounds = dict(zip(("minimum", "maximum"), ends, strict=True))
        described = schema(format="%d.%m.%Y", constraints=bounds)
        told = described.to_dict()["fields"][0]
        assert told["constraints"] == BOUNDS
        assert Schema.from_dict(described.to_dict()) == described


@pytest.mark.parametrize(
    ("kind", "bounds", "text"),
    [
        ("date", BOUNDS, 'x\n2020-03-01\n""\n2000-01-01\n'),
        ("datetime", CLOCKS, 'x\n2020-03-01T07:00:05\n""\n2000-01-01T00:00:00\n'),
        ("datetime", MOMENTS, 'x\n2020-03-01T07:00:05Z\n""\n2000-01-01T00:00:00Z\n'),
    ],
)
def test_what_is_decoded_is_whole_and_read_again(kind: str, bounds: Any, text: str) -> None:
    described = schema(kind, constraints=bounds)
    frame = pl.read_csv(io.StringIO(text), infer_schema=False)
    encoding = Encoding(described.columns)
    points = encoding.encode(to_columns(frame, described, ["x"]))
    made = to_frame(encoding.decode(points), described)
    assert read(made, described) == read(frame, described)
    assert (encoding.encode(to_columns(made, described, ["x"])) == points).all()
    between = encoding.decode(np.array([[0.1234567, 0.0]]))["x"]
    assert between[0] == round(between[0])
