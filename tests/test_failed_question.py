"""A question that fails because of a record ends its run for good: no release can tell of it."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.naive_bayes import GaussianNB

from commands import condensing, listing, prepare, run
from helpers import ENCODING, Ask, make_condenser, make_table, make_vault, plan_of
from tincture.errors import BudgetError, QueryFailed, ReleaseError
from tincture.privacy.accounting import Mechanism
from tincture.privacy.budget import Budget
from tincture.privacy.engine import LocalEngine, Replaying
from tincture.privacy.journal import Journal
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records

N = 321  # records, and no other table of a run is as large
SENTINEL = "Zx81sentinel"
NOISE = Mechanism(2.0)
DIABETIC = ENCODING.design_slices[-1].start + 1  # column of the design, after "no"


class Picky(GaussianNB):
    """Refuses the one diabetic among the records, and quotes them."""

    is_mended = False

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        if len(x) == N and x[:, DIABETIC].any() and not Picky.is_mended:
            raise ValueError(f"{SENTINEL} {x!r}")
        found: np.ndarray = super().predict_proba(x)
        return found


def records(*, diabetics: int = 1) -> pl.DataFrame:
    """Of whom the last ones have diabetes, and nobody else."""
    return make_table(N).with_columns(diabetes=pl.Series(np.arange(N) >= N - diabetics))


def lines_of(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def assert_ended(journal: Path, question: str) -> None:
    """The failure is the last line, after the booking, and no line holds more than it should."""
    first, *lines = lines_of(journal)
    assert first.keys() == {"settings", "run"}
    assert lines[-1] == {"failed": question}
    assert lines[-2]["booked"]["question"] == question
    assert all(line.keys() in ({"booked"}, {"answer", "noise"}) for line in lines[:-1])
    assert SENTINEL not in journal.read_text()


def test_a_run_with_a_failed_question_is_never_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, budget = tmp_path / "run" / "journal", Budget(tmp_path / "budget.json")
    budget.create(2.0, 1e-4)

    def fit(**changes: Any) -> Any:
        condenser = make_condenser(epsilon=1.0, models=[Picky()], **changes)
        return condenser.fit(records(), journal=journal, budget=budget.path)

    with pytest.raises(QueryFailed):
        fit()
    assert_ended(journal, "loss differences")
    kept = listing(tmp_path)
    assert [r["epsilon"] for r in budget.read()["releases"]] == [1.0]
    monkeypatch.setattr(Picky, "is_mended", True)  # nor if the model would not fail again
    for seed in (0, 1):  # nor with other settings
        with pytest.raises(ReleaseError, match="never continued, and its budget stays spent"):
            fit(seed=seed)
        assert listing(tmp_path) == kept


def test_without_the_record_nothing_fails(tmp_path: Path) -> None:
    made = make_condenser(epsilon=1.0, models=[Picky()])
    made.fit(records(diabetics=0), journal=tmp_path / "journal")
    assert not any("failed" in line for line in lines_of(tmp_path / "journal"))


def test_the_command_line_begins_anew_only_under_another_name_and_budget(tmp_path: Path) -> None:
    prepare(tmp_path, records())
    budget = Budget(tmp_path / "budget.json")
    budget.create(2.0, 1e-4)
    picky = {"model": "test_failed_question:Picky", "quiet": True}
    flags = {"epsilon": 1, "budget": budget.path} | picky
    said = run(*condensing(tmp_path, **flags))
    assert (said.code, said.out, said.err.count("\n")) == (7, "", 1)
    assert "The run is over and its budget spent" in said.err
    assert_ended(tmp_path / "out.unfinished" / "journal.jsonl", "loss differences")
    kept = listing(tmp_path)
    assert not any(name == "out" or name.startswith("out/") for name in kept)
    for resume in (True, False):
        again = run(*condensing(tmp_path, **flags, resume=resume))
        assert (again.code, again.out, again.err.count("\n")) == (8, "", 1)
        assert "a question of kind 'loss differences' failed inside the vault" in again.err
        assert "start anew under another name" in again.err
        assert SENTINEL not in again.err
        assert listing(tmp_path) == kept
    anew = {"model": "logistic", "out": tmp_path / "second"}
    assert run(*condensing(tmp_path, **(flags | anew))).code == 0
    assert [r["epsilon"] for r in budget.read()["releases"]] == [1.0, 1.0]


@pytest.mark.parametrize("command", ["condense", "condense-series"])
def test_a_failure_in_the_journal_is_said_before_a_record_is_read(
    command: str, tmp_path: Path
) -> None:
    journal = tmp_path / "out.unfinished" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text('{"settings": "s", "run": "r"}\n{"failed": "residual sums"}\n')
    args = [command, tmp_path / "absent.csv", "--schema", tmp_path / "absent.json", "--resume"]
    args += ["--target", "died", "--epsilon", 1, "--delta", 1e-5, "--out", tmp_path / "out"]
    said = run(*args)
    assert (said.code, said.err.count("\n")) == (8, 1)
    assert "of kind 'residual sums' failed" in said.err


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """A ledger with the journal of one run, opened as often as asked."""
    held: list[Journal] = []

    def open_ledger() -> Ledger:
        if held:
            held[-1].close()
        held.append(Journal(tmp_path / "run" / "journal", "s"))
        ledger = Ledger(plan_of(2.0, count=9))
        ledger.attach(held[-1])
        return ledger

    yield open_ledger
    held[-1].close()


def failing(error: BaseException) -> Ask:
    """A question that fails at one record, as a model may that was failing already."""

    def look(records: Records) -> np.ndarray:
        try:
            raise ValueError(SENTINEL)
        except ValueError:
            raise error  # noqa: B904

    return Ask(look)


# A model can fail by any of these; a lack of memory too may come from a record.
@pytest.mark.parametrize("answered", [0, 2], ids=["first", "third"])
@pytest.mark.parametrize("error", [ValueError(SENTINEL), MemoryError(), SystemExit(3)], ids=repr)
def test_whatever_fails_is_written_down_and_nothing_more_is_answered(
    error: BaseException, answered: int, opened: Callable[[], Ledger], tmp_path: Path
) -> None:
    ledger = opened()
    vault = make_vault(ledger)
    for _ in range(answered):
        vault.noisy_sum(Ask(), NOISE)
    with pytest.raises(QueryFailed) as caught:
        vault.noisy_sum(failing(error), NOISE)
    assert caught.value.__context__ is None
    journal = tmp_path / "run" / "journal"
    assert_ended(journal, "q")
    kept = journal.read_bytes()
    with pytest.raises(BudgetError, match="failed inside the vault"):
        LocalEngine(vault).answer(Ask(), NOISE)
    assert journal.read_bytes() == kept
    with pytest.raises(ReleaseError, match="never continued"):
        opened()
    assert journal.read_bytes() == kept
    assert len(ledger.entries) == answered + 1


def test_without_a_journal_too_nothing_is_answered_after_a_failure() -> None:
    vault = make_vault(Ledger(plan_of(2.0, count=9)))
    with pytest.raises(QueryFailed):
        vault.noisy_sum(failing(ValueError()), NOISE)
    with pytest.raises(BudgetError, match="Start anew"):
        vault.noisy_sum(Ask(), NOISE)


def test_a_person_who_stops_a_question_loses_its_answer_alone(
    opened: Callable[[], Ledger],
) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        make_vault(opened()).noisy_sum(failing(KeyboardInterrupt()), NOISE)
    assert caught.value.__context__ is None  # which would quote what a model was at
    engine = Replaying(LocalEngine(make_vault(opened())))
    assert engine.answer(Ask(), NOISE).value is None
    assert engine.answer(Ask(), NOISE).value is not None


def test_a_failure_that_cannot_be_written_down_takes_the_journal_away(
    opened: Callable[[], Ledger], tmp_path: Path
) -> None:
    """On a full disk; else the run could be continued as if it had been killed."""
    journal = tmp_path / "run" / "journal"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def look(records: Records) -> np.ndarray:
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, limits[1]))
        raise ValueError

    vault = make_vault(opened())
    try:
        with pytest.raises(QueryFailed):
            vault.noisy_sum(Ask(look), NOISE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not journal.exists()
