"""A custodian's budget holds over all releases, whoever asks at the same time."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from helpers import reserve_many
from tincture.errors import BudgetError, ReleaseError
from tincture.privacy.budget import Budget


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
    budget.reserve("run", 1.0, 1e-5, "first")
    assert budget.left() == pytest.approx((2.0, 9e-5))
    assert budget.read()["releases"] == [
        {"run": "run", "epsilon": 1.0, "delta": 1e-5, "note": "first"}
    ]


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(2.1, 1e-6), (0.1, 1e-4), (float("inf"), 1e-6), (float("nan"), 1e-6)]
)
def test_overspending_is_refused_and_changes_nothing(
    budget: Budget, epsilon: float, delta: float
) -> None:
    budget.reserve("a", 1.0, 1e-5, "first")
    before = budget.path.read_bytes()
    with pytest.raises(BudgetError, match="is left"):
        budget.reserve("b", epsilon, delta, "second")
    assert budget.path.read_bytes() == before


def test_three_tenths_fit_into_three_tenths(tmp_path: Path) -> None:
    budget = Budget(tmp_path / "b.json")
    budget.create(0.3, 3e-6)
    for run in "abc":
        budget.reserve(run, 0.1, 1e-6, "")
    with pytest.raises(BudgetError):
        budget.reserve("d", 1e-6, 1e-12, "")
    assert budget.left() == pytest.approx((0.0, 0.0), abs=1e-12)


def test_a_resumed_run_reserves_once(budget: Budget) -> None:
    for _ in range(5):
        budget.reserve("run", 1.0, 1e-5, "")
    assert budget.left()[0] == 2.0


def test_a_run_that_asked_nothing_gives_back_its_own_only(budget: Budget) -> None:
    budget.reserve("a", 1.0, 1e-5, "")
    budget.reserve("b", 0.5, 1e-5, "")
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
    ],
)
def test_what_is_no_budget_grants_nothing(tmp_path: Path, text: str) -> None:
    budget = Budget(tmp_path / "b.json")
    budget.path.write_text(text)
    with pytest.raises(BudgetError):
        budget.reserve("run", 0.1, 1e-6, "")
    assert budget.path.read_text() == text


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 1e-5), (float("inf"), 1e-5), (1, 0), (1, 1)])
def test_an_impossible_budget_is_not_created(tmp_path: Path, epsilon: float, delta: float) -> None:
    with pytest.raises(BudgetError):
        Budget(tmp_path / "b.json").create(epsilon, delta)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_budget_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="tincture budget create"):
        Budget(tmp_path / "b.json").reserve("run", 1.0, 1e-5, "")
    with pytest.raises(BudgetError, match="folder"):
        Budget(tmp_path / "no" / "b.json").reserve("run", 1.0, 1e-5, "")


@pytest.mark.slow
def test_eight_processes_with_25_releases_each_never_overspend(budget: Budget) -> None:
    # 200 requests of 0.1 against 3.0; benchmarks/soak.py makes whole releases instead.
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        jobs = pool.starmap_async(reserve_many, [(str(budget.path), i, 8, 25) for i in range(8)])
        while not jobs.ready():
            json.loads(budget.path.read_text())
            jobs.wait(0.005)
        granted = jobs.get()
    assert sum(granted) == len({r["run"] for r in budget.read()["releases"]}) == 30
    assert budget.left()[0] == pytest.approx(0.0, abs=1e-9)
    assert [p.name for p in budget.path.parent.iterdir()] == ["budget.json"]
