"""Kernels against stored answers of software that need not be installed.

`benchmarks/golden.py` made the files and says how; each names the versions it was made with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from tincture.kernels import aft, boosting, boosting_cox, cox, survival_forest

FOLDER = Path(__file__).parents[1] / "golden"
BOOSTED: dict[str, Any] = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1}


def load(name: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{name}.npz") as archive:
        return dict(archive)


T = load("tables")


@pytest.mark.parametrize("software", ["scikit_survival", "lifelines"])
def test_cox_coefficients_with_ties_and_heavy_censoring(software: str) -> None:
    """Three of the six tables have tied times; up to 90% of the rows are censored."""
    ours = cox.fit(T["x"], T["time"], T["event"], alpha=1.0).coef
    np.testing.assert_allclose(ours, load("cox")[software], atol=1e-4)


def test_aft_coefficients_are_those_of_lifelines() -> None:
    """lifelines stops early, at about three digits."""
    ours, theirs = aft.fit(T["x"], T["time"], T["event"], alpha=0.0), load("aft")
    np.testing.assert_allclose(ours.shape, theirs["shape"], rtol=5e-3)
    np.testing.assert_allclose(ours.coef, theirs["coef"], atol=5e-3)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_boosting_ranks_like_xgboost(n_classes: int) -> None:
    """Every table and class ranks alike; all but a few chances are equal to five digits."""
    labels = np.minimum(T["label"], n_classes - 1)
    ours = boosting.fit(T["x"], labels, n_classes=n_classes, **BOOSTED).predict(T["records"])
    theirs = load("boosting")[f"chance_{n_classes}"]
    assert np.median(np.abs(ours - theirs).max(axis=(1, 2))) < 1e-5
    for r in range(len(ours)):
        for k in range(n_classes):
            assert spearmanr(ours[r, :, k], theirs[r, :, k])[0] >= 0.98


def test_boosting_cox_ranks_like_xgboost() -> None:
    ours = boosting_cox.fit(T["x"], T["time"], T["event"], **BOOSTED).predict(T["records"])
    for mine, theirs in zip(ours, load("boosting_cox")["margin"], strict=True):
        assert spearmanr(mine, theirs)[0] >= 0.98


def test_survival_forests_expect_what_scikit_survival_expects() -> None:
    """Means over 20 forests of each software, so that chance moves them by about 1%."""
    ours = np.mean(
        [
            survival_forest.fit(T["x"], T["time"], T["event"], seed=seed).predict(T["records"])
            for seed in range(20)
        ],
        axis=0,
    )
    for mine, theirs in zip(ours, load("survival_forest")["mortality"], strict=True):
        assert mine.mean() == pytest.approx(theirs.mean(), rel=0.03)
        assert spearmanr(mine, theirs)[0] > 0.98


def test_the_files_are_small_and_say_what_made_them() -> None:
    files = list(FOLDER.glob("*.npz"))
    assert sum(path.stat().st_size for path in files) <= 100_000
    for path in files:
        if path.stem != "tables":
            assert all(" " in str(name) for name in load(path.stem)["software"])
