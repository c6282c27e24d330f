"""What a page is drawn from: frozen summaries, never a vault, a frame or a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.scores import Evaluation
from tincture.report.codes import Code, codes_of, described, event_told, outcome_told


@dataclass(frozen=True, slots=True)
class Phase:
    """One kind of private question, as the ledger tells it."""

    question: str
    planned: int
    asked: int
    clip: float | None
    noise_multiplier: float
    sampling_rate: float


@dataclass(frozen=True, slots=True)
class Field:
    """One column as it was declared publicly."""

    name: str
    type: str
    values: str
    role: str
    about: str


@dataclass(frozen=True, slots=True)
class Card:
    """A data card: all of it stands in ``datapackage.json`` and ``ledger.json``.

    Attributes
    ----------
    holds : str
        "rows" or "stays".
    outcome, told : str
        Outcome columns with their role; and with the level that figures count.
    made : tuple of (str, str)
        What only this kind of release has to tell, with its name.
    codes : tuple of Code
        What labelled levels and words for missing mean.
    """

    holds: str
    title: str
    promise: str
    is_private: bool
    rows: int
    outcome: str
    told: str
    made: tuple[tuple[str, str], ...]
    epsilon: float
    epsilon_spent: float
    delta: float
    unit: str
    neighbours: str
    accountant: str
    version: str
    phases: tuple[Phase, ...]
    fields: tuple[Field, ...]
    codes: tuple[Code, ...] = ()

    @classmethod
    def of(cls, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Card:
        """From the two JSON files of a release of either kind, as dictionaries."""
        about = package["tincture"]
        is_table = "models" in about
        schema, task = described(package), about["task"]
        outcome = {task[role]: role for role in ("target", "time", "event") if role in task}
        return cls(
            holds="rows" if is_table else "stays",
            title=package["title"],
            promise=ledger["promise"],
            is_private=float(ledger["epsilon"]) < float("inf"),
            rows=int(about["settings"]["n_rows"]),
            outcome=", ".join(f"{name} ({role})" for name, role in outcome.items()),
            told=outcome_told(schema, task),
            made=(
                _of_table(about)
                if is_table
                else _of_stays(about["settings"], event_told(schema, task))
            ),
            epsilon=float(ledger["epsilon"]),
            epsilon_spent=float(ledger["epsilon_spent"]),
            delta=float(ledger["delta"]),
            unit=ledger["unit"],
            neighbours=ledger["neighbours"],
            accountant=ledger["accountant"],
            version=str(about["settings"]["version"]),
            phases=tuple(_phases(ledger)),
            fields=tuple(
                _field(f, outcome.get(f["name"]) or f.get("role") or "feature")
                for f in schema["fields"]
            ),
            codes=codes_of(schema),
        )


def _of_table(about: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (("Made for the models", ", ".join(about["models"])),)


def _of_stays(settings: Mapping[str, Any], event: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Columns of the events", ", ".join(settings["columns"])),
        ("Window", f"{settings['hours']:g} h in bins of {settings['bin_hours']:g} h"),
        ("Real prevalence", f"about {settings['prevalence']:.1%} ({event}), known through noise"),
        (LEFT_OUT, left_out_told(settings)),
    )


LEFT_OUT = "Left out, as too seldom recorded for what the noise lets see"


def left_out_told(settings: Mapping[str, Any]) -> str:
    """Variables and static columns of stays that nobody is seen to have."""
    return ", ".join(settings.get("left_out", ["not told"])) or "none"


def _phases(ledger: Mapping[str, Any]) -> list[Phase]:
    found = []
    for phase in ledger["phases"]:
        entries = [e for e in ledger["entries"] if e["question"] == phase["question"]]
        found.append(
            Phase(
                question=phase["question"],
                planned=phase["planned"],
                asked=len(entries),
                clip=max((e["clip"] for e in entries), default=None),
                noise_multiplier=phase["noise_multiplier"],
                sampling_rate=phase["sampling_rate"],
            )
        )
    return found


def _field(field: Mapping[str, Any], role: str) -> Field:
    constraints = field.get("constraints", {})
    levels: Sequence[Any] = field.get("categories") or ()
    if levels:
        values = ", ".join(str(v["value"] if isinstance(v, dict) else v) for v in levels)
    elif "minimum" in constraints or "maximum" in constraints:
        ends = (constraints.get(end) for end in ("minimum", "maximum"))
        values = " to ".join("–" if end is None else f"{end:g}" for end in ends)
    else:
        values = "false, true" if field["type"] == "boolean" else "–"
    told = (field.get("title"), field.get("description"), field.get("unit"))
    about = "; ".join(dict.fromkeys(str(t) for t in told if t))
    return Field(field["name"], field["type"], values, role, about)


TOLD = "share told rightly of members"  # as far as it holds of others too, it betrays nobody


@dataclass(frozen=True, slots=True)
class Finding:
    """What one attack on the release achieved.

    Attributes
    ----------
    attack, measure : str
        Such as "closest row" and "AUC".
    figure : Figure
    chance : float
        What is expected of an attack that learns nothing.
    """

    attack: str
    measure: str
    figure: Figure
    chance: float

    @property
    def says(self) -> str:
        """Where chance lies, seen from the interval."""
        if self.figure.low > self.chance:
            return "see the lead" if self.measure == TOLD else "above chance"
        if self.figure.high < self.chance:
            return "below chance"
        return "as by chance" if self.figure.low == self.figure.low else "–"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test of the vault says, and whether that is as it should be."""

    says: str
    is_well: bool


@dataclass(frozen=True, slots=True)
class Attacks:
    """What an audit found."""

    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    @property
    def in_short(self) -> str:
        """Of how many figures the interval lies above chance, and whether the vault is whole."""
        told = [f for f in self.findings if f.says != "–"]
        above = [f"{f.attack}, {f.measure}" for f in told if f.says == "above chance"]
        named = f" ({'; '.join(above)})" if above else ""
        failed = [v.says for v in self.verdicts if not v.is_well]
        vault = f"What failed: {' '.join(failed)}" if failed else "The vault passed every check."
        return (
            f"Above chance: {len(above)} of {len(told)} figures of attacks{named}; one in forty "
            f"would be though nothing leaked. {vault}"
        )


@dataclass(frozen=True, slots=True)
class InHouse:
    """What the custodian's own page shows."""

    title: str
    promise: str
    evaluation: Evaluation
    attacks: Attacks = Attacks()
