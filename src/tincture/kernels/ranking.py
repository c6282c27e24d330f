"""How well many rankings agree with one set of chances."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import kernel_jit
from tincture.kernels.threads import share


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
    out = np.zeros(len(scores))
    places, centred = _sort_keys(scores), chances - chances.mean()
    share(_covariances, len(scores), np.ascontiguousarray(scores), places, centred, out)
    return out


def _sort_keys(scores: Floats) -> Integers:
    """Each row's places in rising order of the scores, but for the last bits of these.

    Numpy sorts integers that never tie several times as quickly as it finds a stable order.
    """
    places = np.arange(scores.shape[1])
    below = (1 << int(places[-1]).bit_length()) - 1
    bits = (scores + 0.0).view(np.int64)  # which has no negative nought
    keys = bits ^ ((bits >> 63) & np.iinfo(np.int64).max)  # those of negative numbers run backwards
    keys &= ~below
    keys |= places
    keys.sort(axis=1)
    keys &= below
    return keys


@kernel_jit
def _covariances(
    begin: int, stop: int, scores: Floats, order: Integers, centred: Floats, out: Floats
) -> None:
    n = scores.shape[1]
    for r in range(begin, stop):
        own, places = scores[r], order[r]
        for i in range(1, n):  # what the last bits told
            place, k = places[i], i
            while k > 0 and own[places[k - 1]] > own[place]:
                places[k] = places[k - 1]
                k -= 1
            places[k] = place
        first = 0
        while first < n:
            last, tied = first, 0.0
            limit = own[places[first]] + 1e-12
            while last < n and not own[places[last]] > limit:  # ends also at NaN
                tied += centred[places[last]]
                last += 1
            out[r] += tied * 0.5 * (first + last - 1)
            first = last
