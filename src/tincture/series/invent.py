"""Invented stays: half of each class, apart by what the teacher heeds and by nothing else.

Each class is a cloud of noise around its own centre. The centres differ by a *contrast* along the
teacher's weights; the noise of a class has mean 0 and deviation 1 in every channel and bin exactly,
so that no chance difference misleads a network that sees only a few dozen stays. What the teacher
leaves out is never measured, and a variable that it heeds is measured in every bin, unless it heeds
how often. Every channel keeps the mean and deviation of the released scale, since whoever receives
the stays standardises real ones by them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tincture.encoding import Amount
from tincture.series.embeddings import Course
from tincture.series.summaries import Linear, Summaries
from tincture.stays import Grid

Floats = NDArray[np.float64]
WIDEST = 3.0  # deviations by which a rate's weight may be rescaled
MOST = 0.95  # of a channel's variation that may be contrast


@dataclass(frozen=True)
class Manner:
    """How stays are made, found by trials (docs/decisions/0010-series.md).

    Attributes
    ----------
    contrast : float
        Of the channel with the largest weight, in deviations of it.
    memory : float
        Correlation of a variable's noise from bin to bin.
    steadiness : float
        Factor of the share of the noise that lasts all the stay: below 1, values fluctuate more
        than real ones, which teaches recurrent networks to look at more than the last hours.
    """

    contrast: float = 0.7
    memory: float = 0.9
    steadiness: float = 0.4


@dataclass(frozen=True)
class Contrast:
    """Half the difference between the classes, in deviations: values, rates and statics."""

    values: Floats
    rates: Floats
    statics: Floats

    @classmethod
    def of(cls, teacher: Linear, course: Course, manner: Manner) -> Contrast:
        """Weights as a contrast of the wanted size; 0 for what the teacher leaves out."""
        basis, weights = teacher.basis, teacher.weights
        n_variables = len(basis.layout.variables)
        # The contrast lasts all the stay, so that mean and last value tell it alike.
        values = weights[: 2 * n_variables].reshape(n_variables, 2).sum(axis=1)
        rates, statics = np.split(weights[2 * n_variables : -1], [basis.n_rates])
        if not basis.n_rates:
            rates = np.zeros(n_variables)
        variance = basis.scale.rate * (1 - basis.scale.rate) * course.bouts
        rates = rates * np.minimum(np.sqrt(variance) / basis.rate_deviation, WIDEST)
        largest = max(np.abs(values).max(), np.abs(statics).max(initial=0.0), 1e-9)

        def sized(part: Floats) -> Floats:
            return np.asarray(np.clip(manner.contrast * part / largest, -MOST, MOST))

        return cls(sized(values), sized(rates), sized(statics))


def invent(
    teacher: Linear, course: Course, n_rows: int, manner: Manner, rng: np.random.Generator
) -> tuple[Grid, Floats]:
    """Stays of both classes in turn.

    Returns
    -------
    points : float32 ndarray of shape (n_rows, layout.width)
    outcomes : ndarray of shape (n_rows, 1)
        0 and 1 by turns.
    """
    maker = _Maker(teacher.basis, course, Contrast.of(teacher, course, manner), manner, rng)
    sizes = (n_rows + 1) // 2, n_rows // 2
    classes = [maker.stays(n, side) for n, side in zip(sizes, (-1.0, 1.0), strict=True)]
    points = np.empty((n_rows, teacher.basis.layout.width), dtype=np.float32)
    outcomes = (np.arange(n_rows) % 2)[:, None].astype(np.float64)
    points[0::2], points[1::2] = classes
    return points, outcomes


@dataclass(frozen=True)
class _Maker:
    """Makes stays of a class; ``side`` is −1 for the first and 1 for the second."""

    basis: Summaries
    course: Course
    contrast: Contrast
    manner: Manner
    rng: np.random.Generator

    def stays(self, n: int, side: float) -> Grid:
        grid = np.where(self._measured(n, side), self._values(n, side), np.nan)
        return self.basis.layout.points(grid.astype(np.float32), self._statics(n, side))

    def _values(self, n: int, side: float) -> Floats:
        """Places of all values, measured or not, (n, bins, variables)."""
        scale, contrast = self.basis.scale, self.contrast.values
        steady = np.clip(self.course.steady * self.manner.steadiness, 0.1, 0.95)
        noise = self._noise(n, steady, self.manner.memory)
        z = side * contrast + np.sqrt(1 - np.square(contrast)) * noise
        places = np.clip(scale.mean + scale.sd * self.course.spread * z, 0.0, 1.0)
        return np.where(contrast != 0, places, np.clip(scale.mean, 0.0, 1.0))

    def _measured(self, n: int, side: float) -> NDArray[np.bool_]:
        """Where there is a measurement, (n, bins, variables)."""
        layout, rates, values = self.basis.layout, self.contrast.rates, self.contrast.values
        shift = np.sqrt(self.course.bouts) * rates
        noise = self._noise(n, self.course.bouts, 0.0)
        latent = shift * side + np.sqrt(1 - np.square(shift)) * noise
        coin = ndtr(latent) > 1 - self.basis.scale.rate
        every = np.broadcast_to(values != 0, coin.shape)
        # A variable of few levels tells by being recorded at all, such as ventilation.
        levels = np.array([c.is_categorical for c in layout.variables])
        held = self.basis.scale.held
        share = np.clip(held + values * np.sqrt(held * (1 - held)) * side, 0.0, 1.0)
        there = (self._even(n, len(values)) < share) & (values != 0)
        every = np.where(levels, there[:, None, :], every)
        return np.where(rates != 0, coin, every)

    def _statics(self, n: int, side: float) -> Floats:
        """Points of the static columns; quantiles are spread evenly over the class."""
        encoding, scale = self.basis.layout.statics, self.basis.scale
        out = np.zeros((n, self.basis.layout.n_static))
        if encoding is None:
            return out
        for column, kind, where in zip(
            encoding.columns, encoding.kinds, encoding.slices, strict=True
        ):
            contrast, quantile = self.contrast.statics[where], self._even(n, 1)[:, 0]
            mean, sd = scale.static_mean[where], scale.static_sd[where]
            if isinstance(kind, Amount):
                z = contrast[0] * side + np.sqrt(1 - contrast[0] ** 2) * ndtri(quantile)
                out[:, where.start] = np.clip(mean[0] + sd[0] * z * (contrast[0] != 0), 0.0, 1.0)
                continue
            if not contrast.any():
                out[:, where.start] = 1.0
                continue
            n_levels = len(column.levels)
            shares = np.clip(mean + contrast * sd * side, 0.01, 1.0)[:n_levels]
            ends = np.cumsum(shares / shares.sum())
            level = (quantile[:, None] > ends[:-1]).sum(axis=1)
            out[np.arange(n), where.start + level] = 1.0
        return out

    def _even(self, n: int, width: int) -> Floats:
        """Quantiles of n stays, evenly spread in each of ``width`` columns."""
        order = np.argsort(self.rng.random((n, width)), axis=0)
        return np.asarray((order + 0.5) / n)

    def _noise(self, n: int, steady: Floats, memory: float) -> Floats:
        """A steady part and one that drifts; each bin has mean 0 and deviation 1 over stays."""
        n_bins = self.basis.layout.n_bins
        lasting = _standard(self.rng.standard_normal((n, 1, len(steady))))
        drift = self.rng.standard_normal((n, n_bins, len(steady)))
        for t in range(1, n_bins):
            drift[:, t] = memory * drift[:, t - 1] + np.sqrt(1 - memory**2) * drift[:, t]
        return _standard(np.sqrt(steady) * lasting + np.sqrt(1 - steady) * drift)


def _standard(noise: Floats) -> Floats:
    centred = noise - noise.mean(axis=0)
    return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-9))
