"""The portfolio's classifiers, each a batch of tables at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.errors import ModelError
from tincture.models.adapt import Classifier
from tincture.models.batched import LinearKernel, TreeKernel
from tincture.models.generic import Generic
from tincture.models.protocol import Model
from tincture.public.tasks import Classification


def _labels(outcomes: Floats) -> Integers:
    return outcomes[:, 0].astype(np.int64)


def _linear(name: str, fit: Callable[..., Any], task: Classification) -> Model:
    return LinearKernel(name, lambda x, o: fit(x, _labels(o), n_classes=task.n_classes))


def _logistic(task: Classification) -> Model:
    from tincture.kernels import logistic

    return _linear("logistic", logistic.fit, task)


def plain(task: Classification | None, most: int = 10) -> Model:
    """R's ``glm(binomial)``; ten steps tell a separated table from others, R itself takes 25.

    Raises
    ------
    ModelError
        If there are not two classes.
    """
    from tincture.kernels import glm

    if task is not None and task.n_classes != 2:
        raise ModelError(
            f"The model 'glm' is of two classes; the target has {task.n_classes}. Use 'logistic'."
        )
    return LinearKernel("glm", lambda x, o: glm.fit(x, _labels(o), most=most))


def _naive_bayes(task: Classification) -> Model:
    from tincture.kernels import naive_bayes

    return _linear("naive_bayes", naive_bayes.fit, task)


def _neighbours(task: Classification) -> Model:
    from tincture.kernels import neighbours

    return _linear("neighbours", neighbours.fit, task)


def _svm(task: Classification) -> Model:
    from tincture.kernels.svm import SupportVectors

    return Generic("svm", Classifier(lambda seed: SupportVectors(), task.n_outputs))


def _tree(task: Classification) -> Model:
    from tincture.kernels import tree

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        return tree.fit(x, _labels(outcomes), n_classes=task.n_classes, max_depth=5)

    return TreeKernel("tree", fit, draws=4, quick=True)


def _forest(task: Classification, n_trees: int = 100) -> Model:
    from tincture.kernels import forest

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        labels = _labels(outcomes)
        return forest.fit(x, labels, n_classes=task.n_classes, n_trees=n_trees, seed=seed)

    return TreeKernel("forest", fit, sketch=_forest(task, 25) if n_trees > 25 else None)


def _boosting(task: Classification, n_estimators: int = 100) -> Model:
    from tincture.kernels import boosting

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        return boosting.fit(
            x,
            _labels(outcomes),
            n_classes=task.n_classes,
            n_estimators=n_estimators,
            max_depth=3,
            learning_rate=10 / n_estimators,
        )

    sketch = _boosting(task, 33) if n_estimators > 33 else None
    return TreeKernel("boosting", fit, draws=2 if sketch else 1, sketch=sketch)


MAKERS: dict[str, Callable[[Any], Model]] = {
    "logistic": _logistic,
    "tree": _tree,
    "forest": _forest,
    "boosting": _boosting,
    "naive_bayes": _naive_bayes,
    "neighbours": _neighbours,
    "svm": _svm,
    "glm": plain,
}
