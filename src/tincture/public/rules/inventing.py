"""Rows made of nothing but what the fields allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tincture.arrays import Floats
from tincture.public.columns import Column
from tincture.public.rules.room import Array, written


def invented(columns: Sequence[Column], n: int) -> dict[str, Array]:
    """Rows all over the fields: one in their middle, two at their ends, the rest anywhere."""
    rng = np.random.default_rng(0)
    out: dict[str, Array] = {}
    for column in columns:
        u = rng.uniform(size=n)
        u[:3] = (0.5, 0.0, 1.0)[:n]
        out[column.name] = _values(column, u)
    return out


def blank(columns: Sequence[Column]) -> dict[str, Array]:
    """One row that lacks all it may lack; the rest is in the middle."""
    middle = invented(columns, 1)
    gone = {c.name: np.array([-1 if c.is_categorical else np.nan]) for c in columns}
    return {c.name: (middle if c.required else gone)[c.name] for c in columns}


def _values(column: Column, u: Floats) -> Array:
    if column.is_categorical:
        n = len(column.levels)
        return np.minimum((u * n).astype(np.int64), n - 1)
    low, high = column.bounds
    return written(column, low + u * (high - low))
