"""A run killed at any moment shows no half release and forgets nothing that it has spent."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import condensing, prepare
from helpers import make_table
from tincture.privacy.budget import Budget
from tincture.report.papers.filed import PAPERS
from tincture.tables.release import CondensedTable

pytestmark = pytest.mark.slow
MOMENTS = 50
FILES = ["README.md", "card.html", "cohort.csv", "condensed.csv", "datapackage.json", "ledger.json"]
FILES += ["load.R", "load.do", "load.py", "load.sps"]
FILES = sorted([*FILES, *(paper.name for paper in PAPERS)])
KILLED = -9


@dataclass(frozen=True, slots=True)
class Forks:
    """A process that runs commands in forks of itself."""

    process: subprocess.Popen[str]
    records: Path

    def run(self, folder: Path, *, resume: bool = False, **kill: float | None) -> dict[str, Any]:
        """Condense into ``folder / "out"``, within a budget that lies there."""
        args = condensing(
            self.records,
            epsilon=1,
            out=folder / "out",
            budget=folder / "budget.json",
            resume=resume,
            quiet=True,
        )
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"args": args, "folder": str(folder), **kill}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    records = tmp_path_factory.mktemp("records")
    prepare(records, make_table(800))
    alone = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("forks.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | alone,
        text=True,
    ) as process:
        yield Forks(process, records)
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str], Path]:
    """New folders, each with a budget for one run."""

    def new(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        Budget(folder / "budget.json").create(1.0, 1e-5)
        return folder

    return new


def booked(folder: Path) -> int:
    """Bookings of an unfinished run, after a check that each came before its answer."""
    journal = folder / "out.unfinished" / "journal.jsonl"
    content = journal.read_text() if journal.exists() else ""
    lines = [json.loads(line) for line in content[: content.rfind("\n") + 1].splitlines()]
    kinds = ["booked" if "booked" in line else "answer" for line in lines[1:]]
    assert not lines or "settings" in lines[0]
    assert kinds == (["booked", "answer"] * len(kinds))[: len(kinds)]
    return kinds.count("booked")


def is_released(folder: Path) -> bool:
    """Whether a release is visible, after a check that it is whole."""
    if not (folder / "out").exists():
        return False
    assert sorted(p.name for p in (folder / "out").iterdir()) == FILES
    assert len(CondensedTable.load(folder / "out")) == 16
    return True


def assert_finished(folder: Path, at_least: int) -> None:
    """The release is all there is, and its ledger and budget hold what was spent, once."""
    assert sorted(p.name for p in folder.iterdir()) == ["budget.json", "out"]
    assert is_released(folder)
    ledger = json.loads((folder / "out" / "ledger.json").read_text())
    assert at_least <= len(ledger["entries"]) <= sum(p["planned"] for p in ledger["phases"])
    assert ledger["epsilon_spent"] <= ledger["epsilon"] == 1.0
    assert [r["epsilon"] for r in Budget(folder / "budget.json").read()["releases"]] == [1.0]


def finish(forks: Forks, folder: Path) -> None:
    """Check what a kill left, then do as a custodian would: repeat the command."""
    spent = booked(folder)
    released = is_released(folder)
    unfinished = (folder / "out.unfinished").exists()
    if unfinished or not released:
        done = forks.run(folder, resume=unfinished)
        if done["code"] != 0:  # the counts asked first were paid for and lost
            assert (done["code"], spent) == (8, 1)
            assert done["err"].startswith("tincture: The killed run had paid for a question")
            assert done["err"].count("\n") == 1
            assert booked(folder) == 1
            assert len(Budget(folder / "budget.json").read()["releases"]) == 1
            return
        assert done["err"] == ""
    assert_finished(folder, spent)


def test_a_run_killed_at_random_moments_is_finished_or_refused(
    forks: Forks, place: Callable[[str], Path]
) -> None:
    whole = forks.run(place("whole"))
    assert whole["code"] == 0
    delays = random.Random(0)
    begun = 0
    for moment in range(MOMENTS):
        folder = place(f"moment-{moment}")
        done = forks.run(folder, delay=delays.uniform(0, 1.1 * whole["seconds"]))
        assert done["code"] in (0, KILLED)
        begun += booked(folder) > 0
        finish(forks, folder)
    assert begun >= MOMENTS // 10


def test_a_run_killed_before_any_change_on_the_disk_is_finished_or_refused(
    forks: Forks, place: Callable[[str], Path]
) -> None:
    events = forks.run(place("whole"))["events"]
    assert events > 10
    for event in range(1, events + 1):
        folder = place(f"event-{event}")
        assert forks.run(folder, event=event)["code"] == KILLED
        finish(forks, folder)


def test_a_run_killed_again_and_again_asks_no_question_twice(
    forks: Forks, place: Callable[[str], Path]
) -> None:
    folder = place("again")
    seconds = forks.run(place("whole"))["seconds"]
    done = forks.run(folder, delay=0.5 * seconds)
    for _ in range(8):
        if done["code"] == 0:
            break
        unfinished = (folder / "out.unfinished").exists()
        done = forks.run(folder, resume=unfinished, delay=0.9 * seconds)
    if done["code"] == KILLED:
        done = forks.run(folder, resume=(folder / "out.unfinished").exists())
    if done["code"] == 0:
        assert_finished(folder, 0)
    else:
        assert "had paid for a question counts" in done["err"]
