"""The portfolio's models of amounts, each a batch of tables at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tincture.arrays import Floats
from tincture.models.batched import LinearKernel, TreeKernel
from tincture.models.protocol import Model
from tincture.public.tasks import Amounts


def plain(task: Amounts | None) -> Model:
    """Least squares, as R's ``lm``."""
    from tincture.kernels import linear

    return LinearKernel("linear", lambda x, o: linear.fit(x, o[:, 0]))


def _tree(task: Amounts) -> Model:
    from tincture.kernels import amounts

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        return amounts.tree(x, outcomes[:, 0], max_depth=5, seed=seed)

    return TreeKernel("tree", fit, draws=4, quick=True)


def _forest(task: Amounts, n_trees: int = 100) -> Model:
    from tincture.kernels import amounts

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        return amounts.forest(x, outcomes[:, 0], n_trees=n_trees, seed=seed)

    return TreeKernel("forest", fit, sketch=_forest(task, 25) if n_trees > 25 else None)


def _boosting(task: Amounts, n_estimators: int = 100) -> Model:
    from tincture.kernels import amounts

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        rate = 10 / n_estimators
        return amounts.boosting(
            x, outcomes[:, 0], n_estimators=n_estimators, max_depth=3, learning_rate=rate
        )

    sketch = _boosting(task, 33) if n_estimators > 33 else None
    return TreeKernel("boosting", fit, draws=2 if sketch else 1, sketch=sketch)


MAKERS: dict[str, Callable[[Any], Model]] = {
    "linear": plain,
    "tree": _tree,
    "forest": _forest,
    "boosting": _boosting,
}
