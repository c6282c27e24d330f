"""The batched naive Bayes is scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from tincture.kernels import naive_bayes


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(n_classes: int) -> None:
    rng = np.random.default_rng(0)
    tables = rng.normal(size=(20, 60, 7))
    tables[:, :, 3] = tables[:, :, 3] > 1
    target = rng.permutation(np.arange(60) % n_classes)
    tables[:, :, 0] += target
    records = rng.normal(size=(200, 7))
    records[::4, 2] = np.nan
    fill = np.median(tables, axis=1)
    predicted = naive_bayes.fit(tables, target, n_classes=n_classes).predict(records, fill)
    for table, own_fill, p in zip(tables, fill, predicted, strict=True):
        complete = np.where(np.isnan(records), own_fill, records)
        theirs = GaussianNB().fit(table, target).predict_proba(complete)
        np.testing.assert_allclose(p, theirs, atol=1e-9)


def test_unscaling_gives_the_model_of_raw_values() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(4, 50, 3)) * 7 + 2
    target = np.arange(50) % 2
    centre, scale = raw.mean(axis=1), raw.std(axis=1)
    scaled = (raw - centre[:, None]) / scale[:, None]
    records = rng.normal(size=(30, 3)) * 7
    fitted = naive_bayes.fit(scaled, target, n_classes=2)
    p = fitted.unscale(centre, scale).predict(records)
    for r in range(4):
        alone = fitted.predict((records - centre[r]) / scale[r])[r]
        np.testing.assert_allclose(p[r], alone, atol=1e-9)


@pytest.mark.parametrize("rows", ["constant", "one class", "extreme"])
def test_degenerate_tables_give_finite_probabilities(rows: str) -> None:
    tables = np.ones((3, 6, 2))
    target = np.zeros(6, dtype=np.int64)
    if rows != "one class":
        target[3:] = 1
    if rows == "extreme":
        tables = np.linspace(-1e150, 1e150, 36).reshape(3, 6, 2)
    p = naive_bayes.fit(tables, target, n_classes=2).predict(np.array([[1.0, 1.0], [1e150, 0.0]]))
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=2), 1.0)
