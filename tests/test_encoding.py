"""Between a table and the cube nothing is lost, and every point of the cube is a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import Scale, amounts, anywhere, choices, encodings
from tincture.io.frames import to_columns, to_frame
from tincture.public.columns import Column
from tincture.public.encoding import Amount, Choice, Encoding
from tincture.public.schema import Schema


def released(column: Column, x: np.ndarray) -> np.ndarray:
    """What the schema lets a value be: its decimal places, inside its bounds."""
    return np.clip(np.round(x, column.places), *column.bounds)


@given(amounts(), st.data())
def test_an_amount_in_range_comes_back_to_its_declared_precision(
    column: Column, data: st.DataObject
) -> None:
    value = st.floats(*column.bounds)
    x = np.array(data.draw(st.lists(value if column.required else value | st.just(np.nan))))
    x = released(column, x) if len(x) else np.empty(0)
    back = Amount(column).decode(Amount(column).encode(x))
    np.testing.assert_array_equal(back, released(column, x))


@given(amounts(), st.floats(allow_infinity=True, allow_nan=False))
def test_a_value_out_of_range_is_clipped_to_the_nearest_bound(column: Column, x: float) -> None:
    kind = Amount(column)
    point = kind.encode(np.array([x]))
    assert ((point >= 0) & (point <= 1)).all()
    np.testing.assert_array_equal(point, kind.encode(np.clip([x], *column.bounds)))


@given(choices(), st.data())
def test_every_level_comes_back(column: Column, data: st.DataObject) -> None:
    lowest = 0 if column.required else -1
    codes = data.draw(st.lists(st.integers(lowest, len(column.levels) - 1)))
    back = Choice(column).decode(Choice(column).encode(np.array(codes, dtype=np.int64)))
    assert back.tolist() == codes


@given(encodings(), st.data())
def test_any_point_means_a_valid_row_and_snapping_finds_it(
    encoding: Encoding, data: st.DataObject
) -> None:
    named = encoding.columns
    points = data.draw(anywhere(encoding, 3))
    values = encoding.decode(points)
    for column in named:
        x: np.ndarray = values[column.name]
        if column.is_categorical:
            assert ((x >= (0 if column.required else -1)) & (x < len(column.levels))).all()
        else:
            low, high = column.bounds
            assert (np.isnan(x) | ((x >= low) & (x <= high))).all()
            assert not (column.required and np.isnan(x).any())

    snapped = encoding.snap(points)
    assert ((snapped >= 0) & (snapped <= 1)).all()
    again = encoding.decode(snapped)
    for column in named:
        np.testing.assert_array_equal(again[column.name], values[column.name])
    np.testing.assert_allclose(encoding.snap(snapped), snapped, atol=1e-12)

    # The row written as a table reads back as the same values.
    schema = Schema(named)
    read = to_columns(to_frame(values, schema), schema, schema.names)
    for column in named:
        np.testing.assert_array_equal(read[column.name], values[column.name])


@given(amounts())
def test_models_see_amounts_linear_in_value_and_missing_as_nan(column: Column) -> None:
    kind = Amount(column)
    low, high = column.bounds
    x = released(column, np.linspace(low, high, 7))
    if not column.required:
        x[3] = np.nan
    design = kind.design(kind.encode(x))
    assert design.shape == (7, 1)
    np.testing.assert_allclose(design[:, 0], (x - low) / (high - low), atol=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "scale", "expected"),
    [
        (0.1, 5.0, None, True),
        (0.1, 4.9, None, False),
        (0.0, 1e6, None, False),
        (-1.0, 100.0, None, False),
        (0.1, 100.0, "linear", False),
        (1.0, 2.0, "log", True),
    ],
)
def test_the_search_steps_in_ratios_over_positive_ranges_of_fifty_and_more(
    low: float, high: float, scale: Scale, expected: bool
) -> None:
    column = Column("x", "number", low, high, required=True, scale=scale)
    assert column.is_log is expected
    fine = replace(column, decimals=12)
    middle = Amount(fine).decode(np.array([[0.5]]))
    assert middle[0] == pytest.approx(np.sqrt(low * high) if expected else (low + high) / 2)


def test_a_missing_required_level_is_never_encoded() -> None:
    with pytest.raises(ValueError, match="required"):
        Choice(Column("x", "boolean", required=True)).encode(np.array([-1]))


def test_columns_lie_side_by_side_and_amounts_are_marked() -> None:
    encoding = Encoding(
        [
            Column("a", "number", 0, 1),
            Column("b", "boolean"),
            Column("c", "integer", 0, 9, required=True),
        ]
    )
    assert (encoding.width, encoding.design_width) == (2 + 3 + 1, 1 + 3 + 1)
    assert encoding.numeric.tolist() == [True, False, False, False, True]
