"""Groups of a column that count the same: weights of `tincture.spine.weighing`, by a histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.errors import SettingError
from tincture.privacy.query import Query, Records
from tincture.public.schema import Schema
from tincture.spine.weighing import Weighing, alike
from tincture.tables.cells import cell_codes
from tincture.tables.marginals import Marginals


@dataclass(frozen=True, slots=True)
class Balance:
    """How much a record of each group counts.

    Attributes
    ----------
    marginals : Marginals
        Every column's released histogram.
    column : int or None
        Whose levels (and missing) are the groups; None where all records count the same.
    weights : ndarray
        Of the column's cells, in [1/10, 1].
    """

    marginals: Marginals
    column: int | None
    weights: Floats

    @classmethod
    def of(cls, marginals: Marginals, name: str | None) -> Balance:
        """Weights that make the groups of a column count the same, as far as the bounds allow."""
        if name is None:
            return cls(marginals, None, np.ones(1))
        column = [c.name for c in marginals.encoding.columns].index(name)
        return cls(marginals, column, alike(marginals.shares[column]))

    @property
    def mean(self) -> float:
        """Of a record's weight, over all records: the share of them that counts."""
        return (
            1.0 if self.column is None else float(self.weights @ self.marginals.shares[self.column])
        )

    def of_records(self, points: NDArray[np.floating]) -> Floats:
        """Weight of each record by its own group, (n,)."""
        if self.column is None:
            return np.ones(len(points))
        return np.asarray(self.weights[cell_codes(self.marginals.encoding, points)[:, self.column]])

    def resample(self, points: Floats, rng: np.random.Generator) -> Floats:
        """Invented records drawn again, each as often as it counts."""
        if self.column is None:
            return points
        weights = self.of_records(points)
        return points[rng.choice(len(points), len(points), p=weights / weights.sum())]

    def of_query(self, query: Query) -> Query:
        """The same question, to which records contribute by their group's weight."""
        return query if self.column is None else Weighted(query, self)


@dataclass(frozen=True, slots=True)
class Weighted(Weighing):
    """By the weights of each record's group."""

    balance: Balance

    def contributions(self, records: Records) -> Floats:
        """Weighted vectors, (n, size)."""
        weights = self.balance.of_records(records.points)
        return weights[:, None] * self.query.contributions(records)


def check_balance(name: str | None, schema: Schema, features: list[str]) -> None:
    """Refuse a column that has no groups or is not among the features.

    Raises
    ------
    SettingError
    """
    if name is None:
        return
    if name not in features:
        raise SettingError(
            f"The column {name!r} to balance by is not among the features; name one of "
            f"{', '.join(n for n in features if schema[n].is_categorical) or 'those with levels'}."
        )
    if not schema[name].is_categorical:
        raise SettingError(
            f"The column {name!r} to balance by has no levels; cut it into declared levels first."
        )
