"""A killed run of stays is continued by ``--resume``, and its ledger holds every booking."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import Said, listing, run
from helpers import bookings, lose_answer
from series_helpers import SCHEMA, make_stays
from tincture.privacy.budget import Budget
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.method import usual_plan
from tincture.stays.release import CondensedSeries

REST = "--id stay_id --target died --hours 12 --rows 16 --delta 1e-5 --effort 0 --quiet"
JOURNAL = Path("out.unfinished/journal.jsonl")


class Killed(BaseException):
    """As if the process were killed."""


def killed() -> None:
    raise Killed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Stays, their schema, and a budget for one run at ε = 4."""
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
    planned = sum(p.count for p in usual_plan(4.0, 1e-5).phases)
    assert spent < len(release.ledger.entries) == planned
    assert release.ledger.epsilon() <= 4.0
    assert len(Budget(place / "budget.json").read()["releases"]) == 1


def estimator(epsilon: float) -> SeriesCondenser:
    """What the command makes."""
    settings: dict[str, Any] = {"schema": SCHEMA, "target": "died", "hours": 12, "n_rows": 16}
    return SeriesCondenser(**settings, epsilon=epsilon, delta=1e-5, effort=0)


def begin(
    place: Path, questions: int = 99, *, epsilon: float = 4.0, kill: Callable[[], None] = killed
) -> SeriesCondenser:
    """Run, or go on, until so many questions have their answers."""

    def progress(done: int, total: int) -> None:
        if bookings(place / JOURNAL) == questions:
            kill()

    budget = place / "budget.json" if epsilon == 4 else None
    sources = place / "events.parquet", place / "outcomes.parquet"
    return estimator(epsilon).fit(
        *sources, journal=place / JOURNAL, budget=budget, progress=progress
    )


def test_a_process_killed_after_some_bookings_is_finished_by_resume(place: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from test_series_resume import begin; "
        "begin(Path(sys.argv[1]), 5, kill=lambda: os.kill(os.getpid(), 9))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(place)], cwd=Path(__file__).parent, check=False
    )
    assert done.returncode == -9
    assert not (place / "out").exists()
    assert bookings(place / JOURNAL) == 5
    again = run(*condensing(place))
    assert (again.code, "--resume" in again.err) == (2, True)
    assert resumed(place) == Said(0, "", "")
    assert_finished(place, 5)


def test_a_run_killed_again_and_again_counts_what_it_lost(place: Path) -> None:
    for spent in (5, 7):
        with pytest.raises(Killed):
            begin(place, spent)
        lose_answer(place / JOURNAL)
        assert bookings(place / JOURNAL) == spent
    assert resumed(place).code == 0
    assert_finished(place, 7)


def test_a_first_answer_that_was_lost_is_said_in_a_sentence(place: Path) -> None:
    with pytest.raises(Killed):
        begin(place, 1)
    lose_answer(place / JOURNAL)
    said = resumed(place)
    assert (said.code, said.err.count("\n")) == (8, 1)
    assert "lost its answer" in said.err
    assert not (place / "out").exists()
    assert len(Budget(place / "budget.json").read()["releases"]) == 1


def test_without_noise_a_resumed_run_ends_where_it_would_have(place: Path) -> None:
    def released() -> tuple[pl.DataFrame, pl.DataFrame]:
        release = CondensedSeries.load(place / "out")
        return release.events, release.outcomes

    assert run(*condensing(place, epsilon=float("inf"))).code == 0
    whole = released()
    (place / "out").rename(place / "whole")
    with pytest.raises(Killed):
        begin(place, 9, epsilon=float("inf"))
    assert bookings(place / JOURNAL) == 9
    assert resumed(place, epsilon=float("inf")).code == 0
    assert all(a.equals(b) for a, b in zip(whole, released(), strict=True))


def test_resuming_a_run_killed_after_its_release_appeared_says_where_it_is(place: Path) -> None:
    begin(place).save(place / "out")  # its journal would be removed next
    journal, before = place / JOURNAL, listing(place / "out")
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
