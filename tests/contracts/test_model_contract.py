"""What every model must do: each name of the portfolio, and any estimator by its manners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tincture.errors import ModelError
from tincture.models.portfolio import PORTFOLIOS, adapt, portfolio, resolve
from tincture.models.protocol import Model
from tincture.public.columns import Column
from tincture.public.tasks import TASKS, Amounts, Classification, Survival, Task

NUMERIC = np.array([True, True, True, False, False])
TWO, THREE = Classification("y", 2), Classification("y", 3)
LIFETIME = Survival("t", "e", 0.0, 100.0)
AMOUNT = Amounts(Column("y", "number", 0.0, 50.0))


class OnlyScores(ClassifierMixin, BaseEstimator):
    """Nothing but a decision function."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> OnlyScores:
        self.classes_ = np.unique(y)
        self.means_ = np.stack([x[y == c].mean(axis=0) for c in self.classes_])
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        far: np.ndarray = np.square(x[:, None, :] - self.means_).sum(axis=2)
        return far[:, 0] - far[:, 1] if len(self.classes_) == 2 else -far


def scikit_survival() -> Any:
    return pytest.importorskip("sksurv.linear_model").CoxPHSurvivalAnalysis(alpha=0.1)


def lifelines() -> Any:
    return pytest.importorskip("lifelines").CoxPHFitter(penalizer=0.1)


def weibull() -> Any:
    return pytest.importorskip("lifelines").WeibullAFTFitter(penalizer=0.1)


GENERIC = {
    "naive_bayes": GaussianNB,
    "trees": lambda: ExtraTreesClassifier(5, random_state=0),
    "ridge": RidgeClassifier,
    "svc": lambda: LinearSVC(random_state=0),
    "only_scores": OnlyScores,
}
AMOUNTS = {"ridge": Ridge, "trees": lambda: ExtraTreesRegressor(5, random_state=0)}
SURVIVAL = {"scikit-survival": scikit_survival, "lifelines": lifelines, "weibull": weibull}

CASES = (
    [
        (f"{name}-{t.n_classes}", name, t)
        for t in (TWO, THREE)
        for name in portfolio(TWO)
        if (name, t) != ("glm", THREE)
    ]
    + [
        (f"{name}-generic-{t.n_classes}", GENERIC[name], t)
        for t in (TWO, THREE)
        for name in GENERIC
    ]
    + [(f"{name}-survival", name, LIFETIME) for name in portfolio(LIFETIME)]
    + [(f"{name}-generic-survival", SURVIVAL[name], LIFETIME) for name in SURVIVAL]
    + [(f"{name}-amounts", name, AMOUNT) for name in portfolio(AMOUNT)]
    + [(f"{name}-generic-amounts", AMOUNTS[name], AMOUNT) for name in AMOUNTS]
)


def made(what: Any, task: Task) -> Model:
    return resolve(what if isinstance(what, str) else what(), task)


def tables(n_tables: int = 3, n_rows: int = 40) -> np.ndarray:
    """Designs with amounts (a few missing) and a one-hot pair; different in every table."""
    rng = np.random.default_rng(1)
    level = rng.integers(2, size=(n_tables, n_rows))
    amounts = rng.uniform(size=(n_tables, n_rows, 3))
    amounts[rng.uniform(size=amounts.shape) < 0.1] = np.nan
    return np.concatenate([amounts, np.eye(2)[level]], axis=2)


def outcomes(task: Task, n_rows: int = 40) -> np.ndarray:
    rng = np.random.default_rng(2)
    if isinstance(task, Survival):
        return np.stack([rng.uniform(1, 99, n_rows), np.arange(n_rows) % 3 > 0], axis=1)
    if isinstance(task, Amounts):
        return rng.uniform(size=(n_rows, 1))
    return (np.arange(n_rows) % task.n_outputs).astype(float)[:, None]


RECORDS = tables(1, 25)[0][::-1].copy()


