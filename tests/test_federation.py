"""Several sites, one run: sums add up to the last step, and a question is answered once."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from commands import condensing, listing, prepare, run, semicolons
from helpers import Ask, make_condenser, make_table, make_vault, plan_of, too_long
from sabotage import scaled
from sites import (
    EPSILON,
    EVERYONE,
    JOBS,
    NAMES,
    QUESTIONS,
    ask_all,
    consortium_of,
    differences,
    job_of,
    make_site,
    question,
    residuals,
    sealed,
    tables,
)
from tincture.audit.one_run import Bound, bound
from tincture.audit.rehearsal import Heard, Listening, evidence
from tincture.errors import BudgetError, QueryFailed, Refused, ReleaseError, SettingError
from tincture.federation.books import JOURNAL
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.question import Question
from tincture.federation.site import Site, opened
from tincture.federation.sites import InProcess
from tincture.io.frames import read_table
from tincture.kinds import estimator_of
from tincture.privacy.accounting import Mechanism
from tincture.privacy.booking import Answer
from tincture.privacy.budget import Budget
from tincture.privacy.journal import Journal
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records, Sealed
from tincture.privacy.vault import GRID, Vault
from tincture.spine.job import SILENT
from tincture.spine.questions import CellCounts
from tincture.spine.run import Run
from tincture.tables.canaries import canaries
from tincture.tables.questions import MarginalCounts

# F1: the sum of the sites' sums ---------------------------------------------------------------


@pytest.mark.parametrize("name", QUESTIONS)
@settings(max_examples=8, deadline=None)
@given(k=st.integers(1, 5), has_persons=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_the_sum_of_sites_is_the_pooled_sum_to_the_last_step(
    name: str, k: int, has_persons: bool, seed: int
) -> None:
    outcome, make = QUESTIONS[name]
    query, unit = make(JOBS[outcome]), "patient" if has_persons else None
    sent = Question("run", 0, NAMES, 1.0, JOBS[outcome].recipe_of(query))
    again = JOBS[outcome].query_of(Question.unpacked(sent.packed()).recipe)
    query.prepare()
    person = np.arange(len(EVERYONE)) // (2 if has_persons else 1)  # of whom no two sites know
    where = np.random.default_rng(seed).integers(k, size=person.max() + 1)[person]

    def part(table: pl.DataFrame, asked: Query) -> np.ndarray:
        return sealed(table, outcome, asked, unit).share_of(asked, Mechanism(0.0))

    parts = [part(EVERYONE.filter(pl.Series(where == i)), again) for i in range(k)]
    total = np.sum(parts, axis=0, dtype=np.uint64)
    np.testing.assert_array_equal(total, part(EVERYONE, query))


def test_all_questions_of_a_run_add_up_and_one_unit_moves_one_site_by_a_clip_at_most() -> None:
    condenser, parts = make_condenser(epsilon=EPSILON), tables()
    engine = Listening(FederatedEngine.in_process(condenser, dict(zip(NAMES, parts, strict=True))))
    condenser.fit(engine=engine)
    kinds, job = {h.query.question: h.query for h in engine.heard}, condenser.job()
    assert len(kinds) == 6

    def steps(table: pl.DataFrame, query: Query) -> np.ndarray:
        vault = sealed(table, "classes", query, None)
        return vault.share_of(query, Mechanism(0.0)).view(np.int64)

    for asked in kinds.values():
        query = job.query_of(job.recipe_of(asked))
        sums = [steps(table, query) for table in parts]
        np.testing.assert_array_equal(np.sum(sums, axis=0), steps(pl.concat(parts), query))
        moved = sums[1] - steps(parts[1][1:], query)
        assert not too_long([int(v) for v in moved])
    told = condenser.ledger.to_dict()
    assert told["sites"] == list(NAMES)
    assert told["neighbours"].endswith("at one site")
    assert told["promise"].startswith("Whether or not one record was in the table of any one of 3 ")
    assert Ledger.from_dict(told).to_dict() == told
    noise = condenser.ledger.plan.mechanism("outcome counts").noise_multiplier
    assert engine.heard[0].answer.noise == pytest.approx(noise * math.sqrt(3))
    card = condenser.table_.card()
    assert ("Sites that took part", "north, south, east") in card.facts
    shown = {name: value for name, value in card.facts}
    assert all("of whom" in shown[f"{name}, through noise"] for name in NAMES)
    assert sum(of["units"] for of in told["by_site"].values()) == pytest.approx(240, abs=15)


# F2: noise ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("holders", [1, 3])
def test_noise_of_a_share_and_of_the_sum_is_as_told(holders: int) -> None:
    """χ² of 4000 values, two-sided; false alarms 10⁻⁶ each, and ±30% lies 15 deviations outside."""
    size, draws, sigma = 80, 50, 2.5
    query = Ask(lambda r: np.zeros((len(r), size)), size=size)
    vaults = [make_vault(Ledger(plan_of(sigma)), 5) for _ in range(3)]
    drawn = [
        [v.share_of(query, Mechanism(sigma), holders=holders) for v in vaults] for _ in range(draws)
    ]
    shares = np.array(drawn)
    one = shares[:, 0].view(np.int64) / GRID
    total = shares.sum(axis=1, dtype=np.uint64).view(np.int64) / GRID
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], one.size)
    for values, claimed in ((one, sigma / holders**0.5), (total, sigma * (3 / holders) ** 0.5)):
        assert low <= np.square(values / claimed).sum() <= high
        assert not low <= np.square(values / claimed / 1.3).sum() <= high
        assert not low <= np.square(values / claimed * 1.3).sum() <= high


# F3: what a site refuses ----------------------------------------------------------------------


def first() -> Question:
    return question(CellCounts(job_of().task))


def test_a_repeat_gets_the_bytes_that_were_kept_and_costs_nothing() -> None:
    site = make_site()
    content = first().packed()
    with ThreadPoolExecutor(4) as threads:  # the first, and repeats while it is not answered yet
        sent, *more = threads.map(site.answer, [content] * 4)
    assert sent is not None
    np.testing.assert_equal(more, [sent] * 3)
    np.testing.assert_equal(site.answer(first().packed()), sent)
    assert len(site.ledger.entries) == 1


CHANGED: dict[str, dict[str, Any]] = {
    "another share under the same number": {"share": 0.5},
    "a smaller cohort, for a difference": {"cohort": ("north", "south")},
    "another run": {"run": "0" * 64},
    "a later number, for fresh noise": {"number": 1, "recipe": None},
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_question_is_refused_in_a_word(change: str) -> None:
    site, asked = make_site(), first()
    site.answer(asked.packed())
    changed = CHANGED[change]
    if changed.get("recipe", asked) is None:  # of a kind that may be asked once
        changed = {"number": 1}
    with pytest.raises(Refused, match=r"^refused$"):
        site.answer(replace(asked, **changed).packed())
    assert len(site.ledger.entries) == 1


def test_a_question_that_was_never_asked_may_not_come_late_or_be_of_others() -> None:
    site = make_site()
    late = question(MarginalCounts(job_of().encoding), 0)
    site.answer(question(CellCounts(job_of().task), 3).packed())
    for asked in (late, replace(late, number=4, cohort=("south", "east")), replace(late, run="x")):
        with pytest.raises(Refused):
            site.answer(asked.packed())
    sent = site.answer(replace(late, number=4).packed())
    assert sent is not None
    assert sent.shape == (76,)


def test_a_strange_recipe_is_refused_before_it_is_booked() -> None:
    reasons: list[str] = []
    site = make_site(notice=reasons.append)
    usual = question(residuals(job_of()))
    recipe, losses = usual.recipe, question(differences(job_of())).recipe
    ranks = question(QUESTIONS["rank products"][1](job_of())).recipe
    short = {**recipe.arrays, "weights": recipe.arrays["weights"][:-1]}
    odd = {**recipe.arrays, "counts": np.array([np.nan, 1.0])}
    for strange in (
        recipe._replace(kind="names of patients"),
        recipe._replace(kind="rank products"),
        recipe._replace(arrays=short),
        recipe._replace(arrays=odd),
        recipe._replace(arrays={}),
        recipe._replace(settings={}),
        recipe._replace(settings={**recipe.settings, "tails": {"3": [0.5, 0.1, 0, 0, 0, 0]}}),
        recipe._replace(arrays={**recipe.arrays, "groups": np.ones(4)}),  # nothing is balanced
        ranks._replace(arrays={**ranks.arrays, "spread": 0 * ranks.arrays["spread"]}),  # no clip
        losses._replace(settings={**losses.settings, "clip": -1.0}),
        losses._replace(settings={**losses.settings, "clip": "1e999"}),
        losses._replace(arrays={**losses.arrays, "owner": losses.arrays["owner"] + 1000}),
    ):
        with pytest.raises(Refused, match=r"^refused$"):
            site.answer(replace(usual, recipe=strange).packed())
    assert len(reasons) == 12
    assert not site.ledger.entries
    sent = site.answer(usual.packed())
    assert sent is not None
    assert sent.shape == (20,)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_message_is_refused(data: st.DataObject) -> None:
    whole = question(residuals(job_of())).packed() if not WHOLE else WHOLE[0]
    WHOLE.append(whole)
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    message = whole[:at] + put + whole[at + cut :]
    try:
        read = Question.unpacked(message)
    except Refused:
        return
    assert read.packed() == message  # what is read is what was meant


WHOLE: list[bytes] = []


def test_a_question_outside_the_plan_is_refused() -> None:
    job, ledger = job_of(), Ledger(plan_of(1.0, question="outcome counts", count=1))
    site = Site("north", consortium_of(), job, Vault(job.seal_part, make_table(30), ledger))
    with pytest.raises(Refused):
        site.answer(question(residuals(job)).packed())
    site.answer(first().packed())
    with pytest.raises(Refused):
        site.answer(replace(first(), number=1).packed())
    assert len(ledger.entries) == 1


def test_a_question_that_fails_ends_a_site_for_good(tmp_path: Path) -> None:
    class Failing(Vault):
        def _sum(self, query: Query, rate: float) -> None:
            return None

    site = make_site(kind=Failing)
    for _ in range(2):
        with pytest.raises(Refused, match=r"^refused$") as caught:
            site.answer(first().packed())
        assert caught.value.__cause__ is None
        assert not isinstance(caught.value.__context__, QueryFailed)
    other = question(MarginalCounts(job_of().encoding), 1)
    with pytest.raises(Refused):
        site.answer(other.packed())


class Watched(InProcess):
    """Whose first site's shares a coordinator looks at."""

    def __init__(self, sites: list[Site]) -> None:
        super().__init__(sites)
        self.seen: list[tuple[Question, np.ndarray]] = []

    def ask(self, question: Question, deadline: float) -> Any:
        shares = super().ask(question, deadline)
        assert shares is not None
        self.seen.append((question, shares[0]))
        return shares


