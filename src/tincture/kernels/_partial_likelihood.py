"""The Cox partial likelihood with Breslow's ties: its value and what its derivatives need.

Rows run from the latest time to the earliest, so risk sets grow; ``ends[g]`` is where the g-th
group of tied rows ends.  Sums over risk sets are kept as logarithms, so no predictor overflows.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import fast_jit, inline_jit, jit
from tincture.kernels._linear import LANES


@inline_jit
def tie_groups(time: Floats) -> Integers:
    """Where each group of tied rows ends."""
    ends, groups = np.empty(time.size, np.int64), 0
    for i in range(time.size):
        if i == time.size - 1 or time[i] != time[i + 1]:
            ends[groups] = i + 1
            groups += 1
    return ends[:groups]


@inline_jit
def centred_columns(table: Floats, order: Integers, room: int) -> Floats:
    """Lay out centred columns one after another, with room for the means of risk sets."""
    m, p = table.shape
    columns = np.zeros((p, (m + room + LANES - 1) // LANES * LANES))
    for a in range(p):
        mean = 0.0
        for i in range(m):
            mean += table[i, a] / m
        for i in range(m):
            columns[a, i] = table[order[i], a] - mean
    return columns


@jit
def loss_of(eta: Floats, event: Floats, ends: Integers, logs: Floats) -> float:
    """Negative log partial likelihood; `logs` takes the log risk-set sum of every tie group."""
    top, total, loss, i = -np.inf, 0.0, 0.0, 0
    for g in range(ends.size):
        deaths = 0.0
        while i < ends[g]:
            if eta[i] > top:
                total = total * np.exp(top - eta[i]) + 1.0
                top = eta[i]
            else:
                total += np.exp(eta[i] - top)
            deaths += event[i]
            loss -= event[i] * eta[i]
            i += 1
        logs[g] = top + np.log(total)
        loss += deaths * logs[g]
    return loss


@jit
def hazards(eta: Floats, event: Floats, ends: Integers, logs: Floats, out: Floats) -> None:
    """Cumulative hazard ``exp(eta) A`` of every row, in logarithms until the last moment."""
    top, total = -np.inf, 0.0
    for g in range(ends.size - 1, -1, -1):
        first = ends[g - 1] if g > 0 else 0
        deaths = 0.0
        for i in range(first, ends[g]):
            deaths += event[i]
        if deaths > 0.0:
            if -logs[g] > top:
                total *= np.exp(top + logs[g])
                top = -logs[g]
            total += deaths * np.exp(-logs[g] - top)
        for i in range(first, ends[g]):
            out[i] = total * np.exp(eta[i] + top) if total > 0.0 else 0.0


@jit
def risk_set_means(
    eta: Floats, event: Floats, ends: Integers, columns: Floats, weights: Floats
) -> None:
    """Append to `columns` the covariate mean of the risk set at every time.

    Its weight is minus the number of events, as it is to be taken off the Hessian.
    """
    m = eta.size
    share, total = np.empty(m), -np.inf
    # The mean moves towards each entering row by that row's share of the sum so far.
    for i in range(m):
        high = max(total, eta[i])
        total = high + np.log(np.exp(total - high) + np.exp(eta[i] - high))
        share[i] = np.exp(eta[i] - total)
    for g in range(ends.size):
        weights[m + g] = 0.0
        for i in range(ends[g - 1] if g > 0 else 0, ends[g]):
            weights[m + g] -= event[i]
    for a in range(columns.shape[0]):
        mean, i = 0.0, 0
        for g in range(ends.size):
            while i < ends[g]:
                mean += share[i] * (columns[a, i] - mean)
                i += 1
            columns[a, m + g] = mean


@fast_jit
def slope(columns: Floats, excess: Floats, alpha: float, coef: Floats, out: Floats) -> None:
    """Gradient ``columns excess`` plus the ridge term; columns past the rows are left out."""
    for a in range(coef.size):
        s = alpha * coef[a]
        for i in range(excess.size):
            s += excess[i] * columns[a, i]
        out[a] = s


@fast_jit
def predictor(columns: Floats, coef: Floats, out: Floats) -> None:
    """Linear predictor of every row."""
    out[:] = 0.0
    for a in range(coef.size):
        for i in range(out.size):
            out[i] += coef[a] * columns[a, i]


@jit
def product(a: Floats, b: Floats) -> float:
    """Inner product of two vectors."""
    s = 0.0
    for i in range(a.size):
        s += a[i] * b[i]
    return s
