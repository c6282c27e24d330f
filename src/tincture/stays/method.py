"""How stays are searched: ask, teach, invent, match."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.privacy.accounting import Phase, Plan, calibrate, phases_of
from tincture.privacy.engine import Engine, Told, ask
from tincture.public.tasks import Classification
from tincture.spine.job import SILENT, Found, Invented, Notice, Tell
from tincture.spine.questions import CellCounts, ResidualSums, told_shares
from tincture.stays.cohort import populate, size
from tincture.stays.embeddings import Course, EmbeddingSums, Trajectories
from tincture.stays.expectation import Outlook
from tincture.stays.imagined import imagine
from tincture.stays.invent import Manner, invent
from tincture.stays.layout import Grid, Layout
from tincture.stays.occupancy import Occupancy
from tincture.stays.prototypes import Draft, n_prototypes
from tincture.stays.summaries import Summaries, SummaryProducts
from tincture.stays.teacher import Teachers, teach
from tincture.stays.words import NOTHING_SEEN

# Share of the budget and number of questions of each kind (docs/decisions/0010-series.md).
PHASES = {
    CellCounts.question: (0.02, 1),
    Occupancy.question: (0.20, 1),
    EmbeddingSums.question: (0.10, 1),
    ResidualSums.question: (0.68, 8),
}
ROUNDS_UNPRIVATE = 20
ROUNDS_MATCHING = 1000
N_DRAFTS = 12  # of which networks choose one
N_IMAGINED = 2000  # stays that networks are asked about


def usual_plan(epsilon: float, delta: float) -> Plan:
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
    counts : Told
        Stays of each outcome, (2,).
    course : Course
    products : ndarray of shape (basis.size, basis.size) or None
        Mean of φ φᵀ over stays, asked where nothing is noised.
    teachers : Teachers
    """

    counts: Told
    course: Course
    products: Floats | None
    teachers: Teachers


class Matching(NamedTuple):
    """How long invented stays are matched to small networks, which costs no privacy.

    Attributes
    ----------
    drafts : int
        Sets of stays of which networks choose one.
    rounds : int
        In which its stays are then moved; none leaves networks out, and needs no torch.
    """

    drafts: int = 1
    rounds: int = 0

    @classmethod
    def of(cls, effort: float) -> Matching:
        """A factor of the usual."""
        return cls(max(1, round(effort * N_DRAFTS)), math.ceil(effort * ROUNDS_MATCHING))


UNMATCHED = Matching()


def search(
    engine: Engine,
    layout: Layout,
    task: Classification,
    n_rows: int,
    rng: np.random.Generator,
    *,
    cohort: int | None = 0,
    matching: Matching = UNMATCHED,
    tell: Tell = SILENT,
) -> Found:
    """Ask and teach; then, for free, invent and match.

    Parameters
    ----------
    engine : Engine
        Answers the questions of ``engine.ledger.plan``.
    layout, task
        Of the stays, and their outcome.
    n_rows : int
        Stays to invent.
    rng : numpy.random.Generator
    cohort : int or None
        Stays to draw beside them; as many as were counted where it is None.
    matching : Matching
    tell : Tell
        Also told what to expect once the stays are counted, and again if no variable is seen.
    """
    (own,) = rng.spawn(1)  # the cohort's, on whose size the condensed stays must not depend
    total = sum(p.count for p in engine.ledger.plan.phases) + sum(matching)
    done = itertools.count()

    def tick() -> None:
        tell.progress(next(done), total)

    found = learn(engine, layout, task, rng, tick, tell.notice)
    teacher = found.teachers.few
    drafts = [
        Draft.of(*invent(teacher, found.course, n_prototypes(n_rows), Manner(), rng), n_rows)
        for _ in range(matching.drafts)
    ]
    draft = drafts[0]
    if matching.rounds:
        from tincture.stays.matching.rounds import Effort, match  # needs torch

        imagined = imagine(teacher.basis, found.course, found.products, N_IMAGINED, rng)
        scores = teacher.score(imagined)
        draft = match(drafts, layout, imagined, scores, Effort(matching.rounds), rng, tick)
    people = _people(found, task, cohort, own)
    tell.progress(total, total)
    told = {
        **told_shares(task, *found.counts),
        "left_out": list(teacher.basis.left_out),
    }
    return Found(draft.points, draft.outcomes, told, people)


def _people(
    found: Findings, task: Classification, cohort: int | None, rng: np.random.Generator
) -> Invented | None:
    """The cohort: stays as imagined, with outcomes by the whole teacher."""
    counts = found.counts.value

    def draw(n: int) -> Grid:
        return imagine(found.teachers.whole.basis, found.course, found.products, n, rng)

    return populate(draw, found.teachers.whole, task, counts, size(counts, cohort), rng)


def learn(
    engine: Engine,
    layout: Layout,
    task: Classification,
    rng: np.random.Generator,
    tick: Callable[[], None],
    notice: Notice,
) -> Findings:
    """Ask every private question."""
    plan, counts = engine.ledger.plan, ask(engine, CellCounts(task))
    if math.isfinite(plan.epsilon):
        notice(Outlook(layout, plan, engine.ledger.unit).counted(counts.value))
    n_units = max(float(counts.value.sum()), 1.0)
    tick()
    occupancy = Occupancy(layout)
    answer = ask(engine, occupancy)
    scale = occupancy.scale(answer.value, answer.noise, n_units)
    if not scale.present.any():
        notice(NOTHING_SEEN)
    tick()
    trajectories = Trajectories(layout, scale)
    sums = EmbeddingSums(task, trajectories)
    answer = ask(engine, sums)
    noise = answer.noise * math.sqrt(task.n_cells)
    course = trajectories.course(sums.parts(answer.value).sum(axis=0), noise, n_units)
    tick()
    basis, products = Summaries(layout, scale), None
    if plan.has(SummaryProducts.question):
        query = SummaryProducts(basis)
        products = query.matrix(ask(engine, query).value) / n_units
        tick()
    teachers = teach(engine, basis, task, counts.value, products, rng, tick)
    return Findings(counts, course, products, teachers)
