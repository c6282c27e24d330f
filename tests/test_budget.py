"""A custodian's budget holds over all releases, whoever asks at the same time."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from budgets import reserve_ten
from commands import DROPPED, condensing, listing, prepare, run
from helpers import make_table
from tincture.errors import BudgetError, ReleaseError
from tincture.privacy.budget import Budget, units_of


@pytest.fixture
def budget(tmp_path: Path) -> Budget:
    (tmp_path / "folder").mkdir()
    made = Budget(tmp_path / "folder" / "budget.json")
    made.create(3.0, 1e-4)
    return made


def test_a_new_budget_is_whole_and_never_written_anew(budget: Budget) -> None:
    assert budget.left() == (3.0, 1e-4)
    with pytest.raises(ReleaseError, match="exists already"):
        budget.create(9.0, 1e-4)
    assert budget.left() == (3.0, 1e-4)


@pytest.mark.parametrize(
    "text", ['{"epsilon": 3, "delta": 1e-4}', '{"epsilon":"3","delta":"1e-4"}']
)
def test_a_file_written_by_hand_is_a_budget(tmp_path: Path, text: str) -> None:
    budget = Budget(tmp_path / "b.json")
    budget.path.write_text(text)
    budget.reserve("run", 1.0, 1e-5, "first", unit="record")
    assert budget.left() == pytest.approx((2.0, 9e-5))
    assert budget.read()["releases"] == [
        {"run": "run", "epsilon": 1.0, "delta": 1e-5, "unit": "record", "note": "first"}
    ]


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(2.1, 1e-6), (0.1, 1e-4), (float("inf"), 1e-6), (float("nan"), 1e-6)]
)
def test_overspending_is_refused_and_changes_nothing(
    budget: Budget, epsilon: float, delta: float
) -> None:
    budget.reserve("a", 1.0, 1e-5, "first", unit="record")
    before = budget.path.read_bytes()
    with pytest.raises(BudgetError, match="is left"):
        budget.reserve("b", epsilon, delta, "second", unit="record")
    assert budget.path.read_bytes() == before


def test_three_tenths_fit_into_three_tenths(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b.json")
    budget.create(0.3, 3e-6)
    for name in "abc":
        budget.reserve(name, 0.1, 1e-6, "", unit="record")
    with pytest.raises(BudgetError):
        budget.reserve("d", 1e-6, 1e-12, "", unit="record")
    assert budget.left() == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_resumed_run_reserves_once(budget: Budget) -> None:
    for _ in range(5):
        budget.reserve("run", 1.0, 1e-5, "", unit="record")
    assert budget.left()[0] == 2.0


def test_a_run_that_asked_nothing_gives_back_its_own_only(budget: Budget) -> None:
    budget.reserve("a", 1.0, 1e-5, "", unit="record")
    budget.reserve("b", 0.5, 1e-5, "", unit="record")
    budget.give_back("a")
    assert budget.left()[0] == 2.5
    budget.give_back("never reserved")
    assert budget.left()[0] == 2.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "3",
        "[]",
        "{}",
        '{"epsilon": 3}',
        '{"epsilon": "much", "delta": 1e-4}',
        '{"epsilon": 3, "delta": 1e-4, "releases": 3}',
        '{"epsilon": 3, "delta": 1e-4, "releases": null}',
        '{"epsilon": 3, "delta": 1e-4, "releases": [{"run": "a"}]}',
        '{"epsilon": 3, "delta": 1e-4, "releases": [{"epsilon": 1, "delta": 1e-5}]}',
        '{"epsilon": 3, "delta": 1e-4, "releases": [{"run": "a", "epsilon": -1, "delta": 1e-5}]}',
        '{"epsilon": Infinity, "delta": 1e-4}',
        '{"epsilon": NaN, "delta": 1e-4}',
        '{"epsilon": -3, "delta": 1e-4}',
        '{"epsilon": 3, "delta": 2}',
        '{"epsilon": 3, "delta": 1e-4, "unit": 3}',
        '{"epsilon": 3, "delta": 1e-4, "unit": ""}',
        '{"epsilon": 3, "delta": 1e-4, "releases": [{"run": "a", "epsilon": 1, "delta": 1e-5, '
        '"unit": ["record"]}]}',
    ],
)
def test_what_is_no_budget_grants_nothing(tmp_path: Path, text: str) -> None:
    budget = Budget(tmp_path / "b.json")
    budget.path.write_text(text)
    with pytest.raises(BudgetError):
        budget.reserve("run", 0.1, 1e-6, "", unit="record")
    assert budget.path.read_text() == text


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 1e-5), (float("inf"), 1e-5), (1, 0), (1, 1)])
def test_an_impossible_budget_is_not_created(tmp_path: Path, epsilon: float, delta: float) -> None:
    with pytest.raises(BudgetError):
        Budget(tmp_path / "b.json").create(epsilon, delta)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_budget_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="tincture budget create"):
        Budget(tmp_path / "b.json").reserve("run", 1.0, 1e-5, "", unit="record")
    with pytest.raises(BudgetError, match="folder"):
        Budget(tmp_path / "no" / "b.json").reserve("run", 1.0, 1e-5, "", unit="record")


def test_releases_of_one_budget_protect_one_unit(budget: Budget) -> None:
    budget.reserve("a", 1.0, 1e-5, "first", unit="patient")
    assert budget.read()["releases"][0]["unit"] == "patient"
    before = budget.path.read_bytes()
    for unit, whom in (("record", "each record"), ("person", "each person by 'person'")):
        with pytest.raises(BudgetError, match=f"protects {whom}, but .* each person by 'patient'"):
            budget.reserve("b", 1.0, 1e-5, "second", unit=unit)
    assert budget.path.read_bytes() == before
    budget.reserve("b", 1.0, 1e-5, "second", unit="patient")
    assert budget.left()[0] == 1.0


def test_a_unit_can_be_fixed_from_the_start(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b.json")
    with pytest.raises(BudgetError, match="The unit is empty"):
        budget.create(3.0, 1e-4, unit=" ")
    budget.create(3.0, 1e-4, unit="stay")
    assert (units_of(budget.read()), budget.left()[0]) == (["stay"], 3.0)
    with pytest.raises(BudgetError, match="each stay"):
        budget.reserve("a", 1.0, 1e-5, "", unit="record")
    budget.reserve("a", 1.0, 1e-5, "", unit="stay")


def test_a_budget_of_before_units_were_stated_is_bound_by_the_first_that_is(
    tmp_path: Path,
) -> None:
    budget = Budget(tmp_path / "b.json")
    old = {"run": "a", "epsilon": 1.0, "delta": 1e-5, "note": "of before"}
    budget.path.write_text(json.dumps({"epsilon": 3.0, "delta": 1e-4, "releases": [old]}))
    assert units_of(budget.read()) == []
    budget.reserve("b", 1.0, 1e-5, "", unit="record")
    assert budget.read()["releases"][0] == old
    with pytest.raises(BudgetError, match="each record"):
        budget.reserve("c", 0.5, 1e-5, "", unit="patient")
    budget.give_back("b")  # asked nothing, so binds nobody
    budget.reserve("c", 0.5, 1e-5, "", unit="patient")


def test_a_file_that_mixes_units_grants_nothing(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b.json")
    entries = [
        {"run": unit, "epsilon": 1.0, "delta": 1e-5, "unit": unit} for unit in ("record", "stay")
    ]
    budget.path.write_text(json.dumps({"epsilon": 9.0, "delta": 1e-4, "releases": entries}))
    for unit in ("record", "stay", "patient"):
        with pytest.raises(BudgetError):
            budget.reserve("c", 0.5, 1e-5, "", unit=unit)


def test_a_run_of_another_unit_is_refused_before_it_asks(tmp_path: Path) -> None:
    prepare(tmp_path, make_table(120))
    budget = tmp_path / "budget.json"
    create = ["budget", "create", budget, "--epsilon", 3, "--delta", 1e-4, "--unit", "patient"]
    assert run(*create).code == 0
    flags = {"epsilon": 1, "budget": budget}
    before = listing(tmp_path)
    said = run(*condensing(tmp_path, **flags))
    assert (said.code, said.out, said.err.count("\n")) == (6, "", 1)
    assert "This run protects each record" in said.err
    assert listing(tmp_path) == before
    others = [name for name in DROPPED if name != "patient"]
    assert run(*condensing(tmp_path, **flags, unit="patient", drop=others)).code == 0
    assert Budget(budget).read()["releases"][0]["unit"] == "patient"
    shown = run("budget", "show", budget).out.splitlines()
    assert sum("patient" in line for line in shown) == 3
    assert json.loads(run("budget", "show", budget, "--json").out)["unit"] == "patient"


@pytest.mark.slow
def test_four_processes_together_never_overspend(budget: Budget) -> None:
    # 40 requests of 0.1 against 3.0: exactly 30 are granted, and the file is whole all the while.
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        jobs = pool.starmap_async(reserve_ten, [(str(budget.path), i, 4) for i in range(4)])
        while not jobs.ready():
            json.loads(budget.path.read_text())
            jobs.wait(0.005)
        granted = jobs.get()
    assert sum(granted) == 30
    content = budget.read()
    assert len({r["run"] for r in content["releases"]}) == 30
    assert budget.left()[0] == pytest.approx(0.0, abs=1e-9)
    assert [p.name for p in budget.path.parent.iterdir()] == ["budget.json"]
