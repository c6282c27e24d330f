"""Masked sums: only what all sites add up to says anything, with the noise of those trusted."""

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
from scipy import stats

pytest.importorskip("cryptography", reason="an extra: tincture[federated]")

from commands import prepare, run
from helpers import Ask, make_condenser, make_table, make_vault, plan_of
from sites import (
    EPSILON,
    EVERYONE,
    JOBS,
    NAMES,
    ask_all,
    job_of,
    question,
    residuals,
    sealed,
    tables,
)
from test_federation import drafting
from tincture.errors import Refused, SettingError
from tincture.federation.books import JOURNAL, told_of_books
from tincture.federation.consortium import Consortium
from tincture.federation.engine import FederatedEngine
from tincture.federation.masks import KEY, Masks, create_secret, new_secret, public_of
from tincture.federation.question import Question
from tincture.federation.site import Site, opened
from tincture.federation.sites import InProcess
from tincture.flare.carrying import Carried, reply_of
from tincture.flare.kit import Serving
from tincture.flare.running import AGREED, RELEASE, conducted, opened_as
from tincture.kinds import load
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import GRID, Vault
from tincture.spine.questions import CellCounts
from tincture.tables.method import usual_plan
from tincture.tables.questions import MarginalCounts

SECRETS = {name: bytes([i]) * 32 for i, name in enumerate(("a", "b", "c", "d", "e"), 1)}
KEYS = {name: public_of(secret) for name, secret in SECRETS.items()}
TWINS = (KEYS["a"], KEYS["b"], f"{KEYS['a'][:62]}{int(KEYS['a'][62], 16) ^ 8:x}{KEYS['a'][63]}")


def masks_of(*names: str) -> dict[str, Masks]:
    """Of these sites."""
    keys = {name: KEYS[name] for name in names}
    return {name: Masks(name, keys, SECRETS[name]) for name in names}


def asked(number: int = 0, **changes: Any) -> Question:
    """Some question."""
    return replace(question(CellCounts(job_of().task), number), **changes)


# The sum --------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(k=st.integers(2, 5), seed=st.integers(0, 2**32 - 1))
def test_masked_sums_add_up_to_the_pooled_sum_to_the_last_step(k: int, seed: int) -> None:
    query, names = residuals(JOBS["classes"]), list(SECRETS)[:k]
    where, held = np.random.default_rng(seed).integers(k, size=len(EVERYONE)), masks_of(*names)

    def part(table: pl.DataFrame) -> Any:
        return sealed(table, "classes", query, None).share_of(query, Mechanism(0.0))

    sent = [
        part(EVERYONE.filter(pl.Series(where == i))) + held[name].of(asked(), query.size)
        for i, name in enumerate(names)
    ]
    total = np.sum(sent, axis=0, dtype=np.uint64)
    np.testing.assert_array_equal(total, part(EVERYONE))


def test_masks_are_of_one_question_of_one_run_and_cancel_for_no_other() -> None:
    held = masks_of("a", "b", "c")

    def total(*questions: Question) -> Any:
        each = [m.of(q, 50) for m, q in zip(held.values(), questions, strict=True)]
        return np.sum(each, axis=0, dtype=np.uint64)

    assert not total(asked(), asked(), asked()).any()
    for other in (asked(1), asked(run="0" * 64), asked(share=0.5), asked(cohort=("a", "b"))):
        assert total(asked(), asked(), other).all()
        one = held["a"].of(asked(), 50)
        assert not np.isin(held["a"].of(other, 50), one).any()
    np.testing.assert_array_equal(held["a"].of(asked(), 50), held["a"].of(asked(), 50))


def looks_uniform(content: bytes) -> bool:
    """χ² of the bytes, two-sided: a false alarm in 10⁶."""
    counts = np.bincount(np.frombuffer(content, np.uint8), minlength=256)
    worth = float(stats.chisquare(counts).statistic)
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], 255)
    return bool(low <= worth <= high)


