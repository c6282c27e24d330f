"""Stays as tables of channels that can be moved, between their public bounds, and written back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.public.encoding import Amount
from tincture.stays.inputs import Standard, channels
from tincture.stays.layout import Grid, Layout
from tincture.stays.recording import pooled, stretches


@dataclass(frozen=True)
class Movable:
    """The channels of invented stays that vary, in the units of the first table.

    Attributes
    ----------
    layout : Layout
    standard : Standard
        Means and deviations of the first table: its units.
    values : float32 ndarray of shape (n, bins, channels)
    low, high : ndarray of shape (channels,)
        Public bounds in these units.
    is_free, is_static : ndarray of bool, shape (channels,)
        Amounts may be moved where they are known; levels may not.
    stretch : ndarray of int64, same shape as ``values``
        Of `recording.stretches`: values move together that one record stands for.
    """

    layout: Layout
    standard: Standard
    values: Grid
    low: Floats
    high: Floats
    is_free: Mask
    is_static: Mask
    stretch: Integers

    @classmethod
    def of(cls, layout: Layout, points: Grid) -> Movable:
        """From points (n, layout.width)."""
        raw = channels(points, layout)
        standard = Standard.of(raw)
        low, high = np.zeros(raw.shape[2]), np.ones(raw.shape[2])
        is_free = np.zeros(raw.shape[2], dtype=bool)
        for i, column in enumerate(layout.variables):
            if not column.is_categorical:
                (low[i], high[i]), is_free[i] = column.bounds, True
        for channel, _, _ in _static_amounts(layout):
            is_free[channel] = True
        is_free &= np.isfinite(raw).any(axis=(0, 1))
        stretch = np.zeros(raw.shape, dtype=np.int64)
        recorded = np.isfinite(layout.parts(points)[0])
        stretch[..., : recorded.shape[2]] = stretches(recorded)
        kept = standard.kept
        mean, sd = standard.mean[kept], standard.sd[kept]
        is_static = np.flatnonzero(kept) >= 2 * len(layout.variables)
        bounds = (low[kept] - mean) / sd, (high[kept] - mean) / sd
        values = ((raw[..., kept] - mean) / sd).astype(np.float32)
        free, stretch = is_free[kept], stretch[..., kept]
        return cls(layout, standard, values, *bounds, free, is_static, stretch)

    def units(self, raw: Grid) -> Grid:
        """These of all channels of other stays, in the same units; NaN where nothing is known."""
        kept = self.standard.kept
        mean, sd = self.standard.mean[kept], self.standard.sd[kept]
        return np.asarray((raw[..., kept] - mean) / sd, np.float32)

    def pooled(self, values: Floats) -> Floats:
        """The mean of ``values`` over what one record stands for."""
        return pooled(values, self.stretch)

    def moved(self, values: Floats) -> Movable:
        """With the free channels of ``values``, pooled and clipped to the public bounds."""
        may = self.is_free & np.isfinite(self.values)
        free = np.where(may, np.clip(self.pooled(values), self.low, self.high), self.values)
        return replace(self, values=free.astype(np.float32))

    def written(self, points: Grid) -> Grid:
        """The points that these values were made from, with the values as they are now."""
        grid, statics = (part.copy() for part in self.layout.parts(points))
        kept = self.standard.kept
        raw = self.values * self.standard.sd[kept] + self.standard.mean[kept]
        free = dict(
            zip(
                np.flatnonzero(kept)[self.is_free].tolist(),
                np.moveaxis(raw, 2, 0)[self.is_free],
                strict=True,
            )
        )
        for channel in range(len(self.layout.variables)):
            if channel in free:
                flat = free[channel].ravel()
                places = self.layout.place(flat, np.full(len(flat), channel))
                is_recorded = np.isfinite(grid[..., channel])
                grid[..., channel] = np.where(is_recorded, places.reshape(grid.shape[:2]), np.nan)
        for channel, kind, where in _static_amounts(self.layout):
            if channel in free:
                low, high = kind.column.bounds
                statics[:, where] = kind.encode(low + free[channel][:, -1] * (high - low))
        return self.layout.points(grid, statics.astype(np.float64))


def _static_amounts(layout: Layout) -> Iterator[tuple[int, Amount, slice]]:
    """Channel, kind and coordinates of each static amount."""
    encoding = layout.statics
    if encoding is None:
        return
    parts = zip(encoding.kinds, encoding.slices, encoding.design_slices, strict=True)
    for kind, where, design in parts:
        if isinstance(kind, Amount):
            yield 2 * len(layout.variables) + design.start, kind, where
