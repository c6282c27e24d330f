"""Models by name, and how any estimator is met: by what it can do, never by its class."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError
from tincture.models.generic import Generic, LinearKernel, Model, TreeKernel
from tincture.models.recipients import (
    boosted,
    boosted_cox,
    least_leaf,
    sklearn,
    structured,
    surviving_forest,
)
from tincture.public.tasks import Classification, Survival, Task

Floats = NDArray[np.float64]
Maker = Callable[[int], Any]  # from a seed to a fresh estimator
TREES = {"tree", "DecisionTreeClassifier"}  # of hard splits alone


@dataclass(frozen=True, slots=True)
class Classifier:
    """scikit-learn's manner: ``fit(X, y)`` and ``predict_proba`` or ``decision_function``."""

    make: Maker
    n_classes: int
    threads: ClassVar[bool] = True

    @property
    def n_outputs(self) -> int:
        """One a class."""
        return self.n_classes

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy; a table of one class predicts that class."""
        labels = outcomes[:, 0].astype(np.int64)
        present = np.unique(labels)
        if len(present) == 1:
            return int(present[0])
        return self.make(seed).fit(x, labels)

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Probabilities (b, n_classes); classes absent from the rows get 0."""
        out = np.zeros((len(x), self.n_classes))
        if isinstance(fitted, int):
            out[:, fitted] = 1.0
            return out
        out[:, fitted.classes_.astype(np.int64)] = _probabilities(fitted, x)
        return out


def _probabilities(fitted: Any, x: Floats) -> Floats:
    from tincture.kernels.pointwise import softmax

    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(x), dtype=np.float64)
    score = np.asarray(fitted.decision_function(x), dtype=np.float64)
    if score.ndim == 1:
        score = np.stack([np.zeros_like(score), score], axis=1)
    return np.asarray(softmax(np.array(score.T[None], order="C"))[0])


@dataclass(frozen=True, slots=True)
class RiskScorer:
    """scikit-survival's manner: ``fit(X, y)`` with structured y, ``predict`` giving a risk."""

    make: Maker
    n_outputs: ClassVar[int] = 1
    threads: ClassVar[bool] = True

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy, and the level and spread of its risks, whose scale is its own affair."""
        fitted = self.make(seed).fit(x, structured(outcomes))
        own = np.asarray(fitted.predict(x), dtype=np.float64)
        return fitted, float(own.mean()), max(float(own.std()), 1e-12)

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Risk (b, 1), larger for earlier events; of spread 1, the usual one of log hazards."""
        model, level, spread = fitted
        risk = np.asarray(model.predict(x), dtype=np.float64)
        return np.asarray((risk - level) / spread).reshape(len(x), 1)


@dataclass(frozen=True, slots=True)
class Lifeline:
    """lifelines' manner: ``fit(frame, duration_col, event_col)`` and a predicted hazard or time.

    One at a time: autograd, which lifelines differentiates by, counts its nested calls for all
    threads together.
    """

    make: Maker
    n_outputs: ClassVar[int] = 1
    threads: ClassVar[bool] = False

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy, and the columns it knows: lifelines cannot do with constant ones."""
        varied = np.flatnonzero(np.ptp(x, axis=0) > 0)
        frame = _columns(x[:, varied])
        frame["time"] = np.maximum(outcomes[:, 0], 1e-6)
        frame["event"] = outcomes[:, 1]
        return self.make(seed).fit(frame, duration_col="time", event_col="event"), varied

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Risk (b, 1): the log partial hazard, or the negative log median time."""
        model, varied = fitted
        frame = _columns(x[:, varied])
        if hasattr(model, "predict_log_partial_hazard"):
            risk = model.predict_log_partial_hazard(frame)
        else:
            risk = -np.log(model.predict_median(frame))
        return np.asarray(risk, dtype=np.float64).reshape(len(x), 1)


def _columns(x: Floats) -> Any:
    import pandas as pd

    return pd.DataFrame(x, columns=[f"x{j}" for j in range(x.shape[1])])


