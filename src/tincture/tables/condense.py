"""From a vault that answers questions to a condensed table."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError, SettingError
from tincture.models.generic import Model, Predictor
from tincture.models.portfolio import portfolio
from tincture.privacy.accounting import Plan, calibrate, phases_of
from tincture.privacy.engine import Engine, ask
from tincture.privacy.vault import BLOCK
from tincture.public.encoding import Encoding
from tincture.public.expectation import Notice, verdict
from tincture.public.tasks import Task
from tincture.search.optimizer import Progress
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.tables.brief import Brief
from tincture.tables.descent import by_descent
from tincture.tables.marginals import Marginals
from tincture.tables.proxy import by_proxy
from tincture.tables.questions import LossDifferences, MarginalCounts, RankProducts

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

# The trial of models: more records than the vault shows a query at once, then in blocks of odd
# sizes (the last has what is left), in another order, and alone.
N_TRIED = BLOCK + 905
ODD_SIZES = (1, 2, 3, 5, 17, 64, 257, 1000)
N_ALONE = 4
# Double precision explains 3e-13 at most in models of scikit-learn, lifelines and scikit-survival
# (100 rows), and nothing in XGBoost and LightGBM, which add a record's leaves in a fixed order in
# whatever precision. Networks in single precision change by 1e-7. What the proof bears is in
# docs/promise.md, §7. Models by name do not change at all.
ROUNDING = 1e-11


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
    """Try every model on invented rows and records before a question is paid for.

    Raises
    ------
    ModelError
        If a model raises, predicts anything but finite numbers of the right shape, or predicts
        otherwise for a record in other company.
    """
    rng = np.random.default_rng(0)
    marginals = Marginals.flat(encoding)

    def drawn(n: int) -> Floats:
        return encoding.design(encoding.snap(marginals.place(marginals.draw(n, rng))))

    rows, outcomes = drawn(n_rows), task.allot(np.ones(task.n_cells), n_rows, rng)
    records = drawn(N_TRIED).astype(np.float32)  # as the vault holds them
    shape = (1, N_TRIED, task.n_outputs)
    for model in models:
        try:
            fitted = model.fit(rows[None], outcomes, encoding.numeric)
            predicted = fitted.predict(records)
            is_sound = predicted.shape == shape and bool(np.isfinite(predicted).all())
            change = _change(fitted, records, predicted) if is_sound else 0.0
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {model.name!r} failed on invented rows ({type(error).__name__}); it "
                "must predict for any complete numeric table of this width."
            ) from error
        if not is_sound:
            raise ModelError(
                f"The model {model.name!r} predicts something else than {task.n_outputs} finite "
                "number(s) a row on invented rows; correct it or choose another."
            )
        if change > (0.0 if model.name in portfolio(task) else ROUNDING):
            raise ModelError(
                f"The model {model.name!r} predicts otherwise for a row when other rows are beside "
                f"it, by up to {change:.1g}; the privacy proof needs a prediction to depend on its "
                "own row alone. If it computes in single precision, let it predict in double."
            )


def _change(fitted: Predictor, records: NDArray[np.float32], predicted: Floats) -> float:
    """Most that a prediction p changes with its record's place and company, over max(1, |p|)."""
    order = np.random.default_rng(1).permutation(len(records))
    blocks = np.split(order, np.cumsum(ODD_SIZES))
    alone = [order[i : i + 1] for i in range(N_ALONE)]
    backwards = np.arange(len(records))[::-2]
    most = 0.0
    for places in (backwards, *blocks, *alone):
        before, now = predicted[:, places], fitted.predict(records[places])
        if now.shape != before.shape or not np.isfinite(now).all():
            return math.inf
        most = max(most, float((np.abs(now - before) / np.maximum(1, np.abs(before))).max()))
    return most
