"""The private teacher: bounded smooth curves, fitted through noisy answers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from helpers import ENCODING, SCHEMA, make_table, make_teacher
from strategies import anywhere, records_of, teachers
from tincture.io.frames import to_columns
from tincture.models.served import Served
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Amounts, Classification, Survival, Task
from tincture.spine.teaching import Features, Teacher, levelled, shifted
from tincture.tables.additive import PRIOR, WAVES, Basis, Belief, curvatures
from tincture.tables.brief import Brief
from tincture.tables.cells import cell_codes
from tincture.tables.marginals import Marginals
from tincture.tables.method import survey, usual_plan
from tincture.tables.proxy import teach
from tincture.tables.sealing import TableSealing

DIED, DAYS = Classification("died", 2), Survival("days", "event", 0.0, 365.0)
NOBODY = Served((), ())


@given(teachers(), st.data())
def test_the_bounded_functions_of_any_point_have_norm_one_at_most(
    teacher: Teacher[Basis], data: st.DataObject
) -> None:
    basis = teacher.basis
    encoding = basis.marginals.encoding
    points = data.draw(anywhere(encoding, 4) | records_of(encoding, 4))
    values = basis.values(points)
    assert values.shape == (4, basis.size)
    assert (values[:, -1] == 1).all()
    norms = np.linalg.norm(basis.bounded(values), axis=1)
    assert (norms <= 1 + 1e-12).all()
    assert (norms > 0).all()


@given(teachers(), st.data())
def test_a_record_is_scored_by_itself(teacher: Teacher[Basis], data: st.DataObject) -> None:
    points = data.draw(records_of(teacher.basis.marginals.encoding, 5))
    alone = np.concatenate([teacher.score(points[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(teacher.score(points), alone, rtol=1e-9, atol=1e-9)


def test_waves_are_orthogonal_in_the_quantiles_and_fall_off_as_they_wiggle() -> None:
    rng = np.random.default_rng(1)
    marginals = make_teacher(rng).basis.marginals
    basis = Basis(marginals)
    values = basis.values(ENCODING.snap(marginals.place(marginals.draw(40_000, rng))))
    lactate = ENCODING.columns.index(SCHEMA["lactate"])
    block = values[:, basis.blocks[lactate]]
    present = block[block[:, -1] < 0]  # the indicator, measured from its share
    gram = present[:, :WAVES].T @ present[:, :WAVES] / len(present)
    # Means of 40 000 products of size 2 at most; 0.04 is over 5 standard deviations.
    np.testing.assert_allclose(gram, np.diag(1.0 / np.arange(1, WAVES + 1) ** 4.0), atol=0.04)
    # Apart from the constant, every function is measured from its mean over the records.
    np.testing.assert_allclose(values[:, :-1].mean(axis=0), 0.0, atol=0.04)


def test_a_tail_tells_what_cosines_of_the_rank_do_not() -> None:
    """Admissions, most people having none: the risk of the few with many is out of their reach."""
    bounds = {"minimum": 0, "maximum": 15, "required": True}
    fields = [{"name": "admissions", "type": "integer", "constraints": bounds}]
    encoding = Encoding(Schema.from_dict({"fields": fields}).columns)
    number = np.repeat(np.arange(16.0), (10_000 * 0.45 ** np.arange(16)).astype(int) + 3)
    points = encoding.encode({"admissions": number})
    counts = np.append(np.bincount(cell_codes(encoding, points)[:, 0]), 0.0)
    plain = Basis(Marginals.of_counts(encoding, counts, float(len(number))))
    tail = Basis(plain.marginals, tails={0: plain.tail(0)})
    values = tail.values(points)
    assert np.array_equal(values[:, :WAVES], plain.values(points)[:, :WAVES])
    related = np.atleast_2d(np.corrcoef(values[:, : WAVES + 1].T))
    # Cosines are orthogonal along ranks; along the middles of what many share, they nearly are.
    assert np.abs(related[-1, :-1]).max() < 0.1
    many = number >= 5

    def left(basis: Basis) -> float:
        known = basis.values(points)
        found = known @ np.linalg.lstsq(known, 0.4 * number, rcond=None)[0]
        return float(np.abs(found - 0.4 * number)[many].mean())

    assert left(plain) > 0.5
    assert left(tail) < 0.2


@pytest.mark.parametrize("most", [0.5, 0.9, 0.98])
def test_a_tail_is_no_larger_than_its_amount_where_nearly_all_lie_in_one_cell(most: float) -> None:
    """Bilirubin, say: its tail, a residual of a deviation of 1, once had one of 30.

    Such a function takes all of a record's norm, and residuals tell of nothing else.
    """
    column = next(j for j, c in enumerate(ENCODING.columns) if not c.is_categorical)
    flat = Marginals.flat(ENCODING)
    shares = list(flat.shares)
    here = np.full(len(shares[column]) - 1, (1 - most) / (len(shares[column]) - 2))
    here[1] = most
    shares[column] = np.append(here, 0.0)
    plain = Basis(Marginals(ENCODING, shares))
    basis = Basis(plain.marginals, tails={column: plain.tail(column)})
    rng = np.random.default_rng(0)
    people = ENCODING.snap(basis.marginals.place(basis.marginals.draw(5000, rng)))
    tail = basis.values(people)[:, basis.blocks[column].start + WAVES]
    assert np.sqrt(np.square(tail).mean()) < 1.2


class Hazy:
    """Exact answers with seeded noise on them, so that a test cannot fail by chance."""

    form = None

    def __init__(self, table: pl.DataFrame, noise: float, task: Task, seed: int) -> None:
        plan = usual_plan(math.inf, 1e-5, "proxy")
        self.ledger, self.noise = Ledger(plan), noise
        seal = TableSealing(SCHEMA, ENCODING, task, unit=None)
        self._engine = LocalEngine(Vault(seal, table, self.ledger))
        self._rng = np.random.default_rng(seed)

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        exact = self._engine.answer(query, mechanism, share=share).value
        assert exact is not None
        sigma = self.noise * query.clip
        return Answer(exact + sigma * self._rng.standard_normal(query.size), sigma)


def taught(n: int, noise: float = 0.0, prior: float = PRIOR) -> Teacher[Features]:
    """A teacher of ``died`` from n records whose log odds are additive (see `make_table`)."""
    return taught_of(DIED, make_table(n), noise, prior)


def taught_of(
    task: Task, table: pl.DataFrame, noise: float, prior: float = PRIOR, seed: int = 2
) -> Teacher[Features]:
    engine = Hazy(table, noise, task, seed)
    marginals, counted = survey(engine, ENCODING, task)
    brief = Brief(engine, task, marginals, counted.value, NOBODY, NOBODY, 100)
    return teach(brief, np.random.default_rng(3), lambda: None, prior).teacher


def spreads(teacher: Teacher[Features]) -> dict[str, float]:
    """Standard deviation of the score along each column."""
    values = teacher.basis.values(fresh()[0])
    return {
        column.name: float(np.std(values[:, block] @ teacher.weights[block]))
        for column, block in zip(ENCODING.columns, teacher.basis.blocks, strict=False)
    }


def fresh() -> tuple[np.ndarray, np.ndarray]:
    """Points of new complete records, and their true log odds."""
    table = make_table(3000, seed=9).drop_nulls()
    values: Mapping[str, np.ndarray] = to_columns(table, SCHEMA, [c.name for c in ENCODING.columns])
    risk = (values["age"] - 60) / 15 + np.log(values["lactate"]) + values["diabetes"]
    return ENCODING.encode(values), np.asarray(risk, dtype=np.float64)


def test_exact_answers_recover_an_additive_logistic_model() -> None:
    points, truth = fresh()
    teacher = taught(8000)
    assert spearmanr(teacher.score(points), truth).statistic > 0.98


def test_under_noise_columns_that_tell_nothing_are_shrunk_most() -> None:
    # Four times the noise of an answer at ε = 1.
    shrunk = spreads(taught(2000, noise=40.0))
    raw = spreads(taught(2000, noise=40.0, prior=1e3))
    for idle in ("sodium", "ward"):
        assert shrunk[idle] < 0.5 * raw[idle]
        assert shrunk[idle] < 0.3 * shrunk["lactate"]
    # What tells much is left as it is where answers are exact.
    assert shrunk["age"] > 0.75 * spreads(taught(2000))["age"]


# Of an amount that hardly differs between people, an answer as noisy as at ε = 1 tells as little: a
# belief in effects as large as on log odds would make of it people far apart.
def test_noise_is_not_taken_for_effects_on_a_narrow_amount() -> None:
    task = Amounts.of(SCHEMA, "days")
    days = np.random.default_rng(8).normal(100.0, 10.0, 1000)
    table, told = make_table(1000).with_columns(days=days), []
    for seed in range(4):
        teacher = taught_of(task, table, 13.0, seed=seed)
        means = task.chance(teacher.score(fresh()[0]))
        told.append(means.std() / (10.0 / 365.0))
    assert np.mean(told) < 0.2


def test_noise_beyond_all_records_teaches_nothing() -> None:
    assert max(spreads(taught(300, noise=1e5)).values()) < 0.02


def test_belief_in_a_column_falls_when_its_answers_are_small_and_grows_when_large() -> None:
    basis = make_teacher(np.random.default_rng(4)).basis
    marginals = basis.marginals
    rng = np.random.default_rng(5)
    values = basis.values(ENCODING.snap(marginals.place(marginals.draw(2000, rng))))
    curves = curvatures(basis, values, information=500.0, scatter=500.0)
    answer = np.zeros(basis.size)
    loud = basis.blocks[1]
    answer[loud] = 400.0
    first = Belief.first(basis, 0.0)
    then = first.after(basis, answer, curves, noise=5.0, noise_so_far=10.0)
    assert then.variance[1] > first.variance[1]
    assert (np.delete(then.variance, [1, -1]) < np.delete(first.variance, [1, -1])).all()
    assert then.variance[-1] == first.variance[-1]  # the constant is never shrunk
    assert then.weights[loud].any()
    assert not np.delete(then.weights, np.r_[loud]).any()


@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_a_levelled_teacher_has_the_released_prevalence(share: float) -> None:
    teacher = make_teacher(np.random.default_rng(6))
    rng = np.random.default_rng(7)
    sample = ENCODING.snap(teacher.basis.marginals.draw(500, rng))
    level = levelled(teacher, sample, DIED, np.array([1 - share, share]) * 1000)
    assert DIED.chance(level.score(sample)).mean() == pytest.approx(share, abs=1e-6)
    np.testing.assert_array_equal(level.weights[:-1], teacher.weights[:-1])


def test_a_levelled_teacher_of_several_classes_has_the_released_shares() -> None:
    one, shares = make_teacher(np.random.default_rng(6)), np.array([0.6, 0.3, 0.07, 0.03])
    weights = np.random.default_rng(8).normal(size=(3, one.basis.size))
    sample = ENCODING.snap(one.basis.marginals.draw(500, np.random.default_rng(7)))
    stages = Classification("stage", 4)
    level = levelled(Teacher(one.basis, weights), sample, stages, shares * 1000)
    np.testing.assert_allclose(stages.chance(level.score(sample)).mean(axis=0), shares, atol=1e-4)
    np.testing.assert_array_equal(level.weights[:, :-1], weights[:, :-1])


def test_a_log_hazard_has_no_level_to_match() -> None:
    teacher = make_teacher(np.random.default_rng(6))
    assert levelled(teacher, np.zeros((5, ENCODING.width)), DAYS, np.ones(40)) is teacher


def test_a_shift_moves_every_score_alike() -> None:
    teacher = make_teacher(np.random.default_rng(8))
    points = fresh()[0][:50]
    np.testing.assert_allclose(shifted(teacher, 1.5).score(points), teacher.score(points) + 1.5)
