"""A run that was killed is continued, and what it has spent is never forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import bookings, lose_answer, make_condenser, make_table
from tincture.errors import ReleaseError
from tincture.privacy.budget import Budget
from tincture.tables.condenser import Condenser


class Killed(BaseException):
    """As if the process were killed."""


def test_a_killed_run_is_continued_and_never_counts_less(tmp_path: Path) -> None:
    journal, budget = tmp_path / "run" / "journal", Budget(tmp_path / "budget.json")
    budget.create(1.0, 1e-5)

    def fit(stop: int) -> Condenser:
        def progress(done: int, total: int) -> None:
            if done == stop:
                raise Killed

        condenser = make_condenser(epsilon=1.0)
        return condenser.fit(make_table(), journal=journal, budget=budget.path, progress=progress)

    counts = []
    for stop in (1, 3, 2, 5):
        with pytest.raises(Killed):
            fit(stop)
        counts.append(bookings(journal))
    lose_answer(journal)

    finished = fit(99)
    counts.append(bookings(journal))
    assert counts == sorted(counts)
    assert counts[1] < counts[3] < counts[-1]
    planned = sum(p.count for p in finished.ledger.plan.phases)
    assert len(finished.ledger.entries) == planned == counts[-1]
    assert finished.ledger.epsilon() <= 1.0
    assert len(budget.read()["releases"]) == 1


def test_a_continued_run_ends_where_it_would_have_ended(tmp_path: Path) -> None:
    def progress(done: int, total: int) -> None:
        if done == 3:
            raise Killed

    whole = make_condenser().fit(make_table()).to_frame()
    with pytest.raises(Killed):
        make_condenser().fit(make_table(), journal=tmp_path / "j", progress=progress)
    assert make_condenser().fit(make_table(), journal=tmp_path / "j").to_frame().equals(whole)


def test_an_unfinished_run_with_other_settings_is_not_continued(tmp_path: Path) -> None:
    make_condenser().fit(make_table(), journal=tmp_path / "j")
    with pytest.raises(ReleaseError, match="other settings"):
        make_condenser(seed=9).fit(make_table(), journal=tmp_path / "j")
