"""Invented stays: half of each class, apart by what the teacher heeds and by nothing else.

A network that sees a few dozen stays for a few hundred steps trusts every channel alike that tells
the classes apart, however little: Adam divides a step by its size. But whoever receives the stays
standardises real ones by the stays' own deviation. So a weight is written as a *width*: a channel
that is to count half as much varies twice as widely here, and real values of it become half as
large. Public bounds limit widths; where they do, the contrast is less as well. The contrast grows
over the stay, since what is known last tells most. Noise has mean 0 and deviation 1 in every class,
channel and bin exactly. It is made orthogonal to the contrast before it is flattened, which turns
it a little: it is only roughly free of that direction.

What the teacher leaves out is missing. A variable that it heeds is recorded as often as in real
stays, by the same schedules in both classes (`tincture.stays.recording`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from tincture.arrays import Floats, Integers, Mask
from tincture.public.encoding import Amount
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import Course
from tincture.stays.layout import Grid
from tincture.stays.recording import risen, schedule, thinned
from tincture.stays.summaries import Summaries

FLAT = np.sqrt(3.0)  # deviations at which flat noise ends
WIDEST, NARROWEST = 6.0, 0.25  # factors of the real deviation
MOST = 0.95  # contrast of a level, in deviations


@dataclass(frozen=True)
class Manner:
    """How stays are made, found by trials (docs/decisions/0010-series.md).

    Attributes
    ----------
    contrast : float
        Half the difference between the classes at the end of the stay, in deviations of the table.
    width : float
        Of the channel with the largest weight, in real deviations.
    start : float
        Contrast at the beginning of the stay, as a share of that at its end.
    memory : float
        Correlation of a variable's noise from bin to bin.
    steadiness : float
        Factor of the share of the noise that lasts all the stay: below 1, values fluctuate more
        than real ones, which teaches recurrent networks to look at more than the last hours.
    """

    contrast: float = 0.9
    width: float = 0.5
    start: float = 0.0
    memory: float = 0.9
    steadiness: float = 0.4


@dataclass(frozen=True)
class Channels:
    """Amounts that the teacher heeds.

    Attributes
    ----------
    columns : ndarray of shape (k,)
        Variables or static coordinates.
    mean, sd : ndarray of shape (k,)
        Of the table, as places between the bounds.
    contrast : ndarray of shape (k,)
        Signed, in deviations of the table.
    """

    columns: Integers
    mean: Floats
    sd: Floats
    contrast: Floats

    @classmethod
    def of(cls, weights: Floats, mean: Floats, sd: Floats, manner: Manner) -> Channels:
        """Weights, the largest of all 1, as widths; 0 for a column that is not to be there."""
        columns = np.flatnonzero(weights)
        weight, mean = np.abs(weights[columns]), np.clip(mean[columns], 0.01, 0.99)
        reach = manner.contrast + np.sqrt(1 - manner.contrast**2) * FLAT
        wanted = sd[columns] * np.clip(manner.width / weight, NARROWEST, WIDEST)
        width = np.minimum(wanted, np.minimum(mean, 1 - mean) / reach)
        attained = np.minimum(width / sd[columns] * weight / manner.width, 1.0)
        return cls(columns, mean, width, manner.contrast * np.sign(weights[columns]) * attained)


def invent(
    teacher: Teacher[Summaries],
    course: Course,
    n_rows: int,
    manner: Manner,
    rng: np.random.Generator,
) -> tuple[Grid, Floats]:
    """Stays of both classes in turn; each two share their schedules.

    Returns
    -------
    points : float32 ndarray of shape (n_rows, layout.width)
    outcomes : ndarray of shape (n_rows, 1)
        0 and 1 by turns.
    """
    maker = _Maker.of(teacher, course, manner, rng)
    sizes = (n_rows + 1) // 2, n_rows // 2
    classes = [maker.stays(n, side) for n, side in zip(sizes, (-1.0, 1.0), strict=True)]
    points = np.empty((n_rows, teacher.basis.layout.width), dtype=np.float32)
    outcomes = (np.arange(n_rows) % 2)[:, None].astype(np.float64)
    points[0::2], points[1::2] = classes
    return _recorded(points, teacher.basis, course, rng), outcomes


def _recorded(points: Grid, basis: Summaries, course: Course, rng: np.random.Generator) -> Grid:
    """The points with as many values as real stays have."""
    grid, statics = basis.layout.parts(points)
    n, n_bins, n_variables = grid.shape
    rising = risen(course.known / course.known.max(axis=1, keepdims=True), n_bins)
    pairs = (n + 1) // 2
    even = np.tile(((np.arange(pairs) + 0.5) / pairs)[:, None, None], (1, 1, n_variables))
    begun = np.repeat(rng.permuted(even, axis=0), 2, axis=0)[:n] < rising
    recorded = schedule(begun & np.isfinite(grid), basis.scale.rate, rng, alike=2)
    few = thinned(grid.astype(np.float64), recorded)
    return basis.layout.points(few.astype(np.float32), statics.astype(np.float64))


@dataclass(frozen=True)
class _Maker:
    """Makes stays of a class; ``side`` is −1 for the first and 1 for the second."""

    basis: Summaries
    course: Course
    manner: Manner
    rng: np.random.Generator
    variables: Channels
    amounts: Channels
    levels: Floats  # contrasts of variables of few levels
    statics: Floats  # of static coordinates; those of amounts are not used

    @classmethod
    def of(
        cls, teacher: Teacher[Summaries], course: Course, manner: Manner, rng: np.random.Generator
    ) -> _Maker:
        basis, weights = teacher.basis, teacher.weights
        layout, scale = basis.layout, basis.scale
        rates = basis.rates
        # Mean and last value of a variable are told by the same channel.
        values, statics = (
            weights[: rates.start].reshape(-1, 2).sum(axis=1),
            weights[rates.stop : -1],
        )
        largest = max(np.abs(values).max(), np.abs(statics).max(initial=0.0), 1e-9)
        values, statics = values / largest, statics / largest
        few = np.array([c.is_categorical for c in layout.variables])
        is_amount = np.zeros(len(statics), dtype=bool)
        is_amount[basis.amounts] = True
        sd = scale.sd * course.spread
        size = manner.contrast / manner.width  # a level cannot be widened
        return cls(
            basis,
            course,
            manner,
            rng,
            Channels.of(np.where(few, 0.0, values), scale.mean, sd, manner),
            Channels.of(
                np.where(is_amount, statics, 0.0), scale.static_mean, scale.static_sd, manner
            ),
            np.where(few, np.clip(size * values, -MOST, MOST), 0.0),
            np.clip(size * statics, -MOST, MOST),
        )

    def stays(self, n: int, side: float) -> Grid:
        """Stays of a class as points."""
        layout = self.basis.layout
        n_bins, n_variables = layout.shape
        z = self._places(n, side)
        grid = np.full((n, n_bins, n_variables), np.nan)
        n_values = len(self.variables.columns)
        grid[:, :, self.variables.columns] = z[:, :, :n_values]
        for column in map(int, np.flatnonzero(self.levels)):
            grid[self._recorded(n, side, column), :, column] = np.clip(
                self.basis.scale.mean[column], 0.0, 1.0
            )
        statics = np.zeros((n, layout.n_static))
        statics[:, self.amounts.columns] = z[:, -1, n_values:]
        self._choose(statics, side)
        return layout.points(grid.astype(np.float32), statics)

    def _places(self, n: int, side: float) -> Floats:
        """Places of variables and static amounts, (n, bins, channels); a static's last counts."""
        parts = self.variables, self.amounts
        n_values, n_bins = len(self.variables.columns), self.basis.layout.n_bins
        mean, sd, last = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("mean", "sd", "contrast")
        )
        growth = np.linspace(self.manner.start, 1.0, n_bins) if n_bins > 1 else np.ones(1)
        contrast = last * np.where(np.arange(len(last)) < n_values, growth[:, None], 1.0)
        steady = np.ones(len(last))
        share = self.course.steady[self.variables.columns] * self.manner.steadiness
        steady[:n_values] = np.clip(share, 0.1, 0.95)
        noise = self._noise(n, steady, last / max(float(np.linalg.norm(last)), 1e-9))
        z = side * contrast + np.sqrt(1 - np.square(contrast)) * noise
        return np.asarray(np.clip(mean + sd * z, 0.0, 1.0))

    def _noise(self, n: int, steady: Floats, direction: Floats) -> Floats:
        """A steady part and one that drifts; each bin has mean 0 and deviation 1 over stays."""
        n_bins, memory = self.basis.layout.n_bins, self.manner.memory
        lasting = _standard(self.rng.standard_normal((n, 1, len(steady))))
        drift = drifting((n, n_bins, len(steady)), memory, self.rng)
        noise = _standard(np.sqrt(steady) * lasting + np.sqrt(1 - steady) * drift)
        if len(steady) > 1:
            noise = _standard(noise - (noise @ direction)[:, :, None] * direction)
        return _standard(ndtr(noise))  # flat, so that bounds leave room for widths

    def _recorded(self, n: int, side: float, column: int) -> Mask:
        """A variable of few levels tells by being recorded at all, such as ventilation."""
        held = self.basis.scale.held[column]
        share = held + self.levels[column] * np.sqrt(held * (1 - held)) * side
        return np.asarray(self._even(n) < np.clip(share, 0.0, 1.0))

    def _choose(self, statics: Floats, side: float) -> None:
        """Fill in levels, spread evenly over the class; what the teacher leaves out is missing."""
        encoding, scale = self.basis.layout.statics, self.basis.scale
        if encoding is None:
            return
        for column, kind, where in zip(
            encoding.columns, encoding.kinds, encoding.slices, strict=True
        ):
            contrast = self.statics[where]
            if not contrast.any():
                statics[:, where.stop - 1] = 1.0  # missing
            if isinstance(kind, Amount) or not contrast.any():
                continue
            shares = scale.static_mean[where] + contrast * scale.static_sd[where] * side
            shares = np.clip(shares, 0.01, 1.0)[: len(column.levels)]
            ends = np.cumsum(shares / shares.sum())
            level = (self._even(len(statics))[:, None] > ends[:-1]).sum(axis=1)
            statics[np.arange(len(statics)), where.start + level] = 1.0

    def _even(self, n: int) -> Floats:
        """Quantiles of n stays, evenly spread, in any order."""
        return np.asarray((self.rng.permutation(n) + 0.5) / n)


def drifting(shape: tuple[int, int, int], memory: float, rng: np.random.Generator) -> Floats:
    """Noise (n, bins, channels) of deviation 1 that remembers the bin before."""
    drift = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        drift[:, t] = memory * drift[:, t - 1] + np.sqrt(1 - memory**2) * drift[:, t]
    return drift


def _standard(noise: Floats) -> Floats:
    centred = noise - noise.mean(axis=0)
    return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-9))
