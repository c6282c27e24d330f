"""Median imputation and scaling of candidate tables, each by itself, once for all models.

Every table is treated as its recipient would; a record's missing amount counts as that table's
median.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.models.protocol import Model, Predictor


@dataclass(frozen=True, slots=True)
class Prepared:
    """Candidates after imputation and scaling, and how to treat records alike.

    Attributes
    ----------
    x : ndarray of shape (R, m, p)
        Complete and scaled.
    fill, centre, scale : ndarray of shape (R, p)
        What a missing value counts as, and the affine map of each column.
    """

    x: Floats
    fill: Floats
    centre: Floats
    scale: Floats

    def apply(self, records: NDArray[np.floating], table: int) -> Floats:
        """Records (b, p) imputed and scaled as table ``table`` was."""
        scaled: Floats = np.where(np.isnan(records), self.fill[table], records)
        scaled -= self.centre[table]
        scaled /= self.scale[table]
        return scaled


class Tables:
    """Candidate tables, and what models make of them before they fit.

    Parameters
    ----------
    candidates : ndarray of shape (R, m, p)
    numeric : ndarray of bool, shape (p,)
        Which columns are amounts.
    """

    def __init__(self, candidates: Floats, numeric: Mask) -> None:
        self.candidates, self.numeric = candidates, numeric

    def __len__(self) -> int:
        return len(self.candidates)

    @cached_property
    def imputed(self) -> tuple[Floats, Floats]:
        """See `impute`."""
        return impute(self.candidates, self.numeric)

    @cached_property
    def scaled(self) -> Prepared:
        """Also with the amounts on a standard scale.

        A constant column keeps its scale, as in scikit-learn's ``StandardScaler``.
        """
        fill, complete = self.imputed
        amounts = complete[:, :, self.numeric]
        centre, scale = np.zeros_like(fill), np.ones_like(fill)
        centre[:, self.numeric] = amounts.mean(axis=1)
        spread = amounts.std(axis=1)
        scale[:, self.numeric] = np.where(spread > 1e-12, spread, 1.0)
        x = (complete - centre[:, None, :]) / scale[:, None, :]
        return Prepared(x, fill, centre, scale)

    def in_order(self, order: Integers) -> tuple[Floats, Floats]:
        """What a missing value counts as, and complete tables, with the columns in this order."""
        return self.imputed[0][:, order], self._columns[:, order].swapaxes(1, 2)

    @cached_property
    def _columns(self) -> Floats:
        """Complete, (R, p, m)."""
        return np.ascontiguousarray(self.imputed[1].swapaxes(1, 2))


def fit_tables(model: Model, tables: Tables, outcomes: Floats, *, seed: int = 0) -> Predictor:
    """Fit by what our own models share of the work, if it is one of them."""
    ours = getattr(model, "fit_tables", None)
    if ours is None:
        return model.fit(tables.candidates, outcomes, tables.numeric, seed=seed)
    fitted: Predictor = ours(tables, outcomes, seed=seed)
    return fitted


def impute(candidates: Floats, numeric: Mask) -> tuple[Floats, Floats]:
    """Fill the numeric columns of each candidate with their medians.

    Returns
    -------
    fill : ndarray of shape (R, p)
        An amount missing in every row counts as 0 (``keep_empty_features`` in scikit-learn).
    complete : ndarray of shape (R, m, p)
    """
    fill = np.zeros((candidates.shape[0], candidates.shape[2]))
    amounts = candidates[:, :, numeric]
    fill[:, numeric] = _median(amounts)
    complete = np.ascontiguousarray(candidates)
    if np.isnan(amounts).any():
        complete = np.where(np.isnan(complete), fill[:, None, :], complete)
    return fill, complete


def _median(amounts: Floats) -> Floats:
    """Column medians (R, p) of (R, m, p) that skip NaN; 0 where all are missing."""
    ordered = np.sort(amounts, axis=1)  # NaN sorts last
    count = amounts.shape[1] - np.isnan(amounts).sum(axis=1)
    low = np.maximum((count - 1) // 2, 0)[:, None, :]
    high = np.minimum(count // 2, amounts.shape[1] - 1)[:, None, :]
    middle = np.take_along_axis(ordered, low, 1) + np.take_along_axis(ordered, high, 1)
    return np.where(count > 0, np.nan_to_num(middle[:, 0] / 2), 0.0)