def test_two_of_three_masked_vectors_and_what_they_make_together_look_like_chance() -> None:
    """Ten vectors of 160,000 bytes that the same keys give anew in each run: no alarm by chance."""
    size, names = 20_000, ("a", "b", "c")
    plain = {n: np.arange(size, dtype=np.uint64) * np.uint64(i) for i, n in enumerate(names, 1)}
    sent = {n: plain[n] + masks.of(asked(), size) for n, masks in masks_of(*names).items()}
    for one, other in (("a", "b"), ("a", "c"), ("b", "c")):
        for seen in (sent[one], sent[one] + sent[other], sent[one] - sent[other]):
            assert looks_uniform(seen.tobytes())
    assert not looks_uniform(sum(sent.values(), np.zeros(size, np.uint64)).tobytes())
    assert not looks_uniform(plain["b"].tobytes())


@pytest.mark.slow
def test_colluding_sites_see_the_noise_of_all_others_and_the_sum_has_what_is_told() -> None:
    """χ² of 4000 values, two-sided; false alarms 10⁻⁶ each, ±30% lies 15 deviations outside.

    Of four sites two tell the server all that they know.
    """
    size, draws, sigma, holders = 80, 50, 2.5, 2
    names, query = ("a", "b", "c", "d"), Ask(lambda r: np.zeros((len(r), size)), size=size)
    held = masks_of(*names)
    vaults = [make_vault(Ledger(plan_of(sigma)), 5) for _ in names]
    left, totals = [], []
    for number in range(draws):
        asks = asked(number)
        shares = [v.share_of(query, Mechanism(sigma), holders=holders) for v in vaults]
        sent = [s + held[n].of(asks, size) for s, n in zip(shares, names, strict=True)]
        total = np.sum(sent, axis=0, dtype=np.uint64)
        totals.append(total.view(np.int64) / GRID)
        known = np.sum(shares[2:], axis=0, dtype=np.uint64)  # of the two, without their masks
        left.append((total - known).view(np.int64) / GRID)
    low, high = stats.chi2.ppf([5e-7, 1 - 5e-7], draws * size)
    for values, claimed in ((left, sigma), (totals, sigma * (4 / holders) ** 0.5)):
        for factor, is_it in ((1.0, True), (1.3, False), (1 / 1.3, False)):
            worth = np.square(np.array(values) / (claimed * factor)).sum()
            assert bool(low <= worth <= high) == is_it


# Sites ----------------------------------------------------------------------------------------


def masked(trust: str = "everyone") -> tuple[Consortium, InProcess]:
    """Three sites that send masked sums."""
    secrets = {name: new_secret() for name in NAMES}
    keys = {name: public_of(secret) for name, secret in secrets.items()}
    made = Consortium.of(make_condenser(epsilon=EPSILON), NAMES, trust, keys=keys)
    job, sites = job_of(), []
    for name, table in zip(NAMES, tables(), strict=True):
        ledger = Ledger(job.plan(), holders=made.holders)
        vault = Vault(job.seal_part, table, ledger)
        sites.append(Site(name, made, job, vault, secret=secrets[name]))
    return made, InProcess(sites)


def test_a_masked_question_is_answered_once_and_no_changed_one() -> None:
    made, sites = masked()
    (site, *_) = sites._sites
    first = asked(run=made.digest)
    sent = site.answer(first.packed())
    np.testing.assert_equal(site.answer(first.packed()), sent)
    for change in ({"share": 0.5}, {"cohort": ("north", "south")}, {"run": "0" * 64}):
        with pytest.raises(Refused):
            site.answer(replace(first, **change).packed())
    assert len(site.ledger.entries) == 1


def test_a_lost_site_loses_the_question_and_the_run_goes_on() -> None:
    made, sites = masked()
    job = job_of()
    for site in sites._sites:
        site.answer(asked(run=made.digest).packed())
    lost = Question(made.digest, 1, made.sites, 1.0, job.recipe_of(MarginalCounts(job.encoding)))
    sites._sites[1]._books.open(lost)  # and was killed
    told = ask_all(FederatedEngine(made, job, sites))
    assert [value is None for value in told] == [False, True, False, False]


def test_answers_are_the_sums_with_the_noise_told() -> None:
    """78 numbers, each within six deviations of what the records say: no alarm in 10⁶."""
    made, sites = masked()
    engine, job = FederatedEngine(made, job_of(), sites), job_of()
    everybody = job.sealing.part(pl.concat(tables())).records
    queries: list[Query] = [CellCounts(job.task), MarginalCounts(job.encoding)]
    for query in queries:
        mechanism = engine.ledger.plan.mechanism(query.question)
        answer = engine.answer(query, mechanism)
        assert answer.noise == pytest.approx(mechanism.noise_multiplier * query.clip)
        assert answer.value is not None
        off = answer.value - query.contributions(everybody).sum(axis=0)
        assert np.abs(off).max() < 6 * answer.noise
    assert engine.ledger.by_site == {}  # which nobody learns


