"""A distribution of records built from noisy answers alone; it can be questioned for free.

Here it is the simplest one: every column by itself. Its quantiles give the search a cube in which
equal steps mean equal shares of the patients, whatever the declared bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.encoding import Encoding
from tincture.schema import Column

Floats = NDArray[np.float64]
BINS = 20  # of an amount, equal in the encoded cube
SOFT = 0.7  # coordinate of the level meant; the others have 1 − SOFT, so that small steps can flip
FLOOR = 1e-3  # probability spread over all bins, which keeps every public value reachable


def cell_widths(encoding: Encoding) -> list[int]:
    """Cells of each column's histogram: bins and one for missing, or the levels."""
    return [
        k.width if c.is_categorical else BINS + 1
        for c, k in zip(encoding.columns, encoding.kinds, strict=True)
    ]


def cell_codes(encoding: Encoding, points: NDArray[np.floating]) -> NDArray[np.int64]:
    """Histogram cell of each point in each column, (n, n_columns)."""
    codes = np.empty((len(points), len(encoding.columns)), dtype=np.int64)
    for j, (column, place) in enumerate(zip(encoding.columns, encoding.slices, strict=True)):
        block = points[:, place]
        if column.is_categorical:
            codes[:, j] = block.argmax(axis=1)
            continue
        codes[:, j] = np.clip((block[:, 0] * BINS).astype(np.int64), 0, BINS - 1)
        if block.shape[1] > 1:
            codes[block[:, 1] > 0.5, j] = BINS
    return codes


@dataclass(frozen=True, slots=True)
class Marginals:
    """Independent columns, each with its noisy histogram.

    The *quantile cube* has the coordinates of the encoded cube, but an amount's coordinate is its
    quantile among the records.

    Parameters
    ----------
    encoding : Encoding
    shares : sequence of ndarray
        Probability of each cell, a column at a time.
    """

    encoding: Encoding
    shares: Sequence[Floats]

    @classmethod
    def of_counts(cls, encoding: Encoding, counts: Floats) -> Marginals:
        """From noisy counts of all columns' cells, side by side."""
        parts = np.split(counts, np.cumsum(cell_widths(encoding))[:-1])
        return cls(encoding, [_probabilities(p) for p in parts])

    @classmethod
    def flat(cls, encoding: Encoding) -> Marginals:
        """Before anything was asked: every present value alike, nothing missing."""
        shares = []
        for column, size in zip(encoding.columns, cell_widths(encoding), strict=True):
            weight = np.ones(size)
            if not column.required:
                weight[-1] = 0.0
            shares.append(weight / weight.sum())
        return cls(encoding, shares)

    def place(self, quantiles: Floats) -> Floats:
        """Points of the quantile cube (..., width) to points of the encoded cube."""
        points = quantiles.copy()
        for column, where, share in self._columns():
            if not column.is_categorical:
                edges, below = _quantile_map(share)
                points[..., where.start] = np.interp(quantiles[..., where.start], below, edges)
        return points

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Invented records (n, width) in the quantile cube."""
        points = rng.uniform(size=(n, self.encoding.width))
        for column, where, share in self._columns():
            if column.is_categorical:
                level = rng.choice(len(share), size=n, p=share)
                points[:, where] = (1 - SOFT) + (2 * SOFT - 1) * np.eye(len(share))[level]
            elif not column.required:
                points[:, where.start + 1] = rng.uniform(size=n) < share[-1]
        return points

    def typical(self) -> Floats:
        """The median of every amount and the commonest level, (width,) in the quantile cube."""
        point = np.zeros(self.encoding.width)
        for column, where, share in self._columns():
            if column.is_categorical:
                point[where] = 1 - SOFT
                point[where.start + int(np.argmax(share))] = SOFT
            else:
                point[where.start] = 0.5
        return point

    def _columns(self) -> list[tuple[Column, slice, Floats]]:
        return list(zip(self.encoding.columns, self.encoding.slices, self.shares, strict=True))


def _probabilities(counts: Floats) -> Floats:
    positive = np.maximum(counts, 0.0)
    if positive.sum() <= 0:
        positive = np.ones_like(positive)
    return np.asarray(positive / positive.sum() * (1 - FLOOR) + FLOOR / len(positive))


def _quantile_map(share: Floats) -> tuple[Floats, Floats]:
    """Bin edges in the encoded cube, and the share of present values below each."""
    present = share[:-1] + FLOOR / BINS
    below = np.concatenate([[0.0], np.cumsum(present / present.sum())])
    return np.linspace(0.0, 1.0, BINS + 1), below
