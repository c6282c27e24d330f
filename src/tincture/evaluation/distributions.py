"""Shares of each column's levels or bins, invented beside real."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tincture.evaluation.pictures import Bars
from tincture.public.columns import Column
from tincture.public.encoding import Values

Floats = NDArray[np.float64]
BINS = 12


def distributions(columns: Sequence[Column], condensed: Values, real: Values) -> Iterator[Bars]:
    """Every column, invented beside real, from its codes or amounts."""
    for column in columns:
        yield _bars(column, condensed[column.name], real[column.name])


def _bars(column: Column, condensed: NDArray[np.generic], real: NDArray[np.generic]) -> Bars:
    if column.is_categorical:
        labels: Sequence[str] = column.titles
        codes = [np.asarray(v, dtype=np.int64) for v in (condensed, real)]
    else:
        amounts = [np.asarray(v, dtype=np.float64) for v in (condensed, real)]
        edges = _edges(amounts[1], column)
        labels = [_range(a, b, column.type == "integer") for a, b in pairwise(edges)]
        codes = [
            np.where(np.isnan(v), -1, np.searchsorted(edges[1:-1], v, side="right"))
            for v in amounts
        ]
    counts = [np.bincount(c + 1, minlength=len(labels) + 1) for c in codes]
    shares = [np.roll(c / max(int(c.sum()), 1), -1) for c in counts]  # missing last
    if not any(share[-1] for share in shares):
        shares = [share[:-1] for share in shares]
    else:
        labels = [*labels, "missing"]
    first, second = (tuple(map(float, share)) for share in shares)
    return Bars(column.name, tuple(labels), first, second)


def _edges(real: Floats, column: Column) -> Floats:
    """Equal bins over the middle 98% of the real values; what lies outside joins the ends."""
    known = real[~np.isnan(real)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else column.bounds
    if high <= low:
        low, high = column.bounds
    if column.type == "integer" and not (column.is_log and high - low > 10 * BINS):
        step = max(np.ceil((np.floor(high) + 1 - np.floor(low)) / BINS), 1.0)
        return np.arange(np.floor(low), np.floor(high) + 1 + step, step)
    if column.is_log and low > 0:
        return np.geomspace(low, high, BINS + 1)
    return np.linspace(low, high, BINS + 1)


def _range(low: float, high: float, is_whole: bool) -> str:
    """What a bin holds, from its edges, the upper of which is not in it."""
    if is_whole and low == np.floor(low) and high == np.floor(high):
        return f"{low:.10g}" if high == low + 1 else f"{low:.10g} to {high - 1:.10g}"
    return " to ".join(f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}" for x in (low, high))
