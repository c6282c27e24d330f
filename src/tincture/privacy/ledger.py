"""Every private question asked, written down before its answer exists.

The journal is a file of JSON lines. A *booking* is on the disk before the vault computes anything;
the *answer*, which is private by then, follows. A run that was killed is continued by replaying the
journal: answers that are there are used again, and a booking without an answer counts as spent. A
question that failed is written down as such, and ends its run for good.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import ROUND_CEILING, Context
from pathlib import Path
from typing import Any

from tincture.errors import BudgetError, ReleaseError
from tincture.io.files import append_line, require_outside
from tincture.privacy.accounting import (
    Mechanism,
    Phase,
    Plan,
    check_privacy,
    spent_epsilon,
    with_share,
)
from tincture.privacy.booking import Answer, Entry
from tincture.privacy.journal import Journal

UPWARDS = Context(prec=3, rounding=ROUND_CEILING)
NEIGHBOURS = "adding or removing one unit"
MOST_PLANNED = 1_000_000  # questions of a kind, beyond which a file is damaged
ACCOUNTANT = "dp-accounting; exact for Gaussians without sampling, else the tighter of PLD and RDP"


def _rate(phase: dict[str, Any]) -> float:
    return float(phase["sampling_rate"])


def _count(planned: Any) -> int:
    if not isinstance(planned, int) or not 0 < planned <= MOST_PLANNED:
        raise ValueError("no number of questions")
    return planned


class Ledger:
    """What a run may ask, has asked, and what that costs.

    Parameters
    ----------
    plan : Plan
        Questions outside the plan are refused.
    unit : str
        Who is protected, in words: "record", or the name of the person column.
        Bookings live in memory only until a journal is attached.
    sites : tuple of str
        That answered together, each with noise of its own; none where the records lie in one place.
    holders : int
        Sites whose noise together is that of the plan, each having one of so many shares; 1 where
        no other site is trusted.

    Attributes
    ----------
    by_site : mapping
        What each site's own noisy share of the outcome counts tells of it, by its name.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        unit: str = "record",
        sites: tuple[str, ...] = (),
        holders: int = 1,
    ) -> None:
        self.plan = plan
        self.unit = unit
        self.sites = sites
        self.holders = holders
        self.by_site: Mapping[str, dict[str, Any]] = {}
        self.entries: list[Entry] = []
        self._journal: Journal | None = None
        self._failed = False
        self._looks: Path | None = None
        self._past: list[tuple[Entry, Answer]] = []

    @property
    def has_failed(self) -> bool:
        """Whether a question failed, after which none is answered."""
        return self._failed

    @property
    def is_caught_up(self) -> bool:
        """Whether nothing of an earlier process is left to recall."""
        return len(self.entries) >= len(self._past)

    @property
    def is_continued(self) -> bool:
        """Whether the journal held bookings of an earlier process."""
        return bool(self._past)

    def recall(self, question: str) -> Answer | None:
        """The next answer of the run that this one continues, already booked, or None.

        Raises
        ------
        ReleaseError
            If the journal holds another question here, so that it belongs to another run.
        """
        if self.is_caught_up:
            return None
        entry, answer = self._past[len(self.entries)]
        # Another version may calibrate otherwise; its noise and ours must not be mixed.
        if entry.question != question or entry.mechanism != self.plan.mechanism(question):
            raise ReleaseError("The journal belongs to a run with other settings; remove it first.")
        self.entries.append(entry)
        return answer

    def book(self, entry: Entry) -> None:
        """Write a question down; only then may it be answered.

        Raises
        ------
        BudgetError
            As `check`.
        """
        self.check(entry)
        if self._journal:
            self._journal.write({"booked": entry.to_dict()})
        self.entries.append(entry)

    def check(self, entry: Entry) -> None:
        """Refuse what could not be booked.

        Raises
        ------
        BudgetError
            If the plan does not hold (any more of) this question, or an earlier one failed.
        """
        if self._failed:
            raise BudgetError(
                "A question failed inside the vault, so this ledger books no other: what is made "
                "without its answer would tell of the failure. Start anew, with what is left."
            )
        if not self.is_caught_up:
            raise BudgetError("Answers of the run that this one continues must be recalled first.")
        asked = sum(e.question == entry.question for e in self.entries)
        known = [p.question for p in self.plan.phases]
        if entry.question not in known or asked >= self.plan.count(entry.question):
            raise BudgetError(
                f"Question {asked + 1} of {entry.question!r} is outside the plan for "
                f"ε = {self.plan.epsilon:g}; nothing was asked."
            )
        if entry.mechanism != self.plan.mechanism(entry.question):
            raise BudgetError(f"{entry.question!r} was planned with another mechanism.")

    def note(self, line: dict[str, Any]) -> None:
        """Write something beside the bookings, for whoever keeps more than this ledger does."""
        if self._journal:
            self._journal.write(line)

    def catch_up(self) -> list[dict[str, Any]]:
        """Recall all bookings of an earlier process, and give back its notes."""
        while not self.is_caught_up:
            self.recall(self._past[len(self.entries)][0].question)
        return self.notes()

    def notes(self) -> list[dict[str, Any]]:
        """What an earlier process wrote beside its bookings."""
        return self._journal.notes() if self._journal else []

    @classmethod
    def in_house(cls, path: Path | None = None) -> Ledger:
        """A ledger for un-noised looks, apart from that of any release: each costs ε = ∞.

        With a path, every look is a line of that file before it is taken.

        Raises
        ------
        ReleaseError
            If the path lies inside a release.
        """
        if path is not None:
            require_outside(path)
        ledger = cls(Plan(math.inf, 0.0, (), ()))
        ledger._looks = path
        return ledger

    def book_disclosure(self, purpose: str) -> None:
        """Write down an un-noised look.

        Raises
        ------
        BudgetError
            If this is the ledger of a release.
        """
        if self.plan.phases:
            raise BudgetError("The vault of a release shows no record; use an in-house ledger.")
        if self._looks is not None:
            append_line(self._looks, json.dumps({"look": purpose, "epsilon": "inf"}))
        self.entries.append(Entry(purpose, 0, math.inf, Mechanism(0.0)))

    def attach(self, journal: Journal) -> None:
        """Keep bookings in a journal from now on, continuing what it holds."""
        self._journal = journal
        self._past = journal.past()

    def keep(self, answer: Answer) -> None:
        """Keep the answer to the last booking, for a run that may have to continue this one."""
        if self._journal and answer.value is not None:
            self._journal.write({"answer": answer.value.tolist(), "noise": answer.noise})

    def fail(self) -> None:
        """Write down that the last question failed, which one record may have made it do.

        A run that went on without the answer would carry that into its release; so nothing is
        asked after it, here or by a run that opens the journal again.
        """
        self._failed = True
        if self._journal:
            self._journal.fail(self.entries[-1].question)

    def epsilon(self, delta: float | None = None) -> float:
        """ε spent by all bookings at ``delta`` (by default the plan's)."""
        delta = self.plan.delta if delta is None else delta
        return spent_epsilon([e.mechanism for e in self.entries], delta)

    @property
    def epsilon_alone(self) -> float:
        """ε of the whole plan for a site that has its own share of the noise alone.

        That is where all other sites collude with the coordinator, or masks are broken. Rounded up
        to three digits, so that whoever prints it tells no less.
        """
        planned = zip(self.plan.phases, self.plan.mechanisms, strict=True)
        each = [m for phase, m in planned for _ in range(phase.count)]
        exact = spent_epsilon(with_share(each, self.holders), self.plan.delta)
        return float(UPWARDS.create_decimal(exact))

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Ledger:
        """A finished ledger from ``ledger.json``; nothing more can be booked in it."""
        phases = tuple(
            Phase(str(p["question"]), _count(p["planned"]), float(p["share"]), _rate(p))
            for p in raw["phases"]
        )
        mechanisms = tuple(Mechanism(float(p["noise_multiplier"]), _rate(p)) for p in raw["phases"])
        plan = Plan(float(raw["epsilon"]), float(raw["delta"]), phases, mechanisms)
        check_privacy(plan.epsilon, plan.delta)
        sites = tuple(str(name) for name in raw.get("sites", ()))
        holders = int(raw.get("holders", 1))
        ledger = cls(plan, unit=str(raw["unit"]), sites=sites, holders=holders)
        ledger.by_site = {str(name): dict(of) for name, of in raw.get("by_site", {}).items()}
        ledger.entries = [Entry.from_dict(e) for e in raw["entries"]]
        return ledger

    @property
    def promise(self) -> str:
        """The guarantee in one plain sentence."""
        alone = self.unit in ("record", "stay")
        who = f"one {self.unit} was" if alone else f"all records of one {self.unit} were"
        if math.isinf(self.plan.epsilon):
            return (
                "NO PRIVACY PROMISE: these rows were made with epsilon = inf, so they may betray "
                "any record; do not release them."
            )
        where = f"the table of any one of {len(self.sites)} sites" if self.sites else "the table"
        return (
            f"Whether or not {who} in {where} changes the probability of any outcome by a "
            f"factor of at most e^{self.plan.epsilon:g} = {_power(self.plan.epsilon)}, plus at "
            f"most {self.plan.delta:g} "
            f"(differential privacy, ε = {self.plan.epsilon:g}, δ = {self.plan.delta:g})."
            f"{self._trust}"
        )

    @property
    def shared(self) -> dict[str, Any]:
        """How many hold the noise, and ε where one is left alone; nothing for one holder."""
        if self.holders == 1:
            return {}
        return {"holders": self.holders, "epsilon_alone": _number(self.epsilon_alone)}

    @property
    def _trust(self) -> str:
        """What the promise rests on, if other sites are trusted."""
        if self.holders == 1:
            return ""
        return (
            f" This rests on masks, which are experimental until reviewed from outside, and on "
            f"{self.holders} sites that do not collude with the coordinator; if all others do, "
            f"ε = {self.epsilon_alone:.3g}."
        )

    def to_dict(self) -> dict[str, Any]:
        """For ``ledger.json``."""
        return {
            "promise": self.promise,
            "epsilon": _number(self.plan.epsilon),
            "delta": self.plan.delta,
            "epsilon_spent": _number(self.epsilon()),
            "neighbours": NEIGHBOURS + (" at one site" if self.sites else ""),
            "unit": self.unit,
            **({"sites": list(self.sites)} if self.sites else {}),
            **({"by_site": self.by_site} if self.by_site else {}),
            **self.shared,
            "accountant": ACCOUNTANT,
            "phases": [
                {
                    "question": p.question,
                    "planned": p.count,
                    "share": p.share,
                    "noise_multiplier": m.noise_multiplier,
                    "sampling_rate": m.sampling_rate,
                }
                for p, m in zip(self.plan.phases, self.plan.mechanisms, strict=True)
            ],
            "entries": [e.to_dict() for e in self.entries],
        }


def _power(epsilon: float) -> str:
    return f"{math.exp(epsilon):.3g}" if epsilon < 700 else "an astronomical number"


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else "inf"
