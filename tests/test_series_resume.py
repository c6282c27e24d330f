"""A killed run of stays is continued by ``--resume``, and its ledger holds every booking."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import Said, listing, run
from helpers import bookings
from series_helpers import SCHEMA, make_stays
from tincture.privacy.budget import Budget
from tincture.privacy.ledger import Ledger
from tincture.stays.method import usual_plan
from tincture.stays.release import CondensedSeries

REST = "--id stay_id --target died --hours 12 --rows 16 --delta 1e-5 --effort 0 --quiet"
PLAN = cache(usual_plan)  # calibrating takes longer than all else here
KILL = """
import os, signal, sys
from tincture.cli import main
from tincture.privacy.ledger import Ledger
keep, left = Ledger.keep, int(sys.argv.pop(1))
def stop(self, answer):
    global left
    keep(self, answer)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
Ledger.keep = stop
main()
"""


class Killed(BaseException):
    """As if the process were killed."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stays, their schema, and a budget for one run at ε = 4."""
    monkeypatch.setattr("tincture.stays.job.usual_plan", PLAN)
    events, outcomes = make_stays()
    events.write_parquet(tmp_path / "events.parquet")
    outcomes.write_parquet(tmp_path / "outcomes.parquet")
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA.to_dict()))
    Budget(tmp_path / "budget.json").create(4.0, 1e-5)
    return tmp_path


def condensing(place: Path, *more: object, epsilon: float = 4) -> list[str]:
    files = {"outcomes": "outcomes.parquet", "schema": "schema.json", "out": "out"}
    if epsilon == 4:
        files["budget"] = "budget.json"
    paths = [part for flag, name in files.items() for part in (f"--{flag}", place / name)]
    args = ["condense-series", place / "events.parquet", *paths, "--epsilon", epsilon]
    return [str(part) for part in [*args, *REST.split(), *more]]


def resumed(place: Path, **changes: Any) -> Said:
    return run(*condensing(place, "--resume", **changes))


def assert_finished(place: Path, spent: int) -> None:
    """A whole release, one part of the budget, no journal, and no booking forgotten or doubled."""
    assert not (place / "out.unfinished").exists()
    release = CondensedSeries.load(place / "out")
    planned = sum(p.count for p in PLAN(4.0, 1e-5).phases)
    assert spent < len(release.ledger.entries) == planned
    assert release.ledger.epsilon() <= 4.0
    assert len(Budget(place / "budget.json").read()["releases"]) == 1


def test_a_process_killed_after_some_bookings_is_finished_by_resume(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL, "5", *condensing(place)], env=os.environ, check=False
    )
    assert done.returncode == -9
    assert not (place / "out").exists()
    assert bookings(place / "out.unfinished" / "journal.jsonl") == 5
    again = run(*condensing(place))
    assert (again.code, "--resume" in again.err) == (2, True)
    assert resumed(place) == Said(0, "", "")
    assert_finished(place, 5)


def stop_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """Kill between a booking and its answer, the ``number``-th that this process asks for."""
    keep, asked = Ledger.keep, iter(range(1, 99))

    def stop(self: Ledger, answer: Any) -> None:
        if next(asked) == number:
            raise Killed
        keep(self, answer)

    patch.setattr(Ledger, "keep", stop)


def test_a_run_killed_again_and_again_counts_what_it_lost(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for times, spent in ((5, 5), (2, 7)):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            stop_at(times, patch)
            run(*condensing(place, *(["--resume"] if times == 2 else [])))
        assert bookings(place / "out.unfinished" / "journal.jsonl") == spent
    assert resumed(place).code == 0
    assert_finished(place, 7)


def test_a_first_answer_that_was_lost_is_said_in_a_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Killed):
        stop_at(1, patch)
        run(*condensing(place))
    said = resumed(place)
    assert (said.code, said.err.count("\n")) == (8, 1)
    assert "lost its answer" in said.err
    assert not (place / "out").exists()
    assert len(Budget(place / "budget.json").read()["releases"]) == 1


def test_without_noise_a_resumed_run_ends_where_it_would_have(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def released() -> tuple[pl.DataFrame, pl.DataFrame]:
        release = CondensedSeries.load(place / "out")
        return release.events, release.outcomes

    assert run(*condensing(place, epsilon=float("inf"))).code == 0
    whole = released()
    (place / "out").rename(place / "whole")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        keep, kept = Ledger.keep, iter(range(1, 99))

        def stop(self: Ledger, answer: Any) -> None:
            keep(self, answer)
            if next(kept) == 9:
                raise Killed

        patch.setattr(Ledger, "keep", stop)
        run(*condensing(place, epsilon=float("inf")))
    assert resumed(place, epsilon=float("inf")).code == 0
    assert all(a.equals(b) for a, b in zip(whole, released(), strict=True))


def test_resuming_a_run_killed_after_its_release_appeared_says_where_it_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(journal: Path) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr("tincture.cli.condensing.remove_journal", killed)
        run(*condensing(place))
    journal, before = place / "out.unfinished" / "journal.jsonl", listing(place / "out")
    own = journal.read_text()
    journal.write_text(own + '{"booked": {}}\n')  # another's: not all of it is in the release
    said = resumed(place)
    assert (said.code, "out exists already" in said.err) == (8, True)
    journal.write_text(own)
    said = run(*[a for a in condensing(place, "--resume") if a != "--quiet"])
    assert said.code == 0
    assert f"16 invented stays in {place / 'out' / 'condensed.parquet'}" in said.out
    assert listing(place / "out") == before
    assert_finished(place, 0)
