"""The end of the proxy method: real records choose among the tables that were found for free."""

from __future__ import annotations

import math

import numpy as np
import pytest

from helpers import ENCODING, OTHERS, SCHEMA, make_condenser, make_table, make_teacher
from tincture.audit.rehearsal import Listening
from tincture.models.served import Served
from tincture.privacy.accounting import Mechanism, Phase, Plan
from tincture.privacy.booking import Answer
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault
from tincture.public.tasks import Classification
from tincture.search.moves import Moves
from tincture.spine.job import SILENT
from tincture.tables.brief import Brief
from tincture.tables.condenser import Condenser
from tincture.tables.proxy import choose, first_table
from tincture.tables.questions import LossDifferences

DIED = Classification("died", 2)
COUNTS = np.array([600.0, 400.0])
NOISE = 0.02  # of a mean loss difference
NOBODY = Served((), ())


class Told:
    """An engine that answers mean loss differences with these figures."""

    form = None

    def __init__(self, figures: list[list[float] | None], epsilon: float = 1.0) -> None:
        phase = Phase(LossDifferences.question, len(figures), 1.0)
        self.ledger = Ledger(Plan(epsilon, 1e-5, (phase,), (Mechanism(1.0),)))
        self.figures, self.asked = figures, list[Query]()

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        figures = self.figures[len(self.asked)]
        self.asked.append(query)
        if figures is None:
            return Answer(None, math.nan)
        return Answer(np.array(figures) * COUNTS.sum(), NOISE * COUNTS.sum())


def chosen(figures: list[list[float] | None], n_tables: int = 4) -> tuple[int | None, Told]:
    """Which of the tables is chosen (None if another), and what was asked."""
    rng, engine = np.random.default_rng(1), Told(figures)
    teacher = make_teacher(rng, 1.0)
    marginals = teacher.basis.marginals
    brief = Brief(engine, DIED, marginals, COUNTS, NOBODY, NOBODY, 20)
    pool = ENCODING.snap(marginals.place(marginals.draw(100, rng)))
    start = first_table(brief, teacher, pool, rng)
    tables = [rng.permutation(start.prototypes) for _ in range(n_tables)]
    weights = np.full(len(ENCODING.slices), 1 / len(ENCODING.slices))
    optimizer = Moves(pool, ENCODING.slices, weights, n_pairs=3, together=())
    result = choose(brief, DIED, start, tables, optimizer, rng, lambda: None, len(figures))
    same = [i for i, table in enumerate(tables) if np.array_equal(table, result)]
    return (same[0] if same else None), engine


@pytest.mark.parametrize(
    ("figures", "table"),
    [
        ([0.1, 0.2, 0.3], 3),  # earlier tables are worse: the last
        ([0.1, -0.2, -0.1], 1),  # the best earlier one
        ([0.0, -0.9 * NOISE, 0.1], 3),  # within the noise: the last
        (None, 3),  # a lost answer: the last
    ],
)
def test_an_earlier_table_is_taken_if_it_is_better_by_more_than_the_noise(
    figures: list[float] | None, table: int
) -> None:
    which, engine = chosen([figures])
    assert which == table
    assert engine.asked[0].size == 3
    assert engine.asked[0].clip == pytest.approx(0.1 * math.sqrt(3))


def test_one_table_alone_is_asked_about_too_since_the_question_was_planned() -> None:
    which, engine = chosen([[0.0]], n_tables=1)
    assert which == 0
    assert len(engine.asked) == 1


def test_further_questions_are_moves_from_the_chosen_table() -> None:
    better, worse = [-0.5, 0.1, 0.1], [0.1, 0.1, 0.1]
    assert chosen([[0.1, -0.2, 0.1], worse, None, worse])[0] == 1
    which, engine = chosen([[0.1, -0.2, 0.1], better])
    assert which is None
    assert engine.asked[1].clip == math.sqrt(3)  # as much as differences of losses can be


def test_real_records_guard_realism_too() -> None:
    # Chosen by the models asked for alone, a table without noise loses those who come later.
    job = make_condenser(epsilon=1.0).job()
    engine = Listening(LocalEngine(Vault(job.seal, make_table(80), Ledger(job.plan()))))
    job.search(engine, np.random.default_rng(0), SILENT)
    asked = [h.query for h in engine.heard if isinstance(h.query, LossDifferences)]
    assert asked
    for query in asked:
        assert list(query.served.names) == ["logistic", "naive_bayes"]
        assert sum(query.served.weights) == pytest.approx(1.0)


def test_without_noise_an_effort_is_spared_in_questions_too() -> None:
    def asked(effort: float) -> int:
        made = Condenser(
            schema=SCHEMA,
            epsilon=math.inf,
            delta=1e-5,
            target="died",
            drop=[*OTHERS["died"], "patient"],
            models=["logistic"],
            n_rows=8,
            cohort=0,
            effort=effort,
        ).fit(make_table(100))
        return sum(e.question == LossDifferences.question for e in made.ledger.entries)

    assert asked(0.01) == 2
    assert asked(0.02) == 4
