"""Classes: one of several, of which the case is one of two, or each is in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.errors import SchemaError, SettingError, TableError
from tincture.public.case import place_of, turned
from tincture.public.encoding import Values
from tincture.public.schema import Schema
from tincture.public.tasks.common import (
    apportion,
    logistic,
    refuse_missing,
    shares,
    systematic,
    uncertainty,
)


@dataclass(frozen=True)
class Classification:
    """Two or more classes; the loss is half the multi-class Brier score.

    Brier (1950): ℓ(p, y) = ½ Σ_k (p_k − 1[y = k])², which for two classes is (p − y)². Classes are
    numbered as the levels are declared; but of two, class 1 is always the case.
    """

    target: str
    n_classes: int
    reference: Floats | None = None
    is_turned: bool = False  # whether the case is the first of two levels
    name: ClassVar[str] = "classification"
    roles: ClassVar[tuple[str, ...]] = ("target",)

    @classmethod
    def of(cls, schema: Schema, target: str, case: Any = None) -> Classification:
        """Read the classes from the schema; of two, the last is the case unless another is named.

        Raises
        ------
        SchemaError
            If the target has no declared levels.
        SettingError
            If the case is none of them, or they are more than two.
        """
        column = schema[target]
        if not column.is_categorical or not column.levels:
            raise SchemaError(
                f'The target {target!r} has no levels; add "categories": [...] to its field in the '
                "schema, or use --outcome for an amount, --time and --event for a survival outcome."
            )
        n_classes = len(column.levels)
        if n_classes != 2:
            if case is not None:
                raise SettingError(
                    f"The target {target!r} has {n_classes} levels, and figures take each in turn; "
                    "leave out the case (--case), which is for two."
                )
            return cls(target, n_classes)
        return cls(target, n_classes, is_turned=place_of(column, case) == 0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The target."""
        return (self.target,)

    @property
    def n_cells(self) -> int:
        """One a class."""
        return self.n_classes

    @property
    def is_probabilistic(self) -> bool:
        """With two classes; more do not lie on one line from mild to severe."""
        return self.n_classes == 2

    @property
    def n_outputs(self) -> int:
        """One probability a class."""
        return self.n_classes

    def outcomes(self, values: Values) -> Floats:
        """Classes, (n, 1)."""
        codes = np.asarray(values[self.target], dtype=np.int64)
        return turned(codes, self.is_turned).astype(np.float64)[:, None]

    def values(self, outcomes: Floats) -> dict[str, NDArray[np.generic]]:
        """Places of the classes among the declared levels."""
        return {self.target: turned(outcomes[:, 0].astype(np.int64), self.is_turned)}

    def check(self, values: Values) -> None:
        """Every record has a class, and there are two classes at least."""
        codes = np.asarray(values[self.target], dtype=np.int64)
        refuse_missing(self.target, codes < 0)
        if len(np.unique(codes)) < 2:
            raise TableError(
                f"The target {self.target!r} has one class only; two or more are needed to learn "
                "what tells them apart."
            )

    def cells(self, outcomes: Floats) -> Integers:
        """The class."""
        return outcomes[:, 0].astype(np.int64)

    @property
    def coding(self) -> Floats:
        """A one a class."""
        return np.eye(self.n_classes)

    def counted(self, answer: Floats, noise: float) -> Floats:
        """The answer as it is."""
        return answer

    def prevalence(self, counts: Floats) -> float | list[float]:
        """Of the case; of several classes, of each."""
        every = shares(counts)
        return every[1] if len(every) == 2 else every

    def uncertainty(self, counts: Floats, noise: float) -> float:
        """Of a share."""
        return uncertainty(self.coding, counts, noise)

    def allot(self, counts: Floats, n_rows: int, rng: np.random.Generator) -> Floats:
        """Real prevalence, with a row at least for every class seen in the counts."""
        share = apportion(counts, n_rows, at_least=1)
        return np.repeat(np.arange(self.n_classes), share).astype(np.float64)[:, None]

    def severity(self, outcomes: Floats) -> Floats:
        """The class."""
        return outcomes[:, 0]

    def drawn(self, scores: Floats, counts: Floats, rng: np.random.Generator) -> Floats:
        """Cases evenly along the score, so that they are calibrated all along it."""
        if not self.is_ordered:
            return rng.permutation(self.allot(counts, len(scores), rng))
        order, case = np.lexsort((rng.random(len(scores)), scores)), np.empty(len(scores))
        case[order] = systematic(self.chance(scores[order]), rng.random())
        if len(case) > 1 and len(np.unique(case)) < 2:  # models need both
            case[order[0 if case[0] else -1]] = 1 - case[0]
        return case[:, None]

    @property
    def is_ordered(self) -> bool:
        """With two classes."""
        return self.n_classes == 2

    def level(self, counts: Floats) -> float:
        """Log odds of the case."""
        share = np.clip(counts / max(counts.sum(), 1.0), 0.002, 0.998)
        return float(np.log(share[1] / (1 - share[1])))

    def rarer(self, counts: Floats) -> float:
        """The smallest class."""
        return float(counts.min())

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Y − p, in [−1, 1]."""
        return np.asarray(outcomes[:, 0] - logistic(scores))

    def expected(self, scores: Floats, asked: Floats, counts: Floats) -> Floats:
        """Difference of the two chances."""
        return logistic(scores) - logistic(asked)

    def information(self, scores: Floats, counts: Floats) -> Floats:
        """p(1 − p)."""
        p = logistic(scores)
        return np.asarray(p * (1 - p))

    def chance(self, scores: Floats) -> Floats:
        """The probability of the case."""
        return logistic(scores)

    def chances(self, predictions: Floats) -> Floats:
        """The probability of the case."""
        return np.ascontiguousarray(predictions[..., 1])

    def anchored(self, design: Floats, outcomes: Floats) -> Classification:
        """Unchanged: a probability needs no comparison."""
        return self

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Half the Brier score of class probabilities (R, b, n_classes)."""
        total: Floats = np.zeros(predictions.shape[:-1])
        for k in range(self.n_classes):  # in their order, whatever the layout of the predictions
            total += np.square(predictions[..., k] - (outcomes[:, 0] == k))
        return 0.5 * total
