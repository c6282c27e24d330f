"""Exponentials of whole arrays."""

import numpy as np

from tincture.arrays import Floats
from tincture.kernels._compile import jit

LOWEST, HIGHEST = -708.0, 709.0  # beyond, an exponential counts as 0 or infinite


@jit
def exponentials(x: Floats) -> None:
    """Overwrite x by exp(x), to a few units of the last place; 0 below -708, infinite above 709.

    ``x = n log 2 + r`` and Taylor's polynomial for r. Unlike calls of the library's function this
    compiles to vector instructions.
    """
    bits = np.empty(x.size, np.int64)
    for i in range(x.size):
        y = x[i] if LOWEST <= x[i] <= HIGHEST else 0.0
        n = np.rint(y * 1.4426950408889634)
        r = (y - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10
        p = 1 + r * (1 / 11) * (1 + r * (1 / 12) * (1 + r * (1 / 13)))
        p = 1 + r * (1 / 8) * (1 + r * (1 / 9) * (1 + r * (1 / 10) * p))
        p = 1 + r * (1 / 5) * (1 + r * (1 / 6) * (1 + r * (1 / 7) * p))
        p = 1 + r * (1 / 2) * (1 + r * (1 / 3) * (1 + r * (1 / 4) * p))
        p = 1 + r * p
        if not x[i] >= LOWEST:
            p = 0.0 if x[i] < LOWEST else np.nan
        x[i] = np.inf if x[i] > HIGHEST else p
        bits[i] = (np.int64(n) + 1023) << 52
    power = bits.view(np.float64)
    for i in range(x.size):
        x[i] *= power[i]
