"""Whatever lies beside a record, all that is computed of it is the same, to the last bit.

Theorem 1 of the promise sums units' lattice vectors, so that a neighbour who changes the last bit
of another's value would matter. Every model by name and every question is asked of the same records
in other company: fewer of them, from another place on, in another order, alone, by blocks, and with
one or two threads. No tolerance is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from helpers import (
    ENCODING,
    SCHEMA,
    interactions,
    kernel_threads,
    make_table,
    make_teacher,
    make_vault,
    plan_of,
    value_of,
)
from series_helpers import LAYOUT, SCALE
from series_helpers import records as stays
from tincture.models.portfolio import portfolio, resolve
from tincture.models.protocol import Predictor
from tincture.models.served import Served
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records, Sealed
from tincture.privacy.vault import Vault, lattice
from tincture.public.encoding import Encoding
from tincture.public.tasks import Amounts, Classification, Survival, Task
from tincture.search.directions import Directions
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import EmbeddingSums, Trajectories
from tincture.stays.occupancy import Occupancy
from tincture.stays.summaries import Summaries, SummaryProducts
from tincture.tables.balance import Balance
from tincture.tables.copula import Lines
from tincture.tables.questions import LossDifferences, MarginalCounts, RankProducts
from tincture.tables.sealing import TableSealing
from tincture.tables.starts import scattered

TWO, THREE = Classification("died", 2), Classification("stage", 3)
TIMES = Survival("days", "event", 0.0, 365.0)
AMOUNT = Amounts.of(SCHEMA, "days")
TASKS: dict[str, Task] = {
    "two classes": TWO,
    "three classes": THREE,
    "times": TIMES,
    "amounts": AMOUNT,
}
N = 1037  # more than a block of any kernel, and no multiple of anything
PARTS = {
    "all but the last": slice(0, N - 1),
    "all but two": slice(0, N - 2),
    "all but the first": slice(1, N),
    "from an odd place": slice(7, N - 6),
    "backwards": slice(None, None, -1),
    "every second": slice(None, None, 2),
    "a few": slice(519, 530),
    "one": slice(777, 778),
    "the last": slice(N - 1, N),
}


@contextmanager
def workers(n: int) -> Iterator[None]:
    """So many threads, of BLAS and of kernels."""
    with threadpool_limits(n), kernel_threads(n):
        yield


def designs(n_tables: int, n_rows: int, seed: int) -> np.ndarray:
    """Amounts, some missing, one nearly constant and one of huge values, and a level of five."""
    rng = np.random.default_rng(seed)
    amounts = rng.uniform(size=(n_tables, n_rows, 12))
    amounts[:, :, 3] = 0.5 + 1e-7 * rng.normal(size=(n_tables, n_rows))
    amounts[:, :, 4] *= 1e30
    amounts[rng.uniform(size=amounts.shape) < 0.1] = np.nan
    level = rng.integers(5, size=(n_tables, n_rows))
    return np.concatenate([amounts, np.eye(5)[level]], axis=2)


NUMERIC = np.array([True] * 12 + [False] * 5)


def outcomes(task: Task, n: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    if isinstance(task, Survival):
        return np.stack([rng.uniform(1, 360, n), np.arange(n) % 3 > 0], axis=1)
    if isinstance(task, Amounts):
        return rng.uniform(size=(n, 1))
    return (np.arange(n) % task.n_outputs).astype(float)[:, None]


def known_for(task: Task) -> list[str]:
    """Every model by name; ``glm`` is of two classes."""
    return [name for name in portfolio(task) if name != "glm" or task.n_outputs == 2]


@cache
def fitted(name: str, kind: str) -> tuple[Predictor, Task, Any]:
    """A model by name on three tables, the task with anchors, and the predictions for them."""
    task = TASKS[kind]
    task = task.anchored(designs(1, 150, seed=3)[0], outcomes(task, 150))
    found = resolve(name, task).fit(designs(3, 60, seed=1), outcomes(task, 60), NUMERIC)
    return found, task, None if task.reference is None else found.predict(task.reference)


RECORDS = designs(1, N, seed=5)[0].astype(np.float32)
NAMED = [(name, kind) for kind, task in TASKS.items() for name in known_for(task)]


@pytest.mark.parametrize(("name", "kind"), NAMED)
def test_a_prediction_and_its_loss_do_not_depend_on_other_records(name: str, kind: str) -> None:
    model, task, reference = fitted(name, kind)
    known = outcomes(task, N)
    with workers(2):
        whole = model.predict(RECORDS)
        losses = task.loss(whole, known, reference)
    assert np.isfinite(whole).all()
    for said, part in PARTS.items():
        for n in (1, 2):
            with workers(n):
                found = model.predict(RECORDS[part])
                lost = task.loss(found, known[part], reference)
            assert np.array_equal(found, whole[:, part]), said
            assert np.array_equal(lost, losses[:, part]), said


class Narrow(Encoding):
    """Of which a column of every design is nearly constant."""

    def design(self, points: np.ndarray) -> np.ndarray:
        found = super().design(points)
        found[..., 2] = 0.5 + 1e-7 * found[..., 2]
        return found


def differences(kind: str) -> LossDifferences:
    """Of all models by name; a column of every table is nearly constant."""
    task, rng = TASKS[kind], np.random.default_rng(4)
    marginals = teacher().basis.marginals
    known = records(cast(Hashable, task)).design[:150].astype(float)
    task = task.anchored(known, outcomes(task, 150))

    start = scattered(marginals, task.allot(np.ones(task.n_cells), 40, rng), rng)
    optimizer, names = Directions(10, n_pairs=2), known_for(task)
    served = Served([resolve(n, task) for n in names], [1 / len(names)] * len(names))
    candidates = optimizer.ask(optimizer.init(start), rng).placed(
        lambda p: ENCODING.snap(marginals.place(p))
    )
    encoding = Narrow(ENCODING.columns)
    query = LossDifferences(served, task, encoding, candidates, start, clip=0.05)
    query.prepare()
    return query


@cache
def teacher() -> Any:
    return make_teacher(np.random.default_rng(6))


@cache
def several() -> Any:
    one = teacher()
    return Teacher(one.basis, np.stack([one.weights, one.weights[::-1]]))


@cache
def records(task: Task) -> Records:
    """Records as the vault keeps them."""
    table = make_table(N)
    vault = Vault(TableSealing(SCHEMA, ENCODING, task), table, Ledger.in_house())
    return vault.disclose("test")


SCORE = Summaries(LAYOUT, SCALE, reach=2.0)


def asked(task: Task) -> Query:
    return interactions(task, teacher(), np.full(task.n_cells, 20.0))


LINEAR = Teacher(SCORE, np.random.default_rng(1).normal(size=SCORE.size))
QUERIES: dict[str, tuple[Callable[[], Query], Callable[[], Records]]] = {
    "cells of classes": (lambda: CellCounts(TWO), lambda: records(TWO)),
    "cells of times": (lambda: CellCounts(TIMES), lambda: records(TIMES)),
    "cells of amounts": (lambda: CellCounts(AMOUNT), lambda: records(AMOUNT)),
    "marginals": (lambda: MarginalCounts(ENCODING), lambda: records(TWO)),
    "residuals of classes": (
        lambda: ResidualSums(TWO, teacher(), np.array([500.0, 100.0])),
        lambda: records(TWO),
    ),
    "residuals of three classes": (
        lambda: ResidualSums(THREE, several(), np.array([500.0, 100.0, 50.0])),
        lambda: records(THREE),
    ),
    "residuals of times": (
        lambda: ResidualSums(TIMES, teacher(), np.full(TIMES.n_cells, 20.0)),
        lambda: records(TIMES),
    ),
    "residuals of amounts": (
        lambda: ResidualSums(AMOUNT, teacher(), np.full(AMOUNT.n_cells, 20.0)),
        lambda: records(AMOUNT),
    ),
    "weighted residuals": (
        lambda: Balance.of(teacher().basis.marginals, "ward").of_query(
            ResidualSums(TWO, teacher(), np.array([500.0, 100.0]))
        ),
        lambda: records(TWO),
    ),
    "interactions": (lambda: asked(TWO), lambda: records(TWO)),
    "interactions of times": (lambda: asked(TIMES), lambda: records(TIMES)),
    "rank products": (
        lambda: RankProducts(Lines.along(teacher().basis.marginals, teacher())),
        lambda: records(TWO),
    ),
    "losses of two classes": (lambda: differences("two classes"), lambda: records(TWO)),
    "losses of three classes": (lambda: differences("three classes"), lambda: records(THREE)),
    "losses of times": (lambda: differences("times"), lambda: records(TIMES)),
    "losses of amounts": (lambda: differences("amounts"), lambda: records(AMOUNT)),
    "occupancy": (lambda: Occupancy(LAYOUT), lambda: stays(N)),
    "embedding sums": (lambda: EmbeddingSums(TWO, Trajectories(LAYOUT, SCALE)), lambda: stays(N)),
    "residuals of stays": (
        lambda: ResidualSums(TWO, LINEAR, np.array([500.0, 100.0])),
        lambda: stays(N),
    ),
    "summary products": (lambda: SummaryProducts(SCORE), lambda: stays(N)),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_contribution_does_not_depend_on_other_records(name: str) -> None:
    make, given = QUERIES[name]
    query, some = make(), given()
    with workers(2):
        whole = query.contributions(some)
    steps = lattice(whole, np.ones(N, dtype=np.int64), query.clip)
    assert steps.any(axis=1).any()
    for said, part in PARTS.items():
        for n in (1, 2):
            with workers(n):
                found = query.contributions(some.take(part))
                own = lattice(found, np.ones(len(found), dtype=np.int64), query.clip)
            assert np.array_equal(found, whole[part]), said
            assert np.array_equal(own, steps[part]), said


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("block", [1, 100, 4096])
def test_the_vault_adds_up_the_same_whatever_its_blocks(name: str, block: int) -> None:
    make, given = QUERIES[name]
    query, some = make(), given().take(slice(0, 300))
    sealed = Sealed(some, np.arange(300) // 3)
    vault = Vault(lambda _: sealed, None, Ledger(plan_of(question=query.question)), block=block)
    whole = lattice(query.contributions(some), np.full(100, 3), query.clip).sum(axis=0)
    total = vault._sum(query, 1.0)
    assert total is not None and np.array_equal(total, whole)


@pytest.mark.parametrize("size", [1, 7, 64, 401])
def test_a_units_lattice_vector_does_not_depend_on_other_units(size: int) -> None:
    rng = np.random.default_rng(size)
    lengths = rng.integers(1, 5, 1500)  # more units than a thread takes at a time
    vectors = rng.standard_t(2, size=(lengths.sum(), size))
    vectors[rng.uniform(size=vectors.shape) < 0.05] = np.nan
    whole = lattice(vectors, lengths, 1.5)
    owner = np.repeat(np.arange(1500), lengths)
    for gone in ([0], [1499], [3, 700], list(range(1, 1500))):
        rest = np.delete(np.arange(1500), gone)
        keep = np.isin(owner, rest)
        for found in (vectors[keep], np.asfortranarray(vectors[keep])):
            assert np.array_equal(lattice(found, lengths[rest], 1.5), whole[rest])


def test_a_record_enters_the_vault_the_same_whatever_table_it_stands_in() -> None:
    # Amounts on a logarithmic scale are the only ones that more than plain arithmetic is done to.
    table = make_table(N)
    assert SCHEMA["lactate"].is_log
    whole = make_vault(Ledger.in_house(), table=table).disclose("test")

    def entered(rows: np.ndarray) -> Records:
        return make_vault(Ledger.in_house(), table=table[rows.tolist()]).disclose("test")

    for part in PARTS.values():
        rows = np.arange(N)[part]
        if len(rows) < 20:  # a vault refuses a table of one class
            continue
        found = entered(rows)
        for name in ("points", "design", "outcomes"):
            mine, theirs = getattr(found, name), getattr(whole, name)[rows]
            assert np.array_equal(mine, theirs, equal_nan=True), name


def test_persons_enter_the_vault_the_same_without_one_of_them() -> None:
    table = make_table(200)
    query = QUERIES["residuals of classes"][0]()

    def vectors(kept: pl.DataFrame) -> np.ndarray:
        vault = make_vault(Ledger(plan_of(question="residual sums")), table=kept, unit="patient")
        found = [
            lattice(query.contributions(some), lengths, query.clip)
            for some, lengths in vault._sampled_blocks(1.0)
        ]
        return np.concatenate(found)

    whole, names = vectors(table), table["patient"].unique().sort().to_list()
    for gone in (0, 37, 99):
        rest = vectors(table.filter(pl.col("patient") != names[gone]))
        assert np.array_equal(rest, np.delete(whole, gone, axis=0))


def test_an_answer_is_the_same_for_blocks_of_any_size() -> None:
    query = QUERIES["residuals of times"][0]()
    answers = [
        value_of(
            Vault(
                TableSealing(SCHEMA, ENCODING, TIMES, unit="patient"),
                make_table(N),
                Ledger(plan_of(question=query.question)),
                block=block,
            ).noisy_sum(query, Mechanism(0.0))
        )
        for block in (1, 64, 1000, 4096)
    ]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])
