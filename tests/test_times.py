"""Times are read cell by cell, and quickly where they are written as usual."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.errors import TableError
from tincture.public.times import _by_iso, _by_parts, moments

DIGITS = st.sampled_from(
    ["2150", "2020", "20200", "1", "5", "05", "12", "13", "31", "60", "00", "٣"]
)
MARKS = st.sampled_from(
    ["-", ":", "T", "t", " ", "  ", ".", ",", "Z", "z", "+02", "-03:30", "+2", "x"]
)
CLOCK, ZONE = r"  ?\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?", r"(Z|[+-]\d{2}(:?\d{2})?)?"
SHAPES = st.one_of(
    st.from_regex(r"2\d{3}-[01]\d-[0-3]\d[Tt ][0-2]\d:[0-5]\d(:[0-6]\d)?", fullmatch=True),
    st.from_regex(rf"2\d{{3}}-\d{{1,2}}-\d{{1,2}}({CLOCK} ?{ZONE})?", fullmatch=True),
    st.lists(DIGITS | MARKS, max_size=12).map("".join),
)


@given(st.lists(SHAPES, min_size=1, max_size=20))
def test_the_quick_way_reads_what_the_slow_one_does(cells: list[str]) -> None:
    text = pl.Series([c.strip() or None for c in cells], dtype=pl.String)
    found, is_zoned = _by_iso(text)
    expected, is_expected = _by_parts(text)
    assert found.to_list() == expected.to_list()
    assert is_zoned.tolist() == is_expected.tolist()


@given(st.lists(SHAPES, min_size=1, max_size=8), SHAPES)
def test_no_cell_changes_what_another_one_means(cells: list[str], odd: str) -> None:
    alone = [_by_iso(pl.Series([c], dtype=pl.String))[0].to_list()[0] for c in cells]
    assert _by_iso(pl.Series([*cells, odd], dtype=pl.String))[0].to_list()[:-1] == alone


def test_zones_are_told_in_utc_and_fractions_kept() -> None:
    cells = pl.Series(["2150-03-01T07:00:00.25+01:30", "2150-03-01 05:30:00,25Z"])
    found = moments(cells, "It")
    assert found.is_zoned
    assert [str(v) for v in found.values.to_list()] == ["2150-03-01 05:30:00.250000"] * 2
    with pytest.raises(TableError, match="times without"):
        moments(pl.Series(["2150-03-01 07:00Z", "2150-03-01"]), "It")


@pytest.mark.parametrize("zone", ["+99:99", "+0199", "-30"])
def test_no_clock_is_days_ahead(zone: str) -> None:
    for day in ("2020-05-01", "2020-5-1"):
        with pytest.raises(TableError, match="not read as a time"):
            moments(pl.Series([f"{day} 07:00{zone}"]), "The time")