def _copy_of(estimator: Any) -> Maker:
    if isinstance(estimator, type) or (callable(estimator) and not hasattr(estimator, "fit")):
        return lambda seed: _seeded(estimator(), seed)
    if hasattr(estimator, "get_params"):
        from sklearn.base import clone

        return lambda seed: _seeded(clone(estimator), seed)
    return lambda seed: deepcopy(estimator)


def _seeded(estimator: Any, seed: int) -> Any:
    """With a seed wherever an estimator, or a part of it, would draw one by itself."""
    if hasattr(estimator, "get_params"):
        unset = [
            name
            for name, value in estimator.get_params().items()
            if value is None and name.split("__")[-1] == "random_state"
        ]
        if unset:
            estimator.set_params(**dict.fromkeys(unset, seed))
    return estimator


def adapt(estimator: Any, task: Task) -> Model:
    """See any estimator as a `Model`, by what it can do.

    Parameters
    ----------
    estimator : object, class or factory
        With ``fit``; for classification also ``predict_proba`` or ``decision_function``; for
        survival ``predict`` (scikit-survival) or ``fit(..., duration_col, event_col)`` (lifelines).
    task : Task

    Raises
    ------
    ModelError
        If it can do neither.
    """
    if isinstance(estimator, Model):
        return estimator
    make = _copy_of(estimator)
    try:
        sample = make(0)
    except Exception as error:
        raise ModelError(f"The model {_name(estimator)!r} cannot be made: {error}") from error
    name = _name(sample)
    if not callable(getattr(sample, "fit", None)):
        raise ModelError(f"The model {name!r} has no fit method.")
    if isinstance(task, Classification):
        if not (hasattr(sample, "predict_proba") or hasattr(sample, "decision_function")):
            raise ModelError(
                f"The model {name!r} has neither predict_proba nor decision_function; a "
                "classification target needs probabilities."
            )
        return Generic(name, Classifier(make, task.n_classes))
    if "duration_col" in inspect.signature(sample.fit).parameters:
        return Generic(name, Lifeline(make))
    if not hasattr(sample, "predict"):
        raise ModelError(f"The model {name!r} has no predict method to give a risk.")
    return Generic(name, RiskScorer(make))


def _name(estimator: Any) -> str:
    return getattr(estimator, "__name__", type(estimator).__name__)


def resolve(model: Any, task: Task) -> Model:
    """A model from a name of the portfolio, ``package.module:factory``, or an estimator.

    Raises
    ------
    ModelError
        If the name is not known for this task, needs an extra, or cannot be imported.
    """
    if not isinstance(model, str):
        return adapt(model, task)
    if ":" in model:
        return adapt(_imported(model), task)
    names = portfolio(task)
    if model not in names:
        raise ModelError(
            f"The model {model!r} is not known for {task.name}; use one of {', '.join(names)}, or "
            "package.module:factory."
        )
    return names[model](task)


def _imported(path: str) -> Any:
    module, _, attribute = path.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise ModelError(
            f"The model {path!r} cannot be imported; expected package.module:factory, importable "
            "from the current environment."
        ) from None


def portfolio(task: Task) -> dict[str, Callable[[Any], Model]]:
    """Names known for a task, each with a function that makes the model for it."""
    return SURVIVAL if isinstance(task, Survival) else CLASSIFICATION


def default_models(task: Task) -> list[str]:
    """What is meant where no model is named."""
    return DEFAULTS[task.name]


def guards(task: Task) -> list[Model]:
    """Models that nobody asked for, whose loss keeps rows realistic for those who come later."""
    return [_naive_bayes(task)] if isinstance(task, Classification) else []


DEFAULTS = {
    "classification": ["logistic", "tree", "forest", "boosting"],
    "survival": ["cox", "survival_forest", "boosting_cox"],
}


def _labels(outcomes: Floats) -> NDArray[np.int64]:
    return outcomes[:, 0].astype(np.int64)


def _logistic(task: Classification) -> Model:
    from tincture.kernels import logistic

    return LinearKernel(
        "logistic", lambda x, o: logistic.fit(x, _labels(o), n_classes=task.n_classes)
    )


