"""Groups or sites that count the same, however many records each has.

A record's vector is multiplied by a weight of its group, or of its site. Weights come from released
counts and lie in [1/10, 1], so that no vector becomes longer: clip and proof stay as they are
(docs/promise.md, lemma 3), and the price is a larger share of noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.query import Query, Records

MOST = 10.0  # how many records of the largest group may count as one of a small group
EMPTY = 0.01  # share below which a group is too small to set the weights of others


def alike(shares: Floats) -> Floats:
    """Weights that make groups of these shares count the same, as far as the bounds allow."""
    least = max(float(shares[shares >= EMPTY].min()), float(shares.max()) / MOST)
    return np.minimum(1.0, least / np.maximum(shares, 1e-12))


@dataclass(frozen=True, slots=True)
class Weighing(Query):
    """A query whose vectors are multiplied by weights of at most 1; to be subclassed."""

    query: Query

    @property
    def question(self) -> str:
        """As planned and booked."""
        return self.query.question

    @property
    def size(self) -> int:
        """Values a record contributes."""
        return self.query.size

    @property
    def clip(self) -> float:
        """Of the query: no vector becomes longer."""
        return self.query.clip

    def prepare(self) -> None:
        """As the query."""
        self.query.prepare()


@dataclass(frozen=True, slots=True)
class Scaled(Weighing):
    """All by one weight, in (0, 1]."""

    weight: float

    def contributions(self, records: Records) -> Floats:
        """Vectors of the query, each times the weight, (n, size)."""
        return self.weight * self.query.contributions(records)
