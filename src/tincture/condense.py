"""The loop: from a vault that answers questions to a condensed table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
N_ANCHORS = 200
CLIP_A_PAIR = 0.05  # C = 0.05 √K: well under the usual norm, so that no record outweighs the rest
SHARES = {"outcome counts": 0.03, "marginal counts": 0.12, "loss differences": 0.85}


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search, from public settings alone.

    Attributes
    ----------
    rounds : int
        Questions of loss differences.
    n_pairs : int
        Tables compared in each.
    """

    rounds: int
    n_pairs: int = 64

    @classmethod
    def usual(cls, models: Sequence[Model], epsilon: float) -> Effort:
        """Defaults that trials on a dozen clinical tables settled (docs/decisions/0003)."""
        if all(m.is_smooth for m in models):
            return cls(rounds=100 if math.isfinite(epsilon) else 200)
        return cls(rounds=60 if math.isfinite(epsilon) else 150)

    def plan(self, epsilon: float, delta: float) -> Plan:
        """The noise for every question of the run."""
        counts = {**dict.fromkeys(SHARES, 1), LossDifferences.question: self.rounds}
        return calibrate(epsilon, delta, [Phase(q, counts[q], s) for q, s in SHARES.items()])


def condense(
    engine: Engine,
    encoding: Encoding,
    task: Task,
    models: Sequence[Model],
    effort: Effort,
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
    effort : Effort
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
    optimizer, start = strategy(models, effort, marginals, task, counts, n_rows, rng)
    mechanism = plan.mechanism(LossDifferences.question)
    clip = clip_norm(effort.n_pairs, engine)

    def tables(prototypes: Floats) -> Floats:
        points = encoding.snap(marginals.place(prototypes))
        return encoding.design(points)[:, start.owner]

    state = optimizer.init(start)
    for done in range(effort.rounds):
        progress(done, effort.rounds)
        candidates = optimizer.ask(state, rng)
        query = LossDifferences(
            models,
            task,
            lambda: (tables(candidates.plus), tables(candidates.minus)),
            effort.n_pairs,
            start.outcomes,
            encoding.numeric,
            clip=clip,
            seed=candidates.seed,
        )
        answer = engine.answer(query, mechanism)
        if answer.value is not None:
            estimate = Estimate(answer.value / n_units, answer.noise / n_units)
            state = optimizer.tell(state, candidates, estimate)
    progress(effort.rounds, effort.rounds)
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
    models: Sequence[Model],
    effort: Effort,
    marginals: Marginals,
    task: Task,
    counts: Floats,
    n_rows: int,
    rng: np.random.Generator,
) -> tuple[Optimizer[object], Start]:
    """Directions where every model is smooth; moves where one has hard splits."""
    outcomes = task.allot(counts, n_rows, rng)
    if all(m.is_smooth for m in models):
        start = scattered(marginals, outcomes, rng)
        return Directions(effort.rounds, effort.n_pairs), start  # type: ignore[return-value]
    start = tied(marginals, outcomes, task.severity(outcomes), rng)
    return Moves(marginals, effort.n_pairs), start  # type: ignore[return-value]


def clip_norm(n_pairs: int, engine: Engine) -> float:
    """Clip of the loss differences; with no noise to pay for, nothing is clipped away."""
    if math.isinf(engine.ledger.plan.epsilon):
        return math.sqrt(n_pairs)
    return CLIP_A_PAIR * math.sqrt(n_pairs)


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
            predicted = model.fit(rows[None], outcomes, encoding.numeric).predict(rows)
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
