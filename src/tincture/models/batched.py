"""Kernels seen as models: all candidates at once, after imputation and scaling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.models.prepared import Tables
from tincture.models.protocol import Model, Predictor


@dataclass(frozen=True, slots=True)
class LinearKernel:
    """A batched model of the scaled candidates.

    ``fit_scaled`` leads from complete, scaled candidates (R, m, p) and outcomes (m, width) to a fit
    whose ``unscale(centre, scale)`` gives the model of raw values.
    """

    name: str
    fit_scaled: Callable[[Floats, Floats], Any]
    draws: int = 1
    quick: bool = True

    def fit(
        self, candidates: Floats, outcomes: Floats, numeric: Mask, *, seed: int = 0
    ) -> Predictor:
        """Fit all candidates at once."""
        return self.fit_tables(Tables(candidates, numeric), outcomes, seed=seed)

    def fit_tables(self, tables: Tables, outcomes: Floats, *, seed: int = 0) -> Predictor:
        """Fit them, scaled as they already may be for another model."""
        ready = tables.scaled
        fitted = self.fit_scaled(ready.x, outcomes).unscale(ready.centre, ready.scale)
        return Filled(fitted, ready.fill, np.arange(ready.x.shape[2]))


@dataclass(frozen=True, slots=True)
class TreeKernel:
    """A batched model of trees, to which scaling makes no difference.

    Of equally good splits a library takes the first in an order of columns that is its own affair.
    Here every fit draws a new order, and a loss is the mean over ``draws`` of them, so that no
    table is found that only one order likes. ``fit_complete`` leads from complete candidates
    (R, m, p), outcomes (m, width) and a seed to a fit; ``sketch`` is the same with fewer trees,
    where many tables are only to be compared. A model of a single tree is quick: it and others may
    look at many tables first.
    """

    name: str
    fit_complete: Callable[[Floats, Floats, int], Any]
    draws: int = 1
    sketch: Model | None = None
    quick: bool = False

    def fit(
        self, candidates: Floats, outcomes: Floats, numeric: Mask, *, seed: int = 0
    ) -> Predictor:
        """Fit all candidates at once, with one order of columns."""
        return self.fit_tables(Tables(candidates, numeric), outcomes, seed=seed)

    def fit_tables(self, tables: Tables, outcomes: Floats, *, seed: int = 0) -> Predictor:
        """Fit them, imputed as they already may be for another model."""
        order = np.random.default_rng(seed).permutation(tables.candidates.shape[2])
        fill, complete = tables.in_order(order)
        return Filled(self.fit_complete(complete, outcomes, seed), fill, order)


@dataclass(frozen=True, slots=True)
class Filled:
    """Fitted kernels, what a missing amount counts as, and the order of their columns."""

    fitted: Any
    fill: Floats
    order: Integers

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs)."""
        out: Floats = self.fitted.predict(records[:, self.order], self.fill)
        return out if out.ndim == 3 else out[..., None]
