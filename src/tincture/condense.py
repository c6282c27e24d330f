"""The loop: from a vault that answers questions to a condensed table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.encoding import Encoding
from tincture.engine import Engine
from tincture.errors import ModelError, ReleaseError
from tincture.models import Model
from tincture.privacy.accounting import Phase, Plan, calibrate
from tincture.proxy import Marginals
from tincture.queries import CellCounts, LossDifferences, MarginalCounts
from tincture.search import Directions, Estimate, Moves, Optimizer, Start, scattered, tied
from tincture.tasks import Task

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]
N_ANCHORS = 1000
N_PAIRS = 64
CLIP_A_PAIR = 0.05  # C = 0.05 √K: well under the usual norm, so that no record outweighs the rest
ENOUGH_UNITS = 25_000  # a round learns little from more; a random share of larger tables takes part
SHARES = {"outcome counts": 0.03, "marginal counts": 0.12, "loss differences": 0.85}


def usual_plan(epsilon: float, delta: float, task: Task) -> Plan:
    """Rounds and noise from public settings alone (docs/decisions/0003)."""
    if math.isfinite(epsilon):
        rounds = 100
    else:
        rounds = 150 if task.is_probabilistic else 200
    counts = {**dict.fromkeys(SHARES, 1), LossDifferences.question: rounds}
    return calibrate(epsilon, delta, [Phase(q, counts[q], s) for q, s in SHARES.items()])


def condense(
    engine: Engine,
    encoding: Encoding,
    task: Task,
    models: Sequence[Model],
    n_rows: int,
    rng: np.random.Generator,
    progress: Progress = lambda done, total: None,
) -> tuple[Floats, Floats]:
    """Search for the table on which models fit best what the vault holds.

    Parameters
    ----------
    engine : Engine
        Answers the questions of ``engine.ledger.plan``.
    encoding, task, models
        Columns, outcome, and the models to be served.
    n_rows : int
    rng : numpy.random.Generator
        Of the search alone; privacy noise has its own source.
    progress : callable, optional
        Told the rounds done and the rounds in all.

    Returns
    -------
    points : ndarray of shape (n_rows, width)
        Exact points of the encoded cube.
    outcomes : ndarray of shape (n_rows, outcome width)
    """
    plan = engine.ledger.plan
    marginals, counts = survey(engine, encoding, task)
    n_units = max(counts.sum(), 1.0)
    task = with_anchors(task, encoding, marginals, counts, rng)
    optimizer, start, clip = strategy(plan, marginals, task, counts, n_rows, rng)
    mechanism = plan.mechanism(LossDifferences.question)
    rounds = plan.count(LossDifferences.question)
    share = min(1.0, ENOUGH_UNITS / n_units)

    def tables(prototypes: Floats) -> Floats:
        points = encoding.snap(marginals.place(prototypes))
        return encoding.design(points)[:, start.owner]

    state = optimizer.init(start)
    for done in range(rounds):
        progress(done, rounds)
        candidates = optimizer.ask(state, rng)
        query = LossDifferences(
            models, task, candidates, tables, start.outcomes, encoding.numeric, clip=clip
        )
        answer = engine.answer(query, mechanism, share=share)
        if answer.value is not None:
            estimate = Estimate(answer.value / n_units, answer.noise / n_units)
            state = optimizer.tell(state, candidates, estimate)
    progress(rounds, rounds)
    points = encoding.snap(marginals.place(optimizer.result(state)))
    return points[start.owner], start.outcomes


def survey(engine: Engine, encoding: Encoding, task: Task) -> tuple[Marginals, Floats]:
    """Buy prevalence (or the time scale) and every column's histogram.

    Raises
    ------
    ReleaseError
        If a killed run has spent the first question and lost its answer.
    """
    plan = engine.ledger.plan
    counts = engine.answer(CellCounts(task), plan.mechanism(CellCounts.question)).value
    if counts is None:
        raise ReleaseError(
            "The killed run had paid for the outcome counts but lost them; remove its folder and "
            "start again, with the budget that is left."
        )
    columns = MarginalCounts(encoding)
    answer = engine.answer(columns, plan.mechanism(columns.question)).value
    if answer is None:
        return Marginals.flat(encoding), counts
    return Marginals.of_counts(encoding, answer), counts


def with_anchors(
    task: Task, encoding: Encoding, marginals: Marginals, counts: Floats, rng: np.random.Generator
) -> Task:
    """Give a task that compares its fixed points: invented rows with real times."""
    points = encoding.snap(marginals.place(marginals.draw(N_ANCHORS, rng)))
    return task.anchored(encoding.design(points), task.allot(counts, N_ANCHORS, rng))


def strategy(
    plan: Plan,
    marginals: Marginals,
    task: Task,
    counts: Floats,
    n_rows: int,
    rng: np.random.Generator,
) -> tuple[Optimizer[Any], Start, float]:
    """Optimiser, first table and clip, as trials settled them (docs/decisions/0003).

    One probability needs repeated rows with mixed outcomes; several, or a ranking, do not. Exact
    answers are not clipped, and suit whole moves, which hard splits need; directions average out
    noise.
    """
    outcomes = task.allot(counts, n_rows, rng)
    rounds = plan.count(LossDifferences.question)
    is_exact = math.isinf(plan.epsilon)
    clip = math.sqrt(N_PAIRS) * (1.0 if is_exact else CLIP_A_PAIR)
    if not task.is_probabilistic:
        start = scattered(marginals, outcomes, rng)
        return Directions(rounds, N_PAIRS, radius=0.2), start, clip
    severity = task.severity(outcomes)
    if is_exact:
        return Moves(marginals, N_PAIRS), tied(marginals, outcomes, severity, rng, copies=4), clip
    start = tied(marginals, outcomes, severity, rng, copies=2)
    return Directions(rounds, N_PAIRS, radius=0.3), start, clip


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
