"""What an evaluation finds: figures, gaps to the ceiling, groups, times; all of it in-house."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.pictures import Bars, Chart, Convergence, Course, Influence, agreement
from tincture.public.case import Case

CONDENSED, COHORT = "condensed", "cohort"
CEILING, RANDOM = "all real records", "random real rows"
SOURCES = (CONDENSED, COHORT, CEILING, RANDOM)  # as they stand side by side
EVERYONE = "all"
CHANCE = {"AUROC": 0.5, "C-index": 0.5, "R2": 0.0}  # larger is better, and this is a coin's
MARGIN = 0.02  # by which a group's gap exceeds that of all records before it is called out
CHECKS = {
    "beta": "root mean square difference of the log ratios from the real ones, each per real "
    "standard deviation; 0 is right",
    "sign": "share of the ratios that real records are sure of (|z| > 2) of the same direction; "
    "1 is right",
    "cv_gap": "AUROC of logistic regression cross-validated on the file itself (20,000 rows of it "
    "at most), less that on held-out records; above 0 the file flatters itself",
    "km": "largest distance between the Kaplan–Meier curves of the file and of real records, "
    "at real quantiles of time; 0 is right",
}
ADVICE = (
    "A recipient may fit any model on these files and report its coefficients as a first look, to "
    "be confirmed on real records; standard errors, intervals and p-values computed on them mean "
    "nothing, and no figure computed on invented rows (cross-validation, out-of-bag error) tells "
    "how good a model is: only those on real held-out records do."
)
NOTICE = "computed from real records without noise; do not release"


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, and what it learned from."""

    model: str
    trained_on: str
    rows: int


