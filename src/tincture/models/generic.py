"""Any estimator seen as fit(candidates) → predict(records), after the recipient's own pipeline.

Every candidate table is imputed (median), scaled and fitted on itself alone, as its recipient would
do; a record's missing amount then counts as that table's median.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError

Floats = NDArray[np.float64]


class Predictor(Protocol):
    """R models fitted on R candidate tables."""

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs) for design records (b, p), NaN where missing."""
        ...


class Manner(Protocol):
    """How one estimator is fitted on one table, and what it predicts."""

    @property
    def n_outputs(self) -> int:
        """Predictions a record."""
        ...

    @property
    def threads(self) -> bool:
        """Whether copies may be used by several threads at a time."""
        ...

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fresh fitted copy, from x (m, p) and outcomes (m, width)."""
        ...

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Predictions (b, n_outputs) for x (b, p)."""
        ...


@runtime_checkable
class Model(Protocol):
    """A way to fit many candidate tables at once."""

    @property
    def name(self) -> str:
        """As in the release."""
        ...

    @property
    def draws(self) -> int:
        """Fits with different seeds over which a loss is averaged."""
        ...

    def fit(
        self,
        candidates: Floats,
        outcomes: Floats,
        numeric: NDArray[np.bool_],
        *,
        seed: int = 0,
    ) -> Predictor:
        """Fit on designs (R, m, p) with outcomes (m, width) shared by all candidates."""
        ...


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


def impute(candidates: Floats, numeric: NDArray[np.bool_]) -> tuple[Floats, Floats]:
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


def prepare(candidates: Floats, numeric: NDArray[np.bool_]) -> Prepared:
    """Median imputation and standard scaling of the numeric columns of each candidate.

    A constant column keeps its scale, as in scikit-learn's ``StandardScaler``.
    """
    fill, complete = impute(candidates, numeric)
    amounts = complete[:, :, numeric]
    centre, scale = np.zeros_like(fill), np.ones_like(fill)
    centre[:, numeric] = amounts.mean(axis=1)
    spread = amounts.std(axis=1)
    scale[:, numeric] = np.where(spread > 1e-12, spread, 1.0)
    x = (complete - centre[:, None, :]) / scale[:, None, :]
    return Prepared(x, fill, centre, scale)


