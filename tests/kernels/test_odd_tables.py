"""Whatever the table, a kernel returns finite numbers and never warns.

    python -m pytest tests/kernels/test_odd_tables.py --hypothesis-profile=thorough

runs 10,000 examples a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from odd_tables import Odd, make, odd_tables

from tincture.kernels import (
    aft,
    boosting,
    boosting_cox,
    cox,
    coxph,
    forest,
    glm,
    logistic,
    naive_bayes,
    survival_forest,
    tree,
)

CLASSIFIERS: dict[str, Callable[[Odd], Any]] = {
    "logistic": lambda t: logistic.fit(t.x, t.label, n_classes=t.n_classes),
    "naive_bayes": lambda t: naive_bayes.fit(t.x, t.label, n_classes=t.n_classes),
    "tree": lambda t: tree.fit(t.x, t.label, n_classes=t.n_classes),
    "forest": lambda t: forest.fit(t.x, t.label, n_classes=t.n_classes, n_trees=7),
    "boosting": lambda t: boosting.fit(t.x, t.label, n_classes=t.n_classes, n_estimators=7),
}
SURVIVAL: dict[str, Callable[[Odd], Any]] = {
    "cox": lambda t: cox.fit(t.x, t.time, t.event),
    "coxph": lambda t: coxph.fit(t.x, t.time, t.event),
    "aft": lambda t: aft.fit(t.x, t.time, t.event),
    "survival_forest": lambda t: survival_forest.fit(t.x, t.time, t.event, n_trees=7),
    "boosting_cox": lambda t: boosting_cox.fit(t.x, t.time, t.event, n_estimators=7),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@example(table=make(0, (1, 2, 1), [1e300]))  # whose squares are no finite numbers
@given(table=odd_tables())
def test_classifiers_give_chances(name: str, table: Odd) -> None:
    """Chances are finite and sum to one; a class without rows gets none."""
    chances = CLASSIFIERS[name](table).predict(table.records, table.fill)
    assert chances.shape == (len(table.x), len(table.records), table.n_classes)
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=2), 1.0)
    for r, label in enumerate(table.label):
        present = np.unique(label)
        if name != "boosting":  # which keeps a small chance, as XGBoost does
            absent = np.setdiff1d(np.arange(table.n_classes), present)
            assert (chances[r][:, absent] < 1e-9).all()


@example(table=make(0, (1, 2, 1), [1e300]))
@example(table=make(0, (1, 8, 2), [0.0, 5e-324, 1e-300]))
@given(table=odd_tables())
def test_plain_regressions_give_chances(table: Odd) -> None:
    """Of two classes; where rows are separated, chances are extreme and still finite."""
    chances = glm.fit(table.x, np.minimum(table.label, 1)).predict(table.records, table.fill)
    assert np.isfinite(chances).all()
    np.testing.assert_allclose(chances.sum(axis=2), 1.0)


@pytest.mark.parametrize("name", SURVIVAL)
@given(table=odd_tables())
def test_survival_models_give_risks(name: str, table: Odd) -> None:
    """Risks are finite; without events no record stands out."""
    risk = SURVIVAL[name](table).predict(table.records, table.fill)
    assert risk.shape == (len(table.x), len(table.records))
    assert np.isfinite(risk).all()
    for r, event in enumerate(table.event):
        assert event.any() or np.ptp(risk[r]) == 0.0
