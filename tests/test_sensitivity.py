"""What one unit can add to residual sums and to rank products: the lemmas of the promise, §3."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers import too_long
from strategies import records_of, teachers
from tincture.privacy.query import Query, Records
from tincture.privacy.vault import lattice_sum
from tincture.public.columns import Column
from tincture.public.tasks import Amounts, Classification, Survival, Task
from tincture.spine.questions import ResidualSums
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.balance import Balance, Weighted
from tincture.tables.copula import Lines
from tincture.tables.marginals import Marginals
from tincture.tables.products import Products, candidates
from tincture.tables.questions import InteractionSums, RankProducts

AMOUNT = Amounts(Column("y", "number", 0.0, 90.0))
YES_NO, TIMES = Classification("y", 2), Survival("t", "e", 0.0, 100.0)
FOUR = Classification("y", 4)
HAIR = 1 + 1e-12


def outcomes_of(task: Task, n: int) -> st.SearchStrategy[np.ndarray]:
    """Any outcomes that a record can have."""
    if isinstance(task, Classification):
        classes = st.sampled_from([float(k) for k in range(task.n_classes)])
        return arrays(np.float64, (n, 1), elements=classes)
    if task is AMOUNT:
        return arrays(np.float64, (n, 1), elements=st.floats(0.0, 1.0))
    times = arrays(np.float64, (n, 1), elements=st.floats(0.0, 100.0))
    events = arrays(np.float64, (n, 1), elements=st.sampled_from([0.0, 1.0]))
    return st.tuples(times, events).map(lambda parts: np.concatenate(parts, axis=1))


@st.composite
def tables(draw: st.DrawFn, marginals: Marginals, task: Task = YES_NO) -> Records:
    """Up to six records of any values that the schema allows."""
    n = draw(st.integers(1, 6))
    points = draw(records_of(marginals.encoding, n))
    design = marginals.encoding.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, draw(outcomes_of(task, n)))


def counts_of(task: Task) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, task.n_cells, elements=st.floats(-100.0, 1000.0))


@st.composite
def residual_sums(draw: st.DrawFn) -> tuple[ResidualSums, Records]:
    """A question of any round, and records of any outcomes."""
    tasks: list[Task] = [YES_NO, FOUR, AMOUNT, TIMES]
    task = draw(st.sampled_from(tasks))
    teacher: Teacher[Basis] = draw(teachers((3,) if task is FOUR else ()))
    query = ResidualSums(task, teacher, draw(counts_of(task)))
    return query, draw(tables(teacher.basis.marginals, task))


@st.composite
def rank_products(draw: st.DrawFn) -> tuple[RankProducts, Records]:
    """A question about columns of any kind; one column alone has no pair to ask of."""
    teacher = draw(teachers().filter(lambda t: len(t.basis.marginals.shares) > 1))
    marginals = teacher.basis.marginals
    return RankProducts(Lines.along(marginals, teacher)), draw(tables(marginals))


@st.composite
def interaction_sums(draw: st.DrawFn) -> tuple[InteractionSums, Records]:
    """A question about some pairs and triples of columns, of any outcomes."""
    tasks: list[Task] = [YES_NO, FOUR, AMOUNT, TIMES]
    task = draw(st.sampled_from(tasks))
    any_of = teachers((3,) if task is FOUR else ())
    teacher = draw(any_of.filter(lambda t: len(candidates(t.basis)) > 0))
    terms = draw(st.lists(st.sampled_from(candidates(teacher.basis)), min_size=1, unique=True))
    products = Products(teacher.basis, terms, draw(st.floats(0.01, 1)), draw(st.floats(0.01, 10)))
    query = InteractionSums(task, teacher, products, draw(counts_of(task)))
    return query, draw(tables(teacher.basis.marginals, task))


@st.composite
def weighted_sums(draw: st.DrawFn) -> tuple[Weighted, Records]:
    """Residual sums whose records count by their group in some column with levels."""
    asked = residual_sums().filter(lambda a: any(c.is_categorical for c in columns_of(a[0])))
    query, records = draw(asked)
    name = draw(st.sampled_from([c.name for c in columns_of(query) if c.is_categorical]))
    return Weighted(query, Balance.of(marginals_of(query), name)), records


def marginals_of(query: ResidualSums) -> Marginals:
    basis = query.teacher.basis
    assert isinstance(basis, Basis)
    return basis.marginals


def columns_of(query: ResidualSums) -> tuple[Column, ...]:
    return marginals_of(query).encoding.columns


@pytest.mark.parametrize(
    "questions", [residual_sums(), weighted_sums(), interaction_sums(), rank_products()]
)
@given(data=st.data())
def test_a_unit_changes_sums_by_a_clip_at_most(
    questions: st.SearchStrategy[tuple[Query, Records]], data: st.DataObject
) -> None:
    """Without noise, the sums with and without any unit differ by no more than the clip."""
    query, records = data.draw(questions)
    vectors, n = query.contributions(records), len(records)
    ends = sorted({*data.draw(st.sets(st.integers(1, n))), n})
    lengths = np.array([b - a for a, b in pairwise([0, *ends])])
    gone = data.draw(st.integers(0, len(lengths) - 1))
    rest = records.take(np.flatnonzero(np.repeat(np.arange(len(lengths)) != gone, lengths)))
    without = lattice_sum(query.contributions(rest), np.delete(lengths, gone), query.clip)
    difference = lattice_sum(vectors, lengths, query.clip) - without
    assert not too_long([int(d) for d in difference])


@given(weighted_sums())
def test_a_weight_lies_between_a_tenth_and_one_and_lengthens_no_vector(
    asked: tuple[Weighted, Records],
) -> None:
    query, records = asked
    weights = query.balance.weights
    assert (weights >= 0.1 - 1e-12).all()
    assert (weights <= 1.0).all()
    plain, weighted = (
        np.linalg.norm(q.contributions(records), axis=1) for q in (query.query, query)
    )
    assert (weighted <= plain * HAIR).all()
    assert (weighted >= plain * 0.1 / HAIR).all()


@given(st.one_of(residual_sums(), interaction_sums()))
def test_a_residual_vector_is_no_longer_than_the_residual(
    asked: tuple[ResidualSums | InteractionSums, Records],
) -> None:
    query, records = asked
    teacher = query.teacher
    residual = query.task.residual(teacher.score(records.points), records.outcomes, query.counts)
    norms = np.linalg.norm(query.contributions(records), axis=1)
    longest = np.linalg.norm(residual.reshape(len(norms), -1), axis=1)
    assert (norms <= longest * HAIR + 1e-12).all()
    if query.task is not TIMES:  # so that nothing is clipped
        assert (norms <= query.clip * HAIR).all()


@given(rank_products())
def test_products_of_ranks_are_no_longer_than_half_the_squared_ranks(
    asked: tuple[RankProducts, Records],
) -> None:
    query, records = asked
    ranks = query.lines.ranks(records.points)
    assert (np.abs(ranks) <= np.sqrt(3) * HAIR).all()
    norms = np.linalg.norm(query.contributions(records), axis=1)
    assert (norms <= np.square(ranks).sum(axis=1) / np.sqrt(2) * HAIR).all()
