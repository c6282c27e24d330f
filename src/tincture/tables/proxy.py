"""The proxy method: learn a teacher and a proxy through the vault, then search for free.

A teacher (`tincture.tables.additive`) and the dependence between columns
(`tincture.tables.copula`) are bought once. Invented records, labelled by the teacher, then stand in
for the real ones in a search of any length, and the real ones choose among the tables it found.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from tincture.arrays import Floats
from tincture.models.portfolio import ADDITIVE, TREES
from tincture.privacy.engine import Told
from tincture.privacy.query import Query
from tincture.public.tasks import Task
from tincture.search.moves import Moves
from tincture.search.optimizer import Candidates, Progress, Start
from tincture.spine.job import Found
from tincture.spine.questions import ENOUGH_UNITS, ResidualSums
from tincture.spine.teaching import Features, Teacher, in_line, levelled, taught
from tincture.tables.additive import PRIOR, Basis, Curvature, curvatures
from tincture.tables.brief import Brief
from tincture.tables.cohort import invent, outcomes_of
from tincture.tables.copula import Copula, Lines
from tincture.tables.distil import Distance, distil
from tincture.tables.products import Crossed, Products, Term, candidates, found
from tincture.tables.questions import InteractionSums, LossDifferences, RankProducts
from tincture.tables.refined import Heard, Lesson, refined
from tincture.tables.sizing import copies_for
from tincture.tables.starts import focused, grown, repeated
from tincture.tables.tails import Tail

N_TRAINING = 6000  # invented records from which expected slopes are computed
N_POOL = 8000  # that stand in for the real ones, and lend their values
N_ANCHORS = 1000
N_PEOPLE, N_FOCUSED = 3, 12  # first tables beside the first, where columns go together
CLIP_A_TABLE = 0.1
CLEAR = 0.1  # of a weight's usual deviation, that noise may have where tails are looked into


# Moves of a search; times are served well from the start (docs/decisions/0015, 0017).
MOVES = {True: 120, False: 60}


def by_proxy(brief: Brief, rng: np.random.Generator, progress: Progress) -> Found:
    """Teach, relate, distil, choose; see `tincture.tables.method.search`."""
    (own,) = rng.spawn(1)  # the cohort's, on whose size the rows must not depend
    moves = max(1, round(MOVES[brief.task.is_probabilistic] * brief.effort))
    looks = max(1, round(brief.plan.count(LossDifferences.question) * min(brief.effort, 1.0)))
    total = moves + brief.plan.count(ResidualSums.question) + looks
    ticks = itertools.count()

    def tick() -> None:
        progress(next(ticks), total)

    lesson = teach(brief, rng, tick)
    proxy = relate(brief, Lines.along(brief.marginals, lesson.teacher))
    sample = brief.groups.resample(proxy.draw(N_TRAINING, rng), rng)
    teacher = lesson.teacher
    if brief.task.name != "amounts":  # whose slope is right already (docs/decisions/0024)
        teacher = refined(lesson, sample, brief.task, brief.counts, brief.counting)
    people = brief.n_people
    cohort = invent(brief, teacher, proxy, people, own) if people else None
    pool = proxy.draw(N_POOL, rng)
    teacher = levelled(teacher, pool, brief.task, brief.counts)
    pool = brief.groups.resample(pool, rng)
    scores = teacher.score(pool)
    lender = brief.released(pool, rng)
    glances = not isinstance(teacher.basis, Crossed)  # quick models are blind to what goes together
    distance = Distance(brief.guarded, brief.task, brief.encoding, pool, scores, glances=glances)
    start = distance.nearest(first_tables(brief, teacher, lender, rng))
    mover = Moves(lender, brief.encoding.slices, proxy.lines.attention)
    tables = distil(distance, mover, start, moves, rng, tick, brief.encoding.lawful)
    task = brief.anchored(pool[:N_ANCHORS], rng)
    table = choose(brief, task, start, [start.prototypes, tables[-1]], mover, rng, tick, looks)
    progress(total, total)
    order = rng.permutation(len(start.owner))  # which says nothing
    return Found(table[start.owner][order], start.outcomes[order], cohort=cohort)


def teach(
    brief: Brief, rng: np.random.Generator, tick: Callable[[], None], prior: float = PRIOR
) -> Lesson:
    """Fit the teacher by rounds of residual sums, from half of them on with what goes together."""
    marginals, rounds = brief.marginals, brief.plan.count(ResidualSums.question)
    sample = brief.encoding.snap(marginals.place(marginals.draw(N_TRAINING, rng)))
    sample = brief.groups.resample(sample, rng)
    level, breadth = brief.task.level(brief.counts), brief.task.breadth(brief.counts)
    basis = Basis.fitting(marginals, sample)
    lesson = Lesson.first(basis, level, prior * breadth)
    if tails := tails_of(brief, lesson, basis, sample):
        basis = Basis.fitting(marginals, sample, tails)
        lesson = Lesson.first(basis, level, prior * breadth)
    lesson = taught_on(brief, lesson, sample, rounds - rounds // 2, tick)
    if terms := together(brief, lesson.teacher, basis, sample):
        lesson = lesson.on(Crossed.fitting(basis, terms, sample))
    return taught_on(brief, lesson, sample, rounds // 2, tick)


def tails_of(brief: Brief, lesson: Lesson, basis: Basis, sample: Floats) -> dict[int, Tail]:
    """Tails of all amounts, if noise in a usual column's weight is so small that they pay."""
    columns = enumerate(brief.encoding.columns)
    amounts = [j for j, column in columns if not column.is_categorical]
    curves = curves_of(brief, basis, basis.values(sample), lesson.belief.weights)
    plan, question = brief.plan, ResidualSums.question
    noise = plan.mechanism(question).noise_multiplier / math.sqrt(plan.count(question))
    slopes, usual = [curves[j].slope[0, 0] for j in amounts], math.sqrt(lesson.belief.prior)
    if not slopes or noise > CLEAR * usual * float(np.median(slopes)):
        return {}
    return {j: basis.tail(j) for j in amounts}


