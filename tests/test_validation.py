"""A site's one private question about a release: its sensitivity, its figures, its page."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm
from sklearn.metrics import brier_score_loss, roc_auc_score

from commands import listing, prepare, run, semicolons
from helpers import make_condenser, make_table, plan_of, too_long
from tincture.errors import BudgetError, SettingError
from tincture.evaluation.binned import MEASURES, figures, least_of
from tincture.privacy.accounting import Mechanism
from tincture.privacy.budget import Budget
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.report.validation import Scored, left_behind, off, read_validations, together
from tincture.tables.release import CondensedTable
from tincture.tables.target import TableTarget
from tincture.tables.validation import ScoreCounts, asked, validate
from tincture.tables.validation.question import risks

EXACT = 1e6  # an epsilon whose noise moves no figure


@cache
def release(**changes: Any) -> CondensedTable:
    """Of a logistic regression and a tree."""
    made = make_condenser(models=["logistic", "tree"], cohort=300, **changes).fit(make_table(400))
    table: CondensedTable = made.table_
    return table


def question() -> ScoreCounts:
    return asked(release(), TableTarget(release()).job(0))[0]


def test_a_unit_moves_the_counts_by_the_clip_and_a_person_by_no_more() -> None:
    query, job = question(), TableTarget(release()).job(0)
    for unit in (None, "patient"):

        def steps(table: pl.DataFrame, unit: str | None = unit) -> np.ndarray:
            seal = replace(job.sealing, unit=unit).part
            vault = Vault(seal, table, Ledger(plan_of(0.0, question=query.question)))
            return vault.share_of(query, Mechanism(0.0)).view(np.int64)

        table = make_table(60, seed=2)
        moved = steps(table) - steps(table[2 if unit else 1 :])
        assert not too_long([int(v) for v in moved])
        assert np.abs(moved).sum() > 0
    vectors = query.contributions(job.sealing.read(make_table(60)))
    assert set((vectors**2).sum(axis=1)) == {len(query.fitted)}


def test_figures_are_those_of_the_patients_up_to_bins() -> None:
    """Bins cost 0.02 of an AUROC, and a tree's few risks nothing."""
    query, job = question(), TableTarget(release()).job(0)
    held_out = make_table(2000, seed=3)
    told = validate(release(), held_out, site="north", epsilon=EXACT, delta=1e-5)
    records = job.sealing.read(held_out)
    outcomes = records.outcomes[:, 0]
    for model, found in zip(query.fitted, told["models"].values(), strict=True):
        scores, figure = risks(model, records), found["figures"]
        assert figure["auroc"][0] == pytest.approx(roc_auc_score(outcomes, scores), abs=0.02)
        assert figure["brier"][0] == pytest.approx(brier_score_loss(outcomes, scores), abs=0.02)
        expected = outcomes.sum() / scores.sum()
        assert figure["observed/expected"][0] == pytest.approx(expected, rel=0.1)
        assert sum(map(sum, found["counts"])) == pytest.approx(2000, abs=1)


@pytest.mark.slow
def test_intervals_hold_what_a_population_has() -> None:
    """100 intervals of 95% a measure; fewer than 80 would be a chance of 10⁻⁷."""
    rng, means = np.random.default_rng(0), np.linspace(0.03, 0.97, 16)
    logits = 0.8 * np.log(means / (1 - means)) - 0.3
    true = 1 / (1 + np.exp(-logits))
    share = np.stack([1 - true, true]) * rng.dirichlet(np.full(16, 5.0))
    exact = {name: float(measure(share, means)) for name, measure in MEASURES.items()}
    assert exact["slope"] == pytest.approx(0.8, abs=1e-6)
    held = dict.fromkeys(MEASURES, 0)
    for _ in range(100):
        drawn = np.asarray(rng.poisson(1500 * share) + 6.0 * rng.normal(size=share.shape))
        for name, (_, low, high) in figures(drawn, means, 6.0, rng).items():
            held[name] += low <= exact[name] <= high
    assert min(held.values()) >= 80


def test_risks_that_are_sure_have_a_slope_too() -> None:
    sure = np.array([0.0, 1.0])
    counts = np.array([[80.0, 30.0], [20.0, 70.0]])
    assert 0 < MEASURES["slope"](counts, sure) < 0.3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": {"kind": "classification", "target": "ward"}}, "two levels"),
        ({"models": ("logistic", "mine:Model")}, "Only models by name"),
    ],
)
def test_what_cannot_be_validated_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        validate(replace(release(), **changes), make_table(50), site="a", epsilon=1.0, delta=1e-5)
    with pytest.raises(SettingError, match="must be finite"):  # it may leave the house
        validate(release(), make_table(50), site="a", epsilon=np.inf, delta=1e-5)
    with pytest.raises(SettingError, match="must be a name"):
        validate(release(), make_table(50), site="no/rth", epsilon=1.0, delta=1e-5)


