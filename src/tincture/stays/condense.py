"""From a vault of stays to a few invented ones: ask, teach, invent, match."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.privacy.accounting import Phase, Plan, calibrate, phases_of
from tincture.privacy.engine import Engine, ask
from tincture.public.tasks import Task
from tincture.search.optimizer import Progress
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.stays.embeddings import Course, EmbeddingSums, Trajectories
from tincture.stays.invent import Manner, invent
from tincture.stays.layout import Grid, Layout
from tincture.stays.matching.imagined import imagine
from tincture.stays.prototypes import Draft, n_prototypes
from tincture.stays.summaries import Linear, Occupancy, Summaries, SummaryProducts
from tincture.stays.teacher import teach

Floats = NDArray[np.float64]

# Share of the budget and number of questions of each kind (docs/decisions/0010-series.md).
PHASES = {
    CellCounts.question: (0.02, 1),
    Occupancy.question: (0.13, 1),
    EmbeddingSums.question: (0.10, 1),
    ResidualSums.question: (0.75, 8),
}
ROUNDS_UNPRIVATE = 20
ROUNDS_MATCHING = 1000
N_DRAFTS = 12  # of which networks choose one
N_IMAGINED = 2000  # stays that networks are asked about


def series_plan(epsilon: float, delta: float) -> Plan:
    """Rounds and noise from public settings alone."""
    rounds = {} if math.isfinite(epsilon) else {ResidualSums.question: ROUNDS_UNPRIVATE}
    phases = phases_of(PHASES, rounds)
    if math.isinf(epsilon):
        phases.insert(3, Phase(SummaryProducts.question, 1, 0.0))
    return calibrate(epsilon, delta, phases)


@dataclass(frozen=True)
class Findings:
    """All that the real stays told.

    Attributes
    ----------
    counts : ndarray of shape (2,)
        Stays of each outcome.
    course : Course
    products : ndarray of shape (basis.size, basis.size) or None
        Mean of φ φᵀ over stays, asked where nothing is noised.
    teacher : Linear
    """

    counts: Floats
    course: Course
    products: Floats | None
    teacher: Linear


@dataclass(frozen=True)
class Invented:
    """Stays to be released.

    Attributes
    ----------
    points : float32 ndarray of shape (n_rows, layout.width)
    outcomes : ndarray of shape (n_rows, 1)
    prevalence : float
        Share of the second class among real stays, through noise.
    left_out : tuple of str
        Variables and static columns that nobody is seen to have, through noise.
    """

    points: Grid
    outcomes: Floats
    prevalence: float
    left_out: tuple[str, ...] = ()


def condense_series(
    engine: Engine,
    layout: Layout,
    task: Task,
    n_rows: int,
    rng: np.random.Generator,
    *,
    effort: float = 0.0,
    progress: Progress = lambda done, total: None,
) -> Invented:
    """Ask and teach; then, for free, invent and match.

    ``effort``: factor of the usual drafts and rounds of matching to networks, which needs torch; 0
    for none.
    """
    rounds = math.ceil(effort * ROUNDS_MATCHING)
    n_drafts = max(1, round(effort * N_DRAFTS))
    total = sum(p.count for p in engine.ledger.plan.phases) + rounds + n_drafts
    done = itertools.count()

    def tick() -> None:
        progress(next(done), total)

    found = learn(engine, layout, task, rng, tick)
    teacher = found.teacher
    # Odds do harm where the teacher is noised (docs/decisions/0010-series.md).
    many = n_rows if found.products is None else n_prototypes(n_rows)
    drafts = [
        Draft.of(*invent(teacher, found.course, many, Manner(), rng), n_rows)
        for _ in range(n_drafts)
    ]
    draft = drafts[0]
    if rounds:
        from tincture.stays.matching.rounds import Effort, match  # needs torch

        imagined = imagine(teacher.basis, found.course, found.products, N_IMAGINED, rng)
        scores = teacher.score(imagined)
        draft = match(drafts, layout, imagined, scores, Effort(rounds), rng, tick)
    progress(total, total)
    prevalence = np.clip(found.counts[1] / max(found.counts.sum(), 1.0), 0.0, 1.0)
    left_out = tuple(teacher.basis.left_out)
    return Invented(draft.points, draft.outcomes, float(prevalence), left_out)


def learn(
    engine: Engine,
    layout: Layout,
    task: Task,
    rng: np.random.Generator,
    tick: Callable[[], None],
) -> Findings:
    """Ask every private question."""
    counts = ask(engine, CellCounts(task))
    n_units = max(float(counts.value.sum()), 1.0)
    tick()
    occupancy = Occupancy(layout)
    answer = ask(engine, occupancy)
    scale = occupancy.scale(answer.value, answer.noise, n_units)
    tick()
    trajectories = Trajectories(layout, scale)
    sums = EmbeddingSums(task, trajectories)
    answer = ask(engine, sums)
    noise = answer.noise * math.sqrt(task.n_cells)
    course = trajectories.course(sums.parts(answer.value).sum(axis=0), noise, n_units)
    tick()
    basis, products = Summaries(layout, scale), None
    if engine.ledger.plan.has(SummaryProducts.question):
        query = SummaryProducts(basis)
        products = query.matrix(ask(engine, query).value) / n_units
        tick()
    teacher = teach(engine, basis, task, counts.value, products, rng, tick)
    return Findings(counts.value, course, products, teacher)
