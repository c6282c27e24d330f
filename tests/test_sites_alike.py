"""Sites that count alike: weights, the population that is asked, and what a site refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import make_condenser, make_table, too_long
from sites import (
    EPSILON,
    EVERYONE,
    JOBS,
    NAMES,
    OUTCOMES,
    QUESTIONS,
    ask_all,
    job_of,
    make_site,
    question,
    residuals,
    sealed,
    tables,
)
from tincture.errors import Refused
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.question import Question
from tincture.federation.site import Site
from tincture.federation.sites import InProcess
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import Vault
from tincture.spine.questions import CellCounts
from tincture.spine.run import Run
from tincture.spine.weighing import Scaled
from tincture.tables.questions import MarginalCounts


@pytest.mark.parametrize("name", ["residuals", "marginals", "interactions"])
def test_sites_that_count_alike_move_a_sum_by_the_weight_of_a_unit(name: str) -> None:
    outcome, make = QUESTIONS[name]
    query = make(JOBS[outcome])
    query.prepare()
    plain, half = (
        sealed(EVERYONE, outcome, asked, None)._sum(asked, 1.0)
        for asked in (query, Scaled(query, 0.5))
    )
    assert plain is not None
    assert half is not None
    assert np.abs(plain - 2 * half).max() <= 2 * len(EVERYONE)  # each is cut towards 0
    one = EVERYONE[:1]
    whole, own = (sealed(one, outcome, q, None)._sum(q, 1.0) for q in (query, Scaled(query, 0.5)))
    assert whole is not None
    assert own is not None
    assert (np.abs(own) <= np.abs(whole)).all()
    assert not too_long([int(v) for v in own])


def test_a_run_of_sites_that_count_alike_is_of_the_population_where_they_do(
    tmp_path: Path,
) -> None:
    """At next to no noise: north has four times the records of each other site."""
    condenser, parts = make_condenser(epsilon=1e6), dict(zip(NAMES, tables(n=360), strict=True))
    engine = FederatedEngine.in_process(condenser, parts, balance_sites=True)
    job, plan = condenser.job(), engine.ledger.plan
    marginal, counting = MarginalCounts(job.encoding), CellCounts(job.task)
    counts, cells = (engine.answer(q, plan.mechanism(q.question)) for q in (counting, marginal))
    by_site = engine.ledger.by_site
    assert [by_site[name]["weight"] for name in NAMES] == pytest.approx([0.25, 1, 1], abs=1e-3)
    assert [by_site[name]["units"] for name in NAMES] == [240, 60, 60]

    def summed(query: Query) -> Any:
        sums = [query.contributions(job.sealing.read(p)).sum(axis=0) for p in parts.values()]
        return np.array([0.25, 1, 1]) @ sums

    assert counts.value is not None
    assert cells.value is not None
    np.testing.assert_allclose(counts.value, summed(counting), atol=0.5)
    np.testing.assert_allclose(cells.value, summed(marginal), atol=0.5)
    assert counts.noise < cells.noise


def test_noise_and_weights_are_known_again_when_a_run_goes_on(tmp_path: Path) -> None:
    made = Consortium.of(make_condenser(epsilon=EPSILON), NAMES, balance_sites=True)
    job, told = job_of(), []
    sites = InProcess(
        [weighed(made, name, n) for name, n in zip(NAMES, (200, 50, 50), strict=True)]
    )
    for _ in range(2):
        engine = FederatedEngine(made, job, sites)
        with Run(job.digest(), tmp_path / "journal.jsonl", None) as place:
            place.start(engine.ledger)
            told.append((ask_all(engine), engine.ledger.by_site))
    np.testing.assert_equal(told[0], told[1])
    weights = [told[0][1][name]["weight"] for name in NAMES]
    assert weights[0] < 0.5
    assert Ledger.from_dict(engine.ledger.to_dict()).by_site == told[0][1]


@pytest.mark.parametrize("outcome", ["three", "times"])
def test_what_each_site_has_is_told_of_every_outcome(outcome: str) -> None:
    condenser = make_condenser(epsilon=100.0, **OUTCOMES[outcome])
    parts = dict(zip(NAMES, tables(), strict=True))
    engine = FederatedEngine.in_process(condenser, parts, balance_sites=True)
    query = CellCounts(condenser.job().task)
    engine.answer(query, engine.ledger.plan.mechanism(query.question))
    for name, of in engine.ledger.by_site.items():
        assert of["units"] == pytest.approx(len(parts[name]), abs=8)
        shares = np.atleast_1d(of["prevalence"])
        real = parts[name]["event" if outcome == "times" else "stage"]
        usual = (
            [real.mean()]
            if outcome == "times"
            else [(real == s).mean() for s in "I II III".split()]
        )
        np.testing.assert_allclose(shares, np.array(usual, dtype=float), atol=0.15)


def weighed(made: Consortium, name: str, n: int) -> Site:
    job = job_of()
    return Site(name, made, job, Vault(job.seal_part, make_table(n), Ledger(job.plan())))


def test_weights_that_were_not_agreed_on_or_lengthen_vectors_are_refused() -> None:
    usual = question(residuals(job_of()))
    with pytest.raises(Refused):
        make_site().answer(replace(usual, weights=(0.5, 1.0, 1.0)).packed())
    for weights in ((2.0, 1.0, 1.0), (0.0, 1.0, 1.0), (1.0,), (math.nan, 1.0, 1.0)):
        with pytest.raises((Refused, ValueError)):
            Question.unpacked(replace(usual, weights=weights).packed())
    made = Consortium.of(make_condenser(epsilon=EPSILON), NAMES, balance_sites=True)
    site = weighed(made, "north", 30)
    asked = replace(usual, run=made.digest, weights=(0.5, 1.0, 1.0))
    assert site.answer(asked.packed()) is not None
    with pytest.raises(Refused):
        site.answer(replace(asked, weights=(0.6, 1.0, 1.0)).packed())
