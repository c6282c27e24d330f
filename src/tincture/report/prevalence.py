"""How often the outcome occurs in the real records and in a release, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tincture.public.schema import Schema
from tincture.public.tasks import case_of, task_of
from tincture.report.page import number

LEAST = 0.001  # shares nearer to 0 or 1 are not told apart
DIFFERS = "The shares differ: "


class Prevalence(NamedTuple):
    """Shares of each level that is counted.

    Attributes
    ----------
    levels : tuple of str
        The case as column and level, or each of several.
    real, made : tuple of float
        In the records and in the release; empty where a release of before does not tell.
    error : float
        Deviation of the noise in the real ones, at most about; 0 where there is none.
    is_probability : bool
        Whether models predict the probability of a level; else a risk over time.
    n : int
        Of the invented ones, which bounds how near the two can come.
    """

    levels: tuple[str, ...]
    real: tuple[float, ...]
    made: tuple[float, ...]
    error: float
    is_probability: bool
    n: int

    @classmethod
    def of(cls, about: Mapping[str, Any], schema: Schema) -> Prevalence:
        """From what a package tells under ``tincture``."""
        task, case = task_of(schema, about["task"]), case_of(schema, about["task"])
        levels: tuple[str, ...] = (case.event,)
        if case.level is None:
            levels = tuple(f"{case.column} = {title}" for title in schema[case.column].titles)
        settings = about["settings"]
        told = (settings.get("prevalence"), about.get("prevalence"))
        real, made = (_shares(value, len(levels)) for value in told)
        error = max(_shares(settings.get("prevalence_error"), 1), default=0.0)
        is_probability = case.level is None or task.is_probabilistic
        return cls(levels, real, made, error, is_probability, int(settings["n_rows"]))

    @property
    def title(self) -> str:
        """Of the card's section."""
        return "How often the outcome occurs"

    def caption(self, records: str, unit: str) -> str:
        """Of its table."""
        return f"Shares among the real {records}, where {unit} counts once, and among these"

    @property
    def is_told(self) -> bool:
        """Whether both are."""
        return bool(self.real and self.made)

    @property
    def is_hidden(self) -> bool:
        """Whether two deviations of noise could make up all shares but the largest."""
        every = self.real if len(self.real) > 1 else (self.real[0], 1 - self.real[0])
        return self.error > 0 and 2 * self.error >= sorted(every)[-2]

    @property
    def is_near(self) -> bool:
        """Whether the shares agree as nearly as so many allow."""
        gaps = [abs(p - q) for p, q in zip(self.real, self.made, strict=True)]
        return max(gaps) <= 0.5 / self.n + 1e-9

    @property
    def is_alike(self) -> bool:
        """Whether a deviation of noise could make up all that they differ by."""
        gaps = [abs(p - q) for p, q in zip(self.real, self.made, strict=True)]
        return max(gaps) <= self.error

    @property
    def is_scarce(self) -> bool:
        """Whether the real share is less than half of one among so many."""
        return min(*self.real, 1 - max(self.real)) * self.n < 0.5

    @property
    def shift(self) -> float:
        """To add to log odds of the case."""
        p, q = (min(max(s[0], LEAST), 1 - LEAST) for s in (self.real, self.made))
        return math.log(p / (1 - p)) - math.log(q / (1 - q))

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Of a table with a row for each level: its shares."""
        real, made = _percent(self.real, self.levels), _percent(self.made, self.levels)
        if self.real and self.error:
            real = tuple(f"{share} ± {200 * self.error:.2g}" for share in real)
        return {"real": real, "made": made}

    def advice(self, records: str, made: str, is_searched: bool) -> str:
        """What to do with predictions.

        Parameters
        ----------
        records, made : str
            What the real and the invented ones are called, such as stays.
        is_searched : bool
            Whether the invented ones were searched for so that models predict the real share,
            whatever theirs is.
        """
        if not self.is_told:
            return "Where a share is not told, this release cannot say how to correct predictions."
        what = "predicted probabilities" if self.is_probability else "absolute risks"
        recalibrate = f"ranks stand, but {what} need to be recalibrated on real {records}."
        if self.is_hidden:
            return f"The noise hides the real share: {recalibrate}"
        if self.is_near:
            return (
                f"The shares agree as nearly as {self.n} {made} allow: {what} need no correction "
                "for them."
            )
        if is_searched and self.is_scarce:
            return f"The outcome is too rare for {self.n} {made} to show its share: {recalibrate}"
        if self.is_probability and is_searched and self.is_alike:
            return f"The shares agree within the noise: {what} need no correction for them."
        if self.is_probability and is_searched:
            return (
                f"The shares differ, but {what} need no correction for them: these {made} were "
                "searched for so that models predict the real share."
            )
        if len(self.levels) > 1 or not self.is_probability:
            return f"{DIFFERS}{recalibrate}"
        return (
            f"{DIFFERS}add {number(self.shift)} to predicted log odds, log(p / (1 − p)), and turn "
            "them into probabilities again. That does not heal a model that is too sure."
        )


def _shares(value: Any, n: int) -> tuple[float, ...]:
    listed = value if isinstance(value, list) else [value]
    known = len(listed) == n and all(isinstance(v, int | float) for v in listed)
    return tuple(map(float, listed)) if known else ()


def _percent(shares: tuple[float, ...], levels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{100 * s:.3g}%" for s in shares) or ("not told",) * len(levels)
