"""What goes together: products of columns' functions, for a teacher that adds up.

A sum of curves cannot know that a drug helps one sex and harms the other. All pairs of columns (and
all triples, while they are few) are asked about at once: what the teacher leaves unexplained along
the products of their first functions. Those that show beyond noise and chance join its basis.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from tincture.arrays import Floats, Integers
from tincture.kernels.rows import norms
from tincture.spine.teaching import TINY, shrunk, usual_norm
from tincture.tables.additive import Basis

Term = tuple[int, ...]

MOST = 2000  # products asked about
PIECE = 1000  # points whose products are in memory at once
MOST_TERMS = 24  # that join
ASKED = 2  # waves of an amount in the products of two that are asked about
SHARP = 5  # in those that have joined
LEVELS = 6  # of a column; the commonest is told by the others
RARE = 0.04  # variance of a level's indicator at least: products are measured in deviations
LARGEST = 5.0  # product of two or three: what one level reaches, however rare, two do not pass
TRIPLES = 0.5  # squared norm of products of three beside those of two, at most
FALSE_ALARM = 0.05  # that any term joins where nothing goes together


class Products:
    """Products of the first functions of two or three columns, each in its own deviations.

    Parameters
    ----------
    base : Basis
    terms : sequence of tuple of int
        Columns of each product: all pairs of their functions, or the product of three first ones.
    of_three : float
        Weight of products of three.
    reach : float
        Norm from which a record's products are shrunk.
    waves : int
        First cosines of an amount that take part in products of two.
    """

    def __init__(
        self,
        base: Basis,
        terms: Sequence[Term],
        of_three: float = 1.0,
        reach: float = 1.0,
        waves: int = ASKED,
    ) -> None:
        self.base, self.terms, self.of_three, self.reach = base, terms, of_three, reach
        self.waves = waves
        self._scale = _scale(base)
        heads = [_head(base, column, waves) for column in range(len(base.blocks) - 1)]
        self._factors = [[heads[c][: None if len(t) < 3 else 1] for c in t] for t in terms]
        ends = np.cumsum([0, *(math.prod(map(len, factors)) for factors in self._factors)])
        self.blocks: Sequence[slice] = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.size: int = int(ends[-1])

    @classmethod
    def fitting(cls, base: Basis, terms: Sequence[Term], sample: Floats) -> Products:
        """With triples weighed beside pairs, and the median norm of invented records as reach."""
        plain = cls(base, terms)
        size = np.zeros((1, plain.size))
        for piece in _pieces(sample):  # added up record by record, as if there were no pieces
            size = np.vstack([size, np.square(plain.values(piece))]).sum(axis=0, keepdims=True)
        size = size[0] / len(sample)
        widths = [b.stop - b.start for b in plain.blocks]
        three = np.repeat([len(t) > 2 for t in terms], widths)
        weight = 1.0
        if three.any() and not three.all():
            weight = min(
                1.0, math.sqrt(TRIPLES * size[~three].sum() / max(size[three].sum(), TINY))
            )
        weights = np.where(three, weight, 1.0)
        lengths = [norms(plain.values(piece) * weights) for piece in _pieces(sample)]
        return cls(base, terms, weight, float(np.median(np.concatenate(lengths))))

    def squares(self, points: Floats, weights: Floats) -> Floats:
        """Sums over points of the squares of bounded products, weighted by (n, …); (size, …)."""
        total = np.zeros((self.size, *weights.shape[1:]))
        for some, own in zip(_pieces(points), _pieces(weights), strict=True):
            total += np.tensordot(np.square(self.bounded(self.values(some))).T, own, 1)
        return total

    def values(self, points: NDArray[np.floating[Any]]) -> Floats:
        """Products of encoded points, (n, size)."""
        return self.of(self.base.values(points))

    def of(self, values: Floats) -> Floats:
        """Products of the basis' own functions, (n, size)."""
        values = values * self._scale
        out = np.empty((len(values), self.size))
        for factors, block in zip(self._factors, self.blocks, strict=True):
            product = values[:, factors[0]]
            for more in factors[1:]:
                wider = product[:, :, None] * values[:, None, more]
                product = wider.reshape(len(values), product.shape[1] * len(more))
            bounded = np.clip(product, -LARGEST, LARGEST)
            out[:, block] = bounded * (self.of_three if len(factors) > 2 else 1.0)
        return out

    def bounded(self, values: Floats) -> Floats:
        """Shrunk to norm 1 at most."""
        return shrunk(values, self.reach)


