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
from tincture.public.tasks.simplex import corners, mean_corner, probabilities, score_of, spread


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
        """Every record has a class."""
        refuse_missing(self.target, np.asarray(values[self.target], dtype=np.int64) < 0)

    def check_together(self, outcomes: Floats) -> None:
        """There are two classes at least."""
        if len(np.unique(outcomes)) < 2:
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
        """A class in turn, evenly along its chance among those left, so that it is calibrated."""
        chances, found = self._probabilities(scores), np.zeros(len(scores))
        left = np.arange(len(scores))
        for k in range(self.n_classes - 1, 0, -1):
            chance = chances[left, k] / np.maximum(chances[left, : k + 1].sum(axis=1), 1e-300)
            order = np.lexsort((rng.random(len(left)), chance))
            drawn = np.zeros(len(left), dtype=bool)
            drawn[order] = systematic(np.minimum(chance[order], 1.0), rng.random())
            found[left[drawn]], left = k, left[~drawn]
        return _every_class(found, chances, counts)[:, None]

    def level(self, counts: Floats) -> Floats:
        """Log odds of the case; of several classes the score of their shares."""
        share = np.clip(counts / max(counts.sum(), 1.0), 0.002, 0.998)
        return score_of(share)

    def rarer(self, counts: Floats) -> float:
        """The smallest class."""
        return float(counts.min())

    def residual(self, scores: Floats, outcomes: Floats, counts: Floats) -> Floats:
        """Y − p, in [−1, 1]; of several classes the corner seen less the one expected."""
        seen = corners(self.n_classes)[self.cells(outcomes)]
        return np.asarray(seen - mean_corner(self._probabilities(scores)))

    def expected(self, scores: Floats, asked: Floats, counts: Floats) -> Floats:
        """Difference of the two chances, or expected corners."""
        return np.asarray(
            mean_corner(self._probabilities(scores)) - mean_corner(self._probabilities(asked))
        )

    def information(self, scores: Floats, counts: Floats) -> Floats:
        """p(1 − p), or the covariance of the corner."""
        return spread(self._probabilities(scores))

    def breadth(self, counts: Floats) -> float:
        """1."""
        return 1.0

    def scatter(self, scores: Floats, counts: Floats) -> Floats:
        """The information itself."""
        return self.information(scores, counts)

    def chance(self, scores: Floats) -> Floats:
        """The probability of the case, or of each of several classes."""
        return logistic(scores) if self.n_classes == 2 else self._probabilities(scores)

    def _probabilities(self, scores: Floats) -> Floats:
        return probabilities(scores, self.n_classes)

    def chances(self, predictions: Floats) -> Floats:
        """The probability of the case, or of each of several classes."""
        return np.ascontiguousarray(predictions[..., 1]) if self.n_classes == 2 else predictions

    def anchored(self, design: Floats, outcomes: Floats) -> Classification:
        """Unchanged: a probability needs no comparison."""
        return self

    def loss(self, predictions: Floats, outcomes: Floats, reference: Floats | None) -> Floats:
        """Half the Brier score of class probabilities (R, b, n_classes)."""
        total: Floats = np.zeros(predictions.shape[:-1])
        for k in range(self.n_classes):  # in their order, whatever the layout of the predictions
            total += np.square(predictions[..., k] - (outcomes[:, 0] == k))
        return 0.5 * total


def _every_class(found: Floats, chances: Floats, counts: Floats) -> Floats:
    """With one at least of each class that was counted, as models need: the likeliest."""
    n_classes, found = chances.shape[1], found.copy()
    for k in range(n_classes):
        number = np.bincount(found.astype(np.int64), minlength=n_classes)
        if number[k] == 0 and (counts[k] > 0 or n_classes == 2) and number.max() > 1:
            spare = number[found.astype(np.int64)] > 1
            found[np.argmax(np.where(spare, chances[:, k], -1.0))] = k
    return found
