"""Sites of small invented records, and every kind of question that a job on rows asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from helpers import ENCODING, interactions, make_condenser, make_table, make_teacher, plan_of
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.question import Question
from tincture.federation.site import Site
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault
from tincture.search.directions import Directions
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.balance import Balance
from tincture.tables.copula import Lines
from tincture.tables.job import TableJob
from tincture.tables.products import Crossed
from tincture.tables.questions import LossDifferences, MarginalCounts, RankProducts
from tincture.tables.starts import scattered

NAMES = ("north", "south", "east")
EPSILON = 12.0  # far up, where a plan is calibrated at once
TEACHER = make_teacher(np.random.default_rng(0))
MARGINALS = TEACHER.basis.marginals
OUTCOMES: dict[str, dict[str, Any]] = {
    "classes": {},
    "three": {"target": "stage", "drop": ["days", "event", "died", "patient"]},
    "times": {
        "target": None,
        "time": "days",
        "event": "event",
        "drop": ["died", "stage", "patient"],
        "models": ["cox"],
    },
}


def job_of(outcome: str = "classes", **changes: Any) -> TableJob:
    """A job on the table of `helpers`."""
    made: TableJob = make_condenser(**({"epsilon": EPSILON} | OUTCOMES[outcome] | changes)).job()
    return made


def differences(job: TableJob) -> LossDifferences:
    """Three pairs of tables of twenty rows."""
    rng, task = np.random.default_rng(4), job.task

    def place(quantiles: Any) -> Any:
        return ENCODING.snap(MARGINALS.place(quantiles))

    invented = ENCODING.design(place(MARGINALS.draw(50, rng)))
    start = scattered(MARGINALS, task.allot(np.ones(task.n_cells), 20, rng), rng)
    optimizer = Directions(10, n_pairs=3)
    candidates = optimizer.ask(optimizer.init(start), rng).placed(place)
    compared = task.anchored(invented, task.allot(np.ones(task.n_cells), 50, rng))
    return LossDifferences(job.served, compared, ENCODING, candidates, start, clip=0.3)


def tailed(job: TableJob) -> ResidualSums:
    """Residuals of a teacher that looks into the tails of amounts."""
    plain = TEACHER.basis
    amounts = [j for j, column in enumerate(ENCODING.columns) if not column.is_categorical]
    basis = Basis(MARGINALS, plain.reach, tails={j: plain.tail(j) for j in amounts})
    weights = np.random.default_rng(6).normal(size=basis.size)
    return ResidualSums(job.task, Teacher(basis, weights), np.ones(job.task.n_cells))


def crossed(job: TableJob) -> ResidualSums:
    """Residuals of a teacher that knows what goes together."""
    basis = Crossed(TEACHER.basis, [(0, 3), (1, 2, 4)], 0.7, 1.1)
    weights = np.random.default_rng(5).normal(size=basis.size)
    return ResidualSums(job.task, Teacher(basis, weights), np.ones(job.task.n_cells))


def residuals(job: TableJob) -> ResidualSums:
    """Of as many scores as the task has."""
    task = job.task
    scores = np.shape(task.level(np.ones(task.n_cells)))
    weights = TEACHER.weights * np.ones((*scores, 1)) if scores else TEACHER.weights
    return ResidualSums(task, replace(TEACHER, weights=weights), np.ones(task.n_cells))


QUESTIONS: dict[str, tuple[str, Callable[[TableJob], Query]]] = {
    "cells of classes": ("classes", lambda job: CellCounts(job.task)),
    "cells of times": ("times", lambda job: CellCounts(job.task)),
    "marginals": ("classes", lambda job: MarginalCounts(job.encoding)),
    "residuals": ("classes", residuals),
    "residuals of three": ("three", residuals),
    "residuals of times": ("times", residuals),
    "residuals along tails": ("classes", tailed),
    "residuals of what goes together": ("classes", crossed),
    "interactions": (
        "classes",
        lambda job: interactions(job.task, TEACHER, np.ones(job.task.n_cells)),
    ),
    "rank products": ("classes", lambda job: RankProducts(Lines.along(MARGINALS, TEACHER))),
    "losses": ("classes", differences),
    "losses of times": ("times", differences),
    "weighted residuals": (
        "classes",
        lambda job: Balance.of(MARGINALS, "ward").of_query(residuals(job)),
    ),
    "weighted losses": (
        "classes",
        lambda job: Balance.of(MARGINALS, "ward").of_query(differences(job)),
    ),
}


def jobs() -> dict[str, TableJob]:
    """One of each outcome; groups of a column count alike where they may."""
    return {name: job_of(name, balance="ward") for name in OUTCOMES}


def consortium_of(*names: str) -> Consortium:
    """Of the usual job."""
    return Consortium.of(make_condenser(epsilon=EPSILON), names or NAMES)


def tables(k: int = 3, n: int = 240) -> list[pl.DataFrame]:
    """Records of so many sites; the first has most."""
    table, most = make_table(n), n - (k - 1) * (n // 6)
    return [table[:most], *(table[most + i * (n // 6) :][: n // 6] for i in range(k - 1))]


def make_site(name: str = "north", kind: type[Vault] = Vault, **changes: Any) -> Site:
    """A site of a hundred records, in memory."""
    job = job_of()
    vault = kind(job.seal_part, make_table(100), Ledger(job.plan()))
    return Site(name, consortium_of(), job, vault, **changes)


def question(query: Query, number: int = 0, **changes: Any) -> Question:
    """To the usual consortium."""
    made = consortium_of()
    recipe = job_of().recipe_of(query)
    return replace(Question(made.digest, number, made.sites, 1.0, recipe), **changes)


def ask_all(engine: FederatedEngine) -> list[Any]:
    plan, job = engine.ledger.plan, job_of()
    every: list[Query] = [CellCounts(job.task), MarginalCounts(job.encoding)]
    every += [residuals(job)] * 2
    return [engine.answer(q, plan.mechanism(q.question)).value for q in every]


def sealed(table: pl.DataFrame, outcome: str, query: Query, unit: str | None) -> Vault:
    """A vault without noise that answers one kind of question."""
    seal = replace(JOBS[outcome].sealing, unit=unit).part
    return Vault(seal, table, Ledger(plan_of(0.0, question=query.question)))


JOBS = jobs()
EVERYONE = make_table(120)
