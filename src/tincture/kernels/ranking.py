"""How well many rankings agree with one set of chances."""

from __future__ import annotations

import numpy as np
from numba import njit

from tincture.arrays import Floats


def rank_covariance(scores: Floats, chances: Floats) -> Floats:
    """Σ_i rank(score_i) (chance_i − mean) of each row of scores, ties sharing their mean rank.

    With outcomes drawn by the chances, the expected AUROC is ½ + this / (n² p̄ (1 − p̄)), p̄ being the
    mean chance.

    Parameters
    ----------
    scores : (R, b) float64, finite
    chances : (b,) float64

    Returns
    -------
    (R,) float64
    """
    order = np.argsort(scores, axis=1, kind="stable")
    return np.asarray(_covariances(scores, order, chances - chances.mean()))


@njit(cache=True, nogil=True)
def _covariances(scores, order, centred):  # type: ignore[no-untyped-def]
    n_tables, n = scores.shape
    out = np.zeros(n_tables)
    for r in range(n_tables):
        first = 0
        while first < n:
            last = first
            tied = 0.0
            limit = scores[r, order[r, first]] + 1e-12
            while last < n and not scores[r, order[r, last]] > limit:  # ends also at NaN
                tied += centred[order[r, last]]
                last += 1
            out[r] += tied * 0.5 * (first + last - 1)
            first = last
    return out
