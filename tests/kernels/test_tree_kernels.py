"""Tree models against scikit-learn and XGBoost, and on degenerate tables."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from helpers import kernel_threads
from tincture.errors import ModelError
from tincture.kernels import boosting, forest, tree

Fit = Callable[..., Any]
FITS: dict[str, Fit] = {
    "tree": tree.fit,
    "forest": lambda x, y, **k: forest.fit(x, y, n_trees=7, **k),
    "boosting": lambda x, y, **k: boosting.fit(x, y, n_estimators=7, max_depth=3, **k),
}
models = pytest.mark.parametrize("fit", FITS.values(), ids=FITS.keys())


def make_tables(
    n_tables: int, m: int, p: int, n_classes: int, seed: int, n_records: int = 500
) -> tuple[NDArray[Any], ...]:
    """Draw tables and records whose classes depend on half of the columns, some of them binary."""
    rng = np.random.default_rng(seed)
    slope = rng.normal(size=(p, n_classes)) * (np.arange(p)[:, None] % 2)

    def draw(*shape: int) -> tuple[NDArray[Any], NDArray[Any]]:
        x = rng.normal(size=(*shape, p))
        x[..., ::5] = np.round(x[..., ::5])
        noise = rng.gumbel(size=(*shape, n_classes))
        return x, (x @ slope + noise).argmax(-1)

    x, y = draw(n_tables, m)
    y[:, :n_classes] = np.arange(n_classes)
    return x, y, *draw(n_records)


def auroc(y: NDArray[Any], chance: NDArray[Any]) -> float:
    """Score chances of two classes."""
    return float(roc_auc_score(y, chance[:, 1]))


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize(("depth", "leaf"), [(None, 1), (3, 1), (5, 4)])
def test_tree_equals_sklearn_on_one_column(n_classes: int, depth: int | None, leaf: int) -> None:
    """With one column only the lowest of equally good thresholds can be meant."""
    x, y, records, _ = make_tables(20, 60, 1, n_classes, seed=n_classes)
    ours = tree.fit(x, y, n_classes=n_classes, max_depth=depth, min_samples_leaf=leaf)
    chances = ours.predict(records)
    for r in range(len(x)):
        theirs = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf).fit(x[r], y[r])
        np.testing.assert_allclose(chances[r], theirs.predict_proba(records), atol=1e-12)
        assert ours.nodes.start[r, 1] == theirs.tree_.node_count


def test_tree_finds_the_best_first_split_of_sklearn() -> None:
    """Gains of equally good splits are equal, whichever column was chosen."""
    x, y, _, _ = make_tables(100, 80, 30, 3, seed=1)
    ours = tree.fit(x, y, n_classes=3, max_depth=1)
    same = 0
    for r in range(len(x)):
        stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x[r], y[r]).tree_
        feature, threshold = ours.nodes.feature[r, 0], ours.nodes.threshold[r, 0]
        left = x[r, :, feature].astype(np.float32) <= threshold
        gini = sum(
            side.sum() * (1 - ((np.bincount(y[r][side]) / side.sum()) ** 2).sum())
            for side in (left, ~left)
        )
        assert gini == pytest.approx((stump.impurity * stump.n_node_samples)[1:].sum())
        same += feature == stump.feature[0] and threshold == pytest.approx(stump.threshold[0])
    assert same > 90


def test_tree_scores_like_sklearn() -> None:
    """Deep trees differ by the columns drawn among equals, but not in what they are worth."""
    x, y, records, labels = make_tables(300, 100, 20, 2, seed=2)
    chances = tree.fit(x, y, n_classes=2, max_depth=3).predict(records)
    ours = [auroc(labels, chance) for chance in chances]
    theirs = [
        auroc(
            labels,
            DecisionTreeClassifier(max_depth=3, random_state=r)
            .fit(x[r], y[r])
            .predict_proba(records),
        )
        for r in range(len(x))
    ]
    assert abs(np.mean(ours) - np.mean(theirs)) < 0.002


def test_forest_scores_like_sklearn() -> None:
    """Forests of the same kind score alike and rank records alike."""
    x, y, records, labels = make_tables(50, 100, 20, 2, seed=3)
    chances = forest.fit(x, y, n_classes=2).predict(records)
    difference, correlation = [], []
    for r in range(len(x)):
        model = RandomForestClassifier(100, random_state=r).fit(x[r], y[r])
        theirs = model.predict_proba(records)
        difference.append(auroc(labels, chances[r]) - auroc(labels, theirs))
        correlation.append(spearmanr(chances[r, :, 1], theirs[:, 1])[0])
    assert abs(np.mean(difference)) < 0.01
    assert np.mean(correlation) > 0.9


def test_forest_trees_grow_like_sklearn() -> None:
    """The number of nodes shows bootstrap, purity and columns tried to be right."""
    x, y, _, _ = make_tables(20, 100, 20, 3, seed=4)
    x[:, :, :14] = 0.0  # most columns constant, so that looking past them matters
    ours = np.diff(forest.fit(x, y, n_classes=3, n_trees=50).nodes.start).mean()
    theirs = np.mean(
        [
            e.tree_.node_count
            for r in range(len(x))
            for e in RandomForestClassifier(50, random_state=r).fit(x[r], y[r]).estimators_
        ]
    )
    assert ours == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(
    "settings_",
    [
        {"n_estimators": 60, "max_depth": 3, "learning_rate": 0.1},
        {"n_estimators": 20, "max_depth": 6, "learning_rate": 0.3, "min_child_weight": 0.0},
        {"n_estimators": 20, "max_depth": 2, "learning_rate": 0.3, "reg_lambda": 0.1},
    ],
)
def test_boosting_equals_xgboost(n_classes: int, settings_: dict[str, Any]) -> None:
    """Nearly always every chance agrees; a near-tie may fall otherwise."""
    xgboost = pytest.importorskip("xgboost")
    x, y, records, _ = make_tables(10, 100, 20, n_classes, seed=5)
    chances = boosting.fit(x, y, n_classes=n_classes, **settings_).predict(records)
    correlation, error = [], []
    for r in range(len(x)):
        model = xgboost.XGBClassifier(tree_method="exact", n_jobs=1, **settings_).fit(x[r], y[r])
        theirs = model.predict_proba(records)
        correlation += [spearmanr(chances[r, :, k], theirs[:, k])[0] for k in range(n_classes)]
        error.append(np.abs(chances[r] - theirs).max())
    assert min(correlation) > 0.98
    assert np.median(error) < 1e-5


@pytest.mark.parametrize("y", [[0] * 10, [1] * 10, [0] * 6 + [2] * 4])
def test_boosting_base_score_equals_xgboost(y: list[int]) -> None:
    """Absent classes keep the small chance XGBoost gives them."""
    xgboost = pytest.importorskip("xgboost")
    x, n_classes = np.zeros((10, 1)), max(2, *y, 1 + max(y))
    parameters: dict[str, Any] = {"tree_method": "exact", "objective": "binary:logistic"}
    if n_classes > 2:
        parameters |= {"objective": "multi:softprob", "num_class": n_classes}
    theirs = xgboost.train(parameters, xgboost.DMatrix(x, y), 3).predict(xgboost.DMatrix(x))
    theirs = np.stack([1 - theirs, theirs], axis=1) if theirs.ndim == 1 else theirs
    ours = boosting.fit(x[None], np.array(y), n_classes=n_classes, n_estimators=3).predict(x)[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


@st.composite
def degenerate_tables(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Draw small tables full of ties, constant columns, huge values and absent classes."""
    n_tables, m, p = draw(st.integers(1, 3)), draw(st.integers(1, 12)), draw(st.integers(1, 4))
    n_classes = draw(st.integers(1, 6))
    seed = draw(st.integers(0, 2**32 - 1))
    values = draw(
        st.lists(
            st.sampled_from([0.0, -0.0, 1.0, 1e300, -1e300, 1e-300, 3.4e38, 1e-8, 1 + 1e-8])
            | st.floats(allow_nan=False, allow_infinity=False),
            min_size=1,
            max_size=5,
        )
    )
    rng = np.random.default_rng(seed)
    x = rng.choice(values, size=(n_tables, m, p))
    x[:, rng.integers(m)] = x[:, 0]
    y = rng.integers(0, draw(st.integers(1, n_classes)), size=(n_tables, m))
    return x, y, n_classes


