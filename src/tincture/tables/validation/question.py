"""The one question of a validation: how many of either outcome lie where on a model's scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tincture.arrays import Floats
from tincture.models.protocol import Predictor
from tincture.privacy.query import Query, Records


@dataclass(frozen=True, slots=True)
class ScoreCounts(Query):
    """How many units of either outcome each model puts in each bin of predicted risk.

    Parameters
    ----------
    fitted : sequence of Predictor
        Models of two classes, fitted on a release; of one table each.
    edges : ndarray of shape (models, bins − 1)
        Inner edges of each model's bins, ascending.
    """

    fitted: Sequence[Predictor]
    edges: Floats
    question: ClassVar[str] = "external validation"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Models, outcomes, bins."""
        return len(self.fitted), 2, self.edges.shape[1] + 1

    @property
    def size(self) -> int:
        """One a model, outcome and bin."""
        return int(np.prod(self.shape))

    @property
    def clip(self) -> float:
        """√(models): every record lies in one bin of each model."""
        return float(np.sqrt(len(self.fitted)))

    def contributions(self, records: Records) -> Floats:
        """One-hot outcome and bin of all models side by side, of norm √(models)."""
        out = np.zeros((len(records), *self.shape))
        each, outcome = np.arange(len(records)), records.outcomes[:, 0].astype(np.int64)
        for i, (model, edges) in enumerate(zip(self.fitted, self.edges, strict=True)):
            bins = np.searchsorted(edges, risks(model, records), side="right")
            out[each, i, outcome, bins] = 1.0
        return out.reshape(len(records), self.size)


def risks(model: Predictor, records: Records) -> Floats:
    """Predicted probability of the case, (n,)."""
    return np.asarray(model.predict(records.design)[0, :, 1], dtype=np.float64)