class Crossed:
    """A basis with products of some columns' functions before the constant.

    Products are of more cosines than the basis has, the k-th weighing 1/k: what goes together is
    often a step, which a tree cannot find again where the teacher makes it smooth. Together they
    have the norm of all columns, so that their noise does not grow with the number of columns; but
    are not made larger for being rare, or a few records would have any score.

    Parameters
    ----------
    base : Basis
    terms : sequence of tuple of int
        Columns of each product.
    weight : float
        Of products beside the base's functions.
    reach : float
        Norm from which a record's φ is shrunk.

    Attributes
    ----------
    products : Products
    blocks : list of slice
        Functions of each column and of each term, then the constant.
    """

    def __init__(
        self, base: Basis, terms: Sequence[Term], weight: float = 1.0, reach: float = 1.0
    ) -> None:
        self.base, self.terms, self.weight, self.reach = base, terms, weight, reach
        self.products = Products(Basis(base.marginals, waves=SHARP, fall=1), terms, waves=SHARP)
        shift = base.size - 1
        self.blocks: Sequence[slice] = [
            *base.blocks[:-1],
            *(slice(b.start + shift, b.stop + shift) for b in self.products.blocks),
            slice(shift + self.products.size, shift + self.products.size + 1),
        ]
        self.size: int = base.size + self.products.size

    @classmethod
    def fitting(cls, base: Basis, terms: Sequence[Term], sample: Floats) -> Crossed:
        """With weight and reach from the norms of invented records' functions."""
        products = cls(base, terms).products.values(sample)
        beside = max(float(np.sqrt(np.square(products).sum(axis=1).mean())), 1.0)
        plain = cls(base, terms, usual_norm(base.values(sample)) / beside)
        return cls(base, terms, plain.weight, usual_norm(plain.values(sample)))

    def values(self, points: NDArray[np.floating[Any]]) -> Floats:
        """φ of encoded points, (n, size)."""
        values = self.base.values(points)
        products = self.weight * self.products.values(points)
        return np.concatenate([values[:, :-1], products, values[:, -1:]], axis=1)

    def bounded(self, values: Floats) -> Floats:
        """φ shrunk to norm 1 at most."""
        return shrunk(values, self.reach)


def candidates(base: Basis) -> list[Term]:
    """Pairs of columns, as many as are asked about at most; triples too where that leaves room."""
    sizes = {c: len(_head(base, c)) for c in range(len(base.blocks) - 1)}
    columns = [c for c, size in sizes.items() if size]
    pairs = list(itertools.combinations(columns, 2))
    ends = np.cumsum([sizes[a] * sizes[b] for a, b in pairs]) if pairs else np.zeros(1)
    if ends[-1] + math.comb(len(columns), 3) <= MOST:
        return [*pairs, *itertools.combinations(columns, 3)]
    return [pair for pair, end in zip(pairs, ends, strict=False) if end <= MOST]


def found(products: Products, sums: Floats, variance: Floats) -> list[Term]:
    """Terms whose sums are larger than their noise and sampling explain, the surest first.

    Each is tested by its first product and by all of it, at a level that makes `FALSE_ALARM` the
    chance that any of as many columns joins where nothing goes together (Bonferroni).

    Parameters
    ----------
    products : Products
    sums, variance : ndarray of shape (size,) or (n_scores, size)
        Each sum alone: those of several scores must not be related.
    """
    alike = Counter(map(len, products.terms))
    sure = []
    for term, block in zip(products.terms, products.blocks, strict=True):
        squares = sums[..., block] ** 2 / variance[..., block]
        tests = [chdtrc(some.size, some.sum()) for some in (squares[..., 0], squares)]
        chance = min(tests) * (2 if squares.shape[-1] > 1 else 1)
        if chance < FALSE_ALARM / len(alike) / alike[len(term)]:
            sure.append((chance, -float(squares.sum()), term))
    return [term for *_, term in sorted(sure)[:MOST_TERMS]]


def _pieces(rows: Floats) -> Iterator[Floats]:
    """Some rows after the other: two thousand products of all would take 100 MB, thrice."""
    return (rows[start : start + PIECE] for start in range(0, len(rows), PIECE))


def _head(base: Basis, column: int, waves: int = ASKED) -> Integers:
    """Functions of a column that take part."""
    block, share = base.blocks[column], base.marginals.shares[column]
    if not base.marginals.encoding.columns[column].is_categorical:
        return np.arange(block.start, block.start + waves)
    common = np.argsort(-share, kind="stable")
    return np.asarray(block.start + np.sort(common[share[common] > 0][1 : LEVELS + 1]))


def _scale(base: Basis) -> Floats:
    """One over the deviation of each function, as far as its share tells; waves have it."""
    out = np.ones(base.size)
    columns = base.marginals.encoding.columns
    for column, share, block in zip(columns, base.marginals.shares, base.blocks, strict=False):
        if column.is_categorical:
            out[block] = 1 / np.sqrt(np.maximum(share * (1 - share), RARE))
    return out
