"""What an evaluation of stays finds beside figures: what networks learn, how fast, and courses.

Frozen, and all of it in-house. Unlike `tincture.evaluation.scores`, `Course` holds single real
stays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tincture.evaluation.scores import Evaluation, Line

WITHOUT_NETWORKS = (
    "Networks were not scored, since torch is not installed; see what they learn by "
    'pip install "tincture[deep]".'
)


@dataclass(frozen=True, slots=True)
class Influence:
    """How much the predicted log odds move when one variable is held at its mean.

    Attributes
    ----------
    name : str
        Variable or static column.
    condensed, real : float
        Mean absolute change on held-out stays, of models trained on either.
    """

    name: str
    condensed: float
    real: float


@dataclass(frozen=True, slots=True)
class Convergence:
    """Held-out AUROC of one network while it is being trained, a line a source."""

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
class SeriesEvaluation(Evaluation):
    """All figures of one evaluation of stays, and what its page shows.

    Attributes
    ----------
    influences : tuple of Influence
        The strongest among real stays first.
    courses : tuple of Course
        Single real stays; never in `to_dict`.
    convergence : Convergence or None
    note : str
        What could not be done here; may be empty.
    """

    influences: tuple[Influence, ...] = ()
    courses: tuple[Course, ...] = ()
    convergence: Convergence | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = Evaluation.to_dict(self)  # super() knows no slots
        if self.convergence is not None:
            told["convergence"] = asdict(self.convergence)
        if self.influences:
            told["influences"] = [asdict(i) for i in self.influences]
            told["agreement"] = self.agreement
        return told | ({"note": self.note} if self.note else {})

    @property
    def shares(self) -> tuple[Influence, ...]:
        """Influences as shares of their sums, so that only what is heeded counts, not how much."""
        both = [sum(values) or 1.0 for values in zip(*self._pairs, strict=True)]
        return tuple(
            Influence(i.name, i.condensed / both[0], i.real / both[1]) for i in self.influences
        )

    @property
    def _pairs(self) -> list[tuple[float, float]]:
        return [(i.condensed, i.real) for i in self.influences]

    @property
    def agreement(self) -> float:
        """Rank correlation (Spearman 1904) of the influences, release against real stays.

        0 where all of one side are equal.
        """
        from scipy.stats import spearmanr

        sides = list(zip(*self._pairs, strict=True))
        if any(min(side) == max(side) for side in sides):
            return 0.0
        return float(spearmanr(*sides).statistic)