def audited(kind: type[Vault]) -> Bound:
    """What a coordinator finds out of 200 canaries at one of three sites, at ε = 0.5.

    It scores as if a share had a hundredth of its noise: no worse against a share that has none,
    and a bound holds whatever the score.
    """
    rng, condenser = np.random.default_rng(7), make_condenser(epsilon=0.5, delta=1e-9)
    job, made = condenser.job(), Consortium.of(condenser, NAMES)
    some, others = canaries(job, 200, rng), canaries(job, 50, rng)
    included = rng.uniform(size=200) < 0.5
    present = some.take(np.flatnonzero(included))

    def holding(records: Records, held: type[Vault] = Vault) -> Vault:
        return held(lambda _: Sealed(records), None, Ledger(job.plan()))

    vaults = [holding(present, kind), holding(others), holding(others)]
    sites = Watched([Site(n, made, job, v) for n, v in zip(NAMES, vaults, strict=True)])
    plan = job.plan()
    job.search(FederatedEngine(made, job, sites), rng, SILENT)
    heard = []
    for asked, share in sites.seen:
        query = job.query_of(asked.recipe)
        unit = query.clip / asked.share
        noise = plan.mechanism(query.question).noise_multiplier * unit / 100
        heard.append(Heard(query, Answer(share.view(np.int64) / GRID * unit, noise)))
    scores = evidence(heard, some)
    return bound(scores, included, plan.epsilon, plan.delta, confidence=1 - 1e-5)


