"""Units' vectors, shrunk to a clip and cut to whole steps of a lattice."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.kernels._compile import kernel_jit
from tincture.kernels.threads import share

HUGE = 1e200  # so that a person's sum cannot overflow
PIECE = 1024  # units that one thread takes at a time


def to_lattice(vectors: Floats, lengths: Integers, clip: float, steps: float) -> Integers:
    """Mean over each unit's records, shrunk to an L2 norm of ``clip``, in whole ``steps`` a clip.

    Every unit is worked out by itself, its records and values in their order, so that no last bit
    depends on another unit. What is not finite counts as 0; rounding is towards 0.

    Parameters
    ----------
    vectors : ndarray of shape (n_records, n_values)
        One vector a record; the records of a unit lie together.
    lengths : ndarray of int64, shape (n_units,)
    clip, steps : float

    Returns
    -------
    ndarray of int64, shape (n_units, n_values)
    """
    own = np.require(vectors, np.float64, ["C", "W"])
    ends = np.cumsum(lengths)
    out = np.empty((len(lengths), own.shape[1]), dtype=np.int64)
    share(_units, -(-len(lengths) // PIECE), own, ends, float(clip), float(steps / clip), out)
    return out


@kernel_jit
def _units(
    begin: int, stop: int, vectors: Floats, ends: Integers, clip: float, steps: float, out: Integers
) -> None:
    mean = np.empty(vectors.shape[1])
    for unit in range(begin * PIECE, min(stop * PIECE, ends.size)):
        first, last = ends[unit - 1] if unit > 0 else 0, ends[unit]
        mean[:] = 0.0
        for record in range(first, last):
            vector = vectors[record]
            for j in range(mean.size):
                known = vector[j] if np.isfinite(vector[j]) else 0.0
                mean[j] += min(max(known, -HUGE), HUGE)
        largest = 0.0
        for j in range(mean.size):
            mean[j] /= last - first
            largest = max(largest, abs(mean[j]))
        safe = largest if largest > 0.0 else 1.0  # scaled first, so that squares cannot overflow
        square = 0.0
        for j in range(mean.size):
            square += (mean[j] / safe) * (mean[j] / safe)
        shrink = min(1.0, clip / max(safe * np.sqrt(square), 1e-300))
        steps_of = out[unit]
        for j in range(mean.size):
            steps_of[j] = np.int64(mean[j] * shrink * steps)
