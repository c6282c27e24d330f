"""The page that a board signs: what the release knows of itself, and a blank for what it cannot.

Its questions are those of the Five Safes (Desai, Ritchie and Welpton 2016), and of the components
by which NIST SP 800-226 (March 2025) evaluates a guarantee of differential privacy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tincture.report.attacks import WARNING, attacked
from tincture.report.markup import Markup, element
from tincture.report.page import page, paragraphs, section, table
from tincture.report.papers.facts import Facts
from tincture.report.papers.filed import PAPERS
from tincture.report.summary import Attacks

LEDGER, CARD, PACKAGE, PROMISE = (
    "ledger.json",
    "README.md",
    "datapackage.json",
    "docs/promise.md of tincture",
)
BOARD, CUSTODIAN, OFFICER = "the board", "the custodian", "the data protection officer"
CENTRAL = "Central: the custodian alone is trusted with the records."
HEADS = ("question", "what is known", "where it stands", "to be decided by")


class Line(NamedTuple):
    """One question of the list.

    Attributes
    ----------
    asked : str
    known : str
        What follows from how the release was made, if anything does.
    stands : str
        Where that can be checked.
    by : str
        Who decides what is left; none if nothing is.
    """

    asked: str
    known: str = ""
    stands: str = ""
    by: str = ""


def board_page(facts: Facts, attacks: Attacks | None = None) -> str:
    """The page as a whole HTML document.

    Parameters
    ----------
    facts : Facts
    attacks : Attacks or None
        What an audit of this release found in-house; the page then says that it is not to be
        released.
    """
    is_joined, shown = attacks is not None, attacks or Attacks()
    return page(
        f"For the board: {facts.card.title}",
        element("p", WARNING, class_="warning") if is_joined else None,
        element("p", facts.card.promise, class_="promise" if facts.is_private else "warning"),
        paragraphs(
            "Filled in from datapackage.json and ledger.json of the release"
            f"{' and from an audit of it' if is_joined else ''}; a line is left where a "
            "person must decide."
        ),
        section("What is to be decided on", _identity(facts)),
        section("Five Safes", *(_listed(*part) for part in _five_safes(facts, shown))),
        section("NIST SP 800-226", *(_listed(*part) for part in _nist(facts))),
        attacked(shown, facts.records),
        section("Papers to complete", _listed("What each leaves blank", _papers())),
        section("Signatures", _signatures()),
    )


def _listed(caption: str, lines: Iterable[Line]) -> Markup:
    rows = [(n.asked, n.known or "–", n.stands or "–", _blank(n.by) or "–") for n in lines]
    return table(caption, HEADS, rows)


def _blank(by: str) -> Markup | None:
    return element("span", by, class_="blank") if by else None


def _identity(facts: Facts) -> Markup:
    rows = [
        ("SHA-256 of the data", facts.fingerprint),
        ("What it holds", facts.amount),
        ("Files of data", ", ".join(facts.data)),
        *([("The same data in other formats", ", ".join(facts.copies))] if facts.copies else []),
        ("Made by", facts.made_by),
    ]
    return table("The release", ("what", "value"), rows)


def _five_safes(facts: Facts, attacks: Attacks) -> Sequence[tuple[str, Sequence[Line]]]:
    held = "The promise needs no control of access." if facts.is_private else "Hand it to nobody."
    found = (attacks.in_short, "audit.json") if attacks.findings else ("Not joined.", "")
    return (
        (
            "Safe projects",
            (
                Line("What is it for?", facts.purpose, CARD, BOARD),
                Line("Is that use lawful, ethical and of public benefit?", by=BOARD),
            ),
        ),
        (
            "Safe people",
            (Line("Who receives it, and under which agreement?", facts.trust, PROMISE, BOARD),),
        ),
        (
            "Safe settings",
            (
                Line("Where will it lie, open or controlled?", held, PROMISE, BOARD),
                Line(
                    "Who can read records, journal, audits and other pages of the house?",
                    by=CUSTODIAN,
                ),
            ),
        ),
        (
            "Safe data",
            (
                Line("What enters it?", facts.made_of_answers, LEDGER),
                Line("What is told without protection?", facts.public, PACKAGE),
                Line(
                    "Was all that was declared known publicly, none read off records?", by=OFFICER
                ),
                Line("May these records be used for this?", by=OFFICER),
            ),
        ),
        (
            "Safe outputs",
            (
                Line("What bounds disclosure?", facts.card.promise, LEDGER),
                Line("What else was or will be released from these records?", by=CUSTODIAN),
                Line("What did attacks in the house achieve?", *found, BOARD),
            ),
        ),
    )


def _nist(facts: Facts) -> Sequence[tuple[str, Sequence[Line]]]:
    unit = f"Protected: {facts.unit}. {facts.neighbours}"
    timing = (
        "Not protected while it ran: how long it took, and which check stops a run. Nothing of "
        "either is in the release."
    )
    return (
        (
            "The guarantee",
            (
                Line(
                    "Privacy parameters: is this ε, and this δ, small enough?",
                    facts.loss,
                    LEDGER,
                    BOARD,
                ),
                Line("Unit of privacy: is it whom harm would reach?", unit, LEDGER, BOARD),
                Line("Is one person one unit, under one identifier?", by=CUSTODIAN),
                Line("Algorithms", facts.mechanisms, LEDGER),
                Line("Composition", facts.composition, LEDGER),
            ),
        ),
        (
            "What can undermine it",
            (
                Line("Trust model: is the custodian to be relied on?", CENTRAL, PROMISE, BOARD),
                Line("Queries", "None can be asked of the release: it is a folder of files.", CARD),
                Line(
                    "Side channels: who saw the run, its time and its failures?",
                    timing,
                    PROMISE,
                    CUSTODIAN,
                ),
                Line(
                    "Tuning: were settings chosen after looks at the records?",
                    facts.tuning,
                    PROMISE,
                    CUSTODIAN,
                ),
                Line(
                    "Utility: is it good enough for its use?",
                    "Not measured in the release: no real record is in it.",
                    "tincture evaluate",
                    BOARD,
                ),
                Line(
                    "Bias: whom does it serve worse?", _bias(facts), "tincture evaluate --by", BOARD
                ),
            ),
        ),
        (
            "What lies below it",
            (
                Line("Security: how are the records kept, and who has access?", by=OFFICER),
                Line("Collection: who else holds or has seen the records?", by=OFFICER),
            ),
        ),
    )


def _bias(facts: Facts) -> str:
    balance = facts.package["tincture"]["settings"].get("balance")
    counted = f"Groups of {balance} counted alike. " if balance else ""
    return f"{counted}Rare levels and small groups may be lost, as noise hides them."


def _papers() -> Sequence[Line]:
    return [Line(paper.name, ", ".join(paper.left), by=CUSTODIAN) for paper in PAPERS]


def _signatures() -> Markup:
    heads = ("role", "name", "date", "signature")
    rows = [
        (by.removeprefix("the "), *[element("span", class_="blank")] * 3)
        for by in (BOARD, CUSTODIAN, OFFICER)
    ]
    return table("Agreed to", heads, rows)
