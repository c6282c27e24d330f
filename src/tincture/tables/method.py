"""How rows are searched: by which method, with what plan of questions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tincture.errors import SettingError
from tincture.models.portfolio import guards
from tincture.models.served import Served
from tincture.privacy.accounting import Plan, calibrate, phases_of
from tincture.privacy.engine import Engine, Told, ask
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.spine.job import SILENT, Found, Tell
from tincture.spine.questions import CellCounts, ResidualSums, noise_of_side, told_shares
from tincture.tables.brief import MAX_PEOPLE, Brief
from tincture.tables.descent import by_descent
from tincture.tables.expectation import verdict
from tincture.tables.marginals import Marginals
from tincture.tables.proxy import by_proxy
from tincture.tables.questions import (
    InteractionSums,
    LossDifferences,
    MarginalCounts,
    RankProducts,
)
from tincture.tables.sizing import USUAL, rows_for

METHODS = ("auto", "direct", "proxy")

# Share of the budget and number of questions of each kind (docs/decisions/0003, 0008).
DIRECT = {
    CellCounts.question: (0.03, 1),
    MarginalCounts.question: (0.12, 1),
    LossDifferences.question: (0.85, 100),
}
PROXY = {
    CellCounts.question: (0.04, 1),
    MarginalCounts.question: (0.11, 1),
    ResidualSums.question: (0.66, 8),
    InteractionSums.question: (0.05, 1),
    RankProducts.question: (0.11, 1),
    LossDifferences.question: (0.03, 1),
}
ROUNDS_UNPRIVATE = 200


def method_for(method: str) -> str:
    """What "auto" stands for.

    Raises
    ------
    SettingError
        If the method is not known.
    """
    if method not in METHODS:
        raise SettingError(f"The method {method!r} is not known; use one of {', '.join(METHODS)}.")
    return "proxy" if method == "auto" else method


def usual_plan(epsilon: float, delta: float, method: str) -> Plan:
    """Rounds and noise of a method from public settings alone."""
    phases = PROXY if method == "proxy" else DIRECT
    rounds = {} if math.isfinite(epsilon) else {LossDifferences.question: ROUNDS_UNPRIVATE}
    return calibrate(epsilon, delta, phases_of(phases, rounds))


def search(
    engine: Engine,
    encoding: Encoding,
    task: Task,
    served: Served,
    n_rows: int | None,
    rng: np.random.Generator,
    *,
    balance: str | None = None,
    effort: float = 1.0,
    cohort: int | None = None,
    apart: bool = False,
    complete: bool = False,
    most_people: int = MAX_PEOPLE,
    n_said: int | None = None,
    tell: Tell = SILENT,
) -> Found:
    """Search for the table on which models fit best what the vault holds.

    Parameters
    ----------
    engine : Engine
        Answers the questions of ``engine.ledger.plan``, which also tells the method.
    encoding, task, served
        Columns, outcome, and the models to be served.
    n_rows : int or None
        Rows to make; None for as many as the counts call for.
    rng : numpy.random.Generator
        Of the search alone; privacy noise has its own source.
    balance : str, optional
        Column with levels, each of which is to count the same.
    effort : float
        Factor of the rounds that cost no privacy.
    cohort : int, optional
        People to invent beside the rows, where the method can; else as many as there are, but not
        more than ``most_people``.
    n_said : int, optional
        Units that there are about, where later questions see a sample of a size by this number.
    apart : bool
        Whether no two of them may be alike but for the outcome by design.
    complete : bool
        Whether no cell of either may be missing.
    tell : Tell
        Also told what to expect once the outcomes are counted.
    """
    marginals, counted = survey(engine, encoding, task)
    counts = counted.value
    if n_said is not None and (n_units := max(counts.sum(), 0.0)) < n_said / 2:
        tell.notice(
            f"Far fewer were counted, through noise, than was said: {n_units:,.0f}, and not "
            f"{n_said:,} (--about). So much smaller is the sample that all later questions see; "
            "a release of a number that is nearer would be better."
        )
    guarded = served.with_guards(guards(task))
    follow = by_proxy if engine.ledger.plan.has(ResidualSums.question) else by_descent
    if n_rows is None:
        n_units, least = float(counts.sum()), task.rarer(counts)
        several = task.n_outputs > 2
        n_rows, why = rows_for(encoding, served.names, least, n_units, several=several)
        if follow is by_descent:  # every row is paid for
            n_rows, why = min(n_rows, USUAL), f"{min(n_rows, USUAL)} rows are made."
        tell.notice(why)
    wanted = n_rows, effort, balance, cohort, apart, complete, most_people
    brief = Brief(engine, task, marginals, counts, served, guarded, *wanted)
    if follow is by_proxy and math.isfinite(brief.plan.epsilon) and task.name != "amounts":
        noise = noise_of_side(task, counted.noise)
        rarer, n_columns = task.rarer(counts), len(encoding.columns)
        tell.notice(verdict(rarer, noise, n_columns, brief.plan.epsilon))
    found = follow(brief, rng, tell.progress)
    return replace(found, told={**told_shares(task, *counted), "n_rows": n_rows})


def survey(engine: Engine, encoding: Encoding, task: Task) -> tuple[Marginals, Told]:
    """Buy prevalence (or the time scale) and every column's histogram.

    Raises
    ------
    ReleaseError
        If a killed run has spent the first question and lost its answer.
    """
    told = ask(engine, CellCounts(task))
    counted = Told(task.counted(*told), told.noise)
    columns = MarginalCounts(encoding)
    answer = engine.answer(columns, engine.ledger.plan.mechanism(columns.question))
    if answer.value is None:
        return Marginals.flat(encoding), counted
    total = counted.value.sum()
    return Marginals.of_counts(encoding, answer.value, total, answer.noise), counted
