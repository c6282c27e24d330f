"""Parts of a range of amounts, from public settings alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.public.tasks.bins import PARTS, POWER, Scale


@dataclass(frozen=True)
class Parts:
    """Parts of a range, each of whole steps between released amounts.

    Attributes
    ----------
    starts : ndarray of int64
        Steps at which each begins.
    end : int
        The step after the last.
    low, high : float
    places : int
        Decimal places of a released amount.
    """

    starts: Integers
    end: int
    low: float
    high: float
    places: int

    @classmethod
    def of(cls, low: float, high: float, places: int, scale: Scale) -> Parts:
        """Equal on the scale; without one, finer where amounts are small."""
        u = np.arange(PARTS) / PARTS
        if scale == "log":
            begin = low * (high / low) ** u
        else:
            begin = low + (high - low) * (u if scale == "linear" else u**POWER)
        step = 10.0**-places
        first = int(np.ceil(low / step - 1e-9))
        last = max(int(np.floor(high / step + 1e-9)), first)
        starts = np.unique(np.clip(np.ceil(begin / step - 1e-9), first, last).astype(np.int64))
        return cls(starts, last + 1, low, high, places)

    @property
    def sizes(self) -> Integers:
        """Steps in each."""
        return np.diff(self.starts, append=self.end)

    @property
    def middles(self) -> Floats:
        """Amount in the middle of each."""
        middle = (self.starts + (self.sizes - 1) / 2) * 10.0**-self.places
        return np.asarray(np.clip(middle, self.low, self.high))

    def of_amounts(self, amounts: Floats) -> Integers:
        """The part of each released amount."""
        whole = np.rint(amounts / 10.0**-self.places)
        found = np.searchsorted(self.starts, whole, side="right") - 1
        return np.clip(found, 0, len(self.starts) - 1)

    def amounts(self, cells: Integers, within: Floats) -> Floats:
        """Released amounts in these parts, at places from 0 up to 1 inside them."""
        size = self.sizes[cells]
        whole = self.starts[cells] + np.minimum(np.floor(within * size), size - 1)
        return np.clip(np.round(whole * 10.0**-self.places, self.places), self.low, self.high)