def _naive_bayes(task: Classification) -> Model:
    from tincture.kernels import naive_bayes

    return LinearKernel(
        "naive_bayes", lambda x, o: naive_bayes.fit(x, _labels(o), n_classes=task.n_classes)
    )


def _neighbours(task: Classification) -> Model:
    from tincture.kernels import neighbours

    return LinearKernel(
        "neighbours", lambda x, o: neighbours.fit(x, _labels(o), n_classes=task.n_classes)
    )


def _svm(task: Classification) -> Model:
    from tincture.kernels.svm import SupportVectors

    return Generic("svm", Classifier(lambda seed: SupportVectors(), task.n_classes))


def _tree(task: Classification) -> Model:
    from tincture.kernels import tree

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        return tree.fit(x, _labels(outcomes), n_classes=task.n_classes, max_depth=5)

    return TreeKernel("tree", fit, draws=4)


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


def _cox(task: Survival) -> Model:
    from tincture.kernels import cox

    return LinearKernel("cox", lambda x, o: cox.fit(x, o[:, 0], o[:, 1] > 0.5))


def _aft(task: Survival) -> Model:
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


def _survival_forest(task: Survival, n_trees: int = 100) -> Model:
    from tincture.kernels import survival_forest

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        time, event = outcomes[:, 0], outcomes[:, 1] > 0.5
        fitted = survival_forest.fit(
            x, time, event, n_trees=n_trees, seed=seed, min_samples_leaf=least_leaf(outcomes)
        )
        return Logarithm(fitted)

    sketch = _survival_forest(task, 25) if n_trees > 25 else None
    return TreeKernel("survival_forest", fit, sketch=sketch)


def _boosting_cox(task: Survival, n_estimators: int = 100) -> Model:
    from tincture.kernels import boosting_cox

    def fit(x: Floats, outcomes: Floats, seed: int) -> Any:
        time, event = np.maximum(outcomes[:, 0], 1e-6), outcomes[:, 1] > 0.5
        rate = 10 / n_estimators
        return boosting_cox.fit(x, time, event, n_estimators=n_estimators, learning_rate=rate)

    sketch = _boosting_cox(task, 33) if n_estimators > 33 else None
    return TreeKernel("boosting_cox", fit, sketch=sketch)


CLASSIFICATION: dict[str, Callable[[Any], Model]] = {
    "logistic": _logistic,
    "tree": _tree,
    "forest": _forest,
    "boosting": _boosting,
    "naive_bayes": _naive_bayes,
    "neighbours": _neighbours,
    "svm": _svm,
}
SURVIVAL: dict[str, Callable[[Any], Model]] = {
    "cox": _cox,
    "survival_forest": _survival_forest,
    "boosting_cox": _boosting_cox,
    "aft": _aft,
}


def recipient(model: Any, task: Task) -> Model:
    """A model as its recipient would fit it, by the usual library, on tables of any size.

    Names are those of the portfolio; their estimators are the ones that the batched kernels are
    faithful to. Estimators pass through `adapt`.
    """
    maker = RECIPIENTS.get(model) if isinstance(model, str) else None
    if maker is None:
        return resolve(model, task)
    return replace(adapt(maker(), task), name=model)  # type: ignore[type-var]


RECIPIENTS: dict[str, Callable[[], Any]] = {
    "logistic": sklearn("linear_model", "LogisticRegression", max_iter=5000),
    "tree": sklearn("tree", "DecisionTreeClassifier", max_depth=5, random_state=0),
    "forest": sklearn("ensemble", "RandomForestClassifier", n_estimators=300, random_state=0),
    "boosting": boosted,
    "survival_forest": lambda: surviving_forest(SURVIVAL["survival_forest"](None)),
    "boosting_cox": lambda: boosted_cox(SURVIVAL["boosting_cox"](None)),
    "naive_bayes": sklearn("naive_bayes", "GaussianNB"),
    "neighbours": sklearn("neighbors", "KNeighborsClassifier", n_neighbors=15),
    "svm": sklearn("svm", "SVC", random_state=0),
}

__all__: Sequence[str] = ("adapt", "default_models", "portfolio", "recipient", "resolve")
