"""Columns, tables and released histograms of every kind, for tests of properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tincture.public.columns import Column, Type
from tincture.public.encoding import Encoding
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.cells import cell_widths
from tincture.tables.marginals import Marginals

Scale = Literal["linear", "log"] | None


@st.composite
def amounts(draw: st.DrawFn) -> Column:
    kinds: list[Type] = ["number", "integer", "date", "datetime"]
    kind = draw(st.sampled_from(kinds))
    if kind != "number":
        low = float(draw(st.integers(-1000, 1000)))
        high = low + draw(st.integers(1, 100_000))
        decimals = None
    else:
        low = draw(st.floats(-1000, 1000))
        high = low + draw(st.floats(1e-3, 1e5))
        decimals = draw(st.none() | st.integers(0, 6))
    scales: list[Scale] = [None, "linear", "log"] if low > 1e-3 else [None, "linear"]
    scales = [None] if kind in ("date", "datetime") else scales
    scale = draw(st.sampled_from(scales))
    if scale is None and 0 < low < 1e-3:
        scale = "linear"
    return Column(
        "x",
        kind,
        low,
        high,
        required=draw(st.booleans()),
        decimals=decimals,
        scale=scale,
    )


@st.composite
def choices(draw: st.DrawFn) -> Column:
    required = draw(st.booleans())
    kinds: list[tuple[Type, tuple[str | float, ...] | None]] = [
        ("string", ("a", "b", "c d", "1")),
        ("integer", (0, 1, 5)),
        ("number", (0.5, 1.0)),
        ("boolean", None),
    ]
    kind, levels = draw(st.sampled_from(kinds))
    return Column("x", kind, categories=levels, required=required)


@st.composite
def encodings(draw: st.DrawFn) -> Encoding:
    """Of one to four columns."""
    columns = draw(st.lists(amounts() | choices(), min_size=1, max_size=4))
    return Encoding([replace(c, name=f"c{i}") for i, c in enumerate(columns)])


def anywhere(encoding: Encoding, n: int) -> st.SearchStrategy[np.ndarray]:
    """Points in the encoded cube and about it."""
    return arrays(np.float64, (n, encoding.width), elements=st.floats(-1.0, 2.0))


def records_of(encoding: Encoding, n: int) -> st.SearchStrategy[np.ndarray]:
    """Exact points, such as records have in the vault."""
    return anywhere(encoding, n).map(encoding.snap)


@st.composite
def released_marginals(draw: st.DrawFn) -> Marginals:
    """Histograms of noisy counts, some of them negative, of few records or many."""
    encoding = draw(encodings())
    size = sum(cell_widths(encoding))
    counts = draw(arrays(np.float64, size, elements=st.floats(-100.0, 1000.0)))
    return Marginals.of_counts(encoding, counts, draw(st.floats(-10.0, 5000.0)))


@st.composite
def teachers(draw: st.DrawFn, scores: tuple[int, ...] = ()) -> Teacher[Basis]:
    """Any weights on the basis of any histograms, of one score or of several, with tails or not."""
    marginals = draw(released_marginals())
    plain, columns = Basis(marginals), marginals.encoding.columns
    amounts = [j for j, column in enumerate(columns) if not column.is_categorical]
    tails = {j: plain.tail(j) for j in amounts if draw(st.booleans())}
    basis = Basis(marginals, draw(st.floats(0.0, 5.0)), tails=tails)
    weights = draw(arrays(np.float64, (*scores, basis.size), elements=st.floats(-10.0, 10.0)))
    return Teacher(basis, weights)
