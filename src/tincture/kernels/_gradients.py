"""Gradients and hessians of boosting in fixed point, packed into one word for each row."""

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import jit
from tincture.kernels._exp import exponentials

_FLOOR = 1e-100  # least sum of hazards, whose square must not underflow to nought


@jit
def pack_gradients(
    margin: Floats, chance: Floats, labels: Integers, t: int, unit: float, packed: Integers
) -> None:
    """Write gradient (upper half) and hessian (lower half) of logistic or softmax loss.

    All trees of a round see the chances before that round. XGBoost doubles softmax's hessian.
    """
    n_margins, scale = margin.shape[0], 1.0 / unit
    k = t % n_margins
    if k == 0:
        _compute_chances(margin, chance)
    positive, factor = (1, scale) if n_margins == 1 else (k, 2.0 * scale)
    for i in range(labels.size):
        p = chance[k, i]
        g = np.int64(np.floor(scale * (p - (labels[i] == positive)) + 0.5))
        h = np.int64(factor * p * (1.0 - p) + 0.5)
        packed[i] = (g << 32) + h


@jit
def _compute_chances(margin: Floats, chance: Floats) -> None:
    """Turn margins (n_margins, m) into chances of the same shape; one margin is of two classes."""
    n_margins, n_rows = margin.shape
    for i in range(n_rows):
        largest, sign = (margin[0, i], 1.0) if n_margins > 1 else (0.0, -1.0)
        for k in range(1, n_margins):
            largest = max(largest, margin[k, i])
        for k in range(n_margins):
            chance[k, i] = sign * (margin[k, i] - largest)
    for k in range(n_margins):
        exponentials(chance[k])
    for i in range(n_rows):
        total = 0.0
        for k in range(n_margins):
            total += chance[k, i]
        for k in range(n_margins):
            chance[k, i] = chance[k, i] / total if n_margins > 1 else 1.0 / (1.0 + total)


@jit
def pack_errors(
    margin: Floats, amount: Floats, weight: Integers, unit: float, packed: Integers
) -> None:
    """Write gradient (upper half) and hessian (lower half) of half the squared error."""
    scale = 1.0 / unit
    for i in range(amount.size):
        g = np.int64(np.floor(scale * (margin[i] - amount[i]) + 0.5))
        packed[i] = weight[i] * ((g << 32) + np.int64(scale))


@jit
def pack_hazards(
    margin: Floats, when: Integers, event: Floats, unit: float, packed: Integers
) -> None:
    """Write gradient (upper half) and hessian (lower half) of XGBoost's ``survival:cox``.

    Rows are in order of time; `when` numbers the distinct times.
    """
    m, scale = margin.size, 1.0 / unit
    hazard, left = np.empty(m), np.empty(m)
    _sum_hazards(margin, when, hazard, left)
    rate, square = 0.0, 0.0
    for i in range(m):
        if event[i] > 0.0:
            share = 1.0 / left[i]
            rate += share
            square += share * share
        expected = hazard[i] * rate
        g = expected - event[i]
        h = max(expected - hazard[i] * hazard[i] * square, 0.0)
        packed[i] = (np.int64(np.rint(g * scale)) << 32) + np.int64(np.rint(h * scale))


@jit
def _sum_hazards(margin: Floats, when: Integers, hazard: Floats, left: Floats) -> None:
    """Write each row's hazard, up to a common factor, and the sum over the rows not yet past."""
    m, top = margin.size, margin[0]
    for i in range(m):
        top = max(top, margin[i])
    for i in range(m):
        hazard[i] = margin[i] - top
    exponentials(hazard)
    total, i = 0.0, m - 1
    while i >= 0:
        first = i
        while first >= 0 and when[first] == when[i]:
            total += hazard[first]
            first -= 1
        for k in range(first + 1, i + 1):
            left[k] = max(total, _FLOOR)
        i = first
