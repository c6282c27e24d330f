"""Descent to the optimum of ridge softmax regression.

The method is limited-memory BFGS [1]_ started from the Hessian's diagonal blocks, one per score
column, which are taken afresh every few steps.  With one column, read against a reference score of
nought, the block is the whole Hessian, so taking it at every step is Newton's method; with more it
spares the cubic cost of the joint system.

References
----------
.. [1] J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., 2006, chapters 3 and 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tincture.kernels._linear import (
    Floats,
    cholesky,
    combine,
    dot,
    fast_jit,
    solve_lower,
    solve_upper,
    weighted_gram,
)
from tincture.kernels._nodes import jit

Integers = NDArray[np.int64]

_MAX_STEPS = 300
_MAX_HALVINGS = 30
_PROMISE = 3e-8  # stop once a step promises less than this much loss
_REFRESH = 16  # steps between Hessian blocks when there are several columns


@jit
def _log_loss(scores: Floats, labels: Integers, probs: Floats) -> float:
    """Fill the class probabilities and return the summed log-loss; arrays are (k, padded m)."""
    k = scores.shape[0]
    loss = 0.0
    for i in range(labels.size):
        top = 0.0 if k == 1 else -np.inf
        for c in range(k):
            top = max(top, scores[c, i])
        total = np.exp(-top) if k == 1 else 0.0
        for c in range(k):
            probs[c, i] = np.exp(scores[c, i] - top)
            total += probs[c, i]
        for c in range(k):
            probs[c, i] /= total
        loss += top + np.log(total)
        if k > 1:
            loss -= scores[labels[i], i]
        elif labels[i] == 1:
            loss -= scores[0, i]
    return loss


@fast_jit
def _forward(columns: Floats, theta: Floats, out: Floats) -> None:
    """Scores (k, padded m) of the rows, four columns at a time to spare loads and stores."""
    q, m = columns.shape
    whole = q - 1 - (q - 1) % 4
    for c in range(theta.shape[0]):
        for i in range(m):
            out[c, i] = theta[c, q - 1]
        for a in range(0, whole, 4):
            s0, s1, s2, s3 = theta[c, a], theta[c, a + 1], theta[c, a + 2], theta[c, a + 3]
            for i in range(m):
                out[c, i] += (
                    s0 * columns[a, i]
                    + s1 * columns[a + 1, i]
                    + s2 * columns[a + 2, i]
                    + s3 * columns[a + 3, i]
                )
        for a in range(whole, q - 1):
            for i in range(m):
                out[c, i] += theta[c, a] * columns[a, i]


@fast_jit
def _gradient(
    columns: Floats, labels: Integers, probs: Floats, ridge: float, theta: Floats, out: Floats
) -> None:
    q, m = columns.shape
    k = theta.shape[0]
    slopes = np.zeros((k, m))
    for i in range(labels.size):
        for c in range(k):
            slopes[c, i] = probs[c, i]
        if k > 1 or labels[i] == 1:
            slopes[labels[i] if k > 1 else 0, i] -= 1.0
    for c in range(k):
        for a in range(q):
            s = 0.0
            for i in range(m):
                s += slopes[c, i] * columns[a, i]
            out[c, a] = s + (ridge * theta[c, a] if a < q - 1 else 0.0)


@jit
def _equal(a: Floats, b: Floats) -> bool:
    for i in range(a.size):
        if a[i] != b[i]:
            return False
    return True


@jit
def _factor_blocks(columns: Floats, probs: Floats, m: int, ridge: float, out: Floats) -> None:
    """Cholesky factors of the Hessian's diagonal blocks.

    Several columns sum to nought at the optimum; the factor k / (k - 1) makes the blocks exact
    on that subspace wherever the probabilities are equal. So are then the blocks, as at the start.
    """
    k = probs.shape[0]
    boost = k / (k - 1.0) if k > 1 else 1.0
    weights = np.zeros(columns.shape[1])
    for c in range(k):
        if c > 0 and _equal(probs[c], probs[c - 1]):
            combine(out[c - 1], 0.0, out[c - 1], out[c])
            continue
        for i in range(m):
            weights[i] = boost * probs[c, i] * (1.0 - probs[c, i])
        weighted_gram(columns, weights, out[c])
        for a in range(columns.shape[0] - 1):
            out[c, a, a] += ridge
        cholesky(out[c])


@jit
def _whitened_norm(blocks: Floats, turn: Floats) -> float:
    """``turn' blocks^-1 turn``, against which the latest move's curvature sets the scale."""
    white = turn.copy()
    for c in range(white.shape[0]):
        solve_lower(blocks[c], white[c])
    return dot(white, white)


@jit
def _direction(
    blocks: Floats, gradient: Floats, moves: Floats, turns: Floats, kept: int, out: Floats
) -> float:
    """Two-loop recursion over the `kept` latest moves and gradient turns.

    Returns the promised decrease ``gradient . out``.
    """
    weight, curvature = np.empty(kept), np.empty(kept)
    combine(gradient, 0.0, gradient, out)
    for t in range(kept - 1, -1, -1):
        curvature[t] = dot(moves[t], turns[t])
        weight[t] = dot(moves[t], out) / curvature[t]
        combine(out, -weight[t], turns[t], out)
    for c in range(out.shape[0]):
        solve_lower(blocks[c], out[c])
    if kept > 0:
        scale = curvature[kept - 1] / _whitened_norm(blocks, turns[kept - 1])
        combine(out, scale - 1.0, out, out)
    for c in range(out.shape[0]):
        solve_upper(blocks[c], out[c])
    for t in range(kept):
        combine(out, weight[t] - dot(turns[t], out) / curvature[t], moves[t], out)
    return dot(gradient, out)


@jit
def _norms(theta: Floats, step: Floats, out: Floats) -> None:
    """Inner products of the coefficients and the step, the last column (intercepts) aside."""
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    for c in range(theta.shape[0]):
        for a in range(theta.shape[1] - 1):
            out[0] += theta[c, a] * theta[c, a]
            out[1] += theta[c, a] * step[c, a]
            out[2] += step[c, a] * step[c, a]


@jit
def _search(
    scores: Floats,
    change: Floats,
    norms: Floats,
    labels: Integers,
    ridge: float,
    promise: float,
    loss: float,
    trial: Floats,
    probs: Floats,
) -> tuple[float, float]:
    """Halve the step until the loss falls enough; return its length (or 0) and the loss."""
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        combine(scores, -length, change, trial)
        norm = norms[0] + length * (length * norms[2] - 2.0 * norms[1])
        reached = _log_loss(trial, labels, probs) + 0.5 * ridge * norm
        if reached <= loss - 1e-4 * length * promise + 1e-12 * loss:
            return length, reached
        length *= 0.5
    return 0.0, loss


@jit
def minimise(columns: Floats, labels: Integers, ridge: float, theta: Floats) -> None:
    """Descend from `theta`, or from nought if that is better, in place."""
    q, m = columns.shape
    k = theta.shape[0]
    refresh = _REFRESH if k > 1 else 1
    scores, change, trial, probs = np.zeros((4, k, m))
    gradient, previous, step = np.zeros((3, k, q))
    moves, turns = np.empty((2, refresh, k, q))
    blocks, norms = np.empty((k, q, q)), np.empty(3)
    zero = _log_loss(trial, labels, probs)
    _forward(columns, theta, scores)
    _norms(theta, step, norms)
    loss = _log_loss(scores, labels, probs) + 0.5 * ridge * norms[0]
    if not loss <= zero:
        theta[:] = 0.0
        scores[:] = 0.0
        loss = _log_loss(scores, labels, probs)
    _gradient(columns, labels, probs, ridge, theta, gradient)
    for t in range(_MAX_STEPS):
        kept = t % refresh
        if kept == 0:
            _factor_blocks(columns, probs, labels.size, ridge, blocks)
        promise = _direction(blocks, gradient, moves, turns, kept, step)
        if not promise > 0.0:
            return
        _forward(columns, step, change)
        _norms(theta, step, norms)
        length, loss = _search(scores, change, norms, labels, ridge, promise, loss, trial, probs)
        combine(theta, -length, step, theta)
        if length == 0.0 or promise < _PROMISE:
            return
        scores, trial = trial, scores
        previous, gradient = gradient, previous
        _gradient(columns, labels, probs, ridge, theta, gradient)
        if refresh > 1:
            combine(step, -1.0 - length, step, moves[kept])
            combine(gradient, -1.0, previous, turns[kept])
