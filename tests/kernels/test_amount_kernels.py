"""Models of amounts against scikit-learn and XGBoost, and on degenerate tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from helpers import kernel_threads
from tincture.kernels import amounts, linear

FITS: dict[str, Callable[..., Any]] = {
    "linear": linear.fit,
    "tree": amounts.tree,
    "forest": lambda x, y: amounts.forest(x, y, n_trees=7),
    "boosting": lambda x, y: amounts.boosting(x, y, n_estimators=7, max_depth=3),
}
models = pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())


def make_tables(n_tables: int, m: int, p: int, seed: int) -> tuple[NDArray[Any], ...]:
    """Tables, amounts that depend on half of the columns, and records."""
    rng = np.random.default_rng(seed)
    slope = 5 * rng.normal(size=p) * (np.arange(p) % 2)
    x, records = rng.normal(size=(n_tables, m, p)), rng.normal(size=(300, p))
    x[..., ::5], records[:, ::5] = np.round(x[..., ::5]), np.round(records[:, ::5])
    return x, x @ slope + 3 * rng.normal(size=(n_tables, m)) + 20, records


@pytest.mark.parametrize(("depth", "leaf"), [(None, 1), (3, 1), (5, 4)])
def test_a_tree_equals_sklearn_on_one_column(depth: int | None, leaf: int) -> None:
    """With one column the best split is one only; records in the middle of values go left."""
    x, y, records = make_tables(20, 60, 1, seed=leaf)
    ours = amounts.tree(x, y, max_depth=depth, min_samples_leaf=leaf)
    found = ours.predict(records)
    for r in range(len(x)):
        theirs = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=leaf).fit(x[r], y[r])
        np.testing.assert_allclose(found[r], theirs.predict(records), rtol=1e-5)
        assert ours.nodes.start[r, 1] == theirs.tree_.node_count


def test_a_tree_finds_the_best_first_split_of_sklearn() -> None:
    x, y, _ = make_tables(50, 80, 30, seed=1)
    ours = amounts.tree(x, y, max_depth=1)
    for r in range(len(x)):
        stump = DecisionTreeRegressor(max_depth=1).fit(x[r], y[r]).tree_
        assert ours.nodes.feature[r, 0] == stump.feature[0]
        assert ours.nodes.threshold[r, 0] == pytest.approx(stump.threshold[0], rel=1e-6)


def test_a_forest_predicts_like_sklearn() -> None:
    """Two forests of one kind and other random numbers agree as nearly."""
    x, y, records = make_tables(5, 80, 6, seed=2)
    ours = amounts.forest(x, y, n_trees=300, seed=1).predict(records)
    other = amounts.forest(x, y, n_trees=300, seed=2).predict(records)
    made = [
        RandomForestRegressor(300, random_state=0).fit(*pair) for pair in zip(x, y, strict=True)
    ]
    theirs = np.array([forest.predict(records) for forest in made])
    assert np.abs(ours - theirs).mean() < 1.2 * np.abs(ours - other).mean()
    assert abs((ours - theirs).mean()) < 0.05 * theirs.std()


def test_boosting_equals_xgboost() -> None:
    x, y, records = make_tables(5, 100, 6, seed=3)
    make = pytest.importorskip("xgboost").XGBRegressor
    settings: dict[str, Any] = {"n_estimators": 50, "max_depth": 3, "learning_rate": 0.1}
    ours = amounts.boosting(x, y, **settings).predict(records)
    for r in range(len(x)):
        theirs = make(tree_method="exact", **settings).fit(x[r], y[r]).predict(records)
        assert np.median(np.abs(ours[r] - theirs)) < 1e-3
        assert np.corrcoef(ours[r], theirs)[0, 1] > 0.999


def test_least_squares_are_those_of_sklearn_and_their_errors_the_textbook_s() -> None:
    x, y, records = make_tables(4, 50, 6, seed=4)
    ours = linear.fit(x, y)
    for r in range(len(x)):
        theirs = LinearRegression().fit(x[r], y[r])
        np.testing.assert_allclose(ours.predict(records)[r], theirs.predict(records), rtol=1e-9)
        design = np.column_stack([np.ones(50), x[r]])
        spread = np.square(y[r] - theirs.predict(x[r])).sum() / (50 - 7)
        errors = np.sqrt(spread * np.linalg.inv(design.T @ design).diagonal()[1:])
        np.testing.assert_allclose(ours.error[r], errors, rtol=1e-9)


def test_aliased_columns_have_no_coefficient() -> None:
    """All levels of a factor beside the constant, and a column that is constant itself."""
    rng = np.random.default_rng(5)
    level = np.eye(3)[rng.integers(3, size=40)]
    x = np.column_stack([rng.normal(size=40), level, np.full(40, 0.1)])
    y = x[:, 0] + level @ [1.0, 2.0, 4.0]
    ours = linear.fit(x[None], y)
    np.testing.assert_allclose(ours.coef[0], [1, -3, -2, 0, 0], atol=1e-9)
    assert np.isnan(ours.error[0, 3:]).all()
    np.testing.assert_allclose(ours.predict(x)[0], y, atol=1e-9)


@models
@pytest.mark.parametrize("m", [1, 2, 9])
def test_degenerate_tables_predict_amounts_that_they_hold(fit: Any, m: int) -> None:
    """Few rows, equal rows, one amount for all."""
    x = np.zeros((3, m, 4))
    x[1] = np.random.default_rng(6).normal(size=(m, 4))
    y = np.array([np.arange(m), np.full(m, 7.0), np.full(m, -2.0)], dtype=np.float64)
    found = fit(x, y).predict(np.random.default_rng(7).normal(size=(20, 4)))
    np.testing.assert_allclose(found[0], (m - 1) / 2, atol=1e-6 + (m / 3 if m > 1 else 0))
    np.testing.assert_allclose(found[1], 7.0)
    np.testing.assert_allclose(found[2], -2.0)


@models
def test_threads_and_other_tables_do_not_matter(fit: Any) -> None:
    x, y, records = make_tables(7, 50, 6, seed=8)
    found = []
    for n in (1, 2):
        with kernel_threads(n):
            found.append(fit(x, y).predict(records))
    np.testing.assert_array_equal(*found)
    np.testing.assert_array_equal(fit(x[2:3], y[2:3]).predict(records)[0], found[0][2])


@models
def test_fill_equals_filled_records(fit: Any) -> None:
    x, y, records = make_tables(2, 50, 6, seed=9)
    fill = np.random.default_rng(10).normal(size=(2, 6))
    gaps = np.where(np.random.default_rng(11).uniform(size=records.shape) < 0.2, np.nan, records)
    fitted = fit(x, y)
    for r in range(2):
        whole = np.where(np.isnan(gaps), fill[r], gaps)
        np.testing.assert_array_equal(fitted.predict(gaps, fill)[r], fitted.predict(whole)[r])
