"""scikit-learn's ``SVC``, whose decisions are worked out for one record after another.

The library leaves the distances to whatever BLAS it finds, which may round by where numbers lie in
memory.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.kernels._compile import kernel_jit
from tincture.kernels._exp import exponentials
from tincture.kernels.neighbours import squares
from tincture.kernels.threads import share

PIECE = 64  # records that one thread takes at a time


class SupportVectors:
    """A machine with Gaussian kernels of scikit-learn's usual width, for one table.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    """

    def fit(self, x: Floats, y: NDArray[Any]) -> SupportVectors:
        """Fit to complete x (m, p) and labels (m,)."""
        from sklearn.svm import SVC

        spread = x.shape[1] * x.var()
        self._narrow = float(1.0 / spread if spread > 0 else 1.0)  # gamma="scale"
        fitted = SVC(gamma=self._narrow).fit(x, y)
        self.classes_ = fitted.classes_
        self._support = np.array(fitted.support_vectors_.T, order="C")
        self._weights = _of_pairs(fitted.dual_coef_, fitted.n_support_)
        self._level = np.array(fitted.intercept_, dtype=np.float64)
        return self

    def decision_function(self, x: Floats) -> Floats:
        """Decisions as scikit-learn gives them: (b,) for two classes, else (b, n_classes)."""
        rows = np.require(x, np.float64, ["C", "W"])
        pairs = np.empty((len(rows), len(self._level)))
        parts = self._narrow, self._support, self._weights, self._level
        share(_decide, -(-len(rows) // PIECE), rows, *parts, pairs)
        return pairs[:, 0] if len(self.classes_) == 2 else _votes(pairs, len(self.classes_))


def _of_pairs(coef: Floats, counts: NDArray[Any]) -> Floats:
    """Weights (pairs, support vectors) of libsvm's coefficients, which share rows between pairs."""
    n_classes, ends = len(counts), np.cumsum([0, *counts])
    if n_classes == 2:
        return np.array(coef, order="C")
    pairs = list(itertools.combinations(range(n_classes), 2))
    weights = np.zeros((len(pairs), coef.shape[1]))
    for pair, (one, other) in enumerate(pairs):
        mine, theirs = slice(ends[one], ends[one + 1]), slice(ends[other], ends[other + 1])
        weights[pair, mine] = coef[other - 1, mine]
        weights[pair, theirs] = coef[one, theirs]
    return weights


def _votes(pairs: Floats, n_classes: int) -> Floats:
    """One number a class: the pairs it wins, and less than a half for how clearly."""
    won, sure = np.zeros((2, len(pairs), n_classes))
    for pair, (one, other) in enumerate(itertools.combinations(range(n_classes), 2)):
        decision = pairs[:, pair]
        won[:, one] += decision >= 0
        won[:, other] += decision < 0
        sure[:, one] += decision
        sure[:, other] -= decision
    return np.asarray(won + sure / (3 * (np.abs(sure) + 1)))


@kernel_jit
def _decide(
    begin: int,
    stop: int,
    records: Floats,
    narrow: float,
    support: Floats,
    weights: Floats,
    level: Floats,
    out: Floats,
) -> None:
    """Sum the kernels in the order of the support vectors."""
    likeness = np.empty(support.shape[1])
    for i in range(begin * PIECE, min(stop * PIECE, records.shape[0])):
        squares(records[i], support, likeness)
        for s in range(likeness.size):
            likeness[s] *= -narrow
        exponentials(likeness)
        for pair in range(level.size):
            total = 0.0
            for s in range(likeness.size):
                total += weights[pair, s] * likeness[s]
            out[i, pair] = total + level[pair]
