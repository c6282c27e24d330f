"""Any estimator, on many tables at once: threads of this process, and nothing but them."""

from __future__ import annotations

import os
import threading
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import Ask, make_vault, plan_of
from tincture.errors import QueryFailed
from tincture.models.generic import each
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
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """So many threads, whatever the machine has."""
    set_workers(monkeypatch, request.param)
    return int(request.param)


def set_workers(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr("numba.get_num_threads", lambda: n)


def predicted(estimator: Any, seed: int = 0) -> np.ndarray:
    return adapt(estimator, TASK).fit(TABLES, OUTCOMES, NUMERIC, seed=seed).predict(RECORDS)


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
def test_the_number_of_threads_changes_nothing(
    estimator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for n in (1, 2, 5):
        set_workers(monkeypatch, n)
        found.append(predicted(estimator))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_an_estimator_without_a_seed_gets_that_of_the_fit() -> None:
    own = ExtraTreesClassifier(5)
    np.testing.assert_array_equal(predicted(own, 1), predicted(own, 1))
    assert (predicted(own, 1) != predicted(own, 2)).any()
    assert own.random_state is None
    given = ExtraTreesClassifier(5, random_state=3)
    np.testing.assert_array_equal(predicted(given, 1), predicted(given, 2))


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
    fitted: Any = adapt(Greedy(), TASK).fit(TABLES[:n_tables], OUTCOMES, NUMERIC)
    fitted.predict(RECORDS)
    assert all(one.where_ == {os.getpid()} for one in fitted.fitted)


@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_failure_in_a_thread_stays_in_the_vault(workers: int, error: type) -> None:
    class Failing(Greedy):
        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            raise error(str(x))

    fitted = adapt(Failing(), TASK).fit(TABLES, OUTCOMES, NUMERIC)

    def look(records: Any) -> np.ndarray:
        return fitted.predict(np.zeros((len(records), 4)))[0, :, :1]

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

    out = predicted(Picky())
    refused = TABLES[:, 0, 0] > TABLES[:, :, 0].mean(axis=1)  # as scaled
    assert 0 < refused.sum() < len(refused)
    np.testing.assert_array_equal(np.isnan(out).all(axis=(1, 2)), refused)
    assert np.isfinite(out[~refused]).all()


def test_lifelines_runs_one_at_a_time(workers: int) -> None:
    fitter = pytest.importorskip("lifelines").WeibullAFTFitter(penalizer=0.1)
    model: Any = adapt(fitter, Survival("t", "e", 0.0, 100.0))
    seen = set()
    each(lambda i: seen.add(threading.get_ident()), 20, threads=model.manner.threads)
    assert seen == {threading.get_ident()}
