"""Every query: one vector a record, which depends on that record alone, to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from helpers import interactions
from tincture.models.portfolio import portfolio, resolve
from tincture.models.served import Served
from tincture.privacy.query import Query, Records
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.public.tasks import Classification, Survival, Task
from tincture.search.directions import Directions
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.balance import Balance
from tincture.tables.copula import Lines
from tincture.tables.marginals import Marginals
from tincture.tables.questions import LossDifferences, MarginalCounts, RankProducts
from tincture.tables.starts import scattered

COLUMNS = [
    Column("age", "number", 0, 100),
    Column("dose", "number", 1, 1000, required=True),
    Column("sex", "string", categories=("f", "m")),
]
ENCODING = Encoding(COLUMNS)
MARGINALS = Marginals.flat(ENCODING)


def records(task: Task, n: int = 40) -> Records:
    """Invented records, some values missing."""
    rng = np.random.default_rng(3)
    points = MARGINALS.draw(n, rng)
    points[::5, 1] = 1.0
    points = ENCODING.snap(points)
    outcomes = task.allot(np.ones(task.n_cells), n, rng)
    design = ENCODING.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, outcomes)


def differences(task: Task, names: list[str]) -> LossDifferences:
    rng = np.random.default_rng(4)
    invented = ENCODING.design(ENCODING.snap(MARGINALS.place(MARGINALS.draw(100, rng))))
    task = task.anchored(invented, task.allot(np.ones(task.n_cells), 100, rng))
    start = scattered(MARGINALS, task.allot(np.ones(task.n_cells), 30, rng), rng)
    optimizer = Directions(10, n_pairs=3)
    served = Served([resolve(n, task) for n in names], [1 / len(names)] * len(names))
    candidates = optimizer.ask(optimizer.init(start), rng).placed(
        lambda p: ENCODING.snap(MARGINALS.place(p))
    )
    query = LossDifferences(served, task, ENCODING, candidates, start, clip=0.3)
    query.prepare()
    return query


def teacher() -> Teacher[Basis]:
    rng = np.random.default_rng(6)
    basis = Basis.fitting(MARGINALS, ENCODING.snap(MARGINALS.place(MARGINALS.draw(500, rng))))
    return Teacher(basis, rng.normal(size=basis.size))


SEXES = Balance(MARGINALS, 2, np.array([0.1, 1.0, 0.5]))
YES_NO, TIMES = Classification("y", 2), Survival("t", "e", 0.0, 100.0)
THREE = Classification("y", 3)
QUERIES: dict[str, tuple[Task, Callable[[], Query]]] = {
    "cells of classes": (YES_NO, lambda: CellCounts(YES_NO)),
    "cells of times": (TIMES, lambda: CellCounts(TIMES)),
    "marginals": (YES_NO, lambda: MarginalCounts(ENCODING)),
    "residuals of classes": (YES_NO, lambda: ResidualSums(YES_NO, teacher(), np.ones(2))),
    "residuals of three classes": (
        THREE,
        lambda: ResidualSums(
            THREE, Teacher(teacher().basis, np.stack(2 * [teacher().weights])), np.ones(3)
        ),
    ),
    "residuals of times": (TIMES, lambda: ResidualSums(TIMES, teacher(), np.ones(TIMES.n_cells))),
    "weighted residuals": (
        YES_NO,
        lambda: SEXES.of_query(ResidualSums(YES_NO, teacher(), np.ones(2))),
    ),
    "interactions of classes": (YES_NO, lambda: interactions(YES_NO, teacher(), np.ones(2))),
    "interactions of times": (
        TIMES,
        lambda: interactions(TIMES, teacher(), np.ones(TIMES.n_cells)),
    ),
    "rank products": (YES_NO, lambda: RankProducts(Lines.along(MARGINALS, teacher()))),
    "classifiers": (
        YES_NO,
        lambda: differences(YES_NO, list(portfolio(YES_NO))),
    ),
    "survival models": (
        TIMES,
        lambda: differences(TIMES, list(portfolio(TIMES))),
    ),
}


@pytest.mark.parametrize("name", QUERIES)
class TestQueryContract:
    def test_each_record_gives_one_finite_vector(self, name: str) -> None:
        task, make = QUERIES[name]
        query = make()
        vectors = query.contributions(records(task))
        assert vectors.shape == (40, query.size)
        assert np.isfinite(vectors).all()

    def test_permuting_records_permutes_the_vectors(self, name: str) -> None:
        task, make = QUERIES[name]
        query, some = make(), records(task)
        order = np.random.default_rng(5).permutation(40)
        np.testing.assert_array_equal(
            query.contributions(some.take(order)), query.contributions(some)[order]
        )

    def test_removing_a_record_leaves_the_others(self, name: str) -> None:
        task, make = QUERIES[name]
        query, some = make(), records(task)
        kept = np.delete(np.arange(40), 7)
        np.testing.assert_array_equal(
            query.contributions(some.take(kept)), query.contributions(some)[kept]
        )

    def test_one_record_alone_gives_its_own_vector(self, name: str) -> None:
        task, make = QUERIES[name]
        query, some = make(), records(task)
        np.testing.assert_array_equal(
            query.contributions(some.take(slice(7, 8)))[0], query.contributions(some)[7]
        )
