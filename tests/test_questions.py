"""Which questions a run asks, in which order, at which share; and when answers are lost."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import dp_accounting as dpa
import numpy as np
import pytest
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant

from helpers import ENCODING, QUICK, make_condenser, make_table, make_vault
from tincture.errors import ReleaseError, SettingError
from tincture.models.portfolio import resolve
from tincture.models.served import Served
from tincture.privacy.accounting import LATTICE_MARGIN, Mechanism, epsilon_by
from tincture.privacy.booking import Answer
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.public.encoding import Encoding
from tincture.public.tasks import Classification
from tincture.tables.method import DIRECT, PROXY, method_for, search, usual_plan

PROMISE = (Path(__file__).parent.parent / "docs" / "promise.md").read_text(encoding="utf-8")
PHASES = {"direct": DIRECT, "proxy": PROXY}
METHODS = pytest.mark.parametrize("method", PHASES)
DIED = Classification("died", 2)


def rows_after(heading: str) -> list[list[str]]:
    """Cells of the first table after a heading of the promise."""
    lines = PROMISE[PROMISE.index(heading) :].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("| question"))
    table = lines[first + 2 :]
    last = next(i for i, line in enumerate(table) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[:last]]


@METHODS
def test_shares_and_counts_of_the_plan_are_those_of_the_promise(method: str) -> None:
    column = 1 + list(PHASES).index(method)
    stated = {}
    for row in rows_after("## 4. Accounting"):
        if found := re.fullmatch(r"(\d+)%, (\d+)", row[column]):
            stated[row[0]] = (int(found[1]) / 100, int(found[2]))
    assert stated == PHASES[method]
    assert math.isclose(sum(share for share, _ in stated.values()), 1.0)
    assert list(stated) == [r[0] for r in rows_after("## 3. The six") if r[0] in PHASES[method]]


@pytest.mark.parametrize(("method", "epsilon"), [("direct", 0.5), ("proxy", 1.0)])
def test_a_methods_plan_stays_within_epsilon(method: str, epsilon: float) -> None:
    plan = usual_plan(epsilon, 1e-5, method)
    pairs = list(zip(plan.phases, plan.mechanisms, strict=True))
    total = sum(p.count / m.noise_multiplier**2 for p, m in pairs)
    events = []
    for phase, mechanism in pairs:
        assert phase.count / mechanism.noise_multiplier**2 == pytest.approx(phase.share * total)
        noise = mechanism.noise_multiplier * (1 - LATTICE_MARGIN)
        events.append(dpa.SelfComposedDpEvent(dpa.GaussianDpEvent(noise), phase.count))
    # Composed one by one, unlike in the planner, which merges Gaussians first.
    composed = dpa.ComposedDpEvent(events)
    tight, loose = (epsilon_by(a, composed, 1e-5) for a in (PLDAccountant, RdpAccountant))
    assert 0.98 * epsilon <= tight <= epsilon * 1.002  # up to the grid of the convolution
    assert tight <= loose <= 1.15 * epsilon


@METHODS
def test_without_privacy_nothing_is_noised_and_more_losses_are_asked(method: str) -> None:
    plan = usual_plan(math.inf, 0.0, method)
    assert set(plan.mechanisms) == {Mechanism(0.0)}
    assert plan.count("loss differences") > PHASES[method]["loss differences"][1]


def test_the_method_is_the_proxy_one_unless_another_is_named() -> None:
    for name, meant in {"auto": "proxy", "direct": "direct", "proxy": "proxy"}.items():
        assert method_for(name) == meant
    with pytest.raises(SettingError, match="auto, direct, proxy"):
        method_for("magic")


@METHODS
def test_a_run_asks_in_the_order_of_the_promise_and_books_every_share(method: str) -> None:
    made = make_condenser(epsilon=1.0, method=method).fit(make_table(300))
    written = made.ledger.to_dict()
    asked = [entry["question"] for entry in written["entries"]]
    order = [row[0] for row in rows_after("## 3. The six") if row[0] in PHASES[method]]
    assert list(dict.fromkeys(asked)) == order
    assert [phase["question"] for phase in written["phases"]] == order
    for phase in written["phases"]:
        assert phase["share"] == PHASES[method][phase["question"]][0]
        assert asked.count(phase["question"]) == phase["planned"]
    clips = {entry["question"]: entry["clip"] for entry in written["entries"]}
    assert clips["outcome counts"] == 1.0
    assert clips["marginal counts"] == math.sqrt(5)
    if method == "proxy":
        assert clips["residual sums"] == clips["interaction sums"] == 1.0
        lines = 5 + 2  # a line a column, and one for each of two amounts that may be missing
        assert 0 < clips["rank products"] <= lines / math.sqrt(2)
    else:
        assert clips["loss differences"] == pytest.approx(0.05 * 8)


def test_a_run_that_lost_an_answer_of_any_kind_still_finishes(tmp_path: Path) -> None:
    def fit(name: str) -> Ledger:
        condenser = make_condenser(epsilon=1.0, method="proxy")
        return condenser.fit(make_table(300), journal=tmp_path / name).ledger

    whole = fit("whole")
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    booked = [i for i, line in enumerate(lines) if b'"booked"' in line]
    assert len(booked) == len(whole.entries)
    ends = [i for i, e in enumerate(whole.entries) if e.question != "outcome counts"]
    last_of_each = {whole.entries[i].question: i for i in ends}
    assert len(last_of_each) == 5
    for question, i in last_of_each.items():  # killed between this booking and its answer
        (tmp_path / question).write_bytes(b"".join(lines[: booked[i] + 1]))
        continued = fit(question)
        assert [e.question for e in continued.entries] == [e.question for e in whole.entries]
        assert continued.epsilon() <= 1.0
    (tmp_path / "first").write_bytes(b"".join(lines[: booked[0] + 1]))
    # Without prevalence no row can be made.
    with pytest.raises(ReleaseError, match="lost its answer"):
        fit("first")


class Forgetful:
    """Books every question, and loses the answers to some kinds."""

    form = None

    def __init__(self, lost: Sequence[str]) -> None:
        self.ledger, self.lost = Ledger(usual_plan(1.0, 1e-5, "proxy")), lost
        self._engine = LocalEngine(make_vault(self.ledger, 300))

    def answer(self, query: Query, mechanism: Mechanism, *, share: float = 1.0) -> Answer:
        answer = self._engine.answer(query, mechanism, share=share)
        return Answer(None, math.nan) if query.question in self.lost else answer


@pytest.mark.parametrize("lost", [["residual sums"], list(PROXY)[1:]])
def test_whatever_was_lost_the_rows_are_valid(lost: list[str]) -> None:
    engine, rng = Forgetful(lost), np.random.default_rng(1)
    models = [resolve("logistic", DIED)]
    found = search(engine, ENCODING, DIED, Served(models, [1.0]), 16, rng, effort=QUICK)
    assert_exact(ENCODING, found.points, 16)
    assert set(found.outcomes[:, 0]) == {0.0, 1.0}
    assert len(engine.ledger.entries) == sum(count for _, count in PROXY.values())


def assert_exact(encoding: Encoding, points: np.ndarray, n_rows: int) -> None:
    """Points that rows can be decoded from."""
    assert points.shape == (n_rows, encoding.width)
    np.testing.assert_allclose(encoding.snap(points), points, atol=1e-12)
