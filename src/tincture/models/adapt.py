"""How any estimator is met: by what it can do, never by its class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tincture.arrays import Floats
from tincture.errors import ModelError
from tincture.models.generic import Generic, Manner
from tincture.models.protocol import Model
from tincture.models.recipients import structured
from tincture.public.tasks import Task

Maker = Callable[[int], Any]  # from a seed to a fresh estimator
Meeting = Callable[[Any, Maker, Task], Manner]  # from a sample of what the maker makes


@dataclass(frozen=True, slots=True)
class Classifier:
    """scikit-learn's manner: ``fit(X, y)`` and ``predict_proba`` or ``decision_function``."""

    make: Maker
    n_outputs: int  # one a class
    threads: ClassVar[bool] = True

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy; a table of one class predicts that class."""
        labels = outcomes[:, 0].astype(np.int64)
        present = np.unique(labels)
        if len(present) == 1:
            return int(present[0])
        return self.make(seed).fit(x, labels)

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Probabilities (b, n_outputs); classes absent from the rows get 0."""
        out = np.zeros((len(x), self.n_outputs))
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
class Regressor:
    """scikit-learn's manner with amounts: ``fit(X, y)`` and ``predict``."""

    make: Maker
    n_outputs: ClassVar[int] = 1
    threads: ClassVar[bool] = True

    def fit(self, x: Floats, outcomes: Floats, seed: int) -> Any:
        """A fitted copy, of places between the bounds."""
        return self.make(seed).fit(x, outcomes[:, 0])

    def predict(self, fitted: Any, x: Floats) -> Floats:
        """Places (b, 1)."""
        return np.asarray(fitted.predict(x), dtype=np.float64).reshape(len(x), 1)


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


def meet(estimator: Any, task: Task, manner: Meeting) -> Model:
    """An estimator, class or factory as a `Model`, fitted in the manner that its task asks for."""
    if isinstance(estimator, Model):
        return estimator
    make = _copy_of(estimator)
    try:
        sample = make(0)
    except Exception as error:
        raise ModelError(f"The model {_name(estimator)!r} cannot be made: {error}") from error
    if not callable(getattr(sample, "fit", None)):
        raise ModelError(f"The model {_name(sample)!r} has no fit method.")
    return Generic(_name(sample), manner(sample, make, task))


def as_classifier(sample: Any, make: Maker, task: Task) -> Manner:
    """An estimator that gives probabilities, or scores to make some of."""
    if not (hasattr(sample, "predict_proba") or hasattr(sample, "decision_function")):
        raise ModelError(
            f"The model {_name(sample)!r} has neither predict_proba nor decision_function; a "
            "classification target needs probabilities."
        )
    return Classifier(make, task.n_outputs)


def as_regressor(sample: Any, make: Maker, task: Task) -> Manner:
    """An estimator that gives a number; one that gives classes would round it to some."""
    if not hasattr(sample, "predict") or hasattr(sample, "predict_proba"):
        raise ModelError(
            f"The model {_name(sample)!r} predicts no number; an amount as the outcome needs a "
            "regressor with a predict method."
        )
    return Regressor(make)


def as_risk(sample: Any, make: Maker, task: Task) -> Manner:
    """An estimator that gives a risk, as lifelines' or scikit-survival's do."""
    if "duration_col" in inspect.signature(sample.fit).parameters:
        return Lifeline(make)
    if not hasattr(sample, "predict"):
        raise ModelError(f"The model {_name(sample)!r} has no predict method to give a risk.")
    return RiskScorer(make)


def _name(estimator: Any) -> str:
    return getattr(estimator, "__name__", type(estimator).__name__)
