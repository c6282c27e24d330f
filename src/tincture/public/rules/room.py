"""What a column may hold in each row, and the nearest of it to what it holds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.public.columns import Column

ULPS = 8 * np.finfo(np.float64).eps  # relative error of a few sums and products

Array = NDArray[np.generic]


def same(x: Floats, y: Floats) -> Mask:
    """Whether two amounts are one, but for the rounding of floats."""
    return np.asarray(np.abs(x - y) <= ULPS * np.maximum(np.abs(x), np.abs(y)))


def written(column: Column, x: Floats) -> Floats:
    """Amounts as a row can hold them: rounded, inside the bounds."""
    return np.clip(np.round(x, column.places), *column.bounds)


def at_most(column: Column, limit: Floats, *, strict: bool = False) -> Floats:
    """The largest amount a row can hold that is not above the limit (below it); else -inf."""
    low, high = column.bounds
    limit = np.asarray(limit, dtype=np.float64)
    scale = 10.0**column.places
    place = limit * scale
    whole = np.floor(place + 4 * ULPS * np.abs(place))
    found = np.minimum(np.round(whole / scale, column.places), high)
    if strict:
        below = np.round((whole - 1) / scale, column.places)
        found = np.where(same(found, limit), below, found)
    is_low = (found < low) & (limit > low if strict else limit >= low)
    return np.where(is_low, low, np.where(found < low, -np.inf, found))


def at_least(column: Column, limit: Floats, *, strict: bool = False) -> Floats:
    """The smallest amount a row can hold that is not below the limit (above it); else inf."""
    low, high = column.bounds
    limit = np.asarray(limit, dtype=np.float64)
    scale = 10.0**column.places
    place = limit * scale
    whole = np.ceil(place - 4 * ULPS * np.abs(place))
    found = np.maximum(np.round(whole / scale, column.places), low)
    if strict:
        above = np.round((whole + 1) / scale, column.places)
        found = np.where(same(found, limit), above, found)
    is_high = (found > high) & (limit < high if strict else limit <= high)
    return np.where(is_high, high, np.where(found > high, np.inf, found))


class Span(NamedTuple):
    """Amounts from low to high, each (n,), or none at all where gone."""

    low: Floats
    high: Floats
    gone: Mask

    def at(self, rows: Mask) -> Span:
        """The same in these rows, and no limit in others."""
        low, high = np.where(rows, self.low, -np.inf), np.where(rows, self.high, np.inf)
        return Span(low, high, self.gone & rows)

    def nearest(self, values: Array) -> Floats:
        """What is missing stays so; an empty span leaves what is there."""
        x = np.asarray(values, dtype=np.float64)
        inside = np.minimum(np.maximum(x, self.low), self.high)
        return np.where(self.gone, np.nan, np.where(self.low > self.high, x, inside))


class Pick(NamedTuple):
    """The levels that are open, (n, levels), or none at all where gone."""

    open: Mask
    gone: Mask

    def at(self, rows: Mask) -> Pick:
        """The same in these rows, and all levels in others."""
        return Pick(self.open | ~rows[:, None], self.gone & rows)

    def nearest(self, values: Array) -> Integers:
        """The open level nearest in the order declared; what is missing as in a span."""
        codes = np.asarray(values, dtype=np.int64)
        places = np.arange(self.open.shape[1])
        far = np.abs(places - codes[:, None]) + np.where(self.open, 0, len(places))
        stays = (codes < 0) | ~self.open.any(axis=1)
        return np.where(self.gone, -1, np.where(stays, codes, far.argmin(axis=1)))


Room = Span | Pick


def free(column: Column, n: int) -> Room:
    """Whatever the field allows."""
    gone = np.zeros(n, dtype=bool)
    if column.is_categorical:
        return Pick(np.ones((n, len(column.levels)), dtype=bool), gone)
    low, high = column.bounds
    return Span(np.full(n, low), np.full(n, high), gone)


def meet(one: Room, other: Room) -> Room:
    """What both allow, of one column."""
    gone = one.gone | other.gone
    if isinstance(one, Pick) and isinstance(other, Pick):
        return Pick(one.open & other.open, gone)
    if isinstance(one, Span) and isinstance(other, Span):
        return Span(np.maximum(one.low, other.low), np.minimum(one.high, other.high), gone)
    raise TypeError("levels and amounts do not meet")


def is_missing(column: Column, values: Array) -> Mask:
    """Which values are."""
    if column.is_categorical:
        return np.asarray(np.asarray(values, dtype=np.int64) < 0)
    return np.isnan(np.asarray(values, dtype=np.float64))