def test_noise_beyond_all_patients_leaves_shares_within_0_and_1() -> None:
    rng, means = np.random.default_rng(0), np.linspace(0.1, 0.9, 10)
    for _ in range(20):
        found = figures(1e4 * rng.normal(size=(2, 10)), means, 1e4, rng)
        assert all(0 <= v <= 1 for k in ("auroc", "brier") for v in found.get(k, ()))


def test_too_few_patients_of_either_outcome_have_no_figure() -> None:
    rng, means = np.random.default_rng(0), np.linspace(0.1, 0.9, 10)
    for noise in (0.0, 4.0):
        least = least_of(10, noise)
        assert least == max(10, 4 * noise * 10**0.5)
        for few in (0, 1):
            counts = np.full((2, 10), 100.0)
            counts[few] = (least - 0.1) / 10
            assert figures(counts, means, noise, rng) == {}
            counts[few] = (least + 0.1) / 10
            assert set(figures(counts, means, noise, rng)) == set(MEASURES)


@pytest.mark.parametrize(
    "changes",
    [
        {"release": [1]},
        {"site": ["a"]},
        {"case": None},
        {"epsilon": "1"},
        {"delta": None},
        {"epsilon": 10**400},
        {"models": {}},
        {"noise": None},
        {"models": {"tree": {"counts": [[10**400], [1]], "predicted": [0.5], "figures": {}}}},
        {"models": {"tree": {"counts": [[1], [1, 2]], "predicted": [0.5], "figures": {}}}},
        {"models": {"tree": {"counts": [[1], [1]], "predicted": [], "figures": {}}}},
        {"models": {"tree": {"counts": 1}}},
    ],
)
def test_what_somebody_else_wrote_is_a_page_or_one_sentence(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "north.json"
    figure = {key: [0.5, 0.4, 0.6] for key in MEASURES}
    told = {"tincture": "validation", "site": "a", "case": "b", "release": "c", "epsilon": 1}
    model = {"counts": [[1, 2], [3, 4]], "predicted": [0.2, 0.7], "figures": figure}
    told |= {"delta": 0, "noise": 1, "models": {"tree": model}}
    path.write_text(json.dumps(told))
    assert read_validations([path]) == [told]
    for text in (json.dumps(told | changes), "[" * 100_000):
        path.write_text(text)
        with pytest.raises(SettingError, match="no validation that can be read"):
            read_validations([path])


def test_a_validation_costs_its_own_budget_and_one_cut_off_is_not_asked_anew(
    tmp_path: Path,
) -> None:
    budget, journal = Budget(tmp_path / "b.json"), tmp_path / "run/journal.jsonl"
    budget.create(1.0, 1e-4)

    def ask() -> dict[str, Any]:
        held_out, path = make_table(80, seed=4), budget.path
        return validate(
            release(), held_out, site="a", epsilon=0.7, delta=1e-5, journal=journal, budget=path
        )

    told = ask()
    assert [e["question"] for e in told["ledger"]["entries"]] == ["external validation"]
    assert ask() == told  # from the journal
    journal.unlink()
    journal.parent.rmdir()
    before = listing(tmp_path)
    with pytest.raises(BudgetError):
        ask()
    assert listing(tmp_path) == before


def test_a_second_validation_of_a_release_needs_a_budget(tmp_path: Path) -> None:
    prepare(tmp_path)
    release().save(tmp_path / "out")
    usual = ["site", "validate", tmp_path / "out", tmp_path / "heldout.csv", "--delta", 1e-5]
    usual += ["--epsilon", 2]

    def validated(out: str, *more: object, site: str = "a") -> Any:
        return run(*usual, "--site", site, "--out", tmp_path / out, *more)

    make_table(20).with_columns(ward=pl.lit("gaol")).write_csv(tmp_path / "odd.csv")
    assert run(*usual[:3], tmp_path / "odd.csv", *usual[4:], "--site", "a", "--out", "x").code == 4
    assert validated("one.json").code == 0  # nothing was asked before
    said = validated("two.json")
    assert said.code == 2
    assert "has validated this release already (out.validated.jsonl)" in said.err
    assert not list(tmp_path.glob("two*"))
    copytree(tmp_path / "out", tmp_path / "copy")
    (tmp_path / "link.csv").symlink_to(tmp_path / "heldout.csv")
    usual[2] = tmp_path / "copy"
    for held_out in ("heldout.csv", "link.csv"):
        usual[3] = tmp_path / held_out
        said = validated("two.json", site="south")  # the same patients by another name
        assert "this release already (heldout.csv.validated.jsonl)" in said.err
    usual[2] = tmp_path / "out"
    usual[3] = south = tmp_path / "south.csv"
    make_table(80, seed=2).write_csv(south)
    assert "this release already (out.validated.jsonl)" in validated("two.json").err
    assert validated("south.json", site="south").code == 0
    Budget(tmp_path / "b.json").create(5.0, 1e-4)
    assert validated("two.json", "--budget", tmp_path / "b.json").code == 0
    assert len((tmp_path / "out.validated.jsonl").read_text().splitlines()) == 3


def test_a_small_site_is_told_so_and_shown_without_figures(tmp_path: Path) -> None:
    prepare(tmp_path)
    release().save(tmp_path / "out")
    make_table(30).write_csv(tmp_path / "few.csv")
    usual = ["site", "validate", tmp_path / "out", tmp_path / "few.csv", "--site", "a"]
    said = run(*usual, "--epsilon", 0.2, "--delta", 1e-5, "--out", tmp_path / "a.json")
    assert "A figure is told where at least" in said.out
    told = json.loads((tmp_path / "a.json").read_text())
    assert [model["figures"] for model in told["models"].values()] == [{}, {}]
    assert run("consortium", "page", tmp_path / "a.json", "--out", tmp_path / "p.html").code == 0
    assert ">–</td>" in (tmp_path / "p.html").read_text()


def test_records_are_validated_as_their_site_writes_them(tmp_path: Path) -> None:
    prepare(tmp_path)
    release().save(tmp_path / "out")
    semicolons(make_table(300), tmp_path)
    usual = ["site", "validate", tmp_path / "out", tmp_path / "own.csv", "--site", "a"]
    usual += ["--epsilon", EXACT, "--delta", 1e-5, "--out", tmp_path / "a.json"]
    assert run(*usual).code == 4
    assert run(*usual, "--schema", tmp_path / "own.json").code == 0
    counts = json.loads((tmp_path / "a.json").read_text())["models"]["tree"]["counts"]
    assert sum(map(sum, counts)) == pytest.approx(300, abs=1)


def scored(auroc: float, rate: float = 0.3, n: float = 2000.0) -> Scored:
    """A site where scores tell patients apart as two normal laws so far apart would."""
    edges, means = np.linspace(-3, 3, 9), np.linspace(0.05, 0.95, 10)
    apart = np.sqrt(2) * norm.ppf(auroc)
    cells = [np.diff(norm.cdf(np.r_[-np.inf, edges, np.inf] - apart * k)) for k in (0, 1)]
    counts = n * np.array([(1 - rate) * cells[0], rate * cells[1]])
    found = figures(counts, means, 3.0, np.random.default_rng(0))
    return Scored(counts, tuple(means.tolist()), 3.0, found)


def test_a_site_is_left_behind_where_chance_does_not_explain_it() -> None:
    sites = {"north": scored(0.8), "south": scored(0.8), "east": scored(0.7)}
    (said,) = left_behind(sites)
    assert said.startswith("Left behind: east. Its AUROC is 0.09")
    assert not left_behind({**sites, "east": scored(0.78)})
    assert not left_behind({**sites, "east": scored(0.7, n=20.0)})  # too few for a figure
    pooled = together(list(sites.values()))
    np.testing.assert_allclose(pooled.counts, sum(one.counts for one in sites.values()))
    assert pooled.noise == pytest.approx(3 * 3**0.5)


def test_risks_are_off_where_outcomes_are_commoner_than_predicted() -> None:
    usual = scored(0.8)
    (counts, means), rng = (usual.counts, np.array(usual.means)), np.random.default_rng(0)
    fair = counts.sum(axis=0) * np.stack([1 - means, means])
    sites = {
        name: usual._replace(counts=held, figures=figures(held, means, 3.0, rng))
        for name, held in (("fair", fair), ("off", fair * [[0.8], [1.4]]))
    }
    (said,) = off(sites)
    assert said.startswith("Risks are off at off: 1.2")


def test_sites_validate_and_one_page_shows_all(tmp_path: Path) -> None:
    prepare(tmp_path)
    made, files = tmp_path / "out", []
    release().save(made)
    usual = ["site", "validate", made, tmp_path / "heldout.csv", "--epsilon", 2, "--delta", 1e-5]
    for i, site in enumerate(("north", "south")):
        held_out = tmp_path / f"{site}.csv"
        make_table(80, seed=i).write_csv(held_out)
        usual[3] = held_out
        files.append(tmp_path / f"{site}.json")
        said = run(*usual, "--site", site, "--out", files[-1])
        assert said.code == 0, said.err
        assert "may leave the house" in said.out
        assert "observed/expected" in said.out
        assert "ε = 2, δ = 1e-05" in said.out
    assert not list(tmp_path.glob("*unfinished*"))
    page = tmp_path / "page.html"
    assert run("consortium", "page", *files, "--out", page).code == 0
    text = page.read_text()
    assert text.count("<tr") == 2 * (1 + 2 + 1)  # of two models
    assert "all together" in text
    assert "AUROC" in text
    refused = run("consortium", "page", files[0], files[0], "--out", tmp_path / "two.html")
    assert "each of another site" in refused.err
    refused = run("consortium", "page", made / "ledger.json", "--out", tmp_path / "two.html")
    assert "is no validation" in refused.err
    assert "lies inside the release" in run(*usual, "--site", "a", "--out", made / "v").err
    told = json.loads(files[0].read_text())
    assert told["release"] == CondensedTable.load(made).fingerprint
