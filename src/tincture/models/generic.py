"""Any estimator seen as fit(candidates) → predict(records), after the recipient's own pipeline.

Every candidate table is imputed (median), scaled and fitted on itself alone, as its recipient would
do; a record's missing amount then counts as that table's median.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Mask
from tincture.errors import ModelError
from tincture.models.prepared import Prepared, Tables
from tincture.models.protocol import Predictor


class Manner(Protocol):
    """How one estimator is fitted on one table, and what it predicts."""

    @property
    def n_outputs(self) -> int:
        """Predictions a record."""

    @property
    def threads(self) -> bool:
        """Whether copies may be used by several threads at a time."""

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fresh fitted copy, from x (m, p) and outcomes (m, width)."""

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Predictions (b, n_outputs) for x (b, p)."""


@dataclass(frozen=True, slots=True)
class Generic:
    """Any estimator with scikit-learn's, scikit-survival's or lifelines' manners.

    It is fitted on one table after another by so many ``workers``, as kernels are by default.
    """

    name: str
    manner: Manner
    draws: int = 1
    workers: int | None = None

    def fit(
        self, candidates: Floats, outcomes: Floats, numeric: Mask, *, seed: int = 0
    ) -> Predictor:
        """Fit a copy of the estimator on each candidate.

        Raises
        ------
        ModelError
            If the estimator raises on every one; a table that only some cannot be fitted on
            predicts NaN, which is the worst of losses.
        """
        ready = Tables(candidates, numeric).scaled
        workers = self.workers if self.manner.threads else 1
        fitted: list[Any] = [None] * len(candidates)
        failures: dict[int, Exception] = {}

        def fit_one(r: int) -> None:
            try:
                fitted[r] = self.manner.fit(ready.x[r], outcomes, seed)
            except Exception as error:
                failures[r] = error

        each(fit_one, len(candidates), workers=workers)
        if len(failures) == len(candidates):
            failure = failures[0]
            what = " ".join(f"{type(failure).__name__}: {failure}".split())
            raise ModelError(
                f"The model {self.name!r} could not be fitted on a table of invented rows "
                f"({what}); it must accept any complete numeric table of this width."
            ) from failure
        return Loop(self.manner, fitted, ready, workers)


@dataclass(frozen=True, slots=True)
class Loop:
    """Fitted estimators that predict one by one; None predicts NaN."""

    manner: Manner
    fitted: list[Any]
    ready: Prepared
    workers: int | None

    def predict(self, records: NDArray[np.floating]) -> Floats:
        """Predictions (R, b, n_outputs); each table imputes and scales the records its own way."""
        out = np.full((len(self.fitted), len(records), self.manner.n_outputs), np.nan)

        def predict_one(r: int) -> None:
            if self.fitted[r] is not None:
                out[r] = self.manner.predict(self.fitted[r], self.ready.apply(records, r))

        each(predict_one, len(out), workers=self.workers)
        return out


def each(work: Callable[[int], None], n: int, *, workers: int | None = None) -> None:
    """Call ``work(0)`` to ``work(n - 1)``, on so many threads; on as many as kernels by default.

    Never on other processes, not even where an estimator asks joblib for some: it may be at real
    records, which joblib would send there, large ones by files.
    """
    from joblib import parallel_config
    from sklearn import config_context, get_config

    from tincture.kernels.threads import one_thread, share

    config = get_config()  # which each thread would have afresh

    def piece(begin: int, stop: int) -> None:
        # joblib is kept to threads, and each fit to this one.
        with config_context(**config), parallel_config("threading"), one_thread("openmp"):
            for i in range(begin, stop):
                work(i)

    # Warning filters and threads of BLAS belong to all threads: they are set around them.
    with warnings.catch_warnings(), one_thread("blas"):
        warnings.simplefilter("ignore")
        share(piece, n, workers=workers)
