"""What fitted models of one kind have in common: how they predict."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._linear import Floats
from tincture.kernels.pointwise import exp


class Classifiers(ABC):
    """Classifiers of R tables."""

    __slots__ = ()

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Probability of every class.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per table.

        Returns
        -------
        (R, b, n_classes) float64
        """
        return self._chances(records, fill)

    @abstractmethod
    def _chances(self, records: NDArray[np.floating], fill: Floats | None) -> Floats: ...


class Risks(ABC):
    """Survival models of R tables."""

    __slots__ = ()

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Risk score of each record, whose meaning the class says; larger is an earlier event.

        Parameters
        ----------
        records : (b, p) float32 or float64
            May hold NaN only where `fill` is given.
        fill : (R, p) float64, optional
            Value that stands for a missing entry of each column, per table.

        Returns
        -------
        (R, b) float64
        """
        return self._risks(records, fill)

    @abstractmethod
    def _risks(self, records: NDArray[np.floating], fill: Floats | None) -> Floats: ...


def softmax(scores: Floats) -> Floats:
    """Turn scores (R, k, b) into probabilities (R, b, classes); `scores` is overwritten.

    A single score is that of the second of two classes against the first.
    """
    if scores.shape[1] == 1:
        out = np.empty((2, len(scores), scores.shape[2]))
        np.negative(scores[:, 0], out=out[0])
        exp(out[0], out=out[0])
        out[0] += 1.0
        np.divide(1.0, out[0], out=out[1])
        np.subtract(1.0, out[1], out=out[0])
        return np.moveaxis(out, 0, 2)
    scores -= scores.max(axis=1, keepdims=True)
    exp(scores, out=scores)
    total = scores[:, 0].copy()
    for c in range(1, scores.shape[1]):  # numpy's sum takes another order for a record alone
        total += scores[:, c]
    scores /= total[:, None]
    return scores.swapaxes(1, 2)
