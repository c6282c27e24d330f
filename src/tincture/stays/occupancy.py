"""Where stays spend their time: a noisy histogram of every variable, and the scale it tells.

Mean and deviation of every variable, how much of the time it is known, how often it is recorded,
and whether any stay is seen to have it at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.privacy.query import Query, Records
from tincture.public.encoding import Amount
from tincture.stays.histograms import CELLS, evenly, moments, settled, strongest
from tincture.stays.layout import Grid, Layout, carried

# Deviations of noise by which a column must show to count as there at all. Of one that nobody has,
# 271 sums are looked at, each of which exceeds it with a chance of 3·10⁻⁶: below 10⁻³ together.
SURE = 4.5
RECORDED = 0.5  # factor of the share of bins recorded, so that the clip hardly grows


@dataclass(frozen=True)
class Occupancy(Query):
    """Where each stay spends its time: the share in each cell of each variable.

    And the same of static columns; and, of each variable, the share of bins in which it is recorded
    anew. A stay's vector has norm √((1 + RECORDED²) variables + static columns + static amounts) at
    most: shares of time sum to 1. But values move between cells, and not all are known all the time
    or recorded in every bin, so that few stays come near it.
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
        """Norm of an ordinary stay with many variables, to which longer ones are shrunk.

        Variables count by half of the most they can in the square, and, as they differ, by the root
        of their number more. So where they are few, none is shrunk.
        """
        n_static = len(self.layout.statics.columns) if self.layout.statics else 0
        most = (1 + RECORDED**2) * len(self.layout.variables)
        usual = min(most, most / 2 + np.sqrt(len(self.layout.variables)))
        return float(np.sqrt(usual + n_static + len(self.amounts)))

    def contributions(self, records: Records) -> Floats:
        """Shares of time and of bins, (n, size)."""
        grid, statics = self.layout.parts(records.points)
        shares = [_shares(carried(grid))]
        if self.amounts:
            amounts = np.where(missing(statics, self.amounts), np.nan, statics[:, self.amounts])
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
        run = strongest(cells)
        signs = [run, recorded, (run + recorded) / np.sqrt(2)]
        present = np.max(signs, axis=0) > SURE * noise
        there = self._statics_there(still, levels, noise)
        rate = np.zeros(n_variables)
        least = 0.1 / self.layout.n_bins
        rate[present] = _among(recorded[present] / RECORDED, noise / RECORDED, least)
        cells, still = settled(cells, noise), settled(still, noise)
        held = np.clip(cells.sum(axis=1), rate, 1.0)  # known at least when it is recorded
        shown = evenly(cells)
        mean, sd = moments(shown)
        share = np.clip(levels, 0.0, 1.0)
        static_mean, static_sd = share, np.sqrt(np.maximum(share * (1 - share), 1e-4))
        if amounts:
            static_mean[amounts], static_sd[amounts] = moments(evenly(still))
        return Scale(
            mean,
            sd,
            np.where(present, held, 0.0),
            static_mean,
            static_sd,
            shown,
            rate,
            present,
            there,
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
        return np.array([strongest(s[None])[0] > SURE * noise for s in shares])


def _shares(places: Floats) -> Floats:
    """Share of the bins in each cell, (n, variables · CELLS); unknown bins lie in none."""
    n, n_bins, n_variables = places.shape
    known = np.isfinite(places)
    cells = np.minimum((np.nan_to_num(places) * CELLS).astype(np.int64), CELLS - 1)
    where = (np.arange(n)[:, None, None] * n_variables + np.arange(n_variables)) * CELLS + cells
    counts = np.bincount(where[known], minlength=n * n_variables * CELLS)
    return np.asarray(counts.reshape(n, n_variables * CELLS) / n_bins)


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


def missing(statics: Grid, amounts: list[int]) -> Mask:
    """Whether stays lack these static amounts, (n, amounts)."""
    return statics[:, [a + 1 for a in amounts]] > 0.5


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
