"""Cells of histograms: from the schema alone, and every value in the cell that holds it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import amounts, encodings, records_of
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.tables.cells import MOST, cell_codes, cell_widths, edges_of

AGE = Column("age", "integer", 0.0, 120.0)
DOSE = Column("dose", "number", 0.1, 1000.0, decimals=1, scale="log")
GRADE = Column("grade", "integer", 1.0, 5.0)
WARD = Column("ward", "string", categories=("a", "b", "c"))


def cells_of(column: Column, values: list[float]) -> list[int]:
    encoding = Encoding([column])
    points = encoding.encode({column.name: np.array(values)})
    return [int(code) for code in cell_codes(encoding, points)[:, 0]]


@given(amounts(), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_a_value_falls_in_the_cell_whose_edges_hold_it(column: Column, at: list[float]) -> None:
    # Clearly inside of them, so that no rounding of a value can move it to the next cell.
    edges, encoding = edges_of(column), Encoding([column])
    assert (edges[0], edges[-1]) == (0.0, 1.0)
    assert len(edges) <= MOST + 3
    cube = np.zeros((len(at), encoding.width))
    cube[:, 0] = at
    points = encoding.snap(cube)
    code = cell_codes(encoding, points)[:, 0]
    assert (edges[code] <= points[:, 0]).all()
    assert (points[:, 0] <= edges[code + 1]).all()


@given(amounts())
def test_no_cell_is_empty_by_rounding(column: Column) -> None:
    # Every cell holds a value that a row can have, so that its edges are half a step apart or more.
    edges = edges_of(column)
    low, high = column.bounds
    step = 10.0**-column.places / (high - low)
    if not column.is_log:
        assert (np.diff(edges) > 0.49 * min(step, 1.0)).all()
    assert (np.diff(edges) > 1e-12).all()


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_steps_that_floats_cannot_tell_apart_make_no_empty_cell(
    scale: Literal["linear", "log"],
) -> None:
    # Half a step from an end is the end itself there, and a cell without width divides by nothing.
    fine = Column("x", "number", 1e-6, 1e9, decimals=12, scale=scale)
    assert (np.diff(edges_of(fine)) > 0).all()
    assert edges_of(fine)[-1] == 1.0


def test_few_values_have_a_cell_each() -> None:
    assert cells_of(GRADE, [1, 2, 3, 4, 5, np.nan]) == [0, 1, 2, 3, 4, 5]
    assert cell_widths(Encoding([GRADE])) == [6]


@pytest.mark.parametrize("column", [AGE, DOSE], ids=["age", "dose"])
def test_of_more_the_ends_have_a_cell_to_themselves(column: Column) -> None:
    low, high = column.bounds
    step = 10.0**-column.places
    codes = cells_of(column, [low - 1, low, low + step, high - step, high, high + 1, np.nan])
    last = codes[-1] - 1  # missing comes after the greatest
    assert codes == [0, 0, 1, last - 1, last, last, last + 1]
    assert last + 1 <= MOST + 2


def test_bins_between_the_ends_are_about_equal_in_the_cube() -> None:
    inner = np.diff(edges_of(AGE))[1:-1]
    assert len(inner) == MOST
    assert inner.max() - inner.min() <= 1.01 / 120  # a whole year


def test_levels_are_cells() -> None:
    assert cell_codes(Encoding([WARD]), np.eye(4))[:, 0].tolist() == [0, 1, 2, 3]


@given(encodings(), st.data())
def test_a_record_falls_in_its_cell_by_itself(encoding: Encoding, data: st.DataObject) -> None:
    points = data.draw(records_of(encoding, 5))
    alone = [cell_codes(encoding, points[i : i + 1]) for i in range(5)]
    together = cell_codes(encoding, points)
    np.testing.assert_array_equal(together, np.concatenate(alone))
    assert (together < cell_widths(encoding)).all()


@given(amounts())
def test_edges_follow_from_the_column_alone(column: Column) -> None:
    np.testing.assert_array_equal(edges_of(column), edges_of.__wrapped__(column))
