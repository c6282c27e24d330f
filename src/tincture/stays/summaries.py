"""What a stay amounts to: where its variables lie, and a few summaries of each.

A released *scale* (mean and deviation of every variable, from a noisy histogram) makes summaries
comparable; a stay's summaries then depend on that stay and on released answers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.kernels.rows import courses
from tincture.privacy.query import Query, Records
from tincture.public.encoding import Amount
from tincture.spine.teaching import shrunk
from tincture.stays.layout import Grid, Layout, carried

CELLS = 32  # of a histogram between the public bounds
REACH = 3.0  # deviations at which a summary is cut
STEADY = 0.8  # deviation of a stay's mean among deviations of its values
DOUBT = 2.5  # a cell below this many deviations of its noise counts as empty
# Deviations of noise by which a column must show to count as there at all. Of one that nobody has,
# 271 sums are looked at, each of which exceeds it with a chance of 3·10⁻⁶: below 10⁻³ together.
SURE = 4.5
RECORDED = 0.5  # factor of the share of bins recorded, so that the clip hardly grows
HEEDED = 0.5  # factor of how often a variable is recorded, among summaries: it tells less than they


@dataclass(frozen=True)
class Occupancy(Query):
    """Where each stay spends its time: the share in each cell of each variable.

    And the same of static columns; and, of each variable, the share of bins in which it is recorded
    anew. A stay's vector has norm √((1 + RECORDED²) variables + static columns + static amounts) at
    most: shares of time sum to 1.
    """

    layout: Layout
    question: ClassVar[str] = "occupancy"

    @property
    def amounts(self) -> list[int]:
        """Coordinates of static amounts."""
        encoding = self.layout.statics
        if encoding is None:
            return []
        pairs = zip(encoding.kinds, encoding.slices, strict=True)
        return [where.start for kind, where in pairs if isinstance(kind, Amount)]

    @property
    def size(self) -> int:
        """Cells of variables and of amounts, static coordinates, shares recorded."""
        n_variables = len(self.layout.variables)
        return CELLS * (n_variables + len(self.amounts)) + self.layout.n_static + n_variables

    @property
    def clip(self) -> float:
        """The largest norm there can be."""
        n_static = len(self.layout.statics.columns) if self.layout.statics else 0
        of_variables = (1 + RECORDED**2) * len(self.layout.variables)
        return float(np.sqrt(of_variables + n_static + len(self.amounts)))

    def contributions(self, records: Records) -> Floats:
        """Shares of time and of bins, (n, size)."""
        grid, statics = self.layout.parts(records.points)
        shares = [_shares(carried(grid))]
        if self.amounts:
            amounts = np.where(_missing(statics, self.amounts), np.nan, statics[:, self.amounts])
            shares.append(_shares(amounts[:, None, :]))
        recorded = np.isfinite(grid).sum(axis=1) * (RECORDED / grid.shape[1])
        return np.concatenate([*shares, statics, recorded], axis=1, dtype=np.float64)

    def scale(self, answer: Floats, noise: float, n_units: float) -> Scale:
        """Means and deviations that a noisy answer tells."""
        n_variables, amounts = len(self.layout.variables), self.amounts
        per, noise = answer / n_units, noise / n_units
        cuts = np.cumsum([CELLS * n_variables, CELLS * len(amounts), self.layout.n_static])
        cells, still, levels, recorded = np.split(per, cuts)
        cells, still = cells.reshape(-1, CELLS), still.reshape(-1, CELLS)
        mean, sd = _moments(cells, noise)
        run = _strongest(cells)
        signs = [run, recorded, (run + recorded) / np.sqrt(2)]
        present = np.max(signs, axis=0) > SURE * noise
        held = np.clip(np.where(cells > DOUBT * noise, cells, 0.0).sum(axis=1), 0.0, 1.0)
        rate = np.zeros(n_variables)
        least = 0.1 / self.layout.n_bins
        rate[present] = _among(recorded[present] / RECORDED, noise / RECORDED, least)
        share = np.clip(levels, 0.0, 1.0)
        static_mean, static_sd = share, np.sqrt(np.maximum(share * (1 - share), 1e-4))
        if amounts:
            static_mean[amounts], static_sd[amounts] = _moments(still, noise)
        return Scale(
            mean,
            sd,
            np.where(present, held, 0.0),
            static_mean,
            static_sd,
            _shown(cells, noise),
            rate,
            present,
            self._statics_there(still, levels, noise),
        )

    def _statics_there(self, still: Floats, levels: Floats, noise: float) -> Mask:
        """Of each static column, whether some stay is seen to have it; (static columns,)."""
        encoding, cells = self.layout.statics, iter(still)
        if encoding is None:
            return np.zeros(0, dtype=bool)
        shares = [
            next(cells) if isinstance(kind, Amount) else levels[where][:-1]  # the last is missing
            for kind, where in zip(encoding.kinds, encoding.slices, strict=True)
        ]
        return np.array([_strongest(s[None])[0] > SURE * noise for s in shares])


def _shares(places: Floats) -> Floats:
    """Share of the bins in each cell, (n, variables · CELLS); unknown bins lie in none."""
    n, n_bins, n_variables = places.shape
    known = np.isfinite(places)
    cells = np.minimum((np.nan_to_num(places) * CELLS).astype(np.int64), CELLS - 1)
    where = (np.arange(n)[:, None, None] * n_variables + np.arange(n_variables)) * CELLS + cells
    counts = np.bincount(where[known], minlength=n * n_variables * CELLS)
    return np.asarray(counts.reshape(n, n_variables * CELLS) / n_bins)


def _strongest(shares: Floats) -> Floats:
    """The largest sum of a run of 1, 2, 4 … shares of a row (n, m), as noisy as one share; (n,)."""
    before = np.cumsum(np.pad(shares, ((0, 0), (1, 0))), axis=1)
    largest = np.full(len(shares), -np.inf)
    for width in 2 ** np.arange(shares.shape[1].bit_length()):
        runs = (before[:, width:] - before[:, :-width]) / np.sqrt(width)
        largest = np.maximum(largest, runs.max(axis=1))
    return largest


def _among(rates: Floats, noise: float, least: float) -> Floats:
    """Rates (n,) as they are where nothing is noised, else shrunk to what is usual among them.

    The prior is even on a logarithmic scale at first. A few steps towards the one under which the
    noisy rates are the most likely are enough; all the way, it would take noise for rates.
    """
    if noise == 0:
        return np.clip(rates, 0.0, 1.0)
    support = np.geomspace(least, 1.0, 64)
    fit = -0.5 * np.square((rates[:, None] - support) / noise)
    fit = np.exp(fit - fit.max(axis=1, keepdims=True, initial=-np.inf))
    prior = np.full(len(support), 1 / len(support))
    for _ in range(3):
        posterior = fit * prior / (fit @ prior)[:, None]
        prior = posterior.mean(axis=0) if len(rates) else prior
    return np.asarray(posterior @ support)


def _missing(statics: Grid, amounts: list[int]) -> Mask:
    return statics[:, [a + 1 for a in amounts]] > 0.5


def _shown(cells: Floats, noise: float) -> Floats:
    """Histograms (n, CELLS) that sum to 1, cells that noise could explain left out."""
    kept = np.where(cells > DOUBT * noise, cells, 0.0)
    kept = np.where(kept.sum(axis=1, keepdims=True) <= 0, 1.0, kept)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


def _moments(cells: Floats, noise: float) -> tuple[Floats, Floats]:
    """Mean and deviation of histograms (n, CELLS)."""
    kept = _shown(cells, noise)
    middles = (np.arange(CELLS) + 0.5) / CELLS
    mean = kept @ middles
    variance = (kept * np.square(middles - mean[:, None])).sum(axis=1) - 1 / (12 * CELLS**2)
    return mean, np.sqrt(np.maximum(variance, (0.3 / CELLS) ** 2))


@dataclass(frozen=True)
class Scale:
    """Released facts about the columns, all on the unit scale.

    Attributes
    ----------
    mean, sd : ndarray of shape (variables,)
        Of the values that are known at a time.
    held : ndarray of shape (variables,)
        Share of the bins at which a value is known.
    static_mean, static_sd : ndarray of shape (n_static,)
        Of amounts where known, else the share of the level.
    cells : ndarray of shape (variables, CELLS)
        Share of the values in each cell of the public range.
    rate : ndarray of shape (variables,)
        Share of the bins in which a value is recorded anew.
    present : ndarray of bool, shape (variables,)
        Whether any stay is seen to have it, through the noise.
    static_present : ndarray of bool, shape (static columns,)
    """

    mean: Floats
    sd: Floats
    held: Floats
    static_mean: Floats
    static_sd: Floats
    cells: Floats
    rate: Floats
    present: Mask
    static_present: Mask


@dataclass(frozen=True)
class Summaries:
    """Mean and last value of each variable, how often it is recorded, and the static columns.

    Values are in deviations of the scale, cut at REACH; what is unknown is 0. How often is told by
    2√(r / rate) − 2, r being a stay's share of bins, which varies about as much where rates are low
    as where they are high; cut likewise, and 0 where no stay is seen to have the variable. The last
    number is 1.

    Parameters
    ----------
    layout : Layout
    scale : Scale
    reach : float
        Median norm of invented stays, to which longer vectors are shrunk.
    """

    layout: Layout
    scale: Scale
    reach: float = 1.0

    @property
    def amounts(self) -> list[int]:
        """Coordinates of static amounts."""
        return Occupancy(self.layout).amounts

    @property
    def size(self) -> int:
        """Three a variable, one a static coordinate, and the constant."""
        return 3 * len(self.layout.variables) + self.layout.n_static + 1

    @property
    def rates(self) -> slice:
        """How often variables are recorded: after two numbers of each, before the statics."""
        n_variables = len(self.layout.variables)
        return slice(2 * n_variables, 3 * n_variables)

    @property
    def blocks(self) -> list[slice]:
        """Weights that are kept or dropped together: of a variable, of a static; the constant.

        Those of columns that nobody is seen to have are in none, nor is how often one is recorded.
        """
        ends = [self.rates.stop]
        if self.layout.statics is not None:
            ends += [self.rates.stop + where.stop for where in self.layout.statics.slices]
        variables = [slice(2 * v, 2 * v + 2) for v in range(len(self.layout.variables))]
        every = [*variables, *(slice(a, b) for a, b in pairwise([*ends, self.size]))]
        there = [*self.scale.present, *self.scale.static_present, True]
        return [block for block, kept in zip(every, there, strict=True) if kept]

    @property
    def left_out(self) -> list[str]:
        """Variables and static columns that nobody is seen to have."""
        statics = self.layout.statics.columns if self.layout.statics else []
        there = [*self.scale.present, *self.scale.static_present]
        columns = [*self.layout.variables, *statics]
        return [column.name for column, kept in zip(columns, there, strict=True) if not kept]

    def values(self, points: Grid) -> Floats:
        """Summaries φ of stays, (n, size)."""
        grid, statics = self.layout.parts(points)
        known = carried(grid)
        z = np.clip((known - self.scale.mean) / self.scale.sd, -REACH, REACH)
        held = np.isfinite(z)
        total = courses(np.where(held, z, 0.0), np.ones((grid.shape[1], 1)))[:, 0]
        mean = total / np.maximum(held.sum(axis=1), 1)
        levels = np.stack([mean, np.nan_to_num(z[:, -1])], axis=2).reshape(len(z), 2 * z.shape[2])
        amounts = self.amounts
        still = (statics - self.scale.static_mean) / self.scale.static_sd
        if amounts:
            still[:, amounts] = np.where(_missing(statics, amounts), 0.0, still[:, amounts])
        still = np.clip(still, -REACH, REACH)
        return np.concatenate([levels, self._often(grid), still, np.ones((len(grid), 1))], axis=1)

    def _often(self, grid: Grid) -> Floats:
        """How often each variable is recorded, (n, variables)."""
        rate = np.where(self.scale.present, self.scale.rate, np.inf)
        often = np.isfinite(grid).sum(axis=1) / grid.shape[1]
        told = np.clip(2 * np.sqrt(often / rate) - 2, -REACH, REACH)
        return np.asarray(HEEDED * np.where(self.scale.present, told, 0.0))

    def imagined(self, n: int, rng: np.random.Generator) -> Floats:
        """Summaries of n stays as the scale lets expect them, columns independent."""
        n_variables, n_static = len(self.layout.variables), self.layout.n_static
        held = rng.random((n, n_variables)) < self.scale.held
        mean = STEADY * rng.standard_normal((n, n_variables))
        last = mean + np.sqrt(1 - STEADY**2) * rng.standard_normal((n, n_variables))
        levels = np.stack([mean * held, last * held], axis=2).reshape(n, 2 * n_variables)
        others = rng.standard_normal((n, n_static))
        often = HEEDED * self.scale.present * rng.standard_normal((n, n_variables))
        cut = np.clip(np.concatenate([levels, often, others], axis=1), -REACH, REACH)
        return np.concatenate([cut, np.ones((n, 1))], axis=1)

    def bounded(self, values: Floats) -> Floats:
        """φ shrunk to norm 1 at most: ψ = φ / max(reach, ‖φ‖)."""
        return shrunk(values, self.reach)


@dataclass(frozen=True)
class SummaryProducts(Query):
    """Products of all pairs of a stay's summaries, asked where nothing is noised.

    Their mean is the curvature by which the teacher takes whole Newton steps.
    """

    basis: Summaries
    question: ClassVar[str] = "summary products"

    @property
    def size(self) -> int:
        """Pairs, a summary with itself included."""
        return self.basis.size * (self.basis.size + 1) // 2

    @property
    def clip(self) -> float:
        """The largest norm there can be."""
        return REACH**2 * self.basis.size

    def contributions(self, records: Records) -> Floats:
        """φ_j φ_k for j ≤ k, (n, size)."""
        values = self.basis.values(records.points)
        first, second = np.triu_indices(self.basis.size)
        return np.asarray(values[:, first] * values[:, second])

    def matrix(self, answer: Floats) -> Floats:
        """The sum of φ φᵀ, (basis size, basis size)."""
        out = np.zeros((self.basis.size, self.basis.size))
        out[np.triu_indices(self.basis.size)] = answer
        return np.asarray(out + np.triu(out, 1).T)
