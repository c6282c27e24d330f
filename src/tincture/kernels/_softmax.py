"""Descent to the optimum of ridge softmax regression.

Small systems are solved by Newton's method; larger ones, to spare the cubic cost, by limited-memory
BFGS [1]_ started from the Hessian's diagonal blocks, one per score column, which are taken afresh
every few steps.  A single column is read against a reference score of nought.

References
----------
.. [1] J. Nocedal, S. Wright, Numerical Optimization, 2nd ed., 2006, chapters 3 and 7.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import fast_jit, inline_jit, jit
from tincture.kernels._linear import combine
from tincture.kernels._softmax_steps import (
    contrasts,
    factor_blocks,
    factor_joint,
    newton_step,
    quasi_newton_step,
)

_MAX_STEPS = 300
_MAX_HALVINGS = 30
_PROMISE = 3e-9  # stop once a step of BFGS promises less than this much loss
_NEWTON_PROMISE = 1e-7  # likewise; the step still taken leaves about the square of this
_REFRESH = 16  # steps of BFGS between Hessian blocks
_NEWTON = 100  # most unknowns for which Newton's method is quicker


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
        share = 1.0 / total
        for c in range(k):
            probs[c, i] *= share
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
def _norms(theta: Floats, step: Floats, out: Floats) -> None:
    """Inner products of the coefficients and the step, the last column (intercepts) aside."""
    out[0], out[1], out[2] = 0.0, 0.0, 0.0
    for c in range(theta.shape[0]):
        for a in range(theta.shape[1] - 1):
            out[0] += theta[c, a] * theta[c, a]
            out[1] += theta[c, a] * step[c, a]
            out[2] += step[c, a] * step[c, a]


@inline_jit
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


@inline_jit
def minimise(columns: Floats, labels: Integers, ridge: float, theta: Floats) -> None:
    """Descend from `theta`, or from nought if that is better, in place."""
    q, m = columns.shape
    k = theta.shape[0]
    basis = contrasts(k)
    unknowns = basis.shape[0] * q
    newton = k == 1 or unknowns <= _NEWTON
    refresh, enough = (1, _NEWTON_PROMISE) if newton else (_REFRESH, _PROMISE)
    joint = np.empty((unknowns, unknowns) if newton else (0, 0))
    # One by one, as the parts of one array would not be known to be contiguous.
    scores, change = np.zeros((k, m)), np.zeros((k, m))
    trial, probs = np.zeros((k, m)), np.zeros((k, m))
    gradient, previous, step = np.zeros((k, q)), np.zeros((k, q)), np.zeros((k, q))
    moves, turns = np.empty((refresh, k, q)), np.empty((refresh, k, q))
    blocks, norms = np.empty((k, q, q)), np.empty(3)
    zero = labels.size * np.log(max(k, 2))
    _forward(columns, theta, scores)
    _norms(theta, step, norms)
    loss = _log_loss(scores, labels, probs) + 0.5 * ridge * norms[0]
    if not loss <= zero:
        theta[:], scores[:], loss = 0.0, 0.0, zero
        probs[:] = 1.0 / max(k, 2)
    for t in range(_MAX_STEPS):
        kept = t % refresh
        previous, gradient = gradient, previous
        _gradient(columns, labels, probs, ridge, theta, gradient)
        if newton:
            factor_joint(columns, probs, labels.size, ridge, basis, joint)
            promise = newton_step(joint, basis, gradient, step)
        else:
            if kept == 0:
                factor_blocks(columns, probs, labels.size, ridge, blocks)
            else:
                combine(gradient, -1.0, previous, turns[kept - 1])
            promise = quasi_newton_step(blocks, gradient, moves, turns, kept, step)
        if not promise > 0.0:
            return
        _forward(columns, step, change)
        _norms(theta, step, norms)
        length, loss = _search(scores, change, norms, labels, ridge, promise, loss, trial, probs)
        combine(theta, -length, step, theta)
        if length == 0.0 or promise < enough:
            return
        scores, trial = trial, scores
        if not newton:
            combine(step, -1.0 - length, step, moves[kept])
