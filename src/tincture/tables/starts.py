"""First tables, from which a search sets out.

A *start* is a small table of prototypes; row i of the condensed table is a copy of prototype
``owner[i]``, with outcome ``outcomes[i]``. Repeated rows with mixed outcomes carry probabilities
that the pure leaves of a tree cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.public.encoding import Encoding
from tincture.public.tasks import apportion
from tincture.search.optimizer import Start
from tincture.spine.teaching import in_line
from tincture.tables.marginals import Marginals

SMALLEST = 0.01  # share of the records in a leaf
DEPTH = 5  # of the trees that recipients usually fit
FEWEST = 4  # leaves, however few the cases
LEAVES = 25  # at most
A_CASE = 0.6  # leaves for each row of the rarer outcome: those without any all look alike
COPIES = 2  # of a prototype
PLAIN = 0.4, 1.0  # share of prototypes that are typical but for a few columns
UNEVEN = 0.3, 0.7  # share of the lower of two values


def scattered(marginals: Marginals, outcomes: Floats, rng: np.random.Generator) -> Start:
    """Every row a prototype of its own, drawn column by column."""
    n_rows = len(outcomes)
    return Start(marginals.draw(n_rows, rng), np.arange(n_rows), outcomes)


def tied(
    marginals: Marginals,
    outcomes: Floats,
    severity: Floats,
    rng: np.random.Generator,
    *,
    copies: int,
    blur: float = 1.0,
) -> Start:
    """Identical typical prototypes, each repeated with mixed outcomes of graded severity.

    Repeated rows with mixed outcomes carry probabilities that the pure leaves of a tree cannot.

    Parameters
    ----------
    severity : ndarray of shape (m,)
        Larger for the outcomes that a higher risk leads to.
    copies : int
        Rows a prototype.
    blur : float
        How far the outcomes are mixed, in standard deviations of the severity.
    """
    n_rows = len(outcomes)
    noisy = severity + blur * severity.std() * rng.standard_normal(n_rows)
    n_prototypes = max(2, n_rows // copies)
    owner = np.arange(n_rows) * n_prototypes // n_rows
    prototypes = np.repeat(marginals.typical()[None], n_prototypes, axis=0)
    return Start(prototypes, owner, outcomes[np.argsort(noisy)])


def repeated(
    points: Floats, scores: Floats, n_rows: int, rng: np.random.Generator, copies: int = COPIES
) -> Start:
    """Prototypes drawn evenly along a score of risk, some rows each, with no outcomes yet.

    Equal rows may differ in outcome, which says that none is certain, and keeps trees from taking
    each for a rule.

    Parameters
    ----------
    points : ndarray of shape (N, width)
        Invented records to draw from.
    scores : ndarray of shape (N,) or (N, n_scores)
        Log odds or log hazards.
    copies : int
        Rows a prototype.
    """
    owner = np.arange(n_rows) // copies
    n_prototypes = int(owner[-1]) + 1
    order = np.repeat(_ordered(scores, n_prototypes), -(-n_prototypes // len(scores)))
    chosen = [rng.choice(stratum) for stratum in np.array_split(order, n_prototypes)]
    return Start(points[chosen], owner, np.empty((n_rows, 0)))


def _ordered(scores: Floats, n_parts: int) -> Integers:
    """In line, so that neighbours are alike: of several scores one half after the other.

    Each half, parted where they differ most, is put in order likewise.
    """
    order = np.argsort(in_line(scores))
    if scores.ndim == 1 or n_parts < 2:
        return order
    halves = np.array_split(order, 2)
    return np.concatenate([half[_ordered(scores[half], n_parts // 2)] for half in halves])


def focused(
    prototypes: Floats,
    pool: Floats,
    encoding: Encoding,
    columns: Sequence[int],
    typical: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Prototypes in which some columns, which tell of the outcome only together, stand out.

    A tree takes one column at a time, and sees no gain in the first of an exclusive-or. So each of
    the columns that is an amount takes two values, its quartiles, one more often than the other,
    which lets the first split gain; and most prototypes are typical in all other columns, so that
    nothing else is there to split on.

    Parameters
    ----------
    prototypes : ndarray of shape (P, width)
    pool : ndarray of shape (N, width)
        Invented records, whose quartiles are taken.
    columns : sequence of int
    typical : ndarray of shape (width,)
        An exact point.

    Returns
    -------
    ndarray of shape (P, width)
    """
    plain = rng.random(len(prototypes)) < rng.uniform(*PLAIN)
    table = np.where(plain[:, None], typical, prototypes)
    for column in columns:
        place, is_level = encoding.slices[column], encoding.columns[column].is_categorical
        mine = prototypes[:, place]
        if not is_level:
            first = pool[:, place.start]
            low, high = np.argsort(first, kind="stable")[[len(pool) // 4, 3 * len(pool) // 4]]
            cut = np.quantile(first, rng.choice(UNEVEN))
            mine = pool[np.where(mine[:, 0] > cut, high, low), place]
        table[:, place] = mine
    return table


def grown(
    encoding: Encoding,
    points: Floats,
    chances: Floats,
    outcomes: Floats,
    severity: Floats,
    typical: Floats,
    rng: np.random.Generator,
) -> Start:
    """A regression tree of the chances written back as rows: a prototype a leaf.

    A prototype is an invented record in the middle of its leaf, whose columns that do not lead to
    the leaf are made typical, lest a tree split on them by accident. It is repeated in proportion
    to the leaf's records, and has cases in proportion to their chances.

    Parameters
    ----------
    points : ndarray of shape (N, width)
        Invented records, exact points of the encoded cube.
    chances : ndarray of shape (N,)
        Of the worse outcome.
    outcomes : ndarray of shape (m, outcome width)
        Of two kinds, to be shared out.
    severity : ndarray of shape (m,)
        Larger for the worse outcome.
    typical : ndarray of shape (width,)
        An exact point.
    """
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(
        max_depth=DEPTH,
        max_leaf_nodes=_n_leaves(severity),
        min_samples_leaf=SMALLEST,
        random_state=int(rng.integers(2**31)),
    )
    design = encoding.design(points)
    leaf = tree.fit(design, chances).apply(design)
    leaves = [np.flatnonzero(leaf == node) for node in np.unique(leaf)]
    leaves.sort(key=lambda members: float(chances[members].mean()))
    middles = np.array([_middle(points, members) for members in leaves])
    prototypes = points[middles]
    for prototype, path in zip(prototypes, _paths(tree, design[middles]), strict=True):
        for place, seen in zip(encoding.slices, encoding.design_slices, strict=True):
            leads = np.isin(np.arange(seen.start, seen.stop), path).any()
            if not leads:
                prototype[place] = typical[place]
    rows = apportion(np.array([float(len(members)) for members in leaves]), len(outcomes), 1)
    owner = np.repeat(np.arange(len(leaves)), rows)
    likely = np.array([chances[members].mean() for members in leaves])
    return Start(prototypes, owner, _shared(outcomes, severity, owner, rows, likely))


def _n_leaves(severity: Floats) -> int:
    """Of four rows each on average, and no more than cases can tell apart."""
    worst = np.sum(severity == severity.max())
    n_cases = min(worst, len(severity) - worst)
    told_apart = max(A_CASE * n_cases, FEWEST)
    return int(max(min(LEAVES, told_apart, len(severity) // 4), 2))


def _middle(points: Floats, members: Integers) -> int:
    """The member nearest to the mean of all."""
    far = np.square(points[members] - points[members].mean(axis=0)).sum(axis=1)
    return int(members[np.argmin(far)])


def _paths(tree: Any, design: Floats) -> Sequence[Integers]:
    """Design columns that lead to each row's leaf."""
    nodes = tree.decision_path(design)
    return [tree.tree_.feature[nodes[i].indices] for i in range(len(design))]


def _shared(
    outcomes: Floats,
    severity: Floats,
    owner: Integers,
    rows: Integers,
    likely: Floats,
) -> Floats:
    """Outcomes shared out in proportion to likelihoods, by Sainte-Lague's divisors.

    The j-th row of a prototype with n rows of likelihood p claims a case at (j - 1/2)/(n p); the
    smallest claims are met.
    """
    order = np.concatenate([np.arange(n) for n in rows])
    claim = (order + 0.5) / np.maximum(rows * likely, 1e-12)[owner]
    shared = np.empty_like(outcomes)
    shared[np.argsort(-claim, kind="stable")] = outcomes[np.argsort(severity, kind="stable")]
    return shared