def curves_of(
    brief: Brief, basis: Features, values: Floats, weights: Floats
) -> Sequence[Curvature]:
    """What residual sums tell of each block, at these weights and φ of invented records."""
    scores, task = values @ weights.T, brief.task
    information = brief.counting * task.information(scores, brief.counts).mean(axis=0)
    scatter = brief.counting * task.scatter(scores, brief.counts).mean(axis=0)
    return curvatures(basis, values, information, scatter)


def taught_on(
    brief: Brief, lesson: Lesson, sample: Floats, rounds: int, tick: Callable[[], None]
) -> Lesson:
    """The lesson after more rounds."""
    task, counts, basis = brief.task, brief.counts, lesson.teacher.basis
    values, beliefs, told = basis.values(sample), [lesson.belief], [*lesson.told]
    planned = brief.plan.count(ResidualSums.question)

    def asked(weights: Floats) -> Query:
        return brief.groups.of_query(ResidualSums(task, Teacher(basis, weights), counts))

    def learned(weights: Floats, answer: Told) -> Floats:
        told.append(Heard(basis, weights, answer))
        curves = curves_of(brief, basis, values, weights)
        noises = answer.noise / math.sqrt(planned), answer.noise / math.sqrt(len(told))
        beliefs.append(beliefs[-1].after(basis, answer.value, curves, *noises))
        return beliefs[-1].weights

    weights = taught(brief.engine, lesson.belief.weights, asked, learned, tick, rounds=rounds)
    return Lesson(Teacher(basis, weights), beliefs[-1], told)


def together(brief: Brief, teacher: Teacher[Features], basis: Basis, sample: Floats) -> list[Term]:
    """Columns whose products tell of the outcome what the teacher does not."""
    terms = candidates(basis)
    if not terms:
        return []
    products = Products.fitting(basis, terms, sample)
    query = InteractionSums(brief.task, teacher, products, brief.counts)
    mechanism = brief.plan.mechanism(query.question)
    share = min(1.0, ENOUGH_UNITS / brief.n_units)
    answer = brief.engine.answer(brief.groups.of_query(query), mechanism, share=share)
    if answer.value is None:
        return []
    scatter = brief.task.scatter(teacher.score(sample), brief.counts)
    spread = brief.counting / share * products.squares(sample, scatter) / len(sample)
    if scatter.ndim == 1:
        return found(products, answer.value, spread + answer.noise**2)
    root = np.linalg.cholesky(spread + answer.noise**2 * np.eye(scatter.shape[1]))
    sums = np.linalg.solve(root, answer.value.reshape(-1, products.size).T[..., None])[..., 0].T
    return found(products, sums, np.ones_like(sums))


