"""Every private question asked, written down before its answer exists.

The journal is a file of JSON lines. A *booking* is on the disk before the vault computes anything;
the *answer*, which is private by then, follows. A run that was killed is continued by replaying the
journal: answers that are there are used again, and a booking without an answer counts as spent. A
question that failed is written down as such, and ends its run for good.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import BudgetError, ReleaseError
from tincture.files import append_line, require_outside, sync_folder
from tincture.privacy.accounting import Mechanism, Phase, Plan, check_privacy, spent_epsilon

NEIGHBOURS = "adding or removing one unit"
MOST_PLANNED = 1_000_000  # questions of a kind, beyond which a file is damaged
ACCOUNTANT = "dp-accounting, the tighter of PLD and RDP"


@dataclass(frozen=True, slots=True)
class Answer:
    """A private answer.

    Attributes
    ----------
    value : ndarray of shape (n_values,)
        Noisy sum over units, scaled to all of them; None where a killed run lost it.
    noise : float
        Standard deviation of the noise in ``value``.
    """

    value: NDArray[np.float64] | None
    noise: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking: the question, the size of its answer, the clip and the mechanism."""

    question: str
    size: int
    clip: float
    mechanism: Mechanism

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "question": self.question,
            "size": self.size,
            "clip": self.clip,
            "noise_multiplier": self.mechanism.noise_multiplier,
            "sampling_rate": self.mechanism.sampling_rate,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Entry:
        """From JSON."""
        mechanism = Mechanism(float(raw["noise_multiplier"]), float(raw["sampling_rate"]))
        return cls(str(raw["question"]), int(raw["size"]), float(raw["clip"]), mechanism)


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
    """

    def __init__(self, plan: Plan, *, unit: str = "record") -> None:
        self.plan = plan
        self.unit = unit
        self.entries: list[Entry] = []
        self._journal: Journal | None = None
        self._failed = False
        self._looks: Path | None = None
        self._past: list[tuple[Entry, Answer]] = []

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
        if len(self.entries) >= len(self._past):
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
            If the plan does not hold (any more of) this question, or an earlier one failed.
        """
        if self._failed:
            raise BudgetError(
                "A question failed inside the vault, so this ledger books no other: what is made "
                "without its answer would tell of the failure. Start anew, with what is left."
            )
        if len(self.entries) < len(self._past):
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
        if self._journal:
            self._journal.write({"booked": entry.to_dict()})
        self.entries.append(entry)

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
        ledger = cls(plan, unit=str(raw["unit"]))
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
        return (
            f"Whether or not {who} in the table changes the probability of any outcome by a "
            f"factor of at most e^{self.plan.epsilon:g} = {_power(self.plan.epsilon)}, plus at "
            f"most {self.plan.delta:g} "
            f"(differential privacy, ε = {self.plan.epsilon:g}, δ = {self.plan.delta:g})."
        )

    def to_dict(self) -> dict[str, Any]:
        """For ``ledger.json``."""
        return {
            "promise": self.promise,
            "epsilon": _number(self.plan.epsilon),
            "delta": self.plan.delta,
            "epsilon_spent": _number(self.epsilon()),
            "neighbours": NEIGHBOURS,
            "unit": self.unit,
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


class Journal:
    """The append-only file behind a ledger; one process holds it at a time.

    Parameters
    ----------
    path : Path
        Created with its folder if absent.
    settings : str
        A digest of everything the run depends on; a journal of other settings is refused.

    Raises
    ------
    ReleaseError
        If another process holds the file, it belongs to another run, or a question of it failed.
    """

    def __init__(self, path: Path, settings: str) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = open(path, "a+b")
        except OSError as error:
            raise ReleaseError(f"Cannot write the journal {path}: {error.strerror}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ReleaseError(f"Another run is writing {path.parent}; wait for it.") from None
        self._lines = self._whole_lines()
        try:
            refuse_failed(path, self._lines)
        except ReleaseError:
            self.close()
            raise
        if not self._lines:
            self._lines = [{"settings": settings, "run": uuid.uuid4().hex}]
            self.write(self._lines[0])
            sync_folder(path.parent)
        elif self._lines[0].get("settings") != settings:
            self.close()
            raise ReleaseError(
                f"The unfinished run in {path.parent} has other settings; repeat its command to "
                "continue it. If nothing of it was ever used, the folder may be removed instead."
            )

    def _whole_lines(self) -> list[dict[str, Any]]:
        """Read what was written whole; cut off a line that a kill tore."""
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)
        lines = _lines(content)
        if lines is None:
            self.close()
            raise ReleaseError(f"The journal {self.path} is damaged; it cannot be resumed.")
        return lines

    @property
    def run(self) -> str:
        """The identity of the run, the same after it is resumed."""
        return str(self._lines[0]["run"])

    def write(self, line: dict[str, Any]) -> None:
        """Append a line and wait until it is on the disk."""
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def fail(self, question: str) -> None:
        """Write that a question failed; where that cannot be written, the file must not stay.

        Raises
        ------
        ReleaseError
            If it can neither be written to nor removed.
        """
        try:
            self.write({"failed": question})
            return
        except OSError:  # such as a full disk
            for undo in (self.path.unlink, self.close):
                with contextlib.suppress(OSError):
                    undo()
        if self.path.exists():
            raise ReleaseError(
                f"A question failed inside the vault, and the journal {self.path} cannot be told; "
                "remove it by hand, and never resume it."
            )

    def past(self) -> list[tuple[Entry, Answer]]:
        """Bookings so far, each with its answer, if that was kept."""
        out: list[tuple[Entry, Answer]] = []
        for line in self._lines:
            if "booked" in line:
                out.append((Entry.from_dict(line["booked"]), Answer(None, math.nan)))
            elif "answer" in line:
                value = np.asarray(line["answer"], dtype=np.float64)
                out[-1] = (out[-1][0], Answer(value, line["noise"]))
        return out

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def discard(self) -> None:
        """Remove the file and its folder: the run is over, or nothing was ever asked."""
        self.close()
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """What a journal holds, read without holding it; nothing if it is absent or damaged."""
    try:
        return _lines(path.read_bytes()) or []
    except OSError:
        return []


def refuse_failed(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Refuse to continue a journal that holds a question that failed.

    Raises
    ------
    ReleaseError
    """
    for line in lines:
        if "failed" in line:
            raise ReleaseError(
                f"In the run of {path}, a question of kind {line['failed']!r} failed inside the "
                "vault, as one record may have made it do; so it is never continued, and its "
                "budget stays spent. Try the models on invented rows, then start anew under "
                "another name and with what budget is left."
            )


def _lines(content: bytes) -> list[dict[str, Any]] | None:
    """Lines that were written whole; None if one of them is no line of a journal."""
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        return None
    return lines if all(isinstance(line, dict) for line in lines) else None
