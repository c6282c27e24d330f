"""Random numbers that depend on nothing but a seed and counters."""

import numpy as np

from tincture.kernels._arrays import Int
from tincture.kernels._compile import jit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)


@jit
def mix(state: np.uint64, counter: Int) -> np.uint64:
    """Hash a state and a counter (splitmix64; Steele, Lea and Flood 2014)."""
    z = state + _GOLDEN * np.uint64(counter + 1)
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@jit
def draw(state: np.uint64, counter: Int, n: Int) -> Int:
    """Draw an integer in 0..n-1, the `counter`-th of a stream."""
    drawn: Int = np.int64(((mix(state, counter) >> _S32) * np.uint64(n)) >> _S32)
    return drawn
