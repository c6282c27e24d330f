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

    Amounts lie in their order, missing at the end whose risk is nearer; levels lie in order of the
    teacher's risk. All of it follows from what was released.

    Parameters
    ----------
    marginals : Marginals
    order : list of ndarray of int64
        Cells of each column, first to last.
    spread : ndarray of shape (n_columns,)
        Standard deviation of the ranks √12 (u − ½): below 1 for a column of few cells.
    importance : ndarray of shape (n_columns,)
        Standard deviation of the teacher's score along the column.

    Attributes
    ----------
    edges : list of ndarray
        Cumulative shares along the line.
    """

    def __init__(
        self, marginals: Marginals, order: list[Integers], spread: Floats, importance: Floats
    ) -> None:
        self.marginals, self.order = marginals, order
        self.spread, self.importance = spread, importance
        self.edges = [_edges(s[o]) for s, o in zip(marginals.shares, order, strict=True)]

    @classmethod
    def along(cls, marginals: Marginals, teacher: Teacher[Features]) -> Lines:
        """With levels in the order of a teacher's risk."""
        orders, spread, importance = [], [], []
        for j, (column, share) in enumerate(
            zip(marginals.encoding.columns, marginals.shares, strict=True)
        ):
            effect = in_line(teacher.score(marginals.cells(j)), share)
            if column.is_categorical:
                order = np.argsort(effect)
            elif column.required:
                order = np.arange(len(share) - 1)
            else:
                order = _line_with_missing(effect, share)
            inside, edges = share[order] / share[order].sum(), _edges(share[order])
            rank = np.sqrt(12) * ((edges[1:] + edges[:-1]) / 2 - 0.5)
            orders.append(order)
            spread.append(np.sqrt(inside @ rank**2))
            importance.append(np.sqrt(inside @ (effect[order] - inside @ effect[order]) ** 2))
        return cls(marginals, orders, np.maximum(spread, 1e-3), np.array(importance))

    @property
    def attention(self) -> Floats:
        """How often a search should try each column, summing to 1."""
        some = self.importance + 0.1 * self.importance.mean() + 1e-6
        return np.asarray(some / some.sum())

    def ranks(self, points: NDArray[np.floating]) -> Floats:
        """√12 (u − ½) of each record in each column, (n, n_columns), within ±√3."""
        codes = cell_codes(self.marginals.encoding, points)
        out = np.empty(codes.shape)
        for j, (order, edges) in enumerate(zip(self.order, self.edges, strict=True)):
            rank = np.zeros(order.max() + 1)
            rank[order] = (edges[1:] + edges[:-1]) / 2
            out[:, j] = rank[np.minimum(codes[:, j], order.max())]
        return np.asarray(np.sqrt(12) * (out - 0.5))

    @property
    def steepness(self) -> Floats:
        """Correlation of each column's rank with the normal number behind it, (n_columns,)."""
        out = []
        for rank, edges in zip(self._middles, self.edges, strict=True):
            density = np.exp(-np.square(ndtri(np.minimum(edges, 1.0))) / 2) / np.sqrt(2 * np.pi)
            out.append(rank @ -np.diff(density))
        return np.maximum(np.array(out) / self.spread, 1e-3)

    @property
    def _middles(self) -> list[Floats]:
        """Rank of each cell along its line."""
        return [np.asarray(np.sqrt(12) * ((e[1:] + e[:-1]) / 2 - 0.5)) for e in self.edges]

    def ranked(self, uniforms: Floats) -> Floats:
        """Ranks of records at these uniform numbers (n, n_columns)."""
        out = np.empty_like(uniforms)
        for j, (rank, edges) in enumerate(zip(self._middles, self.edges, strict=True)):
            out[:, j] = rank[np.clip(np.searchsorted(edges, uniforms[:, j]) - 1, 0, len(rank) - 1)]
        return out

    def place(self, uniforms: Floats) -> Floats:
        """Uniform numbers (n, n_columns) to exact encoded points that have these ranks."""
        encoding = self.marginals.encoding
        out = np.zeros((len(uniforms), encoding.width))
        for j, (column, where) in enumerate(zip(encoding.columns, encoding.slices, strict=True)):
            order, edges, u = self.order[j], self.edges[j], uniforms[:, j]
            place = np.clip(np.searchsorted(edges, u) - 1, 0, len(order) - 1)
            cell = order[place]
            if column.is_categorical:
                out[:, where] = np.eye(where.stop - where.start)[cell]
                continue
            inside = (u - edges[place]) / np.maximum(edges[place + 1] - edges[place], 1e-12)
            borders = np.append(edges_of(column), 1.0)
            is_missing = cell == len(borders) - 2
            amount = borders[cell] + inside * (borders[cell + 1] - borders[cell])
            out[:, where.start] = np.where(is_missing, 0.5, amount)
            if not column.required:
                out[:, where.start + 1] = is_missing
        exact: Floats = encoding.snap(out)
        return exact


def _edges(share: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(share / share.sum())])


def _line_with_missing(effect: Floats, share: Floats) -> Integers:
    last = len(share) - 1
    ends = np.interp([0.15, 0.85], np.cumsum(share[:last]) / share[:last].sum(), effect[:last])
    low, high = np.abs(ends - effect[last])
    return np.append(np.arange(last), last) if high <= low else np.append(last, np.arange(last))


@dataclass(frozen=True, slots=True)
class Copula:
    """Lines tied by the correlations of a normal vector.

    Parameters
    ----------
    lines : Lines
    factor : ndarray of shape (n_columns, n_columns)
        Cholesky factor of the normal correlations.
    """

    lines: Lines
    factor: Floats

    @classmethod
    def independent(cls, lines: Lines) -> Copula:
        """Before anything was asked of pairs."""
        return cls(lines, np.eye(len(lines.order)))

    @classmethod
    def of_products(
        cls, lines: Lines, sums: Floats, total: float, noise: float, clip: float = np.inf
    ) -> Copula:
        """From noisy sums of products of two ranks, for each pair of columns.

        Each is shrunk by what its noise leaves of it. Normal correlations are then sought under
        which invented records have such products, clipped alike: two columns of few cells go
        together more closely than their ranks tell (Pearson 1900: tetrachoric correlation), and
        records of extreme ranks were shrunk before they were summed.

        Parameters
        ----------
        sums : ndarray of shape (n_columns (n_columns − 1) / 2,)
        total : float
            Records that were summed.
        noise : float
            Standard deviation of a sum's.
        clip : float
            Norm to which a record's products were shrunk.
        """
        n_columns = len(lines.order)
        upper = np.triu_indices(n_columns, 1)
        scale = total * lines.spread[upper[0]] * lines.spread[upper[1]]
        steep = np.outer(lines.steepness, lines.steepness)
        shrink = 1 / (1 + (noise / (scale * steep[upper]) / USUAL) ** 2)
        wanted = np.eye(n_columns)
        wanted[upper] = np.clip(sums / scale, -1.0, 1.0) * shrink
        wanted.T[upper] = wanted[upper]
        return cls(lines, _matching(lines, wanted, steep, clip))

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Invented records, exact points of the encoded cube, (n, width)."""
        normal = rng.standard_normal((n, len(self.lines.order))) @ self.factor.T
        return self.lines.place(ndtr(normal))


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
