"""Nearest neighbours and support vectors: what scikit-learn predicts, worked out here."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from tincture.errors import ModelError
from tincture.kernels import neighbours
from tincture.kernels.svm import SupportVectors
from tincture.models.portfolio import recipient, resolve
from tincture.public.tasks import Classification

RNG = np.random.default_rng(0)


def labelled(n: int, p: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.normal(size=(n, p))
    return x, (x[:, :n_classes] + RNG.normal(size=(n, n_classes))).argmax(axis=1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("p", [4, 5, 22])
def test_the_nearest_rows_vote_as_in_scikit_learn(n_classes: int, p: int) -> None:
    tables = [labelled(90, p, n_classes) for _ in range(3)]
    x, y = (np.stack(part) for part in zip(*tables, strict=True))
    records = RNG.normal(size=(300, p))
    records[::5, 1] = np.nan
    fill = np.median(x, axis=1)
    found = neighbours.fit(x, y, n_classes=n_classes).predict(records, fill)
    for r in range(3):
        complete = np.where(np.isnan(records), fill[r], records)
        theirs = KNeighborsClassifier(15).fit(x[r], y[r]).predict_proba(complete)
        np.testing.assert_allclose(found[r], theirs, atol=1e-12)


def test_of_equally_near_rows_the_first_votes() -> None:
    x = np.zeros((1, 4, 1))
    y = np.array([[0, 1, 1, 1]])
    found = neighbours.fit(x, y, n_classes=2, n_neighbours=1).predict(np.ones((1, 1)))
    assert found.tolist() == [[[1.0, 0.0]]]


def test_fewer_rows_than_vote_are_refused() -> None:
    with pytest.raises(ModelError, match="15 nearest rows vote, but a table has 9"):
        neighbours.fit(np.zeros((2, 9, 3)), np.zeros(9, dtype=np.int64), n_classes=2)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("n", [60, 700])
def test_decisions_of_support_vectors_are_scikit_learns(n_classes: int, n: int) -> None:
    x, y = labelled(n, 7, n_classes)
    records = RNG.normal(size=(200, 7))
    theirs = SVC().fit(x, y)
    mine = SupportVectors().fit(x, y)
    np.testing.assert_array_equal(mine.classes_, theirs.classes_)
    np.testing.assert_allclose(
        mine.decision_function(records), theirs.decision_function(records), atol=1e-12
    )


def test_constant_columns_and_absent_classes_are_endured() -> None:
    y = np.repeat([0, 3, 4], 10)
    same = np.zeros((30, 2))
    np.testing.assert_allclose(
        SupportVectors().fit(same, y).decision_function(same),
        SVC().fit(same, y).decision_function(same),
        atol=1e-12,
    )


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["neighbours", "svm"])
def test_the_search_and_the_recipient_mean_the_same_model(name: str, n_classes: int) -> None:
    """Missing amounts, scales and all: the recipient's own pipeline says the same."""
    task = Classification("y", n_classes)
    x, y = labelled(80, 6, n_classes)
    x[:, 5] = x[:, 5] > 0
    x[::7, 2] = np.nan
    numeric = np.array([True] * 5 + [False])
    records = RNG.normal(size=(150, 6))
    records[::4, 0] = np.nan
    mine, theirs = (
        model.fit(x[None] * 30 + 4, y[:, None].astype(float), numeric).predict(records * 30 + 4)
        for model in (resolve(name, task), recipient(name, task))
    )
    np.testing.assert_allclose(mine, theirs, atol=1e-9)
