"""A rule of thumb: what models keep of their gain, by people with the event, columns and ε."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Share of the ceiling's gain over chance = best − loss · √columns / (ε · people).

    People are those with the event or without it, whichever are fewer.

    Parameters
    ----------
    best, loss : float
        Fitted to a benchmark, then set to the safe side.
    """

    best: float
    loss: float

    def share(self, n_people: float, n_columns: int, epsilon: float) -> float:
        """What is to be expected."""
        people = max(epsilon, 1e-9) * max(n_people, 1.0)
        return self.best - self.loss * math.sqrt(n_columns) / people

    def people_for(self, share: float, n_columns: int, epsilon: float) -> int:
        """People of whom a share below ``best`` is expected, to one figure, rounded up."""
        gap = max(epsilon, 1e-9) * (self.best - share)
        return rounded_up(self.loss * math.sqrt(n_columns) / gap, 1)


def about(number: float) -> str:
    """How many people, as a noisy count lets one say."""
    return f"{max(round(number, -1), 10):,.0f}"


def rounded_up(number: float, figures: int) -> int:
    """The next whole number with so many figures."""
    unit = 10 ** max(math.floor(math.log10(max(number, 1.0))) + 1 - figures, 0)
    return int(math.ceil(number / unit) * unit)
