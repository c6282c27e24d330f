"""Any estimator, on many tables at once: threads of this process, and nothing but them."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_info, threadpool_limits

from helpers import Ask, make_vault, plan_of
from tincture.errors import QueryFailed
from tincture.models.generic import Generic
from tincture.models.portfolio import adapt
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.public.tasks import Classification, Survival

TASK = Classification("y", 2)
NUMERIC = np.ones(4, dtype=bool)
RNG = np.random.default_rng(0)
TABLES, RECORDS = RNG.normal(size=(7, 30, 4)), RNG.normal(size=(50, 4))
OUTCOMES = (np.arange(30) % 2).astype(float)[:, None]


@pytest.fixture(params=[1, 3])
def workers(request: pytest.FixtureRequest) -> int:
    """So many threads, whatever the machine has."""
    return int(request.param)


def fitted(estimator: Any, workers: int, n_tables: int = len(TABLES), seed: int = 0) -> Any:
    model: Any = adapt(estimator, TASK)
    return replace(model, workers=workers).fit(TABLES[:n_tables], OUTCOMES, NUMERIC, seed=seed)


def predicted(estimator: Any, workers: int = 2, seed: int = 0) -> np.ndarray:
    found: np.ndarray = fitted(estimator, workers, seed=seed).predict(RECORDS)
    return found


@pytest.mark.parametrize(
    "estimator",
    [
        ExtraTreesClassifier(5),
        SVC(),
        make_pipeline(StandardScaler(), ExtraTreesClassifier(5)),
        BaggingClassifier(n_estimators=3, n_jobs=2),
    ],
    ids=["trees", "svc", "pipeline", "joblib"],
)
def test_the_number_of_threads_changes_nothing(estimator: Any) -> None:
    found = [predicted(estimator, workers) for workers in (1, 2, 5)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_an_estimator_without_a_seed_gets_that_of_the_fit() -> None:
    own = ExtraTreesClassifier(5)
    np.testing.assert_array_equal(predicted(own, seed=1), predicted(own, seed=1))
    assert (predicted(own, seed=1) != predicted(own, seed=2)).any()
    assert own.random_state is None
    given = ExtraTreesClassifier(5, random_state=3)
    np.testing.assert_array_equal(predicted(given, seed=1), predicted(given, seed=2))


class Greedy(BaseEstimator):
    """Asks joblib for processes, and notes where it was sent."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> Greedy:
        self.classes_ = np.unique(y)
        self.where_ = set(joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4)))
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        self.where_ |= set(joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4)))
        return np.full((len(x), 2), 0.5)


@pytest.mark.parametrize("n_tables", [1, 7])
def test_records_never_leave_the_process(workers: int, n_tables: int) -> None:
    """joblib would hand large ones to others by files; one table may be one of real records."""
    found = fitted(Greedy(), workers, n_tables)
    found.predict(RECORDS)
    assert all(one.where_ == {os.getpid()} for one in found.fitted)


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_failure_in_a_thread_stays_in_the_vault(workers: int, error: type) -> None:
    class Failing(Greedy):
        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            raise error(str(x))

    failing = fitted(Failing(), workers)

    def look(records: Any) -> np.ndarray:
        found: np.ndarray = failing.predict(np.zeros((len(records), 4)))
        return found[0, :, :1]

    with pytest.raises(QueryFailed) as caught:
        make_vault(Ledger(plan_of(2.0, count=1))).noisy_sum(Ask(look), Mechanism(2.0))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_table_that_cannot_be_fitted_on_predicts_nothing(workers: int) -> None:
    class Picky(Greedy):
        def fit(self, x: np.ndarray, y: np.ndarray) -> Picky:
            if x[0, 0] > 0:
                raise ValueError
            super().fit(x, y)
            return self

    out = predicted(Picky(), workers)
    refused = TABLES[:, 0, 0] > TABLES[:, :, 0].mean(axis=1)  # as scaled
    assert 0 < refused.sum() < len(refused)
    np.testing.assert_array_equal(np.isnan(out).all(axis=(1, 2)), refused)
    assert np.isfinite(out[~refused]).all()


def test_lifelines_runs_one_at_a_time() -> None:
    """Its estimators are fitted and used by the calling thread, however many may be had."""
    weibull = pytest.importorskip("lifelines").WeibullAFTFitter(penalizer=0.1)
    model: Any = adapt(weibull, Survival("t", "e", 0.0, 100.0))
    assert not model.manner.threads
    seen = set()

    class Noted:
        n_outputs, threads = 1, False

        def fit(self, x: np.ndarray, outcomes: np.ndarray, seed: int) -> None:
            seen.add(threading.get_ident())

        def predict(self, fitted: Any, x: np.ndarray) -> np.ndarray:
            raise AssertionError

    Generic("noted", Noted(), workers=3).fit(TABLES, OUTCOMES, NUMERIC)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("n_tables", [1, 7])
def test_libraries_run_one_thread(n_tables: int) -> None:
    """Even where one table is fitted alone: more of them would spin beside other work."""
    seen: set[int] = set()

    class Noted:
        n_outputs, threads = 1, True

        def fit(self, x: np.ndarray, outcomes: np.ndarray, seed: int) -> None:
            seen.update(pool["num_threads"] for pool in threadpool_info())

        def predict(self, fitted: Any, x: np.ndarray) -> np.ndarray:
            raise AssertionError

    with threadpool_limits(3):
        Generic("noted", Noted(), workers=2).fit(TABLES[:n_tables], OUTCOMES, NUMERIC)
        assert {pool["num_threads"] for pool in threadpool_info()} == {3}
    assert seen == {1}
