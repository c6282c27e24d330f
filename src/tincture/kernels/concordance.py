"""Concordance of risk scores with right-censored times, in compiled passes over pairs."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, parallel=True)
def anchored_discordance(
    risk: Floats,
    time: Floats,
    event: Floats,
    anchor_risk: Floats,
    anchor_time: Floats,
    anchor_event: Floats,
) -> Floats:
    """How wrongly each record is ranked against the anchors.

    A record and an anchor are comparable when the earlier of the two times is an event; the earlier
    one should have the higher risk. A pair costs σ(−lead / s), where the lead is the difference in
    risk the right way round and s the spread of the anchors' risks: ½ for equal risks, and less the
    clearer the order, so that records beyond all anchors are still told apart. Pairs that are not
    comparable cost nothing, so that records weigh as in Harrell's C.

    Parameters
    ----------
    risk : ndarray of shape (R, b)
        Risk scores of b records under R models.
    time, event : ndarray of shape (b,)
    anchor_risk : ndarray of shape (R, A)
    anchor_time, anchor_event : ndarray of shape (A,)

    Returns
    -------
    ndarray of shape (R, b), in [0, 1]
    """
    n_models, n_records = risk.shape
    n_anchors = anchor_time.shape[0]
    out = np.empty((n_models, n_records))
    for r in prange(n_models):
        spread = anchor_risk[r].std() + 1e-12
        # σ((a − b)/s) needs one exponential a record and one an anchor, not one a pair.
        middle = anchor_risk[r].mean()
        grown = np.exp(np.minimum(np.maximum((anchor_risk[r] - middle) / spread, -30.0), 30.0))
        for i in range(n_records):
            own = np.exp(min(max((risk[r, i] - middle) / spread, -30.0), 30.0))
            wrong = 0.0
            for j in range(n_anchors):
                if event[i] > 0.5 and time[i] < anchor_time[j]:
                    wrong += grown[j] / (own + grown[j])
                elif anchor_event[j] > 0.5 and anchor_time[j] < time[i]:
                    wrong += own / (own + grown[j])
            out[r, i] = wrong / n_anchors
    return out


@njit(cache=True, parallel=True)
def pair_counts(risk: Floats, time: Floats, event: Floats) -> tuple[Floats, Floats]:
    """Right and comparable pairs that each record takes part in, by Harrell et al. (1982).

    Of two equal times, an event comes before a censoring; equal risks count half.

    Parameters
    ----------
    risk, time, event : ndarray of shape (n,)

    Returns
    -------
    tuple of ndarray of shape (n,)
        Right pairs and comparable pairs; C is the ratio of their sums.
    """
    n = len(time)
    right, comparable = np.zeros(n), np.zeros(n)
    for i in prange(n):
        for j in range(n):
            i_first = event[i] > 0.5 and (
                time[i] < time[j] or (time[i] == time[j] and event[j] < 0.5)
            )
            j_first = event[j] > 0.5 and (
                time[j] < time[i] or (time[i] == time[j] and event[i] < 0.5)
            )
            if i_first or j_first:
                lead = risk[i] - risk[j] if i_first else risk[j] - risk[i]
                comparable[i] += 1.0
                right[i] += 1.0 if lead > 0 else (0.5 if lead == 0 else 0.0)
    return right, comparable