def test_both_costs_are_told_in_ledger_card_and_books() -> None:
    for holders, alone in ((3, 1.84), (5, 2.45)):
        ledger = Ledger(usual_plan(1.0, 1e-5, "proxy"), holders=holders)
        assert ledger.epsilon_alone == alone
        one = ledger.plan.mechanisms, [phase.count for phase in ledger.plan.phases]
        far = sum(n / m.noise_multiplier**2 for m, n in zip(*one, strict=True)) ** 0.5
        far *= holders**0.5  # Balle, Wang (2018), theorem 8: of one Gaussian
        costs = [
            stats.norm.cdf(far / 2 - e / far) - np.exp(e) * stats.norm.cdf(-far / 2 - e / far)
            for e in (alone, alone - 0.0101)
        ]
        assert costs[0] <= 1e-5 < costs[1]
    condenser = make_condenser(epsilon=EPSILON)
    engine = FederatedEngine.in_process(
        condenser, dict(zip(NAMES, tables(), strict=True)), trust="everyone"
    )
    condenser.fit(engine=engine)
    told = condenser.ledger.to_dict()
    assert told["holders"] == 3
    assert EPSILON < told["epsilon_alone"] < 3 * EPSILON
    assert "experimental until reviewed from outside" in told["promise"]
    assert f"ε = {told['epsilon_alone']:.3g}" in told["promise"]
    assert Ledger.from_dict(told).to_dict() == told
    facts = {name: value for name, value in condenser.table_.card().facts}
    assert facts["A person with records at several sites"] == "is a group of as many units"
    assert facts["ε if all others collude"] == f"{told['epsilon_alone']:.3g}"


# Keys and consortia ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "trust", "more", "words"),
    [
        (NAMES, "everybody", {}, "may collude"),
        (NAMES, "0", {}, "may collude"),
        (NAMES, "2", {}, "from 1 to 1"),
        (NAMES, "-1", {}, "may collude"),
        (NAMES[:2], "1", {}, "from 1 to 0"),
        (NAMES, "everyone", {"keys": {}}, "a key of its own"),
        (NAMES, "everyone", {"keys": dict.fromkeys(NAMES, "0" * 64)}, "a key of its own"),
        (NAMES, "1", {"keys": {n: n for n in NAMES}}, "a key of its own"),
        (NAMES, "1", {"keys": dict(zip(NAMES, TWINS, strict=True))}, "a key of its own"),
        (NAMES, "1", {"keys": {"west": "0" * 64}}, "were given of west"),
        (NAMES, "nobody", {}, "no site has a key"),
        (NAMES, "everyone", {"balance_sites": True}, "masks hide how many"),
    ],
)
def test_what_cannot_be_masked_is_refused(
    names: tuple[str, ...], trust: str, more: dict[str, Any], words: str
) -> None:
    keys = {name: public_of(bytes([i + 1]) * 32) for i, name in enumerate(names)}
    with pytest.raises(SettingError, match=words):
        Consortium.of(make_condenser(epsilon=EPSILON), names, trust, **({"keys": keys} | more))


def test_a_key_of_somebody_else_or_none_is_refused() -> None:
    with pytest.raises(SettingError, match="not the one that the consortium has"):
        Masks("a", KEYS, SECRETS["b"])
    for odd in ("00" * 32, "ab", "zz" * 32):  # a point of low order, too short, no number
        with pytest.raises(SettingError, match="The key of b in the consortium is none"):
            Masks("a", {**KEYS, "b": odd}, SECRETS["a"])


@pytest.mark.parametrize("is_spelt_high", [False, True])
def test_no_point_of_low_order_is_taken_for_a_key(is_spelt_high: bool) -> None:
    """All seven numbers of such points below 2²⁵⁵, and these with the bit that is ignored set."""
    prime = 2**255 - 19
    odd = [
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    ]
    for point in (0, 1, prime - 1, prime, prime + 1, *odd):
        key = (point + is_spelt_high * 2**255).to_bytes(32, "little").hex()
        with pytest.raises(SettingError, match="The key of b in the consortium is none"):
            Masks("a", {"a": KEYS["a"], "b": key}, SECRETS["a"])


