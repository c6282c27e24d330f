"""What all papers of a release say, in sentences that follow from its two JSON files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tincture.report.card import Card

CUSTODIAN = "The custodian holds the records, runs the software and is trusted with both."
ADDING = "Releases from the same records add up: their ε and their δ are to be summed."
AGAIN = "The same data in another format"


@dataclass(frozen=True, slots=True)
class File:
    """A data file of a release.

    Attributes
    ----------
    resource : mapping
        As the package describes it.
    content : bytes
    """

    resource: Mapping[str, Any]
    content: bytes

    @property
    def path(self) -> str:
        """Its name in the folder."""
        return str(self.resource["path"])

    @property
    def name(self) -> str:
        """What the package calls it."""
        return str(self.resource["name"])

    @property
    def kind(self) -> str:
        """Its format, such as csv."""
        return str(self.resource.get("format") or self.path.rpartition(".")[2])

    @property
    def about(self) -> str | None:
        """What it is, where that is told."""
        return self.resource.get("description")

    @property
    def fields(self) -> list[Mapping[str, Any]]:
        """Its columns, as fields of a Table Schema."""
        return list(self.resource.get("schema", {}).get("fields", ()))


@dataclass(frozen=True, slots=True)
class Facts:
    """The one source of every paper.

    Attributes
    ----------
    card : Card
    package, ledger : mapping
        The two JSON files.
    data : mapping of str to bytes
        What stands in each data file.
    copies : mapping of str to bytes
        What stands in each file that holds the data once more.
    fingerprint : str
        Of the data, by which a signature or an audit knows it.
    rows : int
        How many invented records there are.
    cohort : int
        How many more.
    """

    card: Card
    package: Mapping[str, Any]
    ledger: Mapping[str, Any]
    data: Mapping[str, bytes]
    copies: Mapping[str, bytes]
    fingerprint: str
    rows: int
    cohort: int

    @property
    def files(self) -> Iterator[File]:
        """The data files that the package describes, then those that hold the data once more."""
        for resource in self.package["resources"]:
            yield File(resource, self.data[resource["path"]])
        for path, content in self.copies.items():
            yield File({"name": path, "path": path, "description": AGAIN}, content)

    @property
    def epsilon(self) -> float:
        """As asked for; infinite without a promise."""
        return float(self.ledger["epsilon"])

    @property
    def delta(self) -> float:
        """As asked for."""
        return float(self.ledger["delta"])

    @property
    def loss(self) -> str:
        """Both, and what of ε was spent."""
        if not self.is_private:
            return "ε = ∞."
        spent = float(self.ledger["epsilon_spent"])
        return f"ε = {self.epsilon:g} asked for, {spent:.4g} spent; δ = {self.delta:g}."

    @property
    def is_private(self) -> bool:
        """Whether there is a promise."""
        return math.isfinite(self.epsilon)

    @property
    def unit(self) -> str:
        """Whom the promise protects."""
        return self.card.words.unit if self.is_private else "nobody, as ε = ∞"

    @property
    def amount(self) -> str:
        """How much was invented, in words."""
        more = f", and a cohort of {self.cohort:,}" if self.cohort else ""
        return f"{self.rows:,} invented {self.made}{more}"

    @property
    def made_by(self) -> str:
        """The software."""
        return f"tincture {self.card.version}"

    @property
    def about(self) -> str:
        """What it promises, and what it is."""
        again = f" {AGAIN}: {', '.join(self.copies)}." if self.copies else ""
        return f"{self.card.promise} {self.amount}. {self.purpose}{again}"

    @property
    def purpose(self) -> str:
        """What the release was made for."""
        return f"Made for training models that predict an outcome: {self.card.told}."

    @property
    def made(self) -> str:
        """What the invented records are called."""
        return self.card.words.made

    @property
    def records(self) -> str:
        """What the real ones are called."""
        return self.card.words.records

    @property
    def domain(self) -> str:
        """Which tables are protected."""
        return (
            f"All sets of {self.records} with the columns that the schema in "
            "datapackage.json declares; a value beyond a bound counts as that bound."
        )

    @property
    def public(self) -> str:
        """What the promise does not protect."""
        if not self.is_private:
            return f"All that is told of the {self.records}, as no answer had noise."
        return (
            "What was declared as public: the schema (names, types, units, bounds, levels and "
            "words for missing of columns, how cells are written, rules between columns) and the "
            f"settings of the run (outcome, models, how many {self.made}, method, effort, seed, "
            f"unit, ε, δ). Nothing else of the {self.records} is told without noise, but that no "
            "check of them stopped the run."
        )

    @property
    def neighbours(self) -> str:
        """Which tables the promise cannot tell apart."""
        if not self.is_private:
            return "No two tables are kept from being told apart."
        return f"Tables that differ by {self.ledger['neighbours']}, which is {self.unit}."

    @property
    def mechanisms(self) -> str:
        """How answers were protected."""
        if not self.is_private:
            return f"None: no noise was added. Made by {self.made_by}."
        phases, answers = self.ledger["phases"], len(self.ledger["entries"])
        noise = _span([p["noise_multiplier"] for p in phases])
        rates = _span([p["sampling_rate"] for p in phases])
        return (
            "Gaussian mechanism: sums over units of vectors cut to a norm (the clip), on a lattice "
            "of whole numbers, so that they are exact, plus discrete Gaussian noise that OpenDP "
            f"draws in exact integer arithmetic and without a seed. {answers} answers to "
            f"{len(phases)} kinds of question; noise multiplier {noise}; Poisson sampling rate "
            f"{rates}. Every booking stands in ledger.json. Made by {self.made_by}."
        )

    @property
    def composition(self) -> str:
        """How the answers add up."""
        if not self.is_private:
            return "None: ε = ∞."
        return (
            f"Adaptive composition of every booked question ({self.ledger['accountant']}): "
            f"{self.loss} {ADDING}"
        )

    @property
    def tuning(self) -> str:
        """What was learned of the records before and beside the questions."""
        return (
            "Bounds, levels and scales are those of the schema; the software computes none from "
            "records. The search is steered by booked answers alone; where the records choose "
            "among what it found, that is a question in ledger.json. Whether settings were chosen "
            "after looks at these records without noise is not known here."
        )

    @property
    def made_of_answers(self) -> str:
        """What was done after the answers were protected."""
        made = f"All {self.made} are invented from answers and public settings alone"
        if not self.is_private:
            return f"{made}, but the answers had no noise."
        return f"{made}; what is made of the answers costs no privacy beyond theirs."

    @property
    def trust(self) -> str:
        """Who is trusted with what."""
        if not self.is_private:
            return f"{CUSTODIAN} Nothing keeps them from whoever receives the release, as ε = ∞."
        return (
            f"{CUSTODIAN} The promise holds against whoever receives the release, alone or with "
            "others, whatever they know besides and however they compute."
        )


def meaning(field: Mapping[str, Any]) -> str:
    """What a column means as far as the schema tells, else its name."""
    told = (field.get("description"), field.get("unit"))
    return "; ".join(str(t) for t in told if t) or str(field["name"])


def _span(values: list[float]) -> str:
    low, high = f"{min(values, default=0.0):.4g}", f"{max(values, default=0.0):.4g}"
    return low if low == high else f"{low} to {high}"
