"""From a vault that answers questions to a condensed table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tincture.brief import Brief
from tincture.direct import by_descent
from tincture.encoding import Encoding
from tincture.engine import Engine, ask
from tincture.errors import ModelError, SettingError
from tincture.guidance import Notice, verdict
from tincture.indirect import by_proxy
from tincture.models import Model
from tincture.privacy.accounting import Plan, calibrate, phases_of
from tincture.proxy import Marginals
from tincture.queries import CellCounts, LossDifferences, MarginalCounts, RankProducts, ResidualSums
from tincture.search import Progress
from tincture.tasks import Task

Floats = NDArray[np.float64]
METHODS = ("auto", "direct", "proxy")

# Share of the budget and number of questions of each kind (docs/decisions/0003, 0008).
DIRECT = {
    CellCounts.question: (0.03, 1),
    MarginalCounts.question: (0.12, 1),
    LossDifferences.question: (0.85, 100),
}
PROXY = {
    CellCounts.question: (0.02, 1),
    MarginalCounts.question: (0.13, 1),
    ResidualSums.question: (0.65, 8),
    RankProducts.question: (0.12, 1),
    LossDifferences.question: (0.08, 1),
}
ROUNDS_UNPRIVATE = 200


def method_for(method: str, task: Task) -> str:
    """What "auto" stands for.

    Raises
    ------
    SettingError
        If the method is not known or not possible for this task.
    """
    if method not in METHODS:
        raise SettingError(f"The method {method!r} is not known; use one of {', '.join(METHODS)}.")
    if method == "proxy" and not task.is_ordered:
        raise SettingError(
            "The proxy method needs two classes or a survival outcome; use --method direct (or "
            "auto) for a target of more classes."
        )
    if method == "auto":
        return "proxy" if task.is_ordered else "direct"
    return method


def usual_plan(epsilon: float, delta: float, method: str) -> Plan:
    """Rounds and noise of a method from public settings alone."""
    phases = PROXY if method == "proxy" else DIRECT
    rounds = {} if math.isfinite(epsilon) else {LossDifferences.question: ROUNDS_UNPRIVATE}
    return calibrate(epsilon, delta, phases_of(phases, rounds))


def condense(
    engine: Engine,
    encoding: Encoding,
    task: Task,
    models: Sequence[Model],
    weights: Sequence[float],
    n_rows: int,
    rng: np.random.Generator,
    *,
    balance: str | None = None,
    effort: float = 1.0,
    progress: Progress = lambda done, total: None,
    notice: Notice = lambda text: None,
) -> tuple[Floats, Floats]:
    """Search for the table on which models fit best what the vault holds.

    Parameters
    ----------
    engine : Engine
        Answers the questions of ``engine.ledger.plan``, which also tells the method.
    encoding, task, models
        Columns, outcome, and the models to be served.
    weights : sequence of float
        Of the models, summing to 1.
    n_rows : int
    rng : numpy.random.Generator
        Of the search alone; privacy noise has its own source.
    balance : str, optional
        Column with levels, each of which is to count the same.
    effort : float
        Factor of the rounds that cost no privacy.
    progress : callable, optional
        Told the rounds done and the rounds in all.
    notice : callable, optional
        Told what to expect once the outcomes are counted.

    Returns
    -------
    points : ndarray of shape (n_rows, width)
        Exact points of the encoded cube.
    outcomes : ndarray of shape (n_rows, outcome width)
    """
    marginals, counts = survey(engine, encoding, task)
    brief = Brief(engine, task, marginals, counts, models, weights, n_rows, effort, balance)
    if not brief.plan.has(ResidualSums.question):
        return by_descent(brief, rng, progress)
    if math.isfinite(brief.plan.epsilon):
        notice(verdict(task.rarer(counts), len(encoding.columns), brief.plan.epsilon))
    return by_proxy(brief, rng, progress)


def survey(engine: Engine, encoding: Encoding, task: Task) -> tuple[Marginals, Floats]:
    """Buy prevalence (or the time scale) and every column's histogram.

    Raises
    ------
    ReleaseError
        If a killed run has spent the first question and lost its answer.
    """
    counts = ask(engine, CellCounts(task)).value
    columns = MarginalCounts(encoding)
    answer = engine.answer(columns, engine.ledger.plan.mechanism(columns.question)).value
    if answer is None:
        return Marginals.flat(encoding), counts
    return Marginals.of_counts(encoding, answer, counts.sum()), counts


def rehearse(models: Sequence[Model], task: Task, encoding: Encoding, n_rows: int) -> None:
    """Try every model on invented rows before a question is paid for.

    Raises
    ------
    ModelError
        If a model raises, or predicts anything but finite numbers of the right shape.
    """
    rng = np.random.default_rng(0)
    marginals = Marginals.flat(encoding)
    rows = encoding.design(encoding.snap(marginals.place(marginals.draw(n_rows, rng))))
    outcomes = task.allot(np.ones(task.n_cells), n_rows, rng)
    for model in models:
        try:
            fitted = model.fit(rows[None], outcomes, encoding.numeric)
            predicted = fitted.predict(rows)
            # In another order and company; a record's prediction must be its own affair.
            parts = [fitted.predict(rows[part]) for part in (slice(None, None, -2), slice(0, 1))]
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {model.name!r} failed on invented rows ({type(error).__name__}); it "
                "must predict for any complete numeric table of this width."
            ) from error
        if predicted.shape != (1, n_rows, task.n_outputs) or not np.isfinite(predicted).all():
            raise ModelError(
                f"The model {model.name!r} predicts something else than {task.n_outputs} finite "
                "number(s) a row on invented rows; correct it or choose another."
            )
        together = predicted[:, ::-2], predicted[:, :1]
        if not all(np.allclose(a, b, atol=1e-6) for a, b in zip(parts, together, strict=True)):
            raise ModelError(
                f"The model {model.name!r} predicts otherwise for a row when other rows are beside "
                "it; the privacy proof needs a prediction to depend on its own row alone."
            )
