"""The questions that are asked of rows alone, each one vector a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.models.prepared import Tables, fit_tables
from tincture.models.protocol import Predictor
from tincture.models.served import Served
from tincture.privacy.query import Query, Records
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.search.optimizer import Candidates, Start
from tincture.spine.questions import each_along
from tincture.spine.teaching import Features, Teacher, scored
from tincture.tables.cells import cell_codes, cell_widths
from tincture.tables.copula import Lines
from tincture.tables.products import Products


@dataclass(frozen=True, slots=True)
class MarginalCounts(Query):
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

    def contributions(self, records: Records) -> Floats:
        """One-hot cells of all columns side by side, of norm √(columns)."""
        widths = cell_widths(self.encoding)
        cells = cell_codes(self.encoding, records.points) + np.cumsum([0, *widths[:-1]])
        out = np.zeros((len(records), sum(widths)))
        np.put_along_axis(out, cells, 1.0, axis=1)
        return out


@dataclass(frozen=True, slots=True)
class RankProducts(Query):
    """Products of a record's ranks on each pair of lines, whose means are rank correlations."""

    lines: Lines
    question: ClassVar[str] = "rank products"

    @property
    def size(self) -> int:
        """One a pair of lines."""
        return self.lines.size * (self.lines.size - 1) // 2

    @property
    def clip(self) -> float:
        """Σ spread² / √2, which a record of ordinary ranks does not exceed."""
        return float(np.square(self.lines.spread).sum() / np.sqrt(2))

    def contributions(self, records: Records) -> Floats:
        """z_j z_k for j < k, (n, size)."""
        ranks = self.lines.ranks(records.points)
        first, second = np.triu_indices(ranks.shape[1], 1)
        return ranks[:, first] * ranks[:, second]


@dataclass(frozen=True, slots=True)
class InteractionSums(Query):
    """What a teacher leaves unexplained along products of columns' functions.

    Parameters
    ----------
    task : Task
    teacher : Teacher
        On the products' own basis.
    products : Products
    counts : ndarray
        Released cell counts of the outcome.
    """

    task: Task
    teacher: Teacher[Features]
    products: Products
    counts: Floats
    question: ClassVar[str] = "interaction sums"
    clip: ClassVar[float] = 1.0

    @property
    def size(self) -> int:
        """One a product, for each score."""
        return self.products.size * self.teacher.weights.size // self.teacher.basis.size

    def contributions(self, records: Records) -> Floats:
        """(outcome − expected) χ(x), of norm ‖outcome − expected‖; of several scores in turn."""
        values = self.products.base.values(records.points)
        scores = scored(values, self.teacher.weights)
        residual = self.task.residual(scores, records.outcomes, self.counts)
        return each_along(residual, self.products.bounded(self.products.of(values)))


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
    served : Served
    task : Task
    encoding : Encoding
    candidates : Candidates
        The K pairs, exact points of the encoded cube.
    start : Start
        Whose owners and outcomes the rows of every candidate have.
    clip : float
        In units of loss.
    """

    question = "loss differences"

    def __init__(
        self,
        served: Served,
        task: Task,
        encoding: Encoding,
        candidates: Candidates,
        start: Start,
        *,
        clip: float,
    ) -> None:
        self.served, self.task, self.encoding = served, task, encoding
        self.candidates, self.start = candidates, start
        self.size, self.clip = len(candidates.plus), clip
        self._fitted: list[_Fitted] = []

    def prepare(self) -> None:
        """Train the models; their predictions for the task's reference rows are kept."""
        owner, outcomes = self.start.owner, self.start.outcomes
        designs = self.encoding.designs(self.candidates.both, owner, outcomes)
        tables, reference = Tables(designs, self.encoding.numeric), self.task.reference
        for model, weight in self.served:
            for draw in range(model.draws):
                seed = self.candidates.seed + draw
                fitted = fit_tables(model, tables, outcomes, seed=seed)
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
