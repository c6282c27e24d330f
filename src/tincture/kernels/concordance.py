"""Concordance of risk scores with right-censored times, in one compiled pass over pairs."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._compile import kernel_jit
from tincture.kernels.threads import share


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
    share(_count, n, *(np.array(a, np.float64) for a in (risk, time, event)), right, comparable)
    return right, comparable


@kernel_jit
def _count(
    begin: int,
    stop: int,
    risk: Floats,
    time: Floats,
    event: Floats,
    right: Floats,
    comparable: Floats,
) -> None:
    for i in range(begin, stop):
        for j in range(time.size):
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