@models
@settings(max_examples=200, deadline=None)
@given(table=degenerate_tables())
def test_degenerate_tables_give_chances(
    fit: Fit, table: tuple[NDArray[Any], NDArray[Any], int]
) -> None:
    """Whatever the table, chances are finite, sum to one and absent classes get none."""
    x, y, n_classes = table
    chances = fit(x, y, n_classes=n_classes).predict(x[0])
    assert chances.shape == (len(x), x.shape[1], n_classes)
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=2), 1.0)
    for r in range(len(x)):
        absent = np.setdiff1d(np.arange(n_classes), y[r])
        if fit is not FITS["boosting"]:
            assert (chances[r][:, absent] == 0).all()
            if n_classes - absent.size == 1:
                assert (chances[r][:, y[r, 0]] == 1).all()


@settings(max_examples=60, deadline=None)
@given(table=degenerate_tables())
def test_full_tree_separates_distinct_rows(
    table: tuple[NDArray[Any], NDArray[Any], int],
) -> None:
    """A tree without limits gives each row the class shares of the rows equal to it."""
    x, y, n_classes = table
    x = np.round(np.clip(x, -9, 9))
    chances = tree.fit(x, y, n_classes=n_classes)
    for r in range(len(x)):
        ours = chances.predict(x[r])[r]
        for i in range(x.shape[1]):
            equal = (x[r] == x[r, i]).all(axis=1)
            expected = np.bincount(y[r][equal], minlength=n_classes) / equal.sum()
            np.testing.assert_allclose(ours[i], expected)


