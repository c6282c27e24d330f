"""Invented stays in pairs: alike in all that does not matter, opposed in what does.

The two stays of a pair share their noise and differ by a *contrast* along the teacher's weights,
the one more like those who have the outcome. So a network finds in a few dozen stays, whatever its
inductive bias, one consistent difference between the classes, of the size in each channel that the
teacher gives it. Every channel keeps the mean and deviation of the released scale, since whoever
receives the stays standardises real ones by them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tincture.encoding import Amount
from tincture.series.embeddings import Course, hats
from tincture.series.summaries import Linear, Summaries
from tincture.stays import Grid

Floats = NDArray[np.float64]
LATE = 6.0  # hours over which the weight of the last value is spread back
LEAST = 1e-3  # chance of a measurement


@dataclass(frozen=True)
class Manner:
    """How pairs are made, found by trials (docs/decisions/0010).

    Attributes
    ----------
    contrast : float
        Of the channel with the largest weight, in deviations of it.
    power : float
        Exponent of the other weights relative to the largest.
    rates : float
        Of the contrast of measurement rates relative to that of values.
    memory : float
        Correlation of a variable's noise from bin to bin.
    """

    contrast: float = 0.95
    power: float = 1.0
    rates: float = 1.0
    memory: float = 0.9


@dataclass(frozen=True)
class Pairs:
    """Which pair a row belongs to, and on which side."""

    n_rows: int

    @property
    def count(self) -> int:
        """Pairs; the last may lack its second."""
        return (self.n_rows + 1) // 2

    @property
    def side(self) -> Floats:
        """−1 for the first of a pair, 1 for the second, (n_rows,)."""
        return np.tile([-1.0, 1.0], self.count)[: self.n_rows]

    @property
    def owner(self) -> NDArray[np.int64]:
        """Number of the pair, (n_rows,)."""
        return np.repeat(np.arange(self.count), 2)[: self.n_rows]


@dataclass(frozen=True)
class Contrast:
    """Half the difference within a pair, in deviations: values, rates and statics."""

    values: Floats
    rates: Floats
    statics: Floats

    @classmethod
    def of(cls, teacher: Linear, manner: Manner) -> Contrast:
        """Weights as a contrast of the wanted size."""
        layout = teacher.basis.layout
        n_bins, n_variables = layout.shape
        weights = teacher.weights
        levels = weights[: 2 * n_variables].reshape(n_variables, 2)
        ages = layout.hours * (1 - (np.arange(n_bins) + 1) / n_bins)
        late = np.exp(-ages / LATE)
        late /= late.mean()
        values = levels[:, 0] + late[:, None] * levels[:, 1]
        rates, statics = np.split(weights[2 * n_variables : -1], [teacher.basis.n_rates])
        if not len(rates):
            rates = np.zeros(n_variables)
        largest = max(np.abs(levels.sum(axis=1)).max(), np.abs(statics).max(initial=0.0), 1e-9)

        def sized(part: Floats, factor: float = 1.0) -> Floats:
            share = np.minimum(np.abs(part) / largest, 1.0) ** manner.power
            return np.asarray(np.sign(part) * np.minimum(factor * manner.contrast * share, 0.95))

        return cls(sized(values), sized(rates, manner.rates), sized(statics))


def invent(
    teacher: Linear, course: Course, n_rows: int, manner: Manner, rng: np.random.Generator
) -> tuple[Grid, Floats]:
    """Pairs of stays.

    Returns
    -------
    points : float32 ndarray of shape (n_rows, layout.width)
    outcomes : ndarray of shape (n_rows, 1)
        0 for the first of a pair, 1 for the second.
    """
    basis = teacher.basis
    contrast = Contrast.of(teacher, manner)
    pairs = Pairs(n_rows)
    grid = _values(basis, course, contrast, pairs, manner, rng)
    seen = _measured(basis, contrast, pairs, rng)
    statics = _statics(basis, contrast.statics, pairs, rng)
    measured = np.where(seen, grid, np.nan).astype(np.float32)
    return basis.layout.points(measured, statics), (pairs.side[:, None] > 0).astype(np.float64)


def _values(
    basis: Summaries,
    course: Course,
    contrast: Contrast,
    pairs: Pairs,
    manner: Manner,
    rng: np.random.Generator,
) -> Floats:
    """Places of all values, measured or not: trend, contrast, and noise that a pair shares."""
    n_bins, n_variables = basis.layout.shape
    steady = rng.standard_normal((pairs.count, 1, n_variables))
    steady -= steady.mean(axis=0)
    steady /= np.maximum(steady.std(axis=0), 1e-9)
    drift = rng.standard_normal((pairs.count, n_bins, n_variables))
    for t in range(1, n_bins):
        drift[:, t] = manner.memory * drift[:, t - 1] + np.sqrt(1 - manner.memory**2) * drift[:, t]
    noise = np.sqrt(course.steady) * steady + np.sqrt(1 - course.steady) * drift
    mine, shared = contrast.values, np.sqrt(1 - np.square(contrast.values))
    z = mine * pairs.side[:, None, None] + shared * noise[pairs.owner]
    trend = hats(n_bins) @ course.trend.T
    return np.asarray(
        np.clip(basis.scale.mean + basis.scale.sd * (trend + course.spread * z), 0.0, 1.0)
    )


def _measured(
    basis: Summaries, contrast: Contrast, pairs: Pairs, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Where there is a measurement."""
    rate = basis.scale.rate
    shift = contrast.rates * np.sqrt(rate * (1 - rate))
    chance = np.clip(rate + shift * pairs.side[:, None], LEAST, 1.0)
    draws = rng.random((pairs.count, *basis.layout.shape))
    return np.asarray(draws[pairs.owner] < chance[:, None, :])


def _statics(basis: Summaries, contrast: Floats, pairs: Pairs, rng: np.random.Generator) -> Floats:
    """Points of the static columns; quantiles are spread evenly over the pairs."""
    encoding, scale = basis.layout.statics, basis.scale
    side, owner = pairs.side, pairs.owner
    out = np.zeros((len(side), basis.layout.n_static))
    if encoding is None:
        return out
    for column, kind, where in zip(encoding.columns, encoding.kinds, encoding.slices, strict=True):
        middle = (rng.permutation(pairs.count) + 0.5) / pairs.count
        if isinstance(kind, Amount):
            k = where.start
            z = contrast[k] * side + np.sqrt(1 - contrast[k] ** 2) * ndtri(middle)[owner]
            out[:, k] = np.clip(scale.static_mean[k] + scale.static_sd[k] * z, 0.0, 1.0)
            continue
        levels = slice(where.start, where.start + len(column.levels))
        shift = contrast[levels] * scale.static_sd[levels] * side[:, None]
        shares = np.clip(scale.static_mean[levels] + shift, 0.01, 1.0)
        ends = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
        level = (middle[owner][:, None] > ends[:, :-1]).sum(axis=1)
        out[np.arange(len(side)), where.start + level] = 1.0
    return out
