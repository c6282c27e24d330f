"""Combinatorial moves: whole changes of a table, kept when they beat the noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tincture.arrays import Floats
from tincture.search.optimizer import Candidates, Estimate, Start

LIKELY = (0.25, 0.25, 0.2, 0.15, 0.1, 0.05)  # by how often a move of its kind helps
LONGEST = 8  # prototypes of a run


def _running(chances: ArrayLike) -> Floats:
    """Running sums of chances, up to 1."""
    sums = np.cumsum(chances)
    return np.asarray(sums / sums[-1])


def _drawn(sums: Floats, rng: np.random.Generator) -> int:
    """A place by these running sums, as ``rng.choice`` draws it in ten times as long."""
    return int(sums.searchsorted(rng.random(), side="right"))


KINDS = _running(LIKELY)


class MovesState(NamedTuple):
    """The present table, and the changes of the last one that helped, best first."""

    table: Floats
    before: Floats
    helpful: Floats


@dataclass(frozen=True, slots=True)
class Moves:
    """Combinatorial moves on prototypes, kept when they beat the noise.

    Hard splits do not feel small steps, so that models made of them are searched by whole changes:
    another value for one prototype, for all that share a value, or for a short run of them (they
    lie in order of risk); two prototypes exchanged, which exchanges their outcomes, or one value of
    theirs. The best of K tables is kept if its estimated gain over the present one exceeds
    ``caution`` standard deviations of the noise. The next round also tries this round's helpful
    changes together.

    Parameters
    ----------
    pool : ndarray of shape (N, width)
        Points whose values are taken.
    columns : sequence of slice
        Coordinates of each column, one after the other.
    weights : ndarray of shape (n_columns,)
        How often each column is changed, summing to 1.
    """

    pool: Floats
    columns: Sequence[slice]
    weights: Floats
    n_pairs: int = 54
    changes: float = 3.0
    together: tuple[int, ...] = (2, 3, 4, 6, 8, 12)
    caution: float = 2.0

    def init(self, start: Start) -> MovesState:
        """The prototypes themselves."""
        return MovesState(start.prototypes, start.prototypes, start.prototypes[:0][None][:0])

    def ask(self, state: MovesState, rng: np.random.Generator) -> Candidates:
        """K changed tables against the present one."""
        counts = [count for count in self.together if count <= len(state.helpful)]
        tables = [self._joined(state, count) for count in counts]
        columns = _running(self.weights)
        while len(tables) < self.n_pairs:
            tables.append(self._changed(state.table, columns, rng))
        return Candidates(np.stack(tables), state.table[None], int(rng.integers(2**31)))

    def tell(self, state: MovesState, candidates: Candidates, estimate: Estimate) -> MovesState:
        """The best candidate, if it is clearly better."""
        order = np.argsort(estimate.differences)
        better = order[estimate.differences[order] < -self.caution * estimate.noise]
        if len(better) == 0:
            return self.init(Start(state.table, np.zeros(0, np.int64), state.table))
        most = max(self.together, default=0)
        helpful = candidates.plus[better[:most]]
        return MovesState(candidates.plus[better[0]], state.table, helpful)

    def result(self, state: MovesState) -> Floats:
        """The present table."""
        return state.table

    def _joined(self, state: MovesState, count: int) -> Floats:
        """The present table with the best ``count`` helpful changes, the best ones last.

        A column's coordinates change together: parts of two levels would make neither.
        """
        table = state.table.copy()
        starts = [column.start for column in self.columns]
        widths = np.diff([*starts, table.shape[1]])
        for changed in state.helpful[:count][::-1]:
            differs = np.logical_or.reduceat(changed != state.before, starts, axis=1)
            np.copyto(table, changed, where=np.repeat(differs, widths, axis=1))
        return table

    def _changed(self, prototypes: Floats, columns: Floats, rng: np.random.Generator) -> Floats:
        table = prototypes.copy()
        for _ in range(rng.geometric(1 / self.changes)):
            self._change(table, self.columns[_drawn(columns, rng)], rng)
        return table

    def _change(self, table: Floats, column: slice, rng: np.random.Generator) -> None:
        """One move, in place."""
        n = len(table)
        row, other = rng.integers(n, size=2)
        fresh = self.pool[rng.integers(len(self.pool)), column]
        move = _drawn(KINDS, rng)
        if move == 0:
            table[[row, other]] = table[[other, row]]
        elif move == 1:
            table[row, column] = fresh
        elif move == 2:
            table[row : row + rng.integers(2, LONGEST + 1), column] = fresh
        elif move == 3:
            table[[row, other], column] = table[[other, row], column]
        elif move == 4:
            table[row, column] = table[other, column]
        else:  # wherever the value stands
            table[(table[:, column] == table[row, column]).all(axis=1), column] = fresh
