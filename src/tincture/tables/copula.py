"""Records invented with the real columns' shares and the real dependence between them.

A Gaussian copula: every column is a line of cells, a record's place on it a rank, and the ranks of
two columns are related by one private number, their rank correlation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tincture.arrays import Floats, Integers
from tincture.spine.teaching import Features, Teacher, in_line
from tincture.tables.cells import cell_codes, edges_of
from tincture.tables.marginals import Marginals

USUAL = 0.2  # spread of rank correlations between clinical columns, before anything is known
LEAST = 0.02  # eigenvalue of the correlation matrix
N_MATCHED = 20_000  # invented records by whom correlations are matched
MATCHES = 6  # times, which move them by less than 0.001 at last
LEAST_STEEP = 0.25  # below which a step is no longer
MOST = 0.98  # correlation that is tried


class Lines:
    """Every column's cells in a line, so that a record has a rank in each.

    Amounts lie in their order, levels in order of the teacher's risk. Whether an amount is missing
    is a line of its own, of two cells, where anybody's is: what is measured together says nothing
    of how the amounts go together. All of it follows from what was released.

    Parameters
    ----------
    marginals : Marginals
    order : list of ndarray of int64
        Cells of each column, first to last.
    spread : ndarray of shape (size,)
        Standard deviation of the ranks √12 (u − ½): below 1 for a line of few cells, or of an
        amount that is often missing, which then has rank 0.
    importance : ndarray of shape (n_columns,)
        Standard deviation of the teacher's score along the column.

    Attributes
    ----------
    gaps : list of int
        Columns with a line of missing amounts; these lines follow those of the columns.
    edges : list of ndarray
        Cumulative shares along the line.
    """

    def __init__(
        self, marginals: Marginals, order: list[Integers], spread: Floats, importance: Floats
    ) -> None:
        self.marginals, self.order = marginals, order
        self.spread, self.importance = spread, importance
        self.gaps = gaps_of(marginals)
        self.edges = [_edges(s[o]) for s, o in zip(marginals.shares, order, strict=True)]
        missing = [marginals.shares[j][-1] for j in self.gaps]
        self.edges += [np.array([0.0, 1 - share, 1.0]) for share in missing]
        self.middles = [np.asarray(np.sqrt(12) * ((e[1:] + e[:-1]) / 2 - 0.5)) for e in self.edges]

    @classmethod
    def along(cls, marginals: Marginals, teacher: Teacher[Features]) -> Lines:
        """With levels in the order of a teacher's risk."""
        orders, importance = [], []
        for j, (column, share) in enumerate(
            zip(marginals.encoding.columns, marginals.shares, strict=True)
        ):
            effect, inside = in_line(teacher.score(marginals.cells(j)), share), share / share.sum()
            order = np.argsort(effect) if column.is_categorical else np.arange(len(share) - 1)
            orders.append(order)
            importance.append(np.sqrt(inside @ (effect - inside @ effect) ** 2))
        size = len(orders) + len(gaps_of(marginals))
        made = cls(marginals, orders, np.ones(size), np.array(importance))
        squares = [
            np.diff(e) @ middle**2 for e, middle in zip(made.edges, made.middles, strict=True)
        ]
        made.spread = np.maximum(np.sqrt(squares * made._present), 1e-3)
        return made

    @property
    def size(self) -> int:
        """Number of lines."""
        return len(self.edges)

    @property
    def attention(self) -> Floats:
        """How often a search should try each column, summing to 1."""
        some = self.importance + 0.1 * self.importance.mean() + 1e-6
        return np.asarray(some / some.sum())

    @property
    def steepness(self) -> Floats:
        """Correlation of each line's rank with the normal number behind it, (size,)."""
        out = []
        for middle, edges in zip(self.middles, self.edges, strict=True):
            density = np.exp(-np.square(ndtri(np.minimum(edges, 1.0))) / 2) / np.sqrt(2 * np.pi)
            out.append(middle @ -np.diff(density))
        return np.maximum(np.array(out) * self._present / self.spread, 1e-3)

    @property
    def _present(self) -> Floats:
        """Share of the records that have a rank on the line."""
        out = np.ones(self.size)
        out[self.gaps] = [1 - self.marginals.shares[j][-1] for j in self.gaps]
        return out

    def ranks(self, points: NDArray[np.floating]) -> Floats:
        """√12 (u − ½) of each record on each line, (n, size), within ±√3; 0 where missing."""
        codes = cell_codes(self.marginals.encoding, points)
        out = np.empty((len(codes), self.size))
        for j, (order, share) in enumerate(zip(self.order, self.marginals.shares, strict=True)):
            rank = np.zeros(len(share) + 1)
            rank[order] = self.middles[j]
            out[:, j] = rank[codes[:, j]]
        for line, j in enumerate(self.gaps, len(self.order)):
            is_missing = codes[:, j] == len(self.marginals.shares[j]) - 1
            out[:, line] = self.middles[line][is_missing.astype(np.int64)]
        return out

    def ranked(self, uniforms: Floats) -> Floats:
        """Ranks of records at these uniform numbers (n, size)."""
        out = np.empty_like(uniforms)
        for line, middle in enumerate(self.middles):
            out[:, line] = middle[self._cells(line, uniforms)]
        for line, j in enumerate(self.gaps, len(self.order)):
            out[self._cells(line, uniforms) == 1, j] = 0.0
        return out

    def place(self, uniforms: Floats) -> Floats:
        """Uniform numbers (n, size) to exact encoded points that have these ranks."""
        encoding = self.marginals.encoding
        out = np.zeros((len(uniforms), encoding.width))
        for j, (column, where) in enumerate(zip(encoding.columns, encoding.slices, strict=True)):
            edges, u, place = self.edges[j], uniforms[:, j], self._cells(j, uniforms)
            cell = self.order[j][place]
            if column.is_categorical:
                out[:, where] = np.eye(where.stop - where.start)[cell]
                continue
            inside = (u - edges[place]) / np.maximum(edges[place + 1] - edges[place], 1e-12)
            borders = edges_of(column)
            out[:, where.start] = borders[cell] + inside * (borders[cell + 1] - borders[cell])
        for line, j in enumerate(self.gaps, len(self.order)):
            is_missing, where = self._cells(line, uniforms) == 1, encoding.slices[j]
            out[is_missing, where.start] = 0.5
            out[:, where.start + 1] = is_missing
        exact: Floats = encoding.snap(out)
        return exact

    def _cells(self, line: int, uniforms: Floats) -> Integers:
        """Places along a line."""
        edges = self.edges[line]
        return np.clip(np.searchsorted(edges, uniforms[:, line]) - 1, 0, len(edges) - 2)


