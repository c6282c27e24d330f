"""Models by name, and how a foreign one is met, for each kind of task."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tincture.errors import ModelError
from tincture.models import classifiers, regressors, survival
from tincture.models.adapt import Meeting, as_classifier, as_regressor, as_risk, meet
from tincture.models.protocol import Model
from tincture.models.recipients import boosted, boosted_cox, boosted_mean, sklearn, surviving_forest
from tincture.public.tasks import Task

TREES = {"tree", "DecisionTreeClassifier"}  # of hard splits alone


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The models of one kind of task.

    Attributes
    ----------
    makers : mapping of str to callable
        From a task to the batched model of that name.
    recipients : mapping of str to callable
        Estimators of the usual libraries that the batched models of these names are faithful to.
    usual : sequence of str
        What is meant where no model is named.
    plain : str
        The regression without a penalty.
    guards : sequence of str
        Models that nobody asked for, whose loss keeps rows realistic for those who come later.
    manner : callable
        What an estimator from elsewhere must be able to do.
    """

    makers: Mapping[str, Callable[[Any], Model]]
    recipients: Mapping[str, Callable[[], Any]]
    usual: tuple[str, ...]
    plain: str
    guards: tuple[str, ...]
    manner: Meeting


# By the name of the task: another kind of task joins by one entry, and nothing else here knows it.
PORTFOLIOS = {
    "classification": Portfolio(
        makers=classifiers.MAKERS,
        recipients={
            "logistic": sklearn("linear_model", "LogisticRegression", max_iter=5000),
            "tree": sklearn("tree", "DecisionTreeClassifier", max_depth=5, random_state=0),
            "forest": sklearn(
                "ensemble", "RandomForestClassifier", n_estimators=300, random_state=0
            ),
            "boosting": boosted,
            "naive_bayes": sklearn("naive_bayes", "GaussianNB"),
            "neighbours": sklearn("neighbors", "KNeighborsClassifier", n_neighbors=15),
            "svm": sklearn("svm", "SVC", random_state=0),
            "glm": lambda: classifiers.plain(None, most=25),
        },
        usual=("logistic", "tree", "forest", "boosting", "glm"),
        plain="glm",
        guards=("naive_bayes",),
        manner=as_classifier,
    ),
    "survival": Portfolio(
        makers=survival.MAKERS,
        recipients={
            "survival_forest": lambda: surviving_forest(survival.MAKERS["survival_forest"](None)),
            "boosting_cox": lambda: boosted_cox(survival.MAKERS["boosting_cox"](None)),
            "coxph": lambda: survival.plain(None, most=20),
        },
        usual=("cox", "survival_forest", "boosting_cox", "coxph"),
        plain="coxph",
        guards=(),
        manner=as_risk,
    ),
    "amounts": Portfolio(
        makers=regressors.MAKERS,
        recipients={
            "linear": sklearn("linear_model", "LinearRegression"),
            "tree": sklearn("tree", "DecisionTreeRegressor", max_depth=5, random_state=0),
            "forest": sklearn(
                "ensemble", "RandomForestRegressor", n_estimators=300, random_state=0
            ),
            "boosting": boosted_mean,
        },
        usual=("linear", "tree", "forest", "boosting"),
        plain="linear",
        guards=(),
        manner=as_regressor,
    ),
}


PLAIN = {known.plain for known in PORTFOLIOS.values()}  # regressions without a penalty
HINGED = {"svm", "SVC"}  # who put no value on a few cases among many that are alike
ADDITIVE = {"logistic", "naive_bayes", "cox", "aft", *PLAIN}  # blind to what goes together


def adapt(estimator: Any, task: Task) -> Model:
    """See any estimator as a `Model`, by what it can do.

    Parameters
    ----------
    estimator : object, class or factory
        With ``fit``; for classification also ``predict_proba`` or ``decision_function``; for
        survival ``predict`` (scikit-survival) or ``fit(..., duration_col, event_col)`` (lifelines);
        for amounts ``predict``.
    task : Task

    Raises
    ------
    ModelError
        If it can do neither.
    """
    return meet(estimator, task, PORTFOLIOS[task.name].manner)


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


def portfolio(task: Task) -> Mapping[str, Callable[[Any], Model]]:
    """Names known for a task, each with a function that makes the model for it."""
    return PORTFOLIOS[task.name].makers


def default_models(task: Task) -> list[str]:
    """What is meant where no model is named."""
    known, regression = PORTFOLIOS[task.name], plain(task)
    return [name for name in known.usual if name != known.plain or regression]


def plain(task: Task) -> str | None:
    """The regression without a penalty that most recipients run; None of several classes."""
    return PORTFOLIOS[task.name].plain if task.n_outputs <= 2 else None


def greedy(task: Task) -> str:
    """Boosted trees, which find what goes together by one split after the other."""
    return next(name for name in reversed(PORTFOLIOS[task.name].usual) if name not in ADDITIVE)


def guards(task: Task) -> list[Model]:
    """Models that nobody asked for, whose loss keeps rows realistic for those who come later."""
    return [resolve(name, task) for name in PORTFOLIOS[task.name].guards]


def recipient(model: Any, task: Task) -> Model:
    """A model as its recipient would fit it, by the usual library, on tables of any size.

    Names are those of the portfolio; estimators pass through `adapt`.
    """
    maker = PORTFOLIOS[task.name].recipients.get(model) if isinstance(model, str) else None
    if maker is None:
        return resolve(model, task)
    return replace(adapt(maker(), task), name=model)  # type: ignore[type-var]
