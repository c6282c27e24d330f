"""Nearest neighbours in many tables at once, as scikit-learn's ``KNeighborsClassifier`` votes.

Distances are summed column by column and equally near rows are taken in their order, where the
library takes either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import ModelError
from tincture.kernels._arrays import Records
from tincture.kernels._compile import inline_jit, jit, kernel_jit
from tincture.kernels._fitted import Fitted
from tincture.kernels._linear import columns_of
from tincture.kernels.threads import share

PIECE = 256  # records that one thread takes at a time


@dataclass(frozen=True, slots=True)
class Neighbours(Fitted):
    """The rows of R tables.

    Attributes
    ----------
    columns : (R, p, m) float64
    labels : (R, m) int64
    centre, scale : (R, p) float64, the affine map of a record before it is compared
    n_classes : number of classes
    n_neighbours : rows that vote
    """

    columns: Floats
    labels: Integers
    centre: Floats
    scale: Floats
    n_classes: int
    n_neighbours: int

    def unscale(self, centre: Floats, scale: Floats) -> Neighbours:
        """For records before the affine map (x - centre)/scale, both (R, p)."""
        return replace(self, centre=centre, scale=scale)

    def _predicted(self, records: Records, fill: Floats | None) -> Floats:
        known, filled = columns_of(records, fill, len(self.columns))
        rows = np.ascontiguousarray(known.T)
        out = np.zeros((len(self.columns), len(rows), self.n_classes))
        pieces = -(-len(rows) // PIECE)
        affine = filled, self.centre, self.scale
        share(
            _vote,
            len(out) * pieces,
            rows,
            *affine,
            self.columns,
            self.labels,
            self.n_neighbours,
            out,
        )
        out /= self.n_neighbours
        return out


def fit(
    candidates: Floats, target: Integers, *, n_classes: int, n_neighbours: int = 15
) -> Neighbours:
    """Keep the rows of each table.

    Parameters
    ----------
    candidates, target, n_classes : see `tincture.kernels.forest.fit`
    n_neighbours : rows that vote

    Raises
    ------
    ModelError
        If a table has fewer rows than vote.
    """
    n_tables, n_rows, n_columns = candidates.shape
    if n_rows < n_neighbours:
        raise ModelError(
            f"The {n_neighbours} nearest rows vote, but a table has {n_rows} only; ask for more "
            "rows, or leave the model out."
        )
    columns = np.array(candidates.swapaxes(1, 2), order="C")
    labels = np.array(np.broadcast_to(target, (n_tables, n_rows)), np.int64, order="C")
    centre, scale = np.zeros((n_tables, n_columns)), np.ones((n_tables, n_columns))
    return Neighbours(columns, labels, centre, scale, n_classes, n_neighbours)


@kernel_jit
def _vote(
    begin: int,
    stop: int,
    records: Floats,
    fill: Floats,
    centre: Floats,
    scale: Floats,
    columns: Floats,
    labels: Integers,
    n_neighbours: int,
    out: Floats,
) -> None:
    """Work out the pieces ``begin .. stop - 1``, each some records on one table."""
    x, far = np.empty(columns.shape[1]), np.empty(columns.shape[2])
    near, who = np.empty(n_neighbours), np.empty(n_neighbours, np.int64)
    n_pieces = (records.shape[0] + PIECE - 1) // PIECE
    for piece in range(begin, stop):
        r, first = piece // n_pieces, piece % n_pieces * PIECE
        for i in range(first, min(first + PIECE, records.shape[0])):
            record = records[i]
            for j in range(x.size):
                known = fill[r, j] if np.isnan(record[j]) else record[j]
                x[j] = (known - centre[r, j]) / scale[r, j]
            squares(x, columns[r], far)
            _nearest(far, near, who)
            for row in who:
                out[r, i, labels[r, row]] += 1.0


@inline_jit
def _nearest(far: Floats, near: Floats, who: Integers) -> None:
    """Write the rows of the smallest distances, nearest first; of equal ones the first."""
    near[:] = np.inf
    who[:] = 0
    last = near.size - 1
    for row in range(far.size):
        if far[row] < near[last]:
            place = last
            while place > 0 and far[row] < near[place - 1]:
                near[place], who[place] = near[place - 1], who[place - 1]
                place -= 1
            near[place], who[place] = far[row], row


@jit
def squares(x: Floats, columns: Floats, far: Floats) -> None:
    """Write the squared distances of x (p,) from rows given as columns (p, m), summed in order."""
    p = x.size
    far[:] = 0.0
    for j in range(0, p - p % 4, 4):
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        c0, c1, c2, c3 = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
        for row in range(far.size):
            s = far[row] + (x0 - c0[row]) * (x0 - c0[row])
            s += (x1 - c1[row]) * (x1 - c1[row])
            s += (x2 - c2[row]) * (x2 - c2[row])
            far[row] = s + (x3 - c3[row]) * (x3 - c3[row])
    for j in range(p - p % 4, p):
        value, column = x[j], columns[j]
        for row in range(far.size):
            far[row] += (value - column[row]) * (value - column[row])
