"""A distribution of records built from noisy answers alone; it can be questioned for free.

Here it is the simplest one: every column by itself. Its quantiles give the search a cube in which
equal steps mean equal shares of the patients, whatever the declared bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.kernels.pointwise import interpolate
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.tables.cells import cell_widths, edges_of, parts
from tincture.tables.histograms import FLOOR, of_amount, of_levels

SOFT = 0.7  # coordinate of the level meant; the others have 1 − SOFT, so that small steps can flip


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
    def of_counts(
        cls, encoding: Encoding, counts: Floats, total: float, noise: float = 0.0
    ) -> Marginals:
        """From counts of all columns' cells, side by side, of the records in all, and their noise.

        Where too few for the noise are missing, nobody is.
        """
        total, shares = max(total, 1.0), []
        for column, part in zip(
            encoding.columns, parts(counts, cell_widths(encoding)), strict=True
        ):
            may_miss = not column.required
            if column.is_categorical:
                shares.append(of_levels(part, total, noise, may_miss=may_miss))
            else:
                shares.append(of_amount(part, edges_of(column), total, noise, may_miss=may_miss))
        return cls(encoding, shares)

    @classmethod
    def flat(cls, encoding: Encoding) -> Marginals:
        """Before anything was asked: every present value alike, nothing missing."""
        shares = []
        for column, size in zip(encoding.columns, cell_widths(encoding), strict=True):
            here = (
                np.ones(size)
                if column.is_categorical
                else np.append(np.diff(edges_of(column)), 0.0)
            )
            if column.is_categorical and not column.required:
                here[-1] = 0.0
            shares.append(here / here.sum())
        return cls(encoding, shares)

    def place(self, quantiles: Floats) -> Floats:
        """Points of the quantile cube (..., width) to points of the encoded cube."""
        points = quantiles.copy()
        for column, where, share in self._columns():
            if not column.is_categorical:
                edges, below = _quantile_map(column, share)
                points[..., where.start] = np.interp(quantiles[..., where.start], below, edges)
            if share[-1] == 0.0 and not column.required:
                points[..., where.stop - 1] = 0.0  # nobody is missing
        return points

    def quantiles(self, points: Floats) -> Floats:
        """Points of the encoded cube to the quantile cube: the inverse of `place`."""
        out = points.copy()
        for column, where, share in self._columns():
            if not column.is_categorical:
                edges, below = _quantile_map(column, share)
                out[..., where.start] = interpolate(points[..., where.start], edges, below)
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
        edges = edges_of(self.encoding.columns[column])
        last = len(share) - 1
        points[:last, where.start] = (edges[1:] + edges[:-1]) / 2
        if where.stop - where.start > 1:
            points[:, where.start + 1] = np.arange(len(share)) == last
            points[last:, where.start] = 0.5
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


def _quantile_map(column: Column, share: Floats) -> tuple[Floats, Floats]:
    """Cell edges in the encoded cube, and the share of present values below each."""
    present = share[:-1] + FLOOR / len(share)
    below = np.concatenate([[0.0], np.cumsum(present / present.sum())])
    return edges_of(column), below