def relate(brief: Brief, lines: Lines) -> Copula:
    """Buy the dependence between columns."""
    if len(lines.order) < 2:
        return Copula.independent(lines)
    query = RankProducts(lines)
    answer = brief.engine.answer(query, brief.plan.mechanism(query.question))
    if answer.value is None:
        return Copula.independent(lines)
    return Copula.of_products(lines, answer.value, brief.n_units, answer.noise, query.clip)


def first_tables(
    brief: Brief, teacher: Teacher[Features], pool: Floats, rng: np.random.Generator
) -> list[Start]:
    """One to set out from; several where columns go together, as which trees find is luck."""
    people, basis = first_table(brief, teacher, pool, rng), teacher.basis
    if not goes_together(basis, brief.served.names) or brief.task.name == "amounts":
        return [people]
    starts = [people, *(first_table(brief, teacher, pool, rng) for _ in range(N_PEOPLE))]
    terms, typical = basis.terms, typical_of(brief)
    for k in range(N_FOCUSED):  # of people, then of those again, in whom more becomes typical
        start, columns = starts[k], terms[int(rng.integers(len(terms)))]
        seen = focused(start.prototypes, pool, brief.encoding, columns, typical, rng)
        seen = seen[np.argsort(in_line(teacher.score(seen)), kind="stable")]
        outcomes = outcomes_of(seen, start.owner, brief, teacher, rng)
        starts.append(Start(seen, start.owner, outcomes))
    return starts


def goes_together(basis: Features, names: Sequence[str]) -> TypeGuard[Crossed]:
    """Whether a teacher knows what goes together, and a model of these can learn it."""
    return isinstance(basis, Crossed) and not set(names) <= ADDITIVE


def first_table(
    brief: Brief, teacher: Teacher[Features], pool: Floats, rng: np.random.Generator
) -> Start:
    """Invented people all along the teacher's score, or a tree of risk where trees alone ask."""
    task, scores = brief.task, teacher.score(pool)
    if task.is_probabilistic and set(brief.served.names) <= TREES:
        outcomes = brief.outcomes(rng)
        chances, severity = task.chance(scores), task.severity(outcomes)
        return grown(brief.encoding, pool, chances, outcomes, severity, typical_of(brief), rng)
    if task.name == "amounts":  # a row can have the mean itself, and needs no other beside it
        start = repeated(pool, scores, brief.n_rows, rng, copies=1)
        means = task.chance(teacher.score(start.prototypes))[:, None]
        return replace(start, outcomes=task.outcomes(task.values(means)))
    copies = copies_for(brief.encoding, brief.n_rows, are_times=not task.is_probabilistic)
    start = repeated(pool, scores, brief.n_rows, rng, copies)
    outcomes = outcomes_of(start.prototypes, start.owner, brief, teacher, rng)
    return replace(start, outcomes=outcomes)


def typical_of(brief: Brief) -> Floats:
    """Who has the commonest of every column, as an exact point."""
    marginals = brief.marginals
    return brief.released(brief.encoding.snap(marginals.place(marginals.typical())))


def choose(
    brief: Brief,
    task: Task,
    start: Start,
    tables: list[Floats],
    optimizer: Moves,
    rng: np.random.Generator,
    tick: Callable[[], None],
    looks: int,
) -> Floats:
    """Let the real records choose: among the tables found, and without privacy by more moves.

    Models that guard realism are asked too.
    """
    tick()
    last = tables[-1]
    earlier = Candidates(np.stack(tables[:-1] or [last]), last[None], int(rng.integers(2**31)))
    clip = CLIP_A_TABLE * math.sqrt(len(earlier.plus))
    seen = brief.compare(brief.guarded, task, earlier, start, clip)
    if seen is not None and seen.differences.min() < -seen.noise:
        last = earlier.plus[int(np.argmin(seen.differences))]
    state = optimizer.init(Start(last, start.owner, start.outcomes))
    for _ in range(looks - 1):
        tick()
        candidates = optimizer.ask(state, rng).placed(brief.encoding.lawful)
        clip = math.sqrt(len(candidates.plus))
        seen = brief.compare(brief.guarded, task, candidates, start, clip)
        if seen is not None:
            state = optimizer.tell(state, candidates, seen)
    return optimizer.result(state)
