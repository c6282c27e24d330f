"""What fitted models of one kind have in common: how they predict."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._compile import kernel_jit, share
from tincture.kernels._exp import exponentials
from tincture.kernels._linear import Floats
from tincture.kernels.pointwise import BLOCK


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
    r, k, b = scores.shape
    if k == 1:
        out = np.empty((2, r, b))
        share(_two_chances, r, scores[:, 0], out)
        return np.moveaxis(out, 0, 2)
    share(_many_chances, r, scores)
    return scores.swapaxes(1, 2)


@kernel_jit
def _two_chances(begin: int, stop: int, scores: Floats, out: Floats) -> None:
    """Write 1 - p and p = 1/(1 + exp(-score)) of the models ``begin .. stop - 1``."""
    for r in range(begin, stop):
        for first in range(0, scores.shape[1], BLOCK):
            last = min(first + BLOCK, scores.shape[1])
            score, size = scores[r, first:last], last - first
            no, yes = out[0, r, first:last], out[1, r, first:last]
            for i in range(size):
                no[i] = -score[i]
            exponentials(no)
            for i in range(size):
                yes[i] = 1.0 / (1.0 + no[i])
            for i in range(size):
                no[i] = 1.0 - yes[i]


@kernel_jit
def _many_chances(begin: int, stop: int, scores: Floats) -> None:
    """Overwrite the scores of the models ``begin .. stop - 1``; classes are summed in order."""
    best, total = np.empty(BLOCK), np.empty(BLOCK)
    k, b = scores.shape[1], scores.shape[2]
    for r in range(begin, stop):
        for first in range(0, b, BLOCK):
            last = min(first + BLOCK, b)
            size = last - first
            best[:], total[:] = -np.inf, 0.0
            for c in range(k):
                score = scores[r, c, first:last]
                for i in range(size):
                    best[i] = score[i] if score[i] > best[i] else best[i]
            for c in range(k):
                score = scores[r, c, first:last]
                for i in range(size):
                    score[i] -= best[i]
                exponentials(score)
                for i in range(size):
                    total[i] += score[i]
            for c in range(k):
                score = scores[r, c, first:last]
                for i in range(size):
                    score[i] /= total[i]
