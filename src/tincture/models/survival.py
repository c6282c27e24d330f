"""The portfolio's models of survival, each a batch of tables at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.models.batched import LinearKernel, TreeKernel
from tincture.models.protocol import Model
from tincture.models.recipients import least_leaf
from tincture.public.tasks import Survival


def _cox(task: Survival | None) -> Model:
    from tincture.kernels import cox

    return LinearKernel("cox", lambda x, o: cox.fit(x, o[:, 0], o[:, 1] > 0.5))


def plain(task: Survival | None, most: int = 8) -> Model:
    """R's ``coxph``; eight steps tell a separated table from others, R itself takes 20."""
    from tincture.kernels import coxph

    return LinearKernel("coxph", lambda x, o: coxph.fit(x, o[:, 0], o[:, 1] > 0.5, most=most))


def _aft(task: Survival | None) -> Model:
    from tincture.kernels import aft

    return LinearKernel("aft", lambda x, o: aft.fit(x, o[:, 0], o[:, 1] > 0.5))


@dataclass(frozen=True, slots=True)
class Logarithm:
    """A kernel's expected number of events as a log hazard."""

    fitted: Any

    def predict(self, records: NDArray[np.floating], fill: Floats | None = None) -> Floats:
        """Log of the prediction, which is floored where a forest expects no event."""
        from tincture.kernels import pointwise

        return pointwise.log(np.maximum(self.fitted.predict(records, fill), 1e-3))


def _survival_forest(task: Survival | None, n_trees: int = 100) -> Model:
    from tincture.kernels import survival_forest

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        time, event = outcomes[:, 0], outcomes[:, 1] > 0.5
        fitted = survival_forest.fit(
            x, time, event, n_trees=n_trees, seed=seed, min_samples_leaf=least_leaf(outcomes)
        )
        return Logarithm(fitted)

    sketch = _survival_forest(task, 25) if n_trees > 25 else None
    return TreeKernel("survival_forest", fit, sketch=sketch)


def _boosting_cox(task: Survival | None, n_estimators: int = 100) -> Model:
    from tincture.kernels import boosting_cox

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        time, event = np.maximum(outcomes[:, 0], 1e-6), outcomes[:, 1] > 0.5
        rate = 10 / n_estimators
        return boosting_cox.fit(x, time, event, n_estimators=n_estimators, learning_rate=rate)

    sketch = _boosting_cox(task, 33) if n_estimators > 33 else None
    return TreeKernel("boosting_cox", fit, sketch=sketch)


MAKERS: dict[str, Callable[[Any], Model]] = {
    "cox": _cox,
    "survival_forest": _survival_forest,
    "boosting_cox": _boosting_cox,
    "aft": _aft,
    "coxph": plain,
}
