"""What a page is drawn from: frozen summaries, never a vault, a frame or a record."""

from __future__ import annotations

from dataclasses import dataclass

from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.scores import Evaluation

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
