"""The parts that read events: quick readings are the slow ones, and windows share no events."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tincture.public.cells import Field, Unreadable
from tincture.public.columns import Column
from tincture.stays.events.members import Members
from tincture.stays.events.values import amounts

MISSING = ("", "NA", "-9", "99")
TOKENS = [
    "1",
    "12",
    "0",
    ".",
    "e",
    "E",
    "+",
    "-",
    "_",
    " ",
    "inf",
    "nan",
    "NA",
    "9",
    "\t",
    "٣",
    "x",
]
CELLS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.lists(st.sampled_from(TOKENS), max_size=5).map("".join),
)
FIELD = Field(Column("x", "number"), MISSING)


def read(cells: list[str | None]) -> list[float] | str:
    """What the quick way reads, NaN as None; or what is wrong."""
    try:
        found: list[float] = amounts(FIELD, pl.Series("x", cells, dtype=pl.String)).tolist()
    except Unreadable as error:
        return str(error)
    return found


@given(CELLS)
def test_text_is_read_as_its_field_reads_it(cell: str) -> None:
    try:
        expected = FIELD.amounts([cell]).tolist()
    except Unreadable as error:
        assert read([cell]) == str(error)
    else:
        found = read([cell])
        assert isinstance(found, list)
        assert found == expected or (math.isnan(found[0]) and math.isnan(expected[0]))


def test_many_cells_are_read_as_each_by_itself() -> None:
    cells: list[str | None] = ["1.5", " 2 ", "-9", "-9.0", "NA", "", None, "1e3", "99", "98.999"]
    found = read(cells)
    assert isinstance(found, list)
    expected = [1.5, 2, math.nan, math.nan, math.nan, math.nan, math.nan, 1000, math.nan, 98.999]
    np.testing.assert_array_equal(found, expected)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=8), st.lists(st.integers(0, 4), max_size=20)
)
def test_every_event_meets_every_row_of_its_stay_once(who: list[int], events: list[int]) -> None:
    members = Members(who)
    batch = pl.DataFrame(
        {"stay": events, "n": range(len(events))}, schema_overrides={"stay": pl.Int64}
    )
    mine = members.among(batch, "stay")
    keys, places = mine["key"].to_numpy(), mine["n"].to_numpy()
    for at_once in (1, 3, 1000):
        pairs = [
            (int(n), int(row))
            for some, rows in members.rows(keys, at_once)
            for n, row in zip(places[some], rows, strict=True)
        ]
        expected = [(n, r) for n, e in enumerate(events) for r, w in enumerate(who) if e == w]
        assert sorted(pairs) == expected
