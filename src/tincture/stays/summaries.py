"""What a stay amounts to: a few summaries of each variable.

A released *scale* (`tincture.stays.occupancy`) makes summaries comparable; a stay's summaries then
depend on that stay and on released answers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from tincture.arrays import Floats
from tincture.kernels.rows import courses
from tincture.privacy.query import Query, Records
from tincture.spine.teaching import shrunk
from tincture.stays.layout import Grid, Layout, carried
from tincture.stays.occupancy import Occupancy, Scale, missing

REACH = 3.0  # deviations at which a summary is cut
STEADY = 0.8  # deviation of a stay's mean among deviations of its values
HEEDED = 0.5  # factor of how often a variable is recorded, among summaries: it tells less than they


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
            still[:, amounts] = np.where(missing(statics, amounts), 0.0, still[:, amounts])
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
