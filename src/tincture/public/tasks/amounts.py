"""Amounts: a number between public bounds, such as days in hospital or a laboratory value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.errors import SchemaError, SettingError, TableError
from tincture.public.columns import Column
from tincture.public.encoding import Amount, Values
from tincture.public.schema import Schema
from tincture.public.tasks.common import evenly, logistic, refuse_missing, refuse_time
from tincture.public.tasks.counting import between, coding, denoised
from tincture.public.tasks.parts import Parts

WIDE = 2.0  # standard deviations from its mean beyond which an outcome counts as that far
LEFT = 0.1  # of an outcome's variance that no score explains, at least
TRIES = 30  # halvings of the share of an outcome that the score explains


@dataclass(frozen=True)
class Amounts:
    """A number; the loss is the squared error of its place between the bounds.

    Outcomes lie in [0, 1], along the logarithm where the schema declares it
    (``tincture:scale``); a mean is then that of logarithms.
    """

    column: Column
    name: ClassVar[str] = "amounts"
    roles: ClassVar[tuple[str, ...]] = ("outcome",)
    is_turned: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = True
    is_probabilistic: ClassVar[bool] = False
    n_outputs: ClassVar[int] = 1
    reference: ClassVar[Floats | None] = None

    @classmethod
    def of(cls, schema: Schema, outcome: str, case: Any = None) -> Amounts:
        """Read the bounds from the schema.

        Raises
        ------
        SchemaError
            If the outcome is no number, or has no bounds.
        SettingError
            If a case is named.
        """
        column = schema[outcome]
        if column.is_categorical:
            raise SchemaError(
                f"The outcome {outcome!r} has levels; name it by --target, as --outcome is for a "
                "number or integer with a minimum and a maximum."
            )
        refuse_time(column, "outcome")
        schema.require_public([outcome])
        if case is not None:
            raise SettingError(
                f"The outcome {outcome!r} is an amount and has no case; leave out --case."
            )
        return cls(column)

    @property
    def columns(self) -> tuple[str, ...]:
        """The outcome."""
        return (self.column.name,)

    @property
    def is_log(self) -> bool:
        """Whether outcomes lie along the logarithm."""
        return self.column.scale == "log"

    @cached_property
    def place(self) -> Amount:
        """Of an amount between the bounds."""
        return Amount(replace(self.column, required=True, scale=self.column.scale or "linear"))

    @cached_property
    def parts(self) -> Parts:
        """Of the range, from public settings alone."""
        low, high = self.column.bounds
        scale = "log" if self.column.is_log else self.column.scale or ("linear" if low else None)
        return Parts.of(low, high, self.column.places, scale)

    @property
    def n_cells(self) -> int:
        """One a part."""
        return len(self.parts.starts)

    def outcomes(self, values: Values) -> Floats:
        """Places between the bounds, (n, 1)."""
        return self.place.encode(values[self.column.name])

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Amounts in their unit, as precise as a table may hold them."""
        return {self.column.name: self.place.decode(outcomes)}

    def amounts(self, places: Floats) -> Floats:
        """Amounts in their unit, not rounded, a place beyond the bounds counting as a bound."""
        low, high = self.column.bounds
        inside = np.clip(places, 0.0, 1.0)
        return np.asarray(
            low * (high / low) ** inside if self.is_log else low + inside * (high - low)
        )

    def check(self, values: Values) -> None:
        """Every record has an amount."""
        amounts = np.asarray(values[self.column.name], dtype=np.float64)
        refuse_missing(self.column.name, np.isnan(amounts))

    def check_together(self, outcomes: Floats) -> None:
        """Not all are the same."""
        if len(outcomes) and outcomes.min() == outcomes.max():
            raise TableError(
                f"The outcome {self.column.name!r} is the same in every record; nothing can be "
                "learned of what tells them apart."
            )

    def cells(self, outcomes: Floats) -> Integers:
        """The part in which the amount lies."""
        return self.parts.of_amounts(self.place.decode(outcomes))

    @property
    def coding(self) -> Floats:
        """A root of running sums, so that errors of the counts do not add up along the range."""
        return coding(self.n_cells, kinds=1)

    def counted(self, answer: Floats, noise: float) -> Floats:
        """None below 0, as smooth as the answer says, and none far out where noise alone is."""
        return between(denoised(answer, noise, kinds=1), answer, noise)

    def prevalence(self, counts: Floats) -> float:
        """Mean amount, in its unit, to five digits."""
        return float(f"{_known(counts) @ self.parts.middles:.5g}")

    def uncertainty(self, counts: Floats, noise: float) -> float:
        """Deviation that noise on the answer gives this mean."""
        away = self.parts.middles - _known(counts) @ self.parts.middles
        moved = noise * float(np.linalg.norm(np.linalg.solve(self.coding, away)))
        return float(f"{moved / max(float(counts.sum()), 1.0):.3g}")

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """The counts' quantiles, rising."""
        cell, within = evenly(_known(counts), n_rows)
        return self.place.encode(self.parts.amounts(cell, within))

    def drawn(self, scores: Floats, counts: Floats, rng: np.random.Generator) -> Floats:
        """The counts' quantiles, in the order of scores blurred so that their means are right."""
        n = len(scores)
        outcomes, means = self.allot(counts, n, rng), self.chance(scores)
        if n < 2 or np.ptp(means) == 0:
            return rng.permutation(outcomes)
        means = (means - means.mean()) / means.std()
        wanted = float(self.chance(scores).std())
        from scipy.special import ndtri

        blur = ndtri((rng.permutation(n) + 0.5) / n)

        def blurred(share: float) -> Floats:
            order = np.argsort(share * means + np.sqrt(1 - share**2) * blur, kind="stable")
            out = np.empty_like(outcomes)
            out[order] = outcomes
            return out

        low, high = 0.0, 1.0
        for _ in range(TRIES):
            middle = (low + high) / 2
            told = float(means @ blurred(middle)[:, 0]) / n
            low, high = (middle, high) if told < wanted else (low, middle)
        return blurred(low)

    def severity(self, outcomes: Floats) -> Floats:
        """The amount."""
        return outcomes[:, 0]

    def level(self, counts: Floats) -> float:
        """Log odds of the mean place."""
        mean, _ = self._moments(counts)
        return float(np.log(mean / (1 - mean)))

    def rarer(self, counts: Floats) -> float:
        """Half of all: an amount tells something of everyone."""
        return float(counts.sum()) / 2

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Place less its mean given the score, per `WIDE` deviations and cut off there: [−1, 1]."""
        return np.clip((outcomes[:, 0] - logistic(scores)) / self._wide(counts), -1.0, 1.0)

    def expected(self, scores: Floats, asked: Floats, counts: Floats) -> Floats:
        """Difference of the two means, in the residual's unit."""
        return np.asarray((logistic(scores) - logistic(asked)) / self._wide(counts))

    def breadth(self, counts: Floats) -> float:
        """Variance of a score that would explain all of the outcome's, 1 at most."""
        mean, deviation = self._moments(counts)
        return min((deviation / (mean * (1 - mean))) ** 2, 1.0)

    def information(self, scores: Floats, counts: Floats) -> Floats:
        """p(1 − p) of the mean place p, in the residual's unit."""
        p = logistic(scores)
        return np.asarray(p * (1 - p) / self._wide(counts))

    def scatter(self, scores: Floats, counts: Floats) -> Floats:
        """What the scores leave of the outcome's variance, in the residual's unit, for each."""
        _, deviation = self._moments(counts)
        left = max(deviation**2 - float(self.chance(scores).var()), LEFT * deviation**2)
        return np.full(len(scores), left / self._wide(counts) ** 2)

    def chance(self, scores: Floats) -> Floats:
        """The mean place."""
        return logistic(scores)

    def chances(self, predictions: Floats) -> Floats:
        """The place predicted."""
        return np.ascontiguousarray(predictions[..., 0])

    def anchored(self, design: Floats, outcomes: Floats) -> Amounts:
        """Unchanged: a number needs no comparison."""
        return self

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Squared error of places, a prediction beyond the bounds counting as a bound."""
        return np.square(np.clip(predictions[..., 0], 0.0, 1.0) - outcomes[:, 0])

    def _moments(self, counts: Floats) -> tuple[float, float]:
        """Mean and deviation of the place, kept off the bounds and off 0."""
        places, share = self.place.encode(self.parts.middles)[:, 0], _known(counts)
        mean = float(share @ places)
        spread = float(np.sqrt(share @ np.square(places - mean)))
        return min(max(mean, 0.002), 0.998), max(spread, 0.002)

    def _wide(self, counts: Floats) -> float:
        """Unit of a residual."""
        return min(WIDE * self._moments(counts)[1], 1.0)


def _known(counts: Floats) -> Floats:
    """Shares from counts that noise may have taken below 0."""
    known = np.maximum(counts, 0.0) if (counts > 0).any() else np.ones(len(counts))
    return np.asarray(known / known.sum())
