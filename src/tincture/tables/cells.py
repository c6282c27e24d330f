"""The cells of every column's histogram, from the schema alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.public.columns import Column
from tincture.public.encoding import Amount, Encoding

MOST = 20  # bins of an amount between its ends; equal in the encoded cube


@lru_cache(maxsize=4096)
def edges_of(column: Column) -> Floats:
    """Edges in the encoded cube of an amount's cells, (n_cells + 1,), from 0 to 1.

    Few values have a cell each. Of more, the least and the greatest have one to themselves, since
    many people may share it (no dose, below detection, beyond the bounds), and bins lie between.
    Edges lie half a step from the values that a row can hold.
    """
    low, high = column.bounds
    step = 10.0**-column.places
    n_values = round((high - low) / step) + 1
    if n_values <= MOST:
        inner = low + (np.arange(1, n_values) - 0.5) * step
    else:
        places = np.linspace(0.0, 1.0, MOST + 1)[:, None]
        values = Amount(column).decode(np.concatenate([places, np.zeros_like(places)], axis=1))
        inner = np.unique(np.append(values[:-1] + step / 2, high - step / 2))
    coded = np.unique(Amount(column).encode(inner)[:, 0])  # floats may not tell fine steps apart
    return np.concatenate([[0.0], coded[(coded > 0.0) & (coded < 1.0)], [1.0]])


def cell_widths(encoding: Encoding) -> list[int]:
    """Cells of each column's histogram: bins and one for missing, or the levels."""
    return [
        k.width if c.is_categorical else len(edges_of(c))
        for c, k in zip(encoding.columns, encoding.kinds, strict=True)
    ]


def cell_codes(encoding: Encoding, points: NDArray[np.floating]) -> Integers:
    """Histogram cell of each point in each column, (n, n_columns); an amount's last is missing."""
    codes = np.empty((len(points), len(encoding.columns)), dtype=np.int64)
    for j, (column, place) in enumerate(zip(encoding.columns, encoding.slices, strict=True)):
        block = points[:, place]
        if column.is_categorical:
            codes[:, j] = block.argmax(axis=1)
            continue
        inner = edges_of(column)[1:-1]
        codes[:, j] = np.searchsorted(inner, block[:, 0], side="right")
        if block.shape[1] > 1:
            codes[block[:, 1] > 0.5, j] = len(inner) + 1
    return codes


def parts(values: Floats, widths: Sequence[int]) -> list[Floats]:
    """A vector over all cells, a column at a time."""
    return np.split(values, np.cumsum(widths)[:-1])
