"""The one drawer of privacy randomness: unseedable, exact, and opened by the vault alone."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from tincture.arrays import Integers, Mask

WINDOW = 4096  # units whose coins are made together


def discrete_gaussian(totals: Integers, scale: float) -> Integers:
    """Add independent discrete Gaussian noise to whole numbers (OpenDP, exact arithmetic).

    Parameters
    ----------
    totals : ndarray of int64, shape (n_values,)
        Sums in grid units.
    scale : float
        Standard deviation in grid units; positive.

    Returns
    -------
    ndarray of int64, shape (n_values,)

    References
    ----------
    Canonne, Kamath, Steinke (2020), *The discrete Gaussian for differential privacy*.
    """
    # A tenth of a second; its prelude takes one, and imports scikit-learn and pandas.
    from opendp.domains import atom_domain, vector_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import l2_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    space = vector_domain(atom_domain(T="i64")), l2_distance(T="f64")
    measure = make_gaussian(*space, scale)
    return np.asarray(measure([int(t) for t in totals]), dtype=np.int64)


def fresh_key() -> bytes:
    """A key of coins that nobody else has, from the operating system's generator."""
    return os.urandom(32)


def poisson_sample(size: int, rate: float, key: bytes, first: int = 0) -> Mask:
    """Include each of ``size`` units independently with probability ``rate``.

    A coin is made of bits of SHAKE-256 and follows from the key and the unit's number, which for
    the first is ``first``: it falls alike in whatever part the unit lies, and when that is read
    again. A rate below 1 is rounded down to a multiple of 2⁻⁵³.
    """
    if rate >= 1.0 or size == 0:
        return np.ones(size, dtype=bool)
    windows = range(first // WINDOW, (first + size - 1) // WINDOW + 1)
    bits = [hashlib.shake_256(key + w.to_bytes(8, "big")).digest(8 * WINDOW) for w in windows]
    draws = np.frombuffer(b"".join(bits), dtype="<u8")[first % WINDOW :][:size]
    return np.asarray(draws >> np.uint64(11) < np.uint64(int(rate * 2.0**53)))
