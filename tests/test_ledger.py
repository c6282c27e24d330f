"""What questions cost, and that none is ever forgotten."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dp_accounting as dpa
import numpy as np
import pytest
from dp_accounting.pld import PLDAccountant
from dp_accounting.pld.privacy_loss_mechanism import GaussianPrivacyLoss
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from helpers import Ask, bookings, make_vault, plan_of
from tincture.errors import BudgetError, ReleaseError, SettingError
from tincture.privacy.accounting import (
    Mechanism,
    Phase,
    Plan,
    calibrate,
    delta_of_gaussian,
    epsilon_by,
    spent_epsilon,
)
from tincture.privacy.booking import Entry
from tincture.privacy.engine import LocalEngine, Replaying
from tincture.privacy.journal import Journal
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records

ENTRY = Entry("q", 1, 1.0, Mechanism(2.0))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Callable[[], Journal]]:
    """Opens the journal of one run, as often as asked."""
    opened: list[Journal] = []

    def open_journal() -> Journal:
        opened.append(Journal(tmp_path / "run" / "journal", "s"))
        return opened[-1]

    yield open_journal
    for each in opened:
        each.close()


def killed(journal: Callable[[], Journal], entry: Entry) -> None:
    """A run that books a question and is killed before it has the answer."""
    held, ledger = journal(), ledger_of()
    ledger.attach(held)
    ledger.book(entry)
    held.close()


def ledger_of(count: int = 3) -> Ledger:
    return Ledger(plan_of(2.0, count=count))


def test_a_question_outside_the_plan_is_refused() -> None:
    ledger = ledger_of(2)
    with pytest.raises(BudgetError, match="outside the plan"):
        ledger.book(Entry("other", 1, 1.0, Mechanism(2.0)))
    with pytest.raises(BudgetError, match="another mechanism"):
        ledger.book(Entry("q", 1, 1.0, Mechanism(1.9)))
    ledger.book(ENTRY)
    ledger.book(ENTRY)
    with pytest.raises(BudgetError, match="Question 3 of 'q'"):
        ledger.book(ENTRY)
    assert ledger.entries == [ENTRY, ENTRY]


def test_the_booking_is_on_the_disk_before_anything_is_computed(
    journal: Callable[[], Journal],
) -> None:
    seen: list[int] = []
    held, ledger = journal(), ledger_of()
    ledger.attach(held)

    def look(records: Records) -> np.ndarray:
        seen.append(bookings(held.path))
        return np.zeros((len(records), 1))

    make_vault(ledger).noisy_sum(Ask(look), Mechanism(2.0))
    assert seen == [1]


def test_a_question_that_is_refused_is_not_computed() -> None:
    def fail(records: object) -> np.ndarray:
        raise AssertionError("computed")

    with pytest.raises(BudgetError):
        make_vault(ledger_of(0)).noisy_sum(Ask(fail), Mechanism(2.0))


def test_a_run_that_is_continued_recalls_its_answers_and_asks_only_the_rest(
    journal: Callable[[], Journal],
) -> None:
    held, first = journal(), ledger_of()
    first.attach(held)
    engine = LocalEngine(make_vault(first))
    told = [engine.answer(Ask(), Mechanism(2.0)) for _ in range(2)]
    held.close()

    second = ledger_of()
    second.attach(journal())
    assert second.is_continued
    replaying = Replaying(LocalEngine(make_vault(second)))
    again = [replaying.answer(Ask(), Mechanism(2.0)) for _ in range(3)]
    for old, new in zip(told, again, strict=False):
        np.testing.assert_array_equal(old.value, new.value)
        assert old.noise == new.noise
    assert bookings(held.path) == 3
    assert second.epsilon() == spent_epsilon([Mechanism(2.0)] * 3, 1e-5)
    with pytest.raises(BudgetError):
        replaying.answer(Ask(), Mechanism(2.0))


def test_a_booking_without_an_answer_is_spent_and_never_asked_again(
    journal: Callable[[], Journal],
) -> None:
    killed(journal, ENTRY)
    continued = ledger_of(1)
    continued.attach(journal())
    engine = Replaying(LocalEngine(make_vault(continued)))
    assert engine.answer(Ask(), Mechanism(2.0)).value is None
    assert continued.epsilon() == spent_epsilon([Mechanism(2.0)], 1e-5)
    with pytest.raises(BudgetError):
        engine.answer(Ask(), Mechanism(2.0))


def test_nothing_is_booked_before_the_past_is_recalled(journal: Callable[[], Journal]) -> None:
    # Otherwise the count of past questions would start from nothing.
    killed(journal, ENTRY)
    continued = ledger_of()
    continued.attach(journal())
    with pytest.raises(BudgetError, match="recalled first"):
        continued.book(ENTRY)


def test_a_journal_with_another_question_belongs_to_another_run(
    journal: Callable[[], Journal],
) -> None:
    killed(journal, ENTRY)
    continued = ledger_of()
    continued.attach(journal())
    with pytest.raises(ReleaseError, match="other settings"):
        continued.recall("another")


@pytest.mark.parametrize("torn", [b'{"booked": {"ques', b'{"answer": [0.1', b"{", b"\xff"])
def test_a_torn_last_line_is_cut_off(
    tmp_path: Path, journal: Callable[[], Journal], torn: bytes
) -> None:
    killed(journal, ENTRY)
    path = tmp_path / "run" / "journal"
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [entry for entry, _ in journal().past()] == [ENTRY]
    assert path.read_bytes() == whole


def test_a_journal_of_other_settings_is_refused_and_kept(tmp_path: Path) -> None:
    Journal(tmp_path / "j", "a").close()
    before = (tmp_path / "j").read_bytes()
    with pytest.raises(ReleaseError, match="other settings"):
        Journal(tmp_path / "j", "b")
    assert (tmp_path / "j").read_bytes() == before


@pytest.mark.parametrize("content", [b"nonsense\n", b"3\n", b"null\n{}\n"])
def test_a_damaged_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(ReleaseError, match="damaged"):
        Journal(tmp_path / "j", "s")


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReleaseError, match="Cannot write the journal"):
        Journal(tmp_path / "file" / "j", "s")


def test_a_second_process_cannot_hold_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", "s")
    script = (
        "import sys; from pathlib import Path; from tincture.privacy.ledger import Journal\n"
        "try: Journal(Path(sys.argv[1]), 's')\n"
        "except Exception as e: sys.exit(f'{type(e).__name__}: {e}')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "j")]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ReleaseError: Another run is writing" in second.stderr
    journal.close()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_ledger_survives_json() -> None:
    ledger = Ledger(calibrate(1.0, 1e-5, [Phase("q", 2, 1.0)]), unit="patient")
    ledger.book(Entry("q", 3, 0.5, ledger.plan.mechanism("q")))
    written = json.loads(json.dumps(ledger.to_dict(), allow_nan=False))
    again = Ledger.from_dict(written)
    assert again.plan == ledger.plan
    assert again.entries == ledger.entries
    assert again.unit == "patient"
    assert "all records of one patient" in written["promise"]
    assert written["epsilon_spent"] == again.epsilon()


def test_no_privacy_is_said_plainly() -> None:
    ledger = Ledger(calibrate(math.inf, 0.0, [Phase("q", 1, 1.0)]))
    ledger.book(Entry("q", 1, 1.0, Mechanism(0.0)))
    assert ledger.epsilon() == math.inf
    assert "NO PRIVACY" in ledger.promise
    assert json.loads(json.dumps(ledger.to_dict(), allow_nan=False))["epsilon_spent"] == "inf"


PHASES = st.lists(
    st.builds(Phase, st.uuids().map(str), st.integers(1, 200), st.floats(0.01, 1.0)),
    min_size=1,
    max_size=4,
)


def asked(plan: Plan) -> list[Mechanism]:
    pairs = zip(plan.phases, plan.mechanisms, strict=True)
    return [m for p, m in pairs for _ in range(p.count)]


@given(st.floats(0.05, 8.0), st.sampled_from([1e-4, 1e-5, 1e-7]), PHASES)
def test_calibration_spends_at_most_what_was_asked_and_wastes_little(
    epsilon: float, delta: float, phases: list[Phase]
) -> None:
    spent = spent_epsilon(asked(calibrate(epsilon, delta, phases)), delta)
    assert 0.99 * epsilon <= spent <= epsilon


def test_calibration_holds_with_sampling() -> None:
    phases = [Phase("a", 1, 0.2), Phase("b", 10, 0.8, sampling_rate=0.2)]
    assert 0.99 <= spent_epsilon(asked(calibrate(1.0, 1e-5, phases)), 1e-5) <= 1.0


@given(st.lists(st.floats(1.0, 50.0), min_size=1, max_size=6))
@settings(max_examples=5)
def test_every_further_question_costs_more(noises: list[float]) -> None:
    spent = [spent_epsilon([Mechanism(n) for n in noises[:i]], 1e-5) for i in (0, 1, len(noises))]
    assert spent == sorted(spent)


@pytest.mark.parametrize("noise", [0.8, 3.0, 20.0])
@pytest.mark.parametrize("rate", [1.0, 0.1])
def test_two_accountants_agree_in_order(noise: float, rate: float) -> None:
    event = dpa.GaussianDpEvent(noise)
    sampled = dpa.PoissonSampledDpEvent(rate, event) if rate < 1 else event
    composed = dpa.SelfComposedDpEvent(sampled, 5)
    tight, loose = (epsilon_by(a, composed, 1e-5) for a in (PLDAccountant, RdpAccountant))
    assert tight <= loose * (1 + 1e-6)


def analytic(noise: float, delta: float) -> float:
    """ε of one Gaussian answer (Balle and Wang 2018, theorem 8)."""
    m = 1 / noise

    def excess(e: float) -> float:
        return float(norm.cdf(m / 2 - e / m) - np.exp(e) * norm.cdf(-m / 2 - e / m) - delta)

    return float(brentq(excess, 0.0, 100.0))


@pytest.mark.parametrize("noise", [0.7, 2.0, 4.0, 30.0])
def test_the_cost_of_gaussians_is_the_analytic_one(noise: float) -> None:
    spent = spent_epsilon([Mechanism(noise * 3**0.5)] * 3, 1e-5)
    assert spent == pytest.approx(analytic(noise, 1e-5), rel=1e-3)
    assert spent >= analytic(noise, 1e-5)


@given(st.floats(0.05, 200.0), st.floats(0.0, 100.0))
def test_a_gaussians_delta_is_the_librarys(noise: float, epsilon: float) -> None:
    theirs = GaussianPrivacyLoss(noise).get_delta_for_epsilon(epsilon)
    assert delta_of_gaussian(epsilon, noise**-2) == pytest.approx(theirs, rel=1e-6, abs=1e-14)


def test_next_to_no_noise_costs_more_than_can_be_told() -> None:
    assert spent_epsilon([Mechanism(1e-7)], 1e-5) == math.inf


def test_merged_gaussians_cost_what_composing_them_costs() -> None:
    noises = [2.0, 3.0, 3.0, 7.0, 11.0]
    composed = dpa.ComposedDpEvent([dpa.GaussianDpEvent(s) for s in noises])
    merged = spent_epsilon([Mechanism(s) for s in noises], 1e-5)
    assert merged == pytest.approx(epsilon_by(PLDAccountant, composed, 1e-5), rel=1e-3)


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 1e-5), (-1, 1e-5), (math.nan, 1e-5), (1, 0)])
def test_an_impossible_promise_is_refused(epsilon: float, delta: float) -> None:
    with pytest.raises(SettingError):
        calibrate(epsilon, delta, [Phase("q", 1, 1.0)])


@pytest.mark.parametrize(("noise", "rate"), [(-1, 1), (math.nan, 1), (1, 0), (1, 1.1), (1, -0.1)])
def test_an_impossible_mechanism_is_refused(noise: float, rate: float) -> None:
    with pytest.raises(SettingError):
        Mechanism(noise, rate)


@pytest.mark.parametrize("epsilon", [12.0, 1000.0, 1e20])
def test_a_large_epsilon_is_calibrated_without_the_slow_accountant(epsilon: float) -> None:
    # Found: PLD computed for minutes at ε = 1000. Without sampling neither is asked.
    start = time.process_time()
    plan = calibrate(epsilon, 1e-5, [Phase("a", 1, 0.5), Phase("b", 3, 0.5)])
    spent = [m for m, p in zip(plan.mechanisms, plan.phases, strict=True) for _ in range(p.count)]
    assert spent_epsilon(spent, 1e-5) <= epsilon
    assert time.process_time() - start < 5
