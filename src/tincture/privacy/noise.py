"""The one drawer of privacy randomness: unseedable, exact, and opened by the vault alone."""

from __future__ import annotations

import os

import numpy as np

from tincture.arrays import Integers, Mask


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
    import opendp.prelude as dp  # takes a third of a second, and evaluations draw none

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T=float)
    measure = space >> dp.m.then_gaussian(scale)
    return np.asarray(measure([int(t) for t in totals]), dtype=np.int64)


def poisson_sample(size: int, rate: float) -> Mask:
    """Include each of ``size`` units independently with probability ``rate``.

    The bits come from the operating system's cryptographic generator; a rate below 1 is rounded
    down to a multiple of 2⁻⁵³.
    """
    if rate >= 1.0:
        return np.ones(size, dtype=bool)
    draws = np.frombuffer(os.urandom(8 * size), dtype=np.uint64) >> np.uint64(11)
    return draws < np.uint64(int(rate * 2.0**53))