@models
def test_threads_do_not_matter(fit: Fit) -> None:
    """Every table has its own random numbers and its own part of the output."""
    x, y, records, _ = make_tables(9, 40, 6, 3, seed=6)
    results = []
    for n in (1, 2):
        with kernel_threads(n):
            results.append(fit(x, y, n_classes=3, seed=5).predict(records))
    np.testing.assert_array_equal(*results)


@models
def test_a_table_does_not_depend_on_the_others(fit: Fit) -> None:
    """The first tables of a batch fit as they would alone, and one target serves all tables."""
    x, y, records, _ = make_tables(4, 40, 6, 2, seed=7)
    together = fit(x, y[0], n_classes=2).predict(records)
    alone = fit(x[:1], y[:1], n_classes=2).predict(records)
    np.testing.assert_array_equal(together[:1], alone)


@models
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fill_equals_filled_records(fit: Fit, dtype: type) -> None:
    """A missing value counts as the value of its table and column."""
    x, y, records, _ = make_tables(5, 60, 8, 3, seed=8, n_records=300)
    rng = np.random.default_rng(8)
    fill = np.median(x, axis=1)
    fill[:, 0] = x[:, 3, 0]
    records = records.astype(dtype)
    records[rng.random(records.shape) < 0.3] = np.nan
    model = fit(x, y, n_classes=3)
    chances = model.predict(records, fill)
    for r in range(len(x)):
        filled = np.where(np.isnan(records), fill[r].astype(dtype), records)
        np.testing.assert_array_equal(chances[r], model.predict(filled)[r])


def test_forest_depends_on_the_seed() -> None:
    """Seeds differ, and the same seed repeats."""
    x, y, records, _ = make_tables(2, 50, 6, 2, seed=9)
    first, again, other = (
        forest.fit(x, y, n_classes=2, n_trees=5, seed=s).predict(records) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_large_trees_route_like_small_ones() -> None:
    """Down a tree of more than 1,500 nodes every record goes its own way, to the same leaf."""
    x, _, records, _ = make_tables(1, 2500, 3, 2, seed=11)
    y = np.random.default_rng(11).integers(0, 2, size=2500)
    model = tree.fit(x, y, n_classes=2)
    assert model.nodes.start[0, 1] > 1500
    np.testing.assert_array_equal(model.predict(x[0])[0, :, 1], y)
    holes = np.where(np.random.default_rng(12).random(records.shape) < 0.3, np.nan, records)
    fill = np.median(x, axis=1)
    np.testing.assert_array_equal(
        model.predict(holes, fill), model.predict(np.where(np.isnan(holes), fill[0], holes))
    )


@pytest.mark.parametrize("m", [2, 63, 64, 65, 128, 200])
def test_rows_are_put_in_order_at_every_size(m: int) -> None:
    """Sets of bits for the places of rows fill words to the last bit."""
    x, y, records, _ = make_tables(5, m, 1, 2, seed=m)
    chances = tree.fit(x, y, n_classes=2).predict(records)
    for r in range(len(x)):
        model = DecisionTreeClassifier().fit(x[r], y[r])
        np.testing.assert_allclose(chances[r], model.predict_proba(records), atol=1e-12)


def test_many_rows_and_classes() -> None:
    """Long tables are sorted by merging; class counts span several words."""
    x, y, _, _ = make_tables(1, 1500, 3, 9, seed=10)
    chances = tree.fit(x, y, n_classes=9).predict(x[0])
    model = DecisionTreeClassifier(random_state=0).fit(x[0], y[0])
    np.testing.assert_allclose(chances[0], model.predict_proba(x[0]), atol=1e-12)


@models
def test_inputs_are_checked(fit: Fit) -> None:
    """Labels out of range, missing values without fill and huge tables are refused."""
    x, y = np.zeros((1, 4, 2)), np.array([0, 1, 0, 1])
    with pytest.raises(ValueError, match="labels"):
        fit(x, y + 1, n_classes=2)
    with pytest.raises(ValueError, match="shape"):
        fit(x[0], y, n_classes=2)
    with pytest.raises(ModelError, match=r"40,000 rows .* at most 32,767"):
        fit(np.zeros((1, 40000, 1)), np.zeros(40000, np.int64), n_classes=2)
    with pytest.raises(ValueError, match="fill"):
        fit(x, y, n_classes=2).predict(np.full((1, 2), np.nan))


@models
def test_overflow_is_silent(fit: Fit) -> None:
    """Values beyond 32 bits become the largest number; a warning would be an error."""
    x = np.array([[[1e300], [-1e300], [1e300], [0.0]]])
    chances = fit(x, np.array([0, 1, 0, 1]), n_classes=2).predict(x[0])
    assert (chances[0, 0] == chances[0, 2]).all()
