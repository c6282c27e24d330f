"""Amounts of twins, two people alike in all else: their mean is what the teacher tells.

People scatter around the teacher's means as real ones do, and have the counts' distribution. Models
that grow until every person has a leaf would learn that scatter. They cannot part two who are alike
in every column, and learn the mean of both.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats

SWEEPS = 400


def matched(amounts: Floats, means: Floats, rng: np.random.Generator) -> Floats:
    """The same amounts, exchanged until those of two twins have the mean that is told of both.

    Parameters
    ----------
    amounts : ndarray of shape (n, 1)
    means : ndarray of shape (n,)
        Of twins, who stand side by side, the same; of all together those of the amounts.
    """
    n_pairs = len(amounts) // 2  # one who has no twin keeps the amount
    pairs = amounts[: 2 * n_pairs, 0].reshape(n_pairs, 2).copy()
    off = pairs.sum(axis=1) - means[: 2 * n_pairs].reshape(n_pairs, 2).sum(axis=1)
    for _ in range(SWEEPS):
        one, other = np.array_split(rng.permutation(n_pairs), 2)
        one = one[: len(other)]
        mine, theirs = rng.integers(2, size=(2, len(one)))
        more = pairs[other, theirs] - pairs[one, mine]
        better = (off[one] + more) ** 2 + (off[other] - more) ** 2 < off[one] ** 2 + off[other] ** 2
        one, other, mine, theirs, more = (a[better] for a in (one, other, mine, theirs, more))
        pairs[one, mine], pairs[other, theirs] = pairs[other, theirs], pairs[one, mine]
        off[one] += more
        off[other] -= more
    return np.concatenate([pairs.ravel(), amounts[2 * n_pairs :, 0]])[:, None]
