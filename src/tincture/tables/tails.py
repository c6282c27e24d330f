"""What lies in an amount's tail: how far out a value is, beyond what cosines of its rank follow.

A cosine of the rank is flat at both ends, and few people have many admissions or a high creatinine:
a risk that goes on rising there cannot be told by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.kernels.rows import products

FARTHEST = 6.0  # deviations that a value counts as lying out
LEAST = 1e-3  # deviation of an amount, of its range


class Tail(NamedTuple):
    """Deviations from the mean, less their regression on the cosines.

    Attributes
    ----------
    mean, deviation : float
        Of places in the encoded cube, as the released histogram has them.
    slopes : ndarray of shape (1 + waves,)
        Of the regression, the constant first.
    """

    mean: float
    deviation: float
    slopes: Floats

    @classmethod
    def of(cls, places: Floats, waves: Floats) -> Tail:
        """From values at evenly spaced ranks, and the cosines of these.

        Ranks, not cells: along them cosines are orthogonal whatever the histogram. Where nearly
        all lie in one cell, a regression over cells would go through three or four points.
        """
        mean, deviation = float(places.mean()), max(float(places.std()), LEAST)
        plain = cls(mean, deviation, np.zeros(1 + waves.shape[1]))
        known = np.concatenate([np.ones((len(waves), 1)), waves], axis=1)
        slopes = np.linalg.lstsq(known, plain.values(places, waves), rcond=None)[0]
        return cls(mean, deviation, slopes)

    def values(self, places: Floats, waves: Floats) -> Floats:
        """Of places (n,) with these cosines (n, waves)."""
        out = np.clip((places - self.mean) / self.deviation, -FARTHEST, FARTHEST)
        return np.asarray(out - self.slopes[0] - products(waves, self.slopes[1:]))
