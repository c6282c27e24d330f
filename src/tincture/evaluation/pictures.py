"""What the in-house page draws beside figures: curves, shares, influences, courses.

Frozen, and all of it in-house. Only `Course` holds single real records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Line:
    """A named run of points (x, y)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over a common axis.

    Attributes
    ----------
    kind : {"roc", "calibration", "steps"}
        Which page it belongs to, and whether the diagonal or steps are drawn.
    """

    kind: Literal["roc", "calibration", "steps"]
    title: str
    x: str
    y: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Shares of a column's levels or bins, condensed beside real."""

    column: str
    labels: tuple[str, ...]
    condensed: tuple[float, ...]
    real: tuple[float, ...]

    @property
    def distance(self) -> float:
        """Total variation: half the sum of the differences."""
        return sum(abs(a - b) for a, b in zip(self.condensed, self.real, strict=True)) / 2


@dataclass(frozen=True, slots=True)
class Influence:
    """How much the predicted log odds move when one variable is held at its mean.

    Attributes
    ----------
    name : str
        Variable or static column.
    condensed, real : float
        Mean absolute change on held-out records, of models trained on either.
    """

    name: str
    condensed: float
    real: float


@dataclass(frozen=True, slots=True)
class Convergence:
    """A figure of held-out records while one model is being trained, a line a source."""

    network: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Track:
    """What was recorded of one variable in one stay: hours and values.

    Attributes
    ----------
    source : str
        Condensed or real.
    outcome : int
        Class of the stay.
    """

    source: str
    outcome: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A few condensed and real stays of each outcome, in one variable."""

    variable: str
    unit: str
    hours: float
    outcomes: tuple[str, ...]
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What only one kind of data has to show.

    Attributes
    ----------
    influences : tuple of Influence
        The strongest among real records first.
    courses : tuple of Course
        Single real records.
    """

    influences: tuple[Influence, ...] = ()
    courses: tuple[Course, ...] = ()


def shares(influences: Sequence[Influence]) -> tuple[Influence, ...]:
    """Influences as shares of their sums, so that only what is heeded counts, not how much."""
    ours, real = (sum(side) or 1.0 for side in _sides(influences))
    return tuple(Influence(i.name, i.condensed / ours, i.real / real) for i in influences)


def agreement(influences: Sequence[Influence]) -> float:
    """Rank correlation (Spearman 1904) of the influences, release against real records.

    0 where all of one side are equal.
    """
    from scipy.stats import spearmanr

    sides = _sides(influences)
    if any(min(side) == max(side) for side in sides):
        return 0.0
    return float(spearmanr(*sides).statistic)


def _sides(influences: Sequence[Influence]) -> tuple[list[float], list[float]]:
    return [i.condensed for i in influences], [i.real for i in influences]
