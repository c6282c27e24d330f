"""Parts of a range of times, from public settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tincture.arrays import Floats, Integers

PARTS = 32  # at most; the last is the upper bound alone, where follow-up ends for many
POWER = 3  # of the place of a part by which it begins later: early times are told finely

Scale = Literal["linear", "log"] | None


@dataclass(frozen=True)
class Bins:
    """Bins of time, each of whole steps.

    Attributes
    ----------
    starts : ndarray
        Where each begins; the last is the upper bound alone.
    places : int
        Decimal places of a released time.
    """

    starts: Floats
    places: int

    @classmethod
    def of(cls, low: float, high: float, places: int, scale: Scale) -> Bins:
        """Equal on the scale; without one, finer where times are early."""
        u = np.arange(1, PARTS - 1) / (PARTS - 1)
        if scale == "log":
            begin = low * (high / low) ** u
        else:
            begin = low + (high - low) * (u if scale == "linear" else u**POWER)
        whole = np.ceil(begin / 10.0**-places - 1e-9)
        whole[0] = max(whole[0], np.ceil(max(low / 10.0**-places, 1.0) - 1e-9) + 1)
        inner = np.round(_rising(whole) * 10.0**-places, places)
        return cls(np.array([low, *inner[inner < high], high]), places)

    @property
    def step(self) -> float:
        """Between released times."""
        return float(10.0**-self.places)

    @property
    def least(self) -> float:
        """The earliest released time; never 0, which models of the logarithm refuse."""
        return float(self.starts[0] or min(self.step, self.starts[-1]))

    def of_times(self, times: Floats) -> Integers:
        """The bin of each time."""
        last = len(self.starts) - 1
        return np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, last)

    def along(self, times: Floats, values: Floats) -> Floats:
        """Cumulative values, given at each start and at the end, at times in the middle of a step.

        Even inside a bin; number by number, so that no time heeds another.
        """
        cell, last = self.of_times(times), len(self.starts) - 1
        width = np.append(np.diff(self.starts), 1.0)[cell]
        passed = np.clip((times + self.step / 2 - self.starts[cell]) / width, 0.0, 1.0)
        passed = np.where(cell == last, 1.0, passed)
        return np.asarray(values[cell] + passed * (values[cell + 1] - values[cell]))

    def times(self, cells: Integers, within: Floats) -> Floats:
        """Released times in these bins, at places from 0 up to 1 inside them."""
        first = np.ceil(np.maximum(self.starts, self.least) / self.step - 1e-9)
        size = np.append(np.maximum(np.diff(first), 1.0), 1.0)[cells]
        whole = first[cells] + np.minimum(np.floor(within * size), size - 1)
        found = np.round(whole * self.step, self.places)
        return np.asarray(np.clip(found, self.least, self.starts[-1]))


def _rising(whole: Floats) -> Floats:
    """Each at least one above the one before."""
    place = np.arange(len(whole))
    return np.asarray(np.maximum.accumulate(whole - place) + place)