@pytest.mark.parametrize(("what", "task"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
class TestModelContract:
    def test_predicts_finite_numbers_for_every_table_and_record(
        self, what: Any, task: Task
    ) -> None:
        model = made(what, task)
        assert isinstance(model, Model)
        assert isinstance(model.name, str)
        out = model.fit(tables(), outcomes(task), NUMERIC).predict(RECORDS)
        assert out.shape == (3, 25, task.n_outputs)
        assert np.isfinite(out).all()
        if isinstance(task, Classification):
            np.testing.assert_allclose(out.sum(axis=2), 1.0, atol=1e-6)
            assert (out >= -1e-9).all()

    def test_candidates_do_not_influence_each_other(self, what: Any, task: Task) -> None:
        model, some = made(what, task), tables()
        together = model.fit(some, outcomes(task), NUMERIC, seed=4).predict(RECORDS)
        for r in range(3):
            alone = model.fit(some[r : r + 1], outcomes(task), NUMERIC, seed=4).predict(RECORDS)
            np.testing.assert_allclose(together[r], alone[0], rtol=1e-6, atol=1e-9)

    def test_a_record_is_predicted_by_itself(self, what: Any, task: Task) -> None:
        fitted = made(what, task).fit(tables(), outcomes(task), NUMERIC)
        together = fitted.predict(RECORDS)
        for part in (slice(0, 1), slice(24, 25), slice(1, None), slice(None, None, -1)):
            alone = fitted.predict(RECORDS[part])
            if isinstance(what, str):  # to the last bit: the promise, section 3
                np.testing.assert_array_equal(alone, together[:, part])
            else:
                np.testing.assert_allclose(alone, together[:, part], rtol=1e-9, atol=1e-12)

    def test_a_missing_amount_counts_as_the_median_of_the_table(
        self, what: Any, task: Task
    ) -> None:
        fitted = made(what, task).fit(tables(), outcomes(task), NUMERIC)
        gaps = np.nan_to_num(RECORDS, nan=0.5)
        gaps[:, 1] = np.nan
        missing = fitted.predict(gaps)
        for r, table in enumerate(tables()):
            gaps[:, 1] = np.nanmedian(table[:, 1])
            np.testing.assert_allclose(fitted.predict(gaps)[r], missing[r], rtol=1e-6, atol=1e-9)

    def test_the_same_seed_fits_alike(self, what: Any, task: Task) -> None:
        model = made(what, task)
        first, again = (
            model.fit(tables(), outcomes(task), NUMERIC, seed=7).predict(RECORDS) for _ in range(2)
        )
        np.testing.assert_array_equal(first, again)

    def test_a_column_missing_in_all_rows_is_endured(self, what: Any, task: Task) -> None:
        empty = tables()
        empty[:, :, 0] = np.nan
        out = made(what, task).fit(empty, outcomes(task), NUMERIC).predict(RECORDS)
        assert np.isfinite(out).all()

    def test_a_table_of_one_class_predicts_it(self, what: Any, task: Task) -> None:
        if not isinstance(task, Classification):
            pytest.skip("there are no classes")
        ones = np.ones((40, 1))
        out = made(what, task).fit(tables(), ones, NUMERIC).predict(RECORDS)
        assert np.isfinite(out).all()
        assert (out.argmax(axis=2) == 1).all()


# A kind of task joins the portfolio by one entry, whose names are all of models that it makes.
def test_every_task_has_models_and_every_name_is_of_one() -> None:
    assert PORTFOLIOS.keys() == TASKS.keys()
    for known in PORTFOLIOS.values():
        assert {*known.usual, *known.guards, *known.recipients} <= set(known.makers)


class Broken(GaussianNB):
    def fit(self, x: np.ndarray, y: np.ndarray) -> Broken:
        raise RuntimeError("no")


class Silent(BaseEstimator):
    def fit(self, x: np.ndarray, y: np.ndarray) -> Silent:
        return self


@pytest.mark.parametrize(
    ("what", "task", "sentence"),
    [
        ("oracle", TWO, "use one of logistic, tree"),
        ("logistic", LIFETIME, "not known for survival"),
        ("glm", THREE, "is of two classes"),
        ("no.such.module:thing", TWO, "cannot be imported"),
        ("sklearn.svm:NoSuch", TWO, "cannot be imported"),
        (":x", TWO, "cannot be imported"),
        (BaseEstimator(), TWO, "no fit method"),
        (Silent(), TWO, "neither predict_proba nor decision_function"),
        (Silent(), LIFETIME, "no predict method"),
        ("logistic", AMOUNT, "not known for amounts; use one of linear, tree"),
        (GaussianNB, AMOUNT, "predicts no number"),
    ],
    ids=str,
)
def test_what_is_no_model_is_refused_in_one_sentence(what: Any, task: Task, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        resolve(what, task)


def test_a_model_can_be_named_by_its_import_path() -> None:
    assert resolve("sklearn.naive_bayes:GaussianNB", TWO).name == "GaussianNB"


def test_an_estimator_is_copied_for_every_table_and_never_fitted_itself() -> None:
    estimator = DecisionTreeClassifier(max_depth=2)
    adapt(estimator, TWO).fit(tables(), outcomes(TWO), NUMERIC)
    assert not hasattr(estimator, "tree_")


def test_an_estimator_that_raises_is_named() -> None:
    with pytest.raises(ModelError, match="'Broken' could not be fitted"):
        adapt(Broken(), TWO).fit(tables(), outcomes(TWO), NUMERIC)


@pytest.mark.parametrize("name", ["naive_bayes", "neighbours", "svm"])
def test_a_library_model_keeps_its_portfolio_name_so_that_a_release_can_be_evaluated(
    name: str,
) -> None:
    assert resolve(name, Classification("y", 2)).name == name
