"""A distribution of records built from noisy answers alone; it can be questioned for free.

Here it is the simplest one: every column by itself. Its quantiles give the search a cube in which
equal steps mean equal shares of the patients, whatever the declared bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels.pointwise import interpolate
from tincture.public.columns import Column
from tincture.public.encoding import Encoding

BINS = 20  # of an amount, equal in the encoded cube
SOFT = 0.7  # coordinate of the level meant; the others have 1 − SOFT, so that small steps can flip
LOOSE = 0.57  # the same where a level is to be searched for by small steps from a good start
FLOOR = 1e-3  # probability spread over all bins, which keeps every public value reachable


def cell_widths(encoding: Encoding) -> list[int]:
    """Cells of each column's histogram: bins and one for missing, or the levels."""
    return [
        k.width if c.is_categorical else BINS + 1
        for c, k in zip(encoding.columns, encoding.kinds, strict=True)
    ]


def cell_codes(encoding: Encoding, points: NDArray[np.floating]) -> Integers:
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
    def of_counts(cls, encoding: Encoding, counts: Floats, total: float) -> Marginals:
        """From noisy counts of all columns' cells, side by side, and of the records in all."""
        parts = np.split(counts, np.cumsum(cell_widths(encoding))[:-1])
        return cls(encoding, [_probabilities(p, max(total, 1.0)) for p in parts])

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

    def quantiles(self, points: Floats) -> Floats:
        """Points of the encoded cube to the quantile cube: the inverse of `place`."""
        out = points.copy()
        for column, where, share in self._columns():
            if not column.is_categorical:
                _, below = _quantile_map(share)
                out[..., where.start] = interpolate(points[..., where.start], 0.0, 1.0, below)
        return out

    def loosened(self, points: Floats) -> Floats:
        """Exact encoded points to the quantile cube, where small steps can change a level."""
        out = self.quantiles(points)
        for column, where, _ in self._columns():
            first = where.start if column.is_categorical else where.start + 1
            loose = slice(first, where.stop)
            out[..., loose] = (1 - LOOSE) + (2 * LOOSE - 1) * out[..., loose]
        return out

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

    def cells(self, column: int) -> Floats:
        """An encoded point for each cell of a column, elsewhere typical, (n_cells, width)."""
        where, share = self.encoding.slices[column], self.shares[column]
        points = np.repeat(self.encoding.snap(self.place(self.typical()))[None], len(share), 0)
        if self.encoding.columns[column].is_categorical:
            points[:, where] = np.eye(len(share))
            return points
        points[:BINS, where.start] = (np.arange(BINS) + 0.5) / BINS
        if where.stop - where.start > 1:
            points[:, where.start + 1] = np.arange(len(share)) == BINS
            points[BINS:, where.start] = 0.5
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


def _probabilities(counts: Floats, total: float) -> Floats:
    """The nearest shares that are not negative: one amount is taken off every count.

    Merely cutting negative counts off would leave the noise of empty cells as records at the ends
    of the range, where they mislead a linear model most.
    """
    ordered = np.sort(counts)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, len(counts) + 1)
    kept = np.flatnonzero(ordered > excess)
    positive = np.maximum(counts - excess[kept[-1] if len(kept) else -1], 0.0)
    if positive.sum() <= 0:
        positive = np.ones_like(positive)
    return np.asarray(positive / positive.sum() * (1 - FLOOR) + FLOOR / len(positive))


def _quantile_map(share: Floats) -> tuple[Floats, Floats]:
    """Bin edges in the encoded cube, and the share of present values below each."""
    present = share[:-1] + FLOOR / BINS
    below = np.concatenate([[0.0], np.cumsum(present / present.sum())])
    return np.linspace(0.0, 1.0, BINS + 1), below