@pytest.mark.slow
def test_an_audit_through_sites_refutes_no_honest_claim_and_finds_noise_that_is_off() -> None:
    """False alarms 10⁻⁵ at most, by the theorem behind the bound; misses far below 10⁻⁴.

    127 of 160 right guesses refute ε = 0.5. Without noise 120 runs guessed 150.3 ± 2.3 right, 143
    at least: the threshold lies ten deviations below.
    """
    assert audited(Vault).holds
    assert not audited(scaled(0.0)).holds


# Books ----------------------------------------------------------------------------------------


def at(folder: Path, budget: Path | None = None) -> Any:
    return opened("north", consortium_of(), job_of(), make_table(100), books=folder, budget=budget)


def test_a_site_goes_on_with_its_books(tmp_path: Path) -> None:
    budget = tmp_path / "budget.json"
    Budget(budget).create(20.0, 1e-4)
    books = tmp_path / "site"
    with at(books, budget) as site:
        sent = site.answer(first().packed())
    with at(books, budget) as site:
        np.testing.assert_equal(site.answer(first().packed()), sent)
        with pytest.raises(Refused):
            site.answer(replace(first(), share=0.9).packed())
        site.answer(question(MarginalCounts(job_of().encoding), 1).packed())
        assert [e.question for e in site.ledger.entries] == ["outcome counts", "marginal counts"]
    assert len(Budget(budget).read()["releases"]) == 1
    kept = (books / JOURNAL).read_bytes()
    assert b"died" not in kept


