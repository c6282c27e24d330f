"""The data card that travels with a release: one source, an HTML page and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tincture.public.columns import Column
from tincture.public.dates import told
from tincture.public.schema import Schema
from tincture.public.tasks import case_of, roles_of
from tincture.report.average import Average
from tincture.report.codes import EMPTY_HERE, Code, codes_of
from tincture.report.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Lines,
    Paragraph,
    Promise,
    Section,
    Table,
    as_html,
    as_markdown,
)
from tincture.report.prevalence import Prevalence

PUBLIC = (
    "Names, types, bounds and levels below were declared as public knowledge. The promise protects "
    "the records, not what is declared here; a value beyond a bound counted as that bound."
)
ALWAYS = (
    "Risks are ranked better than they are sized: recalibrate a model on real patients before a "
    "probability of its is used.",
    "Other releases from the same records add to what can be learned of a person.",
    "Not a medical device; nothing here was validated for the care of a patient.",
)
Rows = tuple[tuple[str, ...], ...]


class Words(NamedTuple):
    """What a kind of data has to say on its card.

    Attributes
    ----------
    made, records : str
        What the invented and the real ones are called: rows and records.
    unit : str
        Who is protected, such as one record.
    what : str
        What this is, how it was made and what for.
    facts : tuple of (str, str)
        What only this kind of release has to tell, with its name.
    use, limits : tuple of str
    reading : tuple of (str, str)
        Language and code that reads the release.
    is_searched : bool
        Whether models trained on it predict the real share of the outcome, whatever it holds.
    """

    made: str
    records: str
    unit: str
    what: str
    facts: tuple[tuple[str, str], ...]
    use: tuple[str, ...]
    limits: tuple[str, ...]
    reading: tuple[tuple[str, str], ...]
    is_searched: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """All that a data card tells; it stands in ``datapackage.json`` and ``ledger.json``.

    Attributes
    ----------
    told : str
        Outcome columns, and the level that figures count.
    facts, questions, columns : tuple of tuple of str
        Rows of the card's tables: the release in figures, the ledger, what was declared.
    codes : tuple of Code
        What labelled levels and words for missing mean.
    """

    title: str
    promise: str
    is_private: bool
    told: str
    facts: Rows
    prevalence: Prevalence | Average
    questions: Rows
    columns: Rows
    codes: tuple[Code, ...]
    words: Words
    version: str

    @classmethod
    def of(
        cls, package: Mapping[str, Any], ledger: Mapping[str, Any], schema: Schema, words: Words
    ) -> Card:
        """From the two JSON files of a release as dictionaries.

        Parameters
        ----------
        package, ledger : mapping
        schema : Schema
            Of the package, as it was declared for the records.
        words : Words
            Of this kind of release.
        """
        about = package["tincture"]
        roles = {name: role for role, name in roles_of(about["task"]).items()}
        case = case_of(schema, about["task"])
        names = " and ".join(f"{name} ({role})" for name, role in roles.items())
        counted = case.title if case.level is None else f"the case is {case.title}"
        told = f"{case.column if len(roles) == 1 else names}; {counted}"
        facts = (
            ("Outcome", told),
            (words.made.capitalize(), str(about["settings"]["n_rows"])),
            *words.facts,
            (
                "ε asked for, spent",
                f"{float(ledger['epsilon']):g}, {float(ledger['epsilon_spent']):.4g}",
            ),
            ("δ", f"{ledger['delta']:g}"),
            ("Protected unit", words.unit),
            *_sites(ledger, schema[case.column] if case.is_amount else None),
            ("Neighbouring tables differ by", ledger["neighbours"]),
            ("Accountant", ledger["accountant"]),
        )
        return cls(
            title=package["title"],
            promise=ledger["promise"],
            is_private=float(ledger["epsilon"]) < float("inf"),
            told=told,
            facts=facts,
            prevalence=Average.of(about, schema[case.column])
            if case.is_amount
            else Prevalence.of(about, schema),
            questions=tuple(_questions(ledger)),
            columns=tuple(_declared(c, roles) for c in schema.columns),
            codes=codes_of(schema),
            words=words,
            version=str(about["settings"]["version"]),
        )


def card_page(card: Card) -> str:
    """The card as a page of HTML."""
    return as_html(document(card))


def card_text(card: Card) -> str:
    """The same as Markdown."""
    return as_markdown(document(card))


def document(card: Card) -> Document:
    """The card, block by block."""
    words = card.words
    facts = Table("The release in figures", ("what", "value"), card.facts)
    reading = [Lines(language, code) for language, code in words.reading]
    limits = Bullets((*words.limits, *ALWAYS))
    sections = (
        Section("What this is", (Paragraph(words.what), facts)),
        _prevalence(card),
        Section("The promise, question by question", _ledger(card)),
        Section("What was assumed to be public", (Paragraph(PUBLIC), _columns(card))),
        *_codes(card.codes),
        Section("Use", (Bullets(words.use), Heading(f"Reading the {words.made}"), *reading)),
        Section("Limits", (limits, Paragraph(f"Made with tincture {card.version}."))),
    )
    return Document(card.title, (Promise(card.promise, card.is_private), *sections))


def _prevalence(card: Card) -> Section:
    told, words = card.prevalence, card.words
    noise = ", through noise" + " (± 2 deviations)" * (told.error > 0) if card.is_private else ""
    real = f"real {words.records}{noise}"
    heads = {"real": real, "made": f"these {words.made}"}
    columns = {heads[name]: cells for name, cells in told.columns.items()}
    table = Table(
        told.caption(words.records, words.unit),
        ("outcome", *columns),
        tuple(zip(told.levels, *columns.values(), strict=True)),
        numbers=len(columns),
    )
    advice = Paragraph(told.advice(words.records, words.made, words.is_searched))
    return Section(told.title, (table, advice))


def _ledger(card: Card) -> tuple[Block, ...]:
    noise = (
        "each with Gaussian noise, whose deviation is clip × noise multiplier ÷ sampling rate "
        "(more, where a random part of them answered for all)."
        if card.is_private
        else "without noise."
    )
    said = (
        f"All that was learned of the values of real {card.words.records} is the answers to these "
        f"questions: sums over them or a random part of them, {noise}"
    )
    heads = ("question", "asked", "largest clip", "noise multiplier", "sampling rate")
    caption = "Every private question that was asked; ledger.json has each booking"
    return Paragraph(said), Table(caption, heads, card.questions, numbers=4)


def _columns(card: Card) -> Table:
    heads = ("column", "role", "type", "values", "meaning")
    return Table("Columns as declared", heads, card.columns)


def _codes(codes: tuple[Code, ...]) -> Iterator[Section]:
    if codes:
        said = [Paragraph(EMPTY_HERE)] if any(c.is_missing for c in codes) else []
        rows = ((c.column, c.cell, f"{'missing: ' * c.is_missing}{c.means}") for c in codes)
        heads = ("column", "code", "meaning")
        table = Table("Levels and words for missing", heads, tuple(rows))
        yield Section("What the codes mean", (*said, table))


def _sites(ledger: Mapping[str, Any], amount: Column | None) -> Iterator[tuple[str, str]]:
    """Which answered together, if there were several, and what that means for a person of many.

    Parameters
    ----------
    ledger : mapping
    amount : Column or None
        The outcome, where it is one.
    """
    sites, by_site = ledger.get("sites", ()), ledger.get("by_site", {})
    if not sites:
        return
    yield "Sites that took part", ", ".join(sites)
    for name, of in by_site.items():
        yield f"{name}, through noise", f"{of['units']:,} {_outcome(of, amount)}"
    if any(of["weight"] != 1 for of in by_site.values()):
        told = ", ".join(f"{name} {of['weight']:g}" for name, of in by_site.items())
        yield "Sites count alike", f"a unit counts as {told}; figures of all are of these"
    if holders := ledger.get("holders"):
        yield "Whom sites trust", f"{holders} of {len(sites)} not to collude with the coordinator"
        yield "ε if all others collude", f"{float(ledger['epsilon_alone']):.3g}"
        yield "Masks", "experimental until reviewed from outside"
    each = "is a group of as many units" if holders else "is protected at each by itself; costs add"
    yield "A person with records at several sites", each


def _outcome(of: Mapping[str, Any], amount: Column | None) -> str:
    """What a site's outcomes are like."""
    error, value = of.get("prevalence_error", 0.0), of["prevalence"]
    if amount is not None:
        return f"with a mean of {value:g} (± {2 * error:.2g}) {amount.unit or ''}".strip()
    shares = [f"{share:.1%}" for share in (value if isinstance(value, list) else [value])]
    return f"of whom {', '.join(shares)} (± {2 * error:.1%})"


def _questions(ledger: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for phase in ledger["phases"]:
        clips = [e["clip"] for e in ledger["entries"] if e["question"] == phase["question"]]
        yield (
            phase["question"],
            f"{len(clips)} of {phase['planned']}",
            f"{max(clips):.4g}" if clips else "–",
            f"{phase['noise_multiplier']:.4g}",
            f"{phase['sampling_rate']:g}",
        )


def _declared(column: Column, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Name, role, type, values and meaning."""
    ends = (column.minimum, column.maximum)
    values = ", ".join(str(v).lower() if isinstance(v, bool) else str(v) for v in column.levels)
    if not values and ends != (None, None):
        values = " to ".join("–" if end is None else told(column, end) for end in ends)
    role = roles.get(column.name) or column.role or "feature"
    return column.name, role, column.type, values or "–", column.meaning