def test_a_key_serves_one_run_and_none_after_its_journal_is_gone(tmp_path: Path) -> None:
    """The first question of a run is known, so that its mask would come again."""
    books = {name: tmp_path / name for name in NAMES}
    keys = {name: create_secret(place) for name, place in books.items()}
    made = Consortium.of(make_condenser(epsilon=EPSILON), NAMES, "everyone", keys=keys)
    north, first = books["north"], asked(run=made.digest)
    site_at = partial(opened, "north", made, job_of(), tables()[0])
    with site_at(books=north) as site:
        sent = site.answer(first.packed())
    with site_at(books=north) as site:
        np.testing.assert_equal(site.answer(first.packed()), sent)
    with pytest.raises(SettingError, match="has served a run"):
        create_secret(north)
    journal = (north / JOURNAL).read_bytes()
    (north / JOURNAL).unlink()
    for _ in range(2):
        with pytest.raises(SettingError, match="no longer there"), site_at(books=north):
            pass
    assert not (north / JOURNAL).exists()
    (north / JOURNAL).write_bytes(journal)
    with site_at(books=north) as site:
        np.testing.assert_equal(site.answer(first.packed()), sent)


def test_keys_are_made_pinned_and_needed(tmp_path: Path) -> None:
    prepare(tmp_path)
    said = {name: run("site", "key", tmp_path / name) for name in ("north", "south")}
    assert all(one.code == 0 for one in said.values())
    assert (tmp_path / "north" / KEY).stat().st_mode & 0o777 == 0o600
    assert run("site", "key", tmp_path / "north").out == said["north"].out
    keys = [f"{name}={one.out.strip()}" for name, one in said.items()]
    drafted = run(*drafting(tmp_path, trust="everyone", key=keys))
    assert "experimental" in drafted.out
    checked = run("consortium", "check", tmp_path / "consortium.json")
    assert all(key.split("=")[1] in checked.out for key in keys)
    assert "if all other sites collude" in checked.out
    check = ["site", "check", tmp_path / "consortium.json", tmp_path / "records.csv"]
    assert "--books" in run(*check).out
    assert "is that of north" in run(*check, "--books", tmp_path / "north").out
    run("site", "key", tmp_path / "other")
    assert "not one of those" in run(*check, "--books", tmp_path / "other").err
    assert "holds no key" in run(*check, "--books", tmp_path).err
    raw = json.loads((tmp_path / "consortium.json").read_text())
    raw["keys"].reverse()
    (tmp_path / "odd.json").write_text(json.dumps(raw))
    assert "was changed" in run("consortium", "check", tmp_path / "odd.json").err


def test_a_masked_run_goes_over_what_carries_it(tmp_path: Path) -> None:
    books = {name: tmp_path / f"books-{name}" for name in NAMES}
    keys = {name: create_secret(place) for name, place in books.items()}
    made = Consortium.of(make_condenser(epsilon=EPSILON), NAMES, "1", keys=keys)
    (tmp_path / AGREED).write_text(json.dumps(made.to_dict()))
    heard: list[str] = []
    with ExitStack() as stack:
        sites = {}
        for i, name in enumerate(NAMES):
            make_table(60, seed=i).write_csv(tmp_path / f"{name}.csv")
            own = Serving.of(tmp_path / AGREED, tmp_path / f"{name}.csv", books[name])
            sites[name] = opened_as(name, own, stack, heard.append)
        strange = Serving.of(tmp_path / AGREED, tmp_path / "north.csv", tmp_path / "none")
        assert opened_as("north", strange, stack, heard.append) is None
        assert "holds no key" in heard.pop()

        def carry(content: bytes, seconds: float) -> dict[str, Any]:
            return {name: reply_of(site, content) for name, site in sites.items()}

        reach = partial(Carried, carry=carry)
        conducted(tmp_path, reach, tmp_path / "runs", tmp_path, resume=False)
    assert not heard
    release = load(tmp_path / RELEASE)
    told = told_of_books(books["north"])
    assert told["holders"] == release.ledger.to_dict()["holders"] == 2
    assert told["epsilon_alone"] == pytest.approx(release.ledger.epsilon_alone)
    assert "if all other sites collude" in run("site", "show", books["north"]).out
