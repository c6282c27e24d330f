"""Damped Newton descent: what is the same whatever is minimised."""

from __future__ import annotations

from tincture.arrays import Floats
from tincture.kernels._compile import jit
from tincture.kernels._linear import cholesky, solve_lower, solve_upper
from tincture.kernels._partial_likelihood import product

MAX_STEPS = 100
MAX_HALVINGS = 40
PROMISE = 1e-9  # stop once a step promises less than this much log-likelihood


@jit
def solve(hessian: Floats, gradient: Floats, step: Floats) -> float:
    """Write the Newton step, factoring the Hessian in place; return the decrease it promises."""
    cholesky(hessian)
    for c in range(step.size):
        step[c] = gradient[c]
    solve_lower(hessian, step)
    solve_upper(hessian, step)
    return product(gradient, step)


@jit
def falls_enough(reached: float, loss: float, promise: float) -> bool:
    """Whether a step from `loss` to `reached` keeps a part of its promise, rounding aside."""
    return reached <= loss - 1e-4 * promise + 1e-12 * abs(loss)