@dataclass(frozen=True, slots=True)
class Score(Trained):
    """One figure: a model, trained on something, scored on the held-out records of a group."""

    group: str
    metric: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the release stays behind the ceiling in a group; positive is worse.

    Ceiling less condensed of a ranking metric, condensed less ceiling of a squared error. Its
    excess is over the gap of all held-out records, paired, so that its interval counts what the
    two share.
    """

    model: str
    group: str
    metric: str
    figure: Figure
    excess: Figure

    @property
    def is_left_behind(self) -> bool:
        """Whether the group loses clearly more than all records together do."""
        return self.excess.value > MARGIN and self.excess.low > 0


@dataclass(frozen=True, slots=True)
class Group:
    """A subgroup of the held-out records.

    Attributes
    ----------
    label : str
    records, events : int
        Records, and those of them that are the case; of several classes, that have the last.
    is_external : bool
        Whether it is a site none of whose records were condensed.
    counts : str
        What ``events`` counts, such as died = 1 (dead).
    """

    label: str
    records: int
    events: int
    is_external: bool = False
    counts: str = "events"


@dataclass(frozen=True, slots=True)
class Fit(Trained):
    """How long a model took to learn from something."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """An odds or hazard ratio of the plain regression on the few columns that matter.

    Attributes
    ----------
    term : str
        A column with the step it is per, or with a level and the one that it is against.
    trained_on : str
    figure : Figure
        Only that of real records has an interval: errors of invented rows mean nothing.
    """

    term: str
    trained_on: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Check:
    """A number about an invented table as a whole; `CHECKS` says what each name means."""

    name: str
    trained_on: str
    value: float


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind of data calls its things.

    Attributes
    ----------
    records, rows : str
        Real and condensed ones.
    of : str
        At the end of what was looked at.
    training : str
        How models are trained, for the page; may be empty.
    audit : str
        The command that attacks such a release.
    """

    records: str = "records"
    rows: str = "rows"
    of: str = ""
    training: str = ""
    audit: str = "audit"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation, and the un-noised looks they took.

    Attributes
    ----------
    scores : tuple of Score
        By model, table trained on, metric and group; `figure` finds one.
    looks : tuple of str
        What was looked at in real records, each at ε = ∞.
    gaps : tuple of Gap
        What the release loses to the ceiling.
    groups : tuple of Group
        Those that were asked for, with their counts.
    fits : tuple of Fit
        Rows and seconds of each.
    charts, bars : tuple of Chart, tuple of Bars
        For the in-house page.
    case : Case or None
        The level that figures count.
    ratios : tuple of Ratio
        Of the plain regression, by what it was fitted on.
    checks : tuple of Check
        Of the invented tables as wholes.
    influences : tuple of Influence
        What models heed, the strongest among real records first.
    courses : tuple of Course
        Single real records; never in `to_dict`.
    convergence : Convergence or None
    note : str
        What could not be done here; may be empty.
    words : Words
        What the kind of data calls its things.
    """

    scores: tuple[Score, ...]
    looks: tuple[str, ...]
    gaps: tuple[Gap, ...] = ()
    groups: tuple[Group, ...] = ()
    fits: tuple[Fit, ...] = ()
    charts: tuple[Chart, ...] = ()
    bars: tuple[Bars, ...] = ()
    case: Case | None = None
    ratios: tuple[Ratio, ...] = ()
    checks: tuple[Check, ...] = ()
    influences: tuple[Influence, ...] = ()
    courses: tuple[Course, ...] = ()
    convergence: Convergence | None = None
    note: str = ""
    words: Words = Words()

    @property
    def sources(self) -> tuple[str, ...]:
        """What was trained on, as it stands side by side."""
        there = {s.trained_on for s in self.scores}
        return tuple(s for s in SOURCES if s in there)

    @property
    def says_case(self) -> str:
        """What stands at every figure; nothing where it is not known."""
        return "" if self.case is None else self.case.says

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told: dict[str, Any] = {
            "notice": NOTICE,
            "case": None if self.case is None else self.case.to_dict(),
            "scores": [asdict(s) | {"figure": _numbers(s.figure)} for s in self.scores],
            "gaps": [
                asdict(g)
                | {"figure": _numbers(g.figure), "excess": _numbers(g.excess)}
                | {"left_behind": g.is_left_behind}
                for g in self.gaps
            ],
            "groups": [asdict(g) for g in self.groups],
            "fits": [asdict(f) for f in self.fits],
            "looks": list(self.looks),
        }
        if self.ratios:
            told["ratios"] = [asdict(r) | {"figure": _numbers(r.figure)} for r in self.ratios]
            told["advice"] = ADVICE
        if self.checks:
            told["checks"] = [asdict(c) | {"means": CHECKS[c.name]} for c in self.checks]
        if self.convergence is not None:
            told["convergence"] = asdict(self.convergence)
        if self.influences:
            told["influences"] = [asdict(i) for i in self.influences]
            told["agreement"] = agreement(self.influences)
        return told | ({"note": self.note} if self.note else {})

    def figure(self, model: str, trained_on: str, metric: str, group: str = EVERYONE) -> Figure:
        """One figure.

        Parameters
        ----------
        model : str
        trained_on : str
            "condensed", "cohort", "all real records" or "random real rows".
        metric : str
            As in the printed table, such as "AUROC".
        group : str
            By default all held-out records.

        Raises
        ------
        KeyError
        """
        for s in self.scores:
            if (s.model, s.trained_on, s.metric, s.group) == (model, trained_on, metric, group):
                return s.figure
        raise KeyError((model, trained_on, metric, group))

    def value(self, model: str, trained_on: str, metric: str, group: str = EVERYONE) -> float:
        """One figure's value; parameters are those of `figure`.

        Raises
        ------
        KeyError
        """
        return self.figure(model, trained_on, metric, group).value

    @property
    def left_behind(self) -> tuple[Gap, ...]:
        """The gaps of groups that lose clearly more than all records together do."""
        return tuple(g for g in self.gaps if g.is_left_behind)


def _numbers(figure: Figure) -> dict[str, float | None]:
    """A figure for JSON, which has no NaN."""
    return {k: v if math.isfinite(v) else None for k, v in asdict(figure).items()}
