"""The usual libraries' estimators, for which a release's models stand."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.models.generic import Generic
from tincture.models.protocol import Model

FEW = 1000  # rows that scikit-survival's forest learns in seconds


def sklearn(module: str, name: str, **settings: Any) -> Callable[[], Any]:
    """A maker of one of scikit-learn's estimators."""

    def make() -> Any:
        return getattr(importlib.import_module(f"sklearn.{module}"), name)(**settings)

    return make


def boosted() -> Any:
    """XGBoost where it is installed, else scikit-learn's histogram boosting set alike."""
    settings: dict[str, Any] = {"max_depth": 4, "learning_rate": 0.1}
    try:
        from xgboost import XGBClassifier
    except ImportError:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=200,
            min_samples_leaf=1,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
            **settings,
        )
    return XGBClassifier(n_estimators=200, n_jobs=1, random_state=0, **settings)


def boosted_mean() -> Any:
    """The same of amounts."""
    settings: dict[str, Any] = {"max_depth": 4, "learning_rate": 0.1, "random_state": 0}
    try:
        from xgboost import XGBRegressor
    except ImportError:
        from sklearn.ensemble import HistGradientBoostingRegressor

        own = {"max_iter": 200, "min_samples_leaf": 1, "l2_regularization": 1.0}
        return HistGradientBoostingRegressor(early_stopping=False, **own, **settings)
    return XGBRegressor(n_estimators=200, n_jobs=1, **settings)


def structured(outcomes: Floats) -> NDArray[Any]:
    """Events and times (m,) as scikit-survival wants them."""
    y = np.empty(len(outcomes), dtype=[("event", bool), ("time", np.float64)])
    y["event"], y["time"] = outcomes[:, 1] > 0.5, np.maximum(outcomes[:, 0], 1e-6)
    return y


def least_leaf(outcomes: Floats) -> int:
    """Fewest rows in a leaf of a survival forest: more rows bear larger, steadier leaves."""
    return max(3, min(15, len(outcomes) // 30))


@dataclass(frozen=True, slots=True)
class BoostedCox:
    """XGBoost's Cox regression; its predictions are hazards up to a factor."""

    make: Callable[..., Any]
    n_outputs: ClassVar[int] = 1
    threads: ClassVar[bool] = True

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy; censored times are told by their sign."""
        time = np.maximum(outcomes[:, 0], 1e-6)
        settings = {"max_depth": 3, "learning_rate": 0.1, "n_jobs": 1, "random_state": seed}
        model = self.make(objective="survival:cox", **settings)
        return model.fit(x, np.where(outcomes[:, 1] > 0.5, time, -time))

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Log hazard (b, 1)."""
        hazard = np.asarray(fitted.predict(x), dtype=np.float64)
        return np.asarray(np.log(np.maximum(hazard, 1e-12))[:, None])


def boosted_cox(kernel: Model) -> Model:
    """XGBoost where it is installed, else the kernel that is faithful to it."""
    try:
        from xgboost import XGBRegressor
    except ImportError:
        return kernel
    return Generic("boosting_cox", BoostedCox(XGBRegressor))


@dataclass(frozen=True, slots=True)
class SurvivalTrees:
    """scikit-survival's forest of few rows; with many it takes minutes, and the kernel agrees."""

    make: Callable[..., Any]
    kernel: Model
    n_outputs: ClassVar[int] = 1
    threads: ClassVar[bool] = True

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy, or the kernel's."""
        if len(x) > FEW:
            amounts = np.ones(x.shape[1], dtype=bool)
            return self.kernel.fit(x[None], outcomes, amounts, seed=seed)
        settings = {"max_features": "sqrt", "random_state": seed, "low_memory": True}
        forest = self.make(100, min_samples_leaf=least_leaf(outcomes), **settings)
        return forest.fit(x, structured(outcomes))

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Log of the expected number of events (b, 1)."""
        found = np.asarray(fitted.predict(x), dtype=np.float64)
        if found.ndim == 3:  # of the kernel, a log already
            return np.asarray(found[0])
        return np.asarray(np.log(np.maximum(found, 1e-3))[:, None])


def surviving_forest(kernel: Model) -> Model:
    """scikit-survival where it is installed, else the kernel that is faithful to it."""
    try:
        from sksurv.ensemble import RandomSurvivalForest
    except ImportError:
        return kernel
    return Generic("survival_forest", SurvivalTrees(RandomSurvivalForest, kernel))
