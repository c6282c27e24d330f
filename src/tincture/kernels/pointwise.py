"""Elementary functions of whole arrays, number by number.

They are made of plain additions, products and divisions, each of which IEEE 754 rounds in one way
only. So the last bit of a result depends on the number alone, and not on where it lies or what lies
beside it; a library's function may use vector instructions for most of an array and others for its
end (docs/promise.md, section 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Records
from tincture.kernels._compile import jit, kernel_jit
from tincture.kernels._exp import exponentials
from tincture.kernels.threads import share

PIECE = 1 << 16  # numbers that one thread takes at a time
BLOCK = 512  # of them that lie in the nearest cache


def exp(x: ArrayLike, out: Floats | None = None) -> Floats:
    """e^x to two units of the last place; 0 below -708, infinite above 709.

    `out` may be x; it is contiguous.
    """
    return _each(_exp_pieces, x, out)


def softmax(scores: Floats) -> Floats:
    """Turn scores (R, k, b) into probabilities (R, b, classes); `scores` is overwritten.

    A single score is that of the second of two classes against the first.
    """
    if scores.shape[1] == 1:
        out = np.empty((2, len(scores), scores.shape[2]))
        np.negative(scores[:, 0], out=out[0])
        exp(out[0], out=out[0])
        out[0] += 1.0
        np.divide(1.0, out[0], out=out[1])
        np.subtract(1.0, out[1], out=out[0])
        return np.moveaxis(out, 0, 2)
    scores -= scores.max(axis=1, keepdims=True)
    exp(scores, out=scores)
    total = scores[:, 0].copy()
    for c in range(1, scores.shape[1]):  # numpy's sum takes another order for a record alone
        total += scores[:, c]
    scores /= total[:, None]
    return scores.swapaxes(1, 2)


def log(x: ArrayLike) -> Floats:
    """Logarithm to two units of the last place of positive numbers down to 1e-307."""
    return _each(_log_pieces, x)


def cospi(x: ArrayLike) -> Floats:
    """cos(πx) to 1e-15, for x in [0, 1]."""
    return _each(_cospi_pieces, x)


def interpolate(x: Records, places: Floats, values: Floats) -> Floats:
    """The line through values at rising places, level beyond; each number by itself to a bit."""
    cell = np.clip(np.searchsorted(places, x, side="right") - 1, 0, len(places) - 2)
    slopes = np.diff(values) / np.diff(places)
    passed = np.clip(x, places[0], places[-1]) - places[cell]
    return np.asarray(values[cell] + passed * slopes[cell])


def _each(kernel: Any, x: ArrayLike, out: Floats | None = None) -> Floats:
    given = np.require(x, np.float64, ["C", "W"])  # a read-only array would compile anew
    out = np.empty(given.shape) if out is None else out
    if not out.flags.c_contiguous:
        raise ValueError("the result must be contiguous")
    share(kernel, -(-given.size // PIECE), given.reshape(-1), out.reshape(-1))
    return out


@kernel_jit
def _exp_pieces(begin: int, stop: int, x: Floats, out: Floats) -> None:
    for first in range(begin * PIECE, min(stop * PIECE, x.size), BLOCK):
        block = out[first : min(first + BLOCK, x.size)]
        for i in range(block.size):
            block[i] = x[first + i]
        exponentials(block)


@kernel_jit
def _log_pieces(begin: int, stop: int, x: Floats, out: Floats) -> None:
    bits, parts = x.view(np.int64), np.empty(BLOCK, np.int64)
    for first in range(begin * PIECE, min(stop * PIECE, x.size), BLOCK):
        last = min(first + BLOCK, x.size)
        _log_block(x[first:last], bits[first:last], parts, out[first:last])


@jit
def _log_block(x: Floats, bits: Integers, parts: Integers, out: Floats) -> None:
    """``x = 2^n m`` with m about 1, and the series of artanh for f = (m - 1)/(m + 1)."""
    for i in range(x.size):
        parts[i] = (bits[i] & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000
    mantissas = parts.view(np.float64)
    for i in range(x.size):
        m, n = mantissas[i], float((bits[i] >> 52) - 1023)
        if m > 1.4142135623730951:
            m, n = 0.5 * m, n + 1.0
        f = (m - 1.0) / (m + 1.0)
        s = f * f
        p = 1 / 17 + s * (1 / 19 + s * (1 / 21 + s * (1 / 23)))
        p = 1 / 11 + s * (1 / 13 + s * (1 / 15 + s * p))
        p = 1 / 5 + s * (1 / 7 + s * (1 / 9 + s * p))
        p = 2.0 * (f + f * s * (1 / 3 + s * p))
        rest = n * 1.90821492927058770002e-10 + (x[i] - x[i])  # NaN for infinity and NaN
        out[i] = n * 6.93147180369123816490e-01 + (p + rest)


@kernel_jit
def _cospi_pieces(begin: int, stop: int, x: Floats, out: Floats) -> None:
    for first in range(begin * PIECE, min(stop * PIECE, x.size), BLOCK):
        last = min(first + BLOCK, x.size)
        _cospi_block(x[first:last], out[first:last])


@jit
def _cospi_block(x: Floats, out: Floats) -> None:
    """``cos(πx) = sin(π(1/2 - x))`` and Taylor's polynomial of the sine."""
    for i in range(x.size):
        y = 3.141592653589793 * (0.5 - x[i])
        s = y * y
        p = 1 - s * (1 / 272) * (1 - s * (1 / 342) * (1 - s * (1 / 420)))
        p = 1 - s * (1 / 110) * (1 - s * (1 / 156) * (1 - s * (1 / 210) * p))
        p = 1 - s * (1 / 20) * (1 - s * (1 / 42) * (1 - s * (1 / 72) * p))
        out[i] = y * (1 - s * (1 / 6) * p)
