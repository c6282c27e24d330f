"""The questions that are asked of rows alone, each one vector a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.models.protocol import Model, Predictor
from tincture.privacy.query import Records
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.search.optimizer import Candidates
from tincture.tables.copula import Lines
from tincture.tables.marginals import cell_codes, cell_widths

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarginalCounts:
    """How many units lie in each cell of each column's histogram, all columns in one answer."""

    encoding: Encoding
    question: ClassVar[str] = "marginal counts"

    @property
    def size(self) -> int:
        """Cells of all columns."""
        return sum(cell_widths(self.encoding))

    @property
    def clip(self) -> float:
        """√(columns): every record lies in one cell of each column."""
        return float(np.sqrt(len(self.encoding.columns)))

    def prepare(self) -> None:
        """Nothing to do."""

    def contributions(self, records: Records) -> Floats:
        """One-hot cells of all columns side by side, of norm √(columns)."""
        widths = cell_widths(self.encoding)
        cells = cell_codes(self.encoding, records.points) + np.cumsum([0, *widths[:-1]])
        out = np.zeros((len(records), sum(widths)))
        np.put_along_axis(out, cells, 1.0, axis=1)
        return out


@dataclass(frozen=True, slots=True)
class RankProducts:
    """Products of a record's ranks in each pair of columns, whose means are rank correlations."""

    lines: Lines
    question: ClassVar[str] = "rank products"

    @property
    def size(self) -> int:
        """One a pair of columns."""
        n_columns = len(self.lines.order)
        return n_columns * (n_columns - 1) // 2

    @property
    def clip(self) -> float:
        """Σ spread² / √2, which a record of ordinary ranks does not exceed."""
        return float(np.square(self.lines.spread).sum() / np.sqrt(2))

    def prepare(self) -> None:
        """Nothing to do."""

    def contributions(self, records: Records) -> Floats:
        """z_j z_k for j < k, (n, size)."""
        ranks = self.lines.ranks(records.points)
        first, second = np.triu_indices(ranks.shape[1], 1)
        return ranks[:, first] * ranks[:, second]


class _Fitted(NamedTuple):
    """A fitted model, its predictions for the task's reference rows, and its weight."""

    predictor: Predictor
    reference: Floats | None
    weight: float


class LossDifferences:
    """ℓ(plus_k) − ℓ(minus_k) on each record, for K pairs of candidate tables.

    `prepare` fits the models on the candidates, outside the vault; inside it they only predict. The
    loss is the weighted mean over the models.

    Parameters
    ----------
    models : sequence of Model
    task : Task
    candidates : Candidates
        The K pairs.
    tables : callable
        From prototypes (R, P, width) to the designs (R, m, p) that models see.
    outcomes : ndarray of shape (m, width)
        Of the rows, the same for every candidate.
    numeric : ndarray of bool, shape (p,)
        Which design columns are amounts.
    weights : sequence of float
        Of the models, summing to 1.
    clip : float
        In units of loss.
    """

    question = "loss differences"

    def __init__(
        self,
        models: Sequence[Model],
        task: Task,
        candidates: Candidates,
        tables: Callable[[Floats], Floats],
        outcomes: Floats,
        numeric: NDArray[np.bool_],
        *,
        weights: Sequence[float],
        clip: float,
    ) -> None:
        self.models, self.task, self.tables = models, task, tables
        self.weights = weights
        self.candidates, self.outcomes, self.numeric = candidates, outcomes, numeric
        self.size, self.clip = len(candidates.plus), clip
        self._fitted: list[_Fitted] = []

    def prepare(self) -> None:
        """Train the models; their predictions for the task's reference rows are kept."""
        both = np.concatenate([self.candidates.plus, self.candidates.minus])
        designs = self.tables(both)
        reference = self.task.reference
        for model, weight in zip(self.models, self.weights, strict=True):
            for draw in range(model.draws):
                fitted = model.fit(
                    designs, self.outcomes, self.numeric, seed=self.candidates.seed + draw
                )
                compared = None if reference is None else fitted.predict(reference)
                self._fitted.append(_Fitted(fitted, compared, weight / model.draws))

    def losses(self, design: NDArray[np.floating], outcomes: Floats) -> Floats:
        """Mean loss over the models of every candidate, (2K or K + 1, n); 1 for no prediction."""
        total: Floats = np.zeros(1)
        for f in self._fitted:
            loss = self.task.loss(f.predictor.predict(design), outcomes, f.reference)
            total = total + f.weight * np.where(np.isfinite(loss), loss, 1.0)
        return total

    def contributions(self, records: Records) -> Floats:
        """Loss differences (n, K), each in [−1, 1]."""
        losses = self.losses(records.design, records.outcomes)
        return (losses[: self.size] - losses[self.size :]).T
