"""The Cox partial likelihood with Efron's ties: its value and what its derivatives need.

Of d tied events the k-th, from nought, has a risk set from which the share k / d of the tied ones
has gone [1]_. Rows run from the latest time to the earliest, as in `_partial_likelihood`; each
event has a risk set of its own. Sums are kept as logarithms, so that no predictor overflows.

References
----------
.. [1] B. Efron, The efficiency of Cox's likelihood function for censored data,
   J. Am. Stat. Assoc. 72 (1977) 557-565.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import jit


@jit
def tied_events(event: Floats, ends: Integers) -> Integers:
    """How many events each group of tied rows has."""
    out, i = np.zeros(ends.size, np.int64), 0
    for g in range(ends.size):
        while i < ends[g]:
            out[g] += event[i] > 0.0
            i += 1
    return out


@jit
def loss_of(
    eta: Floats, event: Floats, ends: Integers, tied: Integers, logs: Floats, gone: Floats
) -> float:
    """Negative log partial likelihood.

    `logs` takes the log risk-set sum of every event, `gone` the share of the whole risk set that
    the tied events of a group hold.
    """
    top, total, loss, i, e = -np.inf, 0.0, 0.0, 0, 0
    for g in range(ends.size):
        first = i
        for i in range(first, ends[g]):
            if eta[i] > top:
                total = total * np.exp(top - eta[i]) + 1.0
                top = eta[i]
            else:
                total += np.exp(eta[i] - top)
        i, own = ends[g], 0.0
        for j in range(first, i):
            if event[j] > 0.0:
                own += np.exp(eta[j] - top) / total
                loss -= eta[j]
        gone[g] = min(own, 1.0)
        for k in range(tied[g]):
            logs[e] = top + np.log(total) + np.log1p(-gone[g] * k / tied[g])
            loss += logs[e]
            e += 1
    return loss


@jit
def hazards(
    eta: Floats, event: Floats, ends: Integers, tied: Integers, logs: Floats, out: Floats
) -> None:
    """Expected events of every row, in logarithms until the last moment."""
    top, total, e = -np.inf, 0.0, logs.size
    for g in range(ends.size - 1, -1, -1):
        own = 0.0  # what a tied event is spared, as it may have gone
        for k in range(tied[g] - 1, -1, -1):
            e -= 1
            if -logs[e] > top:
                total *= np.exp(top + logs[e])
                own *= np.exp(top + logs[e])
                top = -logs[e]
            total += np.exp(-logs[e] - top)
            own += np.exp(-logs[e] - top) * k / tied[g]
        for i in range(ends[g - 1] if g > 0 else 0, ends[g]):
            left = total - own if event[i] > 0.0 else total
            out[i] = left * np.exp(eta[i] + top) if left > 0.0 else 0.0


@jit
def _tied_shares(eta: Floats, event: Floats, ends: Integers) -> Floats:
    """The share of every event in the hazard of those at its time; nought of other rows."""
    out, first = np.zeros(eta.size), 0
    for g in range(ends.size):
        high, total = -np.inf, 0.0
        for i in range(first, ends[g]):
            high = max(high, eta[i]) if event[i] > 0.0 else high
        for i in range(first, ends[g]):
            out[i] = np.exp(eta[i] - high) if event[i] > 0.0 else 0.0
            total += out[i]
        for i in range(first, ends[g]):
            out[i] /= max(total, 1.0)
        first = ends[g]
    return out


@jit
def risk_set_means(
    eta: Floats, event: Floats, ends: Integers, tied: Integers, gone: Floats, columns: Floats
) -> None:
    """Append to `columns` the covariate mean of every event's risk set."""
    m, total = eta.size, -np.inf
    share = np.empty(m)
    # The mean moves towards each entering row by that row's share of the sum so far.
    for i in range(m):
        high = max(total, eta[i])
        total = high + np.log(np.exp(total - high) + np.exp(eta[i] - high))
        share[i] = np.exp(eta[i] - total)
    part = _tied_shares(eta, event, ends)
    for a in range(columns.shape[0]):
        mean, i, e = 0.0, 0, m
        for g in range(ends.size):
            own = 0.0
            while i < ends[g]:
                mean += share[i] * (columns[a, i] - mean)
                own += part[i] * columns[a, i]
                i += 1
            for k in range(tied[g]):
                less = gone[g] * k / tied[g]
                columns[a, e] = (mean - less * own) / (1.0 - less)
                e += 1