def _median(amounts: Floats) -> Floats:
    """Column medians (R, p) of (R, m, p) that skip NaN; 0 where all are missing."""
    ordered = np.sort(amounts, axis=1)  # NaN sorts last
    count = amounts.shape[1] - np.isnan(amounts).sum(axis=1)
    low = np.maximum((count - 1) // 2, 0)[:, None, :]
    high = np.minimum(count // 2, amounts.shape[1] - 1)[:, None, :]
    middle = np.take_along_axis(ordered, low, 1) + np.take_along_axis(ordered, high, 1)
    return np.where(count > 0, np.nan_to_num(middle[:, 0] / 2), 0.0)


@dataclass(frozen=True, slots=True)
class LinearKernel:
    """A batched linear model of the scaled candidates.

    Parameters
    ----------
    name : str
    fit_scaled : callable
        From complete, scaled candidates (R, m, p) and outcomes (m, width) to a fit whose
        ``unscale(centre, scale)`` gives the model of raw values.
    """

    name: str
    fit_scaled: Callable[[Floats, Floats], Any]
    draws: int = 1

    def fit(
        self,
        candidates: Floats,
        outcomes: Floats,
        numeric: NDArray[np.bool_],
        *,
        seed: int = 0,
    ) -> Predictor:
        """Fit all candidates at once."""
        ready = prepare(candidates, numeric)
        fitted = self.fit_scaled(ready.x, outcomes).unscale(ready.centre, ready.scale)
        return Filled(fitted, ready.fill, np.arange(candidates.shape[2]))


@dataclass(frozen=True, slots=True)
class TreeKernel:
    """A batched model of trees, to which scaling makes no difference.

    Of equally good splits a library takes the first in an order of columns that is its own affair.
    Here every fit draws a new order, and a loss is the mean over ``draws`` of them, so that no
    table is found that only one order likes.

    Parameters
    ----------
    name : str
    fit_complete : callable
        From complete candidates (R, m, p), outcomes (m, width) and a seed to a fit.
    sketch : Model, optional
        The same with fewer trees, where many tables are only to be compared.
    """

    name: str
    fit_complete: Callable[[Floats, Floats, int], Any]
    draws: int = 1
    sketch: Model | None = None

    def fit(
        self,
        candidates: Floats,
        outcomes: Floats,
        numeric: NDArray[np.bool_],
        *,
        seed: int = 0,
    ) -> Predictor:
        """Fit all candidates at once, with one order of columns."""
        order = np.random.default_rng(seed).permutation(candidates.shape[2])
        fill, complete = impute(candidates[:, :, order], numeric[order])
        return Filled(self.fit_complete(complete, outcomes, seed), fill, order)


def sketched(model: Model) -> Model:
    """A cheaper look-alike of a model, or the model itself."""
    return getattr(model, "sketch", None) or model


@dataclass(frozen=True, slots=True)
class Filled:
    """Fitted kernels, what a missing amount counts as, and the order of their columns."""

    fitted: Any
    fill: Floats
    order: NDArray[np.int64]

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs)."""
        out: Floats = self.fitted.predict(records[:, self.order], self.fill)
        return out if out.ndim == 3 else out[..., None]


@dataclass(frozen=True, slots=True)
class Generic:
    """Any estimator with scikit-learn's, scikit-survival's or lifelines' manners.

    Parameters
    ----------
    name : str
    manner : Manner
        How to fit a fresh copy of the estimator, and what it predicts.
    """

    name: str
    manner: Manner
    draws: int = 1

    def fit(
        self,
        candidates: Floats,
        outcomes: Floats,
        numeric: NDArray[np.bool_],
        *,
        seed: int = 0,
    ) -> Predictor:
        """Fit a copy of the estimator on each candidate.

        Raises
        ------
        ModelError
            If the estimator raises on every one; a table that only some cannot be fitted on
            predicts NaN, which is the worst of losses.
        """
        ready = prepare(candidates, numeric)
        fitted: list[Any] = [None] * len(candidates)
        failures: dict[int, Exception] = {}

        def fit_one(r: int) -> None:
            try:
                fitted[r] = self.manner.fit(ready.x[r], outcomes, seed)
            except Exception as error:
                failures[r] = error

        each(fit_one, len(candidates), threads=self.manner.threads)
        if len(failures) == len(candidates):
            failure = failures[0]
            what = " ".join(f"{type(failure).__name__}: {failure}".split())
            raise ModelError(
                f"The model {self.name!r} could not be fitted on a table of invented rows "
                f"({what}); it must accept any complete numeric table of this width."
            ) from failure
        return Loop(self.manner, fitted, ready)


@dataclass(frozen=True, slots=True)
class Loop:
    """Fitted estimators that predict one by one; None predicts NaN."""

    manner: Manner
    fitted: list[Any]
    ready: Prepared

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs); each table imputes and scales the records its own way."""
        out = np.full((len(self.fitted), len(records), self.manner.n_outputs), np.nan)

        def predict_one(r: int) -> None:
            if self.fitted[r] is not None:
                out[r] = self.manner.predict(self.fitted[r], self.ready.apply(records, r))

        each(predict_one, len(out), threads=self.manner.threads)
        return out


def each(work: Callable[[int], None], n: int, *, threads: bool) -> None:
    """Call ``work(0)`` to ``work(n - 1)``, on as many threads as kernels use.

    Never on other processes, not even where an estimator asks joblib for some: it may be at real
    records, which joblib would send there, large ones by files.
    """
    from sklearn import config_context, get_config

    from tincture.kernels.threads import share

    config = get_config()  # which each thread would have afresh

    def piece(begin: int, stop: int) -> None:
        with config_context(**config), _one_process(alone=n > 1):
            for i in range(begin, stop):
                work(i)

    # Warning filters belong to all threads: they are set around them.
    with (
        warnings.catch_warnings(),
        _libraries().limit(limits=1 if n > 1 else None, user_api="blas"),
    ):
        warnings.simplefilter("ignore")
        if threads:
            share(piece, n)
        else:
            piece(0, n)


@contextmanager
def _one_process(*, alone: bool) -> Iterator[None]:
    """Keep joblib to threads, and where there are several tables, OpenMP to this one."""
    from joblib import parallel_config

    limit = _libraries().limit(limits=1 if alone else None, user_api="openmp")
    with parallel_config(backend="threading"), limit:
        yield


@cache
def _libraries() -> Any:
    """Libraries with threads of their own; looking for them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
