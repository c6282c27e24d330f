"""Sizes of weights, block by block, from what all blocks show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tincture.tables.refined import sizes

PRIOR = 0.05


def test_where_blocks_are_alike_the_usual_size_is_learned() -> None:
    numbers = np.full(40, 3.0)
    found = sizes(3 * 0.4 * np.ones(40), numbers, PRIOR, freedom=3.0, worth=1.0)
    assert found == pytest.approx(0.4, rel=0.15)


def test_one_large_block_among_small_ones_stays_large_and_they_small() -> None:
    squares = np.where(np.arange(40) == 0, 1.0, 1e-3)
    found = sizes(squares, np.ones(40), PRIOR, freedom=4.0, worth=4.0)
    assert found[0] > 0.2
    assert found[1:].max() < PRIOR / 2
    one_size = (squares.sum() + 4 * PRIOR) / 44
    assert found[0] > 5 * one_size > 5 * found[1]


def test_of_blocks_that_show_what_was_believed_nothing_is_learned() -> None:
    found = sizes(np.full(7, 2 * PRIOR), np.full(7, 2.0), PRIOR, freedom=3.0, worth=1.0)
    assert found == pytest.approx(PRIOR)


@given(
    st.lists(st.floats(0, 1e3), min_size=1, max_size=30),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
)
def test_sizes_are_positive_and_rise_with_what_a_block_shows(
    squares: list[float], freedom: float, worth: float
) -> None:
    shown = np.sort(squares)
    found = sizes(shown, np.ones(len(shown)), PRIOR, freedom=freedom, worth=worth)
    assert (found > 0).all()
    assert (np.diff(found) >= 0).all()
