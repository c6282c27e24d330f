"""Stays at several sites: their questions add up, are told and made again, and make a release."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import run
from helpers import plan_of, too_long
from series_helpers import LAYOUT, SCALE, SCHEMA, make_stays, records, stays_condenser
from tincture.audit.rehearsal import Listening
from tincture.errors import SettingError
from tincture.federation.books import told_of_books
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.question import Question
from tincture.flare.carrying import Carried, reply_of
from tincture.flare.kit import Serving
from tincture.flare.running import AGREED, RELEASE, conducted, opened_as
from tincture.kinds import load
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Sealed
from tincture.privacy.vault import Vault
from tincture.spine.questions import CellCounts, ResidualSums
from tincture.spine.teaching import Teacher
from tincture.stays.embeddings import EmbeddingSums, Trajectories
from tincture.stays.job import StaysJob
from tincture.stays.occupancy import Occupancy
from tincture.stays.recipes import StaysRecipes
from tincture.stays.summaries import Summaries, SummaryProducts

NAMES = ("north", "south", "east")
TASK = stays_condenser().job().task
RECIPES = StaysRecipes(LAYOUT, TASK)
BASIS = Summaries(LAYOUT, SCALE, reach=1.7)
QUESTIONS: dict[str, Query] = {
    "outcome counts": CellCounts(TASK),
    "occupancy": Occupancy(LAYOUT),
    "embedding sums": EmbeddingSums(TASK, Trajectories(LAYOUT, SCALE)),
    "residual sums": ResidualSums(
        TASK,
        Teacher(BASIS, np.random.default_rng(0).normal(size=BASIS.size)),
        np.array([50.0, 20.0]),
    ),
}


def steps(query: Query, sealed: Sealed) -> Any:
    """Their exact sum, in lattice steps."""
    vault = Vault(lambda _: sealed, None, Ledger(plan_of(0.0, question=query.question)))
    return vault.share_of(query, Mechanism(0.0))


@pytest.mark.parametrize("name", QUESTIONS)
@settings(max_examples=8, deadline=None)
@given(k=st.integers(1, 4), has_persons=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_the_sum_of_sites_is_the_pooled_sum_to_the_last_step(
    name: str, k: int, has_persons: bool, seed: int
) -> None:
    query, everybody = QUESTIONS[name], records(40, seed=seed)
    sent = Question("run", 0, NAMES, 1.0, RECIPES.of(query))
    again = RECIPES.query(Question.unpacked(sent.packed()).recipe)
    who = np.arange(40) // (2 if has_persons else 1)
    where = np.random.default_rng(seed).integers(k, size=who.max() + 1)[who]

    def part(mine: Any, asked: Query) -> Any:
        return steps(asked, Sealed(everybody.take(mine), who[mine]))

    parts = [part(np.flatnonzero(where == i), again) for i in range(k)]
    whole = part(np.arange(40), query)
    np.testing.assert_array_equal(np.sum(parts, axis=0, dtype=np.uint64), whole)
    moved = (whole - part(np.flatnonzero(who > 0), query)).view(np.int64)
    assert not too_long([int(v) for v in moved])


def test_a_strange_recipe_is_none_and_products_are_not_told() -> None:
    usual = RECIPES.of(QUESTIONS["residual sums"])
    with pytest.raises(TypeError, match="cannot be told"):
        RECIPES.of(SummaryProducts(BASIS))
    for odd in (
        usual._replace(kind="names of patients"),
        usual._replace(kind=SummaryProducts.question),
        usual._replace(settings={}),
        usual._replace(arrays={**usual.arrays, "weights": usual.arrays["weights"][1:]}),
        usual._replace(arrays={**usual.arrays, "sd": 0 * usual.arrays["sd"]}),
        usual._replace(arrays={**usual.arrays, "held": usual.arrays["held"] + 1}),
        usual._replace(arrays={**usual.arrays, "mean": usual.arrays["mean"] * np.nan}),
        usual._replace(arrays={}),
    ):
        with pytest.raises(Exception):  # noqa: B017
            RECIPES.query(odd)


def parts_of(n: int = 240) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """Events and outcomes of three sites; the first has half of the stays."""
    events, outcomes = make_stays(n)
    ends = [0, n // 2, 3 * n // 4, n]
    return {
        name: (events, outcomes[a:b]) for name, a, b in zip(NAMES, ends[:-1], ends[1:], strict=True)
    }


def test_all_questions_of_a_run_add_up_and_make_a_release(tmp_path: Path) -> None:
    condenser = stays_condenser(epsilon=12.0)
    engine = Listening(FederatedEngine.in_process(condenser, parts_of()))
    condenser.fit(engine=engine)
    job: StaysJob = condenser.job()
    kinds = {heard.query.question: heard.query for heard in engine.heard}
    assert kinds.keys() == QUESTIONS.keys()
    pooled = job.seal_part(make_stays(240))
    each = [job.seal_part(part) for part in parts_of().values()]
    for asked in kinds.values():
        query = job.query_of(job.recipe_of(asked))
        total = np.sum([steps(query, part) for part in each], axis=0, dtype=np.uint64)
        np.testing.assert_array_equal(total, steps(asked, pooled))
    told = condenser.ledger.to_dict()
    assert told["sites"] == list(NAMES)
    assert sum(of["units"] for of in told["by_site"].values()) == pytest.approx(240, abs=25)
    condenser.save(tmp_path / "out")
    release = load(tmp_path / "out")
    assert release.settings["columns"] == ["stay_id", "minute", "variable", "value"]
    assert len(release) == 16


def test_events_or_an_engine_are_given_and_not_both() -> None:
    condenser = stays_condenser(epsilon=12.0)
    with pytest.raises(SettingError, match="either records or an engine"):
        condenser.fit()
    engine = FederatedEngine.in_process(condenser, parts_of())
    with pytest.raises(SettingError, match="either records or an engine"):
        condenser.fit(*make_stays(240), engine=engine)


def test_a_run_of_stays_is_drafted_checked_and_carried(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA.to_dict()))
    path = tmp_path / AGREED
    usual = ["consortium", "draft-series", "--schema", tmp_path / "schema.json", "--out", path]
    usual += ["--target", "died", "--hours", 12, "--rows", 16, "--cohort", 0, "--effort", 0]
    said = run(*usual, "--epsilon", 12, "--delta", 1e-5, "--sites", ",".join(NAMES))
    assert said.code == 0, said.err
    assert Consortium.load(path).kind == "stays"
    places = {}
    for name, (events, outcomes) in parts_of().items():
        own = [tmp_path / f"{name}.{what}.parquet" for what in ("events", "outcomes")]
        for table, place in zip((events, outcomes), own, strict=True):
            table.write_parquet(place)
        check = ["site", "check", path, own[0], "--outcomes", own[1]]
        assert "nothing is spent" in run(*check).out
        books = tmp_path / f"books-{name}"
        places[name] = replace(Serving.of(path, own[0], books), outcomes=str(own[1]))
    assert "hold no outcomes" in run("site", "check", path, own[0]).err
    with ExitStack() as stack:
        sites = {name: opened_as(name, place, stack, print) for name, place in places.items()}

        def carry(content: bytes, seconds: float) -> dict[str, Any]:
            return {name: reply_of(site, content) for name, site in sites.items()}

        reach = partial(Carried, carry=carry)
        conducted(tmp_path, reach, tmp_path / "runs", tmp_path, resume=False)
    release = load(tmp_path / RELEASE)
    assert release.kind == "stays"
    asked = told_of_books(tmp_path / "books-north")["questions"]
    assert {one["question"] for one in asked} == QUESTIONS.keys()
    assert len(asked) == len(release.ledger.entries)
