"""The stays of a release while they are made: a few prototypes, each repeated with mixed outcomes.

A network that can tell every stay from the next learns a few dozen by heart within a quarter of its
steps, and spoils what it had learned with the rest. Of stays that are alike, one with the other
outcome, it can only learn odds. This is how a table of rows carries probabilities, too
(docs/decisions/0008-proxy.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.stays.layout import Grid

# Of a prototype, one with the other outcome: odds of 7 to 1. At 2 to 1 networks are too modest,
# without odds far too sure (docs/decisions/0010-series.md).
COPIES = 8
LEAST = 10  # prototypes; rather fewer copies


@dataclass(frozen=True)
class Draft:
    """Prototypes and the stays that repeat them.

    Attributes
    ----------
    prototypes : float32 ndarray of shape (P, layout.width)
    owner : ndarray of int64, shape (n_rows,)
        Prototype of each stay.
    outcomes : ndarray of shape (n_rows, 1)
        0 or 1 of each stay.
    """

    prototypes: Grid
    owner: Integers
    outcomes: Floats

    @classmethod
    def of(cls, prototypes: Grid, sides: Floats, n_rows: int) -> Draft:
        """Repeat prototypes as evenly as can be; ``sides`` (P, 1) is the outcome of most copies."""
        owner = np.sort(np.arange(n_rows) % len(prototypes))
        outcomes = sides[owner].copy()
        copies = np.bincount(owner, minlength=len(prototypes))
        first = np.cumsum(copies) - copies
        other = first[copies > 2]  # of two alike, neither outcome would be that of most
        outcomes[other] = 1.0 - outcomes[other]
        return cls(prototypes, owner, outcomes)

    @property
    def points(self) -> Grid:
        """The stays, (n_rows, layout.width)."""
        return self.prototypes[self.owner]


def n_prototypes(n_rows: int) -> int:
    """As many of each side; where copies would be fewer than 3, every stay is one of its own."""
    copies = min(COPIES, n_rows // LEAST)
    return n_rows if copies < 3 else 2 * (n_rows // (2 * copies))