def reopened(journal: Path) -> tuple[Site, Journal]:
    """A site with these books."""
    job, held = job_of(), Journal(journal, "of a test")
    ledger = Ledger(job.plan())
    vault = Vault(job.seal_part, make_table(30), ledger)
    ledger.attach(held)
    return Site("north", consortium_of(), job, vault), held


def test_wherever_a_kill_cuts_the_books_no_share_is_drawn_twice(tmp_path: Path) -> None:
    job, journal = job_of(), tmp_path / "site" / JOURNAL
    queries: list[Query] = [CellCounts(job.task), MarginalCounts(job.encoding), residuals(job)]
    asked = [question(query, i) for i, query in enumerate(queries)]
    site, held = reopened(journal)
    sent = [site.answer(one.packed()) for one in asked]
    held.close()
    whole = journal.read_bytes()
    ends = [i for i, byte in enumerate(whole) if byte == ord("\n")]
    assert len(ends) == 1 + 3 * len(asked)  # settings; of each what was asked, booking, share
    for end in [*(end + 1 for end in ends), *(end - 5 for end in ends[1:])]:
        journal.write_bytes(whole[:end])
        lines = whole[:end].count(b"\n")
        n_noted, n_booked, n_kept = ((lines + extra) // 3 for extra in (1, 0, -1))
        site, held = reopened(journal)
        assert len(site.ledger.entries) == n_booked
        for i, one in enumerate(asked[:n_noted]):
            np.testing.assert_equal(site.answer(one.packed()), sent[i] if i < n_kept else None)
            with pytest.raises(Refused):
                site.answer(replace(one, share=0.9).packed())
        assert len(site.ledger.entries) == n_booked  # what was asked before is never booked again
        if n_noted < len(asked):
            assert site.answer(asked[n_noted].packed()) is not None
        held.close()


def test_books_of_another_consortium_are_refused_and_a_run_that_asked_nothing_leaves_none(
    tmp_path: Path,
) -> None:
    with pytest.raises(BudgetError), at(tmp_path / "site", tmp_path / "absent.json"):
        pass
    assert not (tmp_path / "site").exists()
    with at(tmp_path / "site") as site:
        site.answer(first().packed())
    other = Consortium.of(make_condenser(epsilon=EPSILON, seed=1), NAMES)
    with (
        pytest.raises(ReleaseError, match="other settings"),
        opened("north", other, job_of(seed=1), make_table(100), books=tmp_path / "site"),
    ):
        pass
    with (
        pytest.raises(SettingError, match="north, south, east"),
        opened("west", consortium_of(), job_of(), make_table(100)),
    ):
        pass


# The engine -----------------------------------------------------------------------------------


class Sleepy(InProcess):
    """Does not answer questions of some numbers."""

    late: tuple[int, ...] = ()

    def ask(self, question: Question, deadline: float) -> Any:
        return None if question.number in self.late else super().ask(question, deadline)


def engine_of(sites: InProcess) -> FederatedEngine:
    return FederatedEngine(consortium_of(), job_of(), sites, patience=1.0)


def test_a_lost_question_is_none_the_first_or_two_in_a_row_end_the_run(tmp_path: Path) -> None:
    sites = Sleepy([make_site(name) for name in NAMES])
    sites.late = (1, 3)
    told = ask_all(engine_of(sites))
    assert [value is None for value in told] == [False, True, False, True]
    three = [make_site(name) for name in NAMES]
    for site in three:
        site.answer(first().packed())
    three[1]._books.open(question(MarginalCounts(job_of().encoding), 1))  # and was killed
    told = ask_all(engine_of(InProcess(three)))
    assert [value is None for value in told] == [False, True, False, False]
    for late in ((0,), (1, 2)):
        sites = Sleepy([make_site(name) for name in NAMES])
        sites.late = late
        with pytest.raises(ReleaseError, match="did not answer question"):
            ask_all(engine_of(sites))


def test_a_run_that_stopped_goes_on_with_the_same_answers(tmp_path: Path) -> None:
    sites, job = Sleepy([make_site(name) for name in NAMES]), job_of()
    whole = ask_all(engine_of(sites))  # what the sites keep

    def asked(late: tuple[int, ...]) -> list[Any]:
        sites.late, engine = late, engine_of(sites)
        with Run(job.digest(), tmp_path / "journal.jsonl", None) as place:
            place.start(engine.ledger)
            return ask_all(engine)

    with pytest.raises(ReleaseError):
        asked((0,))
    np.testing.assert_equal(asked(()), whole)
    np.testing.assert_equal(asked((0, 1, 2, 3)), whole)  # from the journal alone


def test_a_refusal_ends_the_run_without_a_reason() -> None:
    sites = InProcess([make_site(name) for name in NAMES])
    ask_all(engine_of(sites))
    changed = engine_of(sites)
    mechanism = changed.ledger.plan.mechanism("outcome counts")
    with pytest.raises(ReleaseError, match="A site refuses question 1 of the run"):
        changed.answer(CellCounts(job_of().task), mechanism, share=0.5)


def test_records_or_an_engine_are_given_and_not_both() -> None:
    condenser = make_condenser(epsilon=EPSILON)
    with pytest.raises(SettingError, match="either records or an engine"):
        condenser.fit()
    engine = FederatedEngine.in_process(condenser, {n: make_table(60) for n in NAMES})
    with pytest.raises(SettingError, match="either records or an engine"):
        condenser.fit(make_table(60), engine=engine)


# The file -------------------------------------------------------------------------------------


def test_a_consortium_is_the_same_from_its_file_and_a_changed_one_is_refused(
    tmp_path: Path,
) -> None:
    made, path = consortium_of(), tmp_path / "consortium.json"
    path.write_text(json.dumps(made.to_dict()))
    read = Consortium.load(path)
    assert (read.digest, read.sites, read.settings) == (made.digest, made.sites, made.settings)
    for part, value in {
        "settings": {**made.settings, "epsilon": 9.0},
        "sites": ["north", "south"],
        "schema": {**made.to_dict()["schema"], "title": "Other"},
        "trust": "everyone",
        "balance_sites": True,
        "version": "0.0.1",
        "tincture": "release",
    }.items():
        path.write_text(json.dumps({**made.to_dict(), part: value}))
        with pytest.raises(SettingError):
            Consortium.load(path)


@pytest.mark.parametrize(
    ("changes", "names", "words"),
    [
        ({"epsilon": math.inf}, NAMES, "finite epsilon"),
        ({"models": ["tests.models:mine"]}, NAMES, "models by name"),
        ({}, (), "different names"),
        ({}, ("north",), "two or more"),
        ({}, ("north", "north"), "different names"),
        ({}, ("no/rth",), "different names"),
    ],
)
def test_what_no_consortium_can_agree_on_is_refused(
    changes: dict[str, Any], names: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        Consortium.of(make_condenser(**({"epsilon": EPSILON} | changes)), names)


def test_a_site_has_no_other_verb() -> None:
    assert {n for n in vars(Site) if not n.startswith("_")} == {"answer", "ledger"}


# The commands ---------------------------------------------------------------------------------


def drafting(folder: Path, **changes: Any) -> list[str]:
    """Arguments of a usual draft."""
    wanted = {"sites": "north,south", "epsilon": EPSILON, "out": folder / "consortium.json"}
    flags = condensing(folder, **(wanted | changes))
    return ["consortium", "draft", *flags[2:]]


def test_a_consortium_is_drafted_and_checked_and_books_are_shown(tmp_path: Path) -> None:
    prepare(tmp_path)
    path, books = tmp_path / "consortium.json", tmp_path / "books"
    drafted = run(*drafting(tmp_path))
    made = Consortium.load(path)
    assert drafted.code == 0
    assert made.digest in drafted.out
    checked = run("consortium", "check", path)
    assert "outcome counts" in checked.out
    assert f"digest {made.digest}" in checked.out
    assert json.loads(run("consortium", "check", path, "--json").out)["digest"] == made.digest
    run(*drafting(tmp_path, **{"balance-sites": True, "out": tmp_path / "alike.json"}))
    assert "all count alike" in run("consortium", "check", tmp_path / "alike.json").out
    before = listing(tmp_path)
    said = run("site", "check", path, tmp_path / "records.csv")
    assert "nothing is spent" in said.out
    assert listing(tmp_path) == before
    job = made.sendable(estimator_of(made))
    with opened("north", made, job, make_table(80), books=books) as site:
        recipe = job.recipe_of(CellCounts(job_of().task))
        site.answer(Question(made.digest, 0, made.sites, 1.0, recipe).packed())
    told = json.loads(run("site", "show", books, "--json").out)
    assert (told["site"], told["consortium"]) == ("north", made.digest)
    assert [q["is_kept"] for q in told["questions"]] == [True]
    assert 0 < told["epsilon_spent"] < EPSILON
    assert "outcome counts" in run("site", "show", books).out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epsilon": "inf"}, "finite epsilon"),
        ({"sites": "north,,south"}, "different names"),
        ({"trust": "everyone"}, "a key of its own"),
        ({"trust": "all"}, "expected nobody"),
        ({"target": "nobody"}, "nobody"),
        ({"sites": "north"}, "two or more"),
    ],
)
def test_a_draft_of_what_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    prepare(tmp_path)
    said = run(*drafting(tmp_path, **changes))
    assert said.code in (2, 3)
    assert words in said.err
    assert not (tmp_path / "consortium.json").exists()


