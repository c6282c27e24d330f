"""Second-order steps for ridge softmax regression: exact ones, and those of limited-memory BFGS.

The Hessian is ``sum_i (diag(p_i) - p_i p_i') (x) x_i x_i'`` plus the ridge.  Several score columns
sum to nought at the optimum, so the exact step is taken in an orthonormal basis of such columns.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._compile import inline_jit, jit
from tincture.kernels._linear import cholesky, combine, dot, solve_lower, solve_upper, weighted_gram


@inline_jit
def contrasts(k: int) -> Floats:
    """Orthonormal basis (k - 1, k) of vectors that sum to nought; for one column that itself."""
    basis = np.zeros((max(k - 1, 1), k))
    basis[0, 0] = 1.0
    for a in range(k - 1):
        size = np.sqrt((a + 1.0) * (a + 2.0))
        for c in range(a + 1):
            basis[a, c] = 1.0 / size
        basis[a, a + 1] = -(a + 1.0) / size
    return basis


@inline_jit
def factor_joint(
    columns: Floats, probs: Floats, m: int, ridge: float, basis: Floats, out: Floats
) -> None:
    """Cholesky factor of the Hessian in coordinates of the basis."""
    k, q = probs.shape[0], columns.shape[0]
    weights, block = np.zeros(columns.shape[1]), np.empty((q, q))
    for a in range(basis.shape[0]):
        for b in range(a + 1):
            for i in range(m):
                both, one, other = 0.0, 0.0, 0.0
                for c in range(k):
                    both += probs[c, i] * basis[a, c] * basis[b, c]
                    one += probs[c, i] * basis[a, c]
                    other += probs[c, i] * basis[b, c]
                weights[i] = both - one * other
            weighted_gram(columns, weights, block)
            for i in range(q):
                for j in range(i + 1):
                    out[a * q + i, b * q + j] = block[i, j]
                    out[a * q + j, b * q + i] = block[i, j]
        for i in range(q - 1):
            out[a * q + i, a * q + i] += ridge
    cholesky(out)


@inline_jit
def newton_step(factor: Floats, basis: Floats, gradient: Floats, out: Floats) -> float:
    """Solve for the step; return the promised decrease ``gradient . out``."""
    d, (k, q) = basis.shape[0], gradient.shape
    flat = np.zeros(d * q)
    for a in range(d):
        for c in range(k):
            for j in range(q):
                flat[a * q + j] += basis[a, c] * gradient[c, j]
    solve_lower(factor, flat)
    solve_upper(factor, flat)
    for c in range(k):
        for j in range(q):
            out[c, j] = 0.0
            for a in range(d):
                out[c, j] += basis[a, c] * flat[a * q + j]
    return dot(gradient, out)


@jit
def _equal(a: Floats, b: Floats) -> bool:
    for i in range(a.size):
        if a[i] != b[i]:
            return False
    return True


@inline_jit
def factor_blocks(columns: Floats, probs: Floats, m: int, ridge: float, out: Floats) -> None:
    """Cholesky factors of the Hessian's diagonal blocks.

    The factor k / (k - 1) makes the blocks exact, on columns that sum to nought, wherever the
    probabilities are equal. So are then the blocks, as at the start.
    """
    k = probs.shape[0]
    boost = k / (k - 1.0)
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


@inline_jit
def _whitened_norm(blocks: Floats, turn: Floats) -> float:
    """``turn' blocks^-1 turn``, against which the latest move's curvature sets the scale."""
    white = turn.copy()
    for c in range(white.shape[0]):
        solve_lower(blocks[c], white[c])
    return dot(white, white)


@inline_jit
def quasi_newton_step(
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
