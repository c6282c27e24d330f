"""What greedy trees need of a cohort in which three columns tell together.

A tree splits on one column at a time. Where three tell only together its first two splits are
blind, and fall where chance makes a column seem to tell something. So in such a cohort only the
three keep their chance, above and beneath a split on one of them; and of several draws of all
outcomes that one is released of which boosted trees learn most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.models.portfolio import greedy, resolve
from tincture.spine.teaching import Features
from tincture.tables.distil import Judge
from tincture.tables.products import Crossed

DRAWS = 8  # of all outcomes
TOLD = 3  # functions of a column that tells with two others
MOST = 32_000  # people of whom trees learn


def three_tell(basis: Features) -> bool:
    """Whether a term of three columns has joined."""
    return isinstance(basis, Crossed) and max(map(len, basis.terms)) > 2


def beneath(values: Floats, basis: Crossed) -> Iterator[Floats]:
    """Functions of columns that stand in no term, along those of columns that do.

    Along them outcomes are evened, so that beneath a split on one of three that tell together no
    other column seems to tell anything. There are none where only pairs do.

    Parameters
    ----------
    values : ndarray of shape (n, size)
        The basis' functions.
    """
    if not three_tell(basis):
        return
    inside = sorted({column for term in basis.terms for column in term})
    own = [np.arange(block.start, block.stop) for block in basis.base.blocks[:-1]]
    others = [functions for c, functions in enumerate(own) if c not in inside]
    if not others:
        return
    outside = values[:, np.concatenate(others)]
    for told in np.concatenate([own[c][:TOLD] for c in inside]):
        yield values[:, [told]] * outside


def most_telling(draws: Sequence[Floats], design: Floats, numeric: Mask, judge: Judge) -> Floats:
    """The outcomes of which boosted trees learn most.

    Parameters
    ----------
    draws : sequence of ndarray of shape (n, width)
        Outcomes of the same people.
    design : ndarray of shape (n, p)
        Of these people.
    numeric : ndarray of shape (p,)
        Which of its columns are amounts.
    judge : Judge
        Other people, and the teacher's chances for them.
    """
    model = resolve(greedy(judge.task), judge.task)

    def lacking(outcomes: Floats) -> float:
        fitted = model.fit(design[None, :MOST], outcomes[:MOST], numeric)
        return float(judge.loss(fitted.predict(judge.design))[0])

    return min(draws, key=lacking)
