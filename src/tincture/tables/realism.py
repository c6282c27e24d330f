"""How far the columns of a table are from those of invented records.

A search for what models can learn exaggerates: a column that is always 1, or half empty, serves the
models that were asked about and misleads all others, people included. This distance pulls back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.public.encoding import Encoding

WEIGHT = 0.1  # of distances, beside what models lack
LOST = 3.0  # of the share of the records with a level that no row has
LEAST = 0.05  # deviation that a column counts as having at least, on its scale of 0 to 1


class Realism:
    """Distance of columns' means, spreads and shares of missing from those of records.

    A level that no row has counts `LOST` times its share of the records, whom models may refuse.

    Parameters
    ----------
    encoding : Encoding
    design : ndarray of shape (N, design width)
        Invented records as models see them, NaN where missing.
    """

    def __init__(self, encoding: Encoding, design: NDArray[np.floating]) -> None:
        self.means, self.spreads, self.absent = _moments(design[None].astype(np.float64))
        self.levels = np.where(encoding.numeric, 0.0, self.means[0])
        widths = [s.stop - s.start for s in encoding.design_slices]
        self.weights = np.repeat([1 / (w * len(widths)) for w in widths], widths)

    def losses(self, designs: Floats) -> Floats:
        """`WEIGHT` × mean over columns of squared distances in deviations, and lost levels.

        Of tables (R, m, width), (R,). Beyond one deviation distances grow as their root.
        """
        means, spreads, absent = _moments(designs)
        scale = np.maximum(self.spreads, LEAST)
        gaps = np.maximum(np.sqrt(self.absent * (1 - self.absent)), LEAST)
        far = [(means - self.means) / scale, (spreads - self.spreads) / scale]
        far.append((absent - self.absent) / gaps)
        distance = sum(tempered(np.square(z)) for z in far) @ self.weights
        return np.asarray(WEIGHT * distance + LOST * ((means == 0) @ self.levels))


def tempered(error: Floats) -> Floats:
    """As it is up to 1, then growing as its root: the worst still feels which way is better."""
    return np.where(error <= 1, error, 2 * np.sqrt(error) - 1)


def _moments(designs: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean and deviation of what is there, and share of what is not, (R, width) each."""
    missing = np.isnan(designs)
    known = np.where(missing, 0.0, designs)
    n = np.maximum((~missing).sum(axis=1), 1)
    means = known.sum(axis=1) / n
    squares = np.square(known).sum(axis=1) / n
    spreads = np.sqrt(np.maximum(squares - np.square(means), 0.0))
    return means, spreads, missing.mean(axis=1)