def gaps_of(marginals: Marginals) -> list[int]:
    """Columns of amounts that anybody misses."""
    columns = zip(marginals.encoding.columns, marginals.shares, strict=True)
    may = [not c.is_categorical and not c.required and s[-1] > 0 for c, s in columns]
    return np.flatnonzero(may).tolist()


def _edges(share: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(share / share.sum())])


@dataclass(frozen=True, slots=True)
class Copula:
    """Lines tied by the correlations of a normal vector.

    Parameters
    ----------
    lines : Lines
    factor : ndarray of shape (size, size)
        Cholesky factor of the normal correlations.
    """

    lines: Lines
    factor: Floats

    @classmethod
    def independent(cls, lines: Lines) -> Copula:
        """Before anything was asked of pairs."""
        return cls(lines, np.eye(lines.size))

    @classmethod
    def of_products(
        cls, lines: Lines, sums: Floats, total: float, noise: float, clip: float = np.inf
    ) -> Copula:
        """From noisy sums of products of two ranks, for each pair of lines.

        Each is shrunk by what its noise leaves of it. Normal correlations are then sought under
        which invented records have such products, clipped alike: two columns of few cells go
        together more closely than their ranks tell (Pearson 1900: tetrachoric correlation), and
        records of extreme ranks were shrunk before they were summed.

        Parameters
        ----------
        sums : ndarray of shape (size (size − 1) / 2,)
        total : float
            Records that were summed.
        noise : float
            Standard deviation of a sum's.
        clip : float
            Norm to which a record's products were shrunk.
        """
        upper = np.triu_indices(lines.size, 1)
        scale = total * lines.spread[upper[0]] * lines.spread[upper[1]]
        steep = np.outer(lines.steepness, lines.steepness)
        shrink = 1 / (1 + (noise / (scale * steep[upper]) / USUAL) ** 2)
        wanted = np.eye(lines.size)
        wanted[upper] = np.clip(sums / scale, -1.0, 1.0) * shrink
        for line, j in enumerate(lines.gaps, len(lines.order)):  # amounts are counted where known
            wanted[j, line] = 0.0
        wanted.T[upper] = wanted[upper]
        return cls(lines, _matching(lines, wanted, steep, clip))

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Invented records, exact points of the encoded cube, (n, width)."""
        return self.lines.place(ndtr(self._normal(n, rng)))

    def spread(self, n: int, rng: np.random.Generator) -> Floats:
        """The same, one in each nth of every line (Iman, Conover 1982), so that shares are met."""
        places = np.argsort(np.argsort(self._normal(n, rng), axis=0), axis=0)
        return self.lines.place((places + rng.random(places.shape)) / n)

    def _normal(self, n: int, rng: np.random.Generator) -> Floats:
        return np.asarray(rng.standard_normal((n, self.lines.size)) @ self.factor.T)


def _matching(lines: Lines, wanted: Floats, steep: Floats, clip: float) -> Floats:
    """Factor of normal correlations whose draws have the wanted mean products of ranks.

    What the draws have by chance, though independent, is taken off.
    """
    normal = np.random.default_rng(0).standard_normal((N_MATCHED, len(wanted)))
    factor, chance = _possible(wanted), _mean_products(lines, normal, np.inf)
    for _ in range(MATCHES):
        met = _mean_products(lines, normal @ factor.T, clip) - chance
        related = factor @ factor.T + (wanted - met) / np.maximum(steep, LEAST_STEEP)
        factor = _possible(np.clip(related, -MOST, MOST))
    return factor


def _mean_products(lines: Lines, normal: Floats, clip: float) -> Floats:
    """Of two ranks of records that are clipped as the vault clips them, per spread of each."""
    ranks = lines.ranked(ndtr(normal))
    squares = np.square(ranks)
    norms = np.sqrt(np.maximum(squares.sum(axis=1) ** 2 - np.square(squares).sum(axis=1), 0.0) / 2)
    kept = np.minimum(1.0, clip / np.maximum(norms, 1e-12))
    scale = len(ranks) * np.outer(lines.spread, lines.spread)
    return np.asarray((ranks * kept[:, None]).T @ ranks / scale)


def _possible(related: Floats) -> Floats:
    """Cholesky factor of the nearest matrix of correlations."""
    np.fill_diagonal(related, 1.0)
    values, vectors = np.linalg.eigh(related)
    near = (vectors * np.maximum(values, LEAST)) @ vectors.T
    size = np.sqrt(np.diag(near))
    return np.asarray(np.linalg.cholesky(near / np.outer(size, size)))
