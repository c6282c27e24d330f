"""Tables that are hardly tables: constant, tiny, huge, repeated, of one class or without events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from tincture.arrays import Floats, Integers, Mask

LARGEST = float(np.finfo(np.float64).max)
VALUES = [0.0, -0.0, 1.0, -1.0, 1 + 1e-8, 1e-8, 1e6, 3.4e38, 1e-300, 5e-324, 1e300, LARGEST]
TIMES = [0.0, 1.0, 1 + 1e-8, 3.0, 1e6, 1e-300, 5e-324, 1e300, LARGEST]
KINDS = ["free", "constant column", "equal rows", "one wild row", "narrow"]


class Odd(NamedTuple):
    """Tables, outcomes of both kinds, and records as odd as the tables.

    Attributes
    ----------
    x : (R, m, p) float64
    label : (R, m) int64 in 0..n_classes-1, not all of which need occur
    n_classes : int
    time, event : (R, m) float64 and bool
    records : (b, p) float64, NaN where missing
    fill : (R, p) float64
    """

    x: Floats
    label: Integers
    n_classes: int
    time: Floats
    event: Mask
    records: Floats
    fill: Floats


def finite(extremes: list[float], least: float) -> st.SearchStrategy[list[float]]:
    """A few numbers, of which a table is made."""
    one = st.sampled_from(extremes) | st.floats(least, LARGEST) | st.floats(max(least, -9.0), 9.0)
    return st.lists(one, min_size=1, max_size=6)


def make(
    seed: int,
    shape: tuple[int, int, int],
    values: list[float],
    kind: str = "free",
    classes: tuple[int, int] = (2, 2),
    times: tuple[float, ...] = (1.0, 2.0),
    shown: float = 0.5,
) -> Odd:
    """Draw from the given numbers; ``classes`` are those possible and those that may occur."""
    rng = np.random.default_rng(seed)
    x = rng.choice(values, size=shape)
    if kind == "constant column":
        x[:, :, rng.integers(shape[2])] = x[0, 0, 0]
    elif kind == "equal rows":
        x[:] = x[:, :1]
    elif kind == "one wild row":
        x[:] = rng.normal(size=shape)
        x[:, rng.integers(shape[1])] = rng.choice(values, size=shape[2])
    elif kind == "narrow":
        x[:] = values[0] * (1.0 - 1e-9 * rng.random(shape))
    records = rng.choice([*values, *VALUES, *(-v for v in VALUES), np.nan], size=(7, shape[2]))
    return Odd(
        x,
        rng.integers(0, classes[1], size=shape[:2]),
        classes[0],
        rng.choice(times, size=shape[:2]),
        rng.random(shape[:2]) < shown,
        np.concatenate([x[0], records]),
        rng.choice([*values, 0.0], size=(shape[0], shape[2])),
    )


@st.composite
def odd_tables(draw: st.DrawFn) -> Odd:
    """Any of them, from two rows of one column up."""
    shape = (draw(st.integers(1, 2)), draw(st.integers(2, 14)), draw(st.integers(1, 5)))
    n_classes = draw(st.integers(2, 6))
    return make(
        draw(st.integers(0, 2**32 - 1)),
        shape,
        draw(finite(VALUES + [-v for v in VALUES], -LARGEST)),
        draw(st.sampled_from(KINDS)),
        (n_classes, draw(st.integers(1, n_classes))),
        tuple(draw(finite(TIMES, 0.0))),
        draw(st.sampled_from([0.0, 0.1, 0.5, 1.0])),
    )


@st.composite
def degenerate(draw: st.DrawFn) -> tuple[Floats, np.random.Generator, int]:
    """A table (1, m, p) with few distinct values, repeated rows and columns of any size.

    With it what to draw outcomes by, and how many of them may differ.
    """
    m, p = draw(st.integers(2, 12)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = rng.integers(-draw(st.integers(0, 3)), 4, size=(m, p)).astype(float)
    table *= 10.0 ** draw(st.integers(-6, 6))
    if draw(st.booleans()):
        table[rng.integers(m)] = rng.choice([-1e6, 1e6], size=p)
    if draw(st.booleans()):
        table[:] = table[0]
    return table[None], rng, draw(st.integers(0, 3))


def lifetimes(rng: np.random.Generator, m: int, variety: int) -> tuple[Floats, Mask]:
    """Times with ties, and which of them are events: the more, the more the times differ."""
    return rng.integers(0, variety + 1, size=m).astype(float), rng.random(m) < variety / 3