def test_a_schema_of_stays_is_no_schema_of_rows(tmp_path: Path) -> None:
    prepare(tmp_path)
    described = json.loads((tmp_path / "schema.json").read_text())
    described["fields"][0]["role"] = "variable"
    (tmp_path / "schema.json").write_text(json.dumps(described))
    said = run(*drafting(tmp_path))
    assert said.code == 3
    assert "measured over time" in said.err


def test_a_site_may_write_its_cells_otherwise_and_mean_nothing_else(tmp_path: Path) -> None:
    prepare(tmp_path)
    run(*drafting(tmp_path))
    semicolons(make_table(100), tmp_path)
    usual = ["site", "check", tmp_path / "consortium.json", tmp_path / "own.csv"]
    assert run(*usual).code == 4
    usual += ["--schema", tmp_path / "own.json"]
    assert run(*usual).code == 0
    made = Consortium.load(tmp_path / "consortium.json")
    job, own = (made.sendable(estimator_of(made, at)) for at in (None, tmp_path / "own.json"))
    read = own.seal_part(read_table(tmp_path / "own.csv", own.schema.dialect)).records
    plain = job.seal_part(make_table(100)).records
    for part in ("points", "design", "outcomes"):
        np.testing.assert_array_equal(getattr(read, part), getattr(plain, part))
    described = json.loads((tmp_path / "own.json").read_text())
    fields = {field["name"]: field for field in described["fields"]}
    fields["age"]["constraints"]["maximum"] += 1
    (tmp_path / "own.json").write_text(json.dumps(described))
    said = run(*usual)
    assert said.code == 3
    assert "declares 'age' otherwise than was agreed" in said.err
    described["fields"].remove(fields["age"])
    (tmp_path / "own.json").write_text(json.dumps(described))
    assert "or not at all" in run(*usual).err


def test_records_that_cannot_take_part_are_told_without_a_cell(tmp_path: Path) -> None:
    prepare(tmp_path)
    run(*drafting(tmp_path))
    odd = make_table(20).with_columns(ward=pl.lit("gaol"))
    odd.write_csv(tmp_path / "odd.csv")
    said = run("site", "check", tmp_path / "consortium.json", tmp_path / "odd.csv")
    assert said.code == 4
    assert "gaol" not in said.err
    assert "no consortium file" in run("consortium", "check", tmp_path / "odd.csv").err
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert "no consortium file" in run("consortium", "check", tmp_path / "deep.json").err
    assert "no books" in run("site", "show", tmp_path).err
