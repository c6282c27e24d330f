"""Pages that stand alone: no script, nothing fetched, legible in light and dark and on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files

from tincture.report.codes import EMPTY_HERE, Code
from tincture.report.markup import Child, Markup, element, join
from tincture.report.summary import Card, Field, Phase
from tincture.report.wording import PUBLIC, ROWS, STAYS

POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, *body: Child) -> str:
    """A whole HTML document.

    Parameters
    ----------
    title : str
    *body : str or Markup
        What stands below the heading; text that is no markup is escaped.
    """
    css = files("tincture.report").joinpath("templates/page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(css)),
    )
    main = element("main", element("h1", title), *body)
    return f"<!DOCTYPE html>\n{element('html', head, element('body', main), lang='en')}\n"


def table(
    caption: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[Child]],
    *,
    numbers: int = 0,
    behind: Sequence[bool] = (),
) -> Markup:
    """A table whose first cells name its rows.

    Parameters
    ----------
    caption : str
    heads : sequence of str
    rows : sequence of sequence
    numbers : int
        How many of the last columns hold numbers.
    behind : sequence of bool
        Rows to call out.
    """
    first_number = len(heads) - numbers
    styles = ["number" if i >= first_number else None for i in range(len(heads))]
    top = [element("th", h, scope="col", class_=s) for h, s in zip(heads, styles, strict=True)]
    lines = []
    for i, row in enumerate(rows):
        cells = [element("th", row[0], scope="row")]
        cells += [element("td", c, class_=s) for c, s in zip(row[1:], styles[1:], strict=True)]
        called = "behind" if i < len(behind) and behind[i] else None
        lines.append(element("tr", *cells, class_=called))
    content = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *top)),
        element("tbody", *lines),
    )
    return element("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


def section(title: str, *body: Child) -> Markup:
    """A heading with what belongs to it."""
    return element("section", element("h2", title), *body)


def paragraphs(*texts: Child) -> Markup:
    """One paragraph each."""
    return join(*(element("p", text) for text in texts))


def card_page(card: Card) -> str:
    """The data card that travels with a release, built from the release alone."""
    words = STAYS if card.holds == "stays" else ROWS
    what = words.what.format(rows=card.rows, outcome=card.outcome)
    reading = [element("pre", code) for code in words.reading]
    return page(
        card.title,
        element("p", card.promise, class_="promise" if card.is_private else "warning"),
        section("What this is", paragraphs(what), _facts(card)),
        section("The promise, question by question", _ledger(card)),
        section(
            "What was assumed to be public",
            paragraphs(*PUBLIC),
            _fields(words.columns, card.fields),
        ),
        _codes(card.codes),
        section("Use", _list(words.use), element("h3", f"Reading the {card.holds}"), *reading),
        section("Limits", _list(words.limits)),
        paragraphs(f"Made with tincture {card.version}."),
    )


def _facts(card: Card) -> Markup:
    alone = card.unit in ("record", "stay")
    rows = [
        ("Outcome", card.told),
        *card.made,
        ("ε asked for, spent", f"{card.epsilon:g}, {card.epsilon_spent:.4g}"),
        ("δ", f"{card.delta:g}"),
        ("Protected unit", f"one {card.unit}" if alone else f"one person ({card.unit})"),
        ("Neighbouring tables differ by", card.neighbours),
        ("Accountant", card.accountant),
    ]
    return table("The release in figures", ["what", "value"], rows)


def _ledger(card: Card) -> Markup:
    def row(p: Phase) -> tuple[str, ...]:
        clip = "–" if p.clip is None else f"{p.clip:.4g}"
        asked = f"{p.asked} of {p.planned}"
        return (p.question, asked, clip, f"{p.noise_multiplier:.4g}", f"{p.sampling_rate:g}")

    heads = ["question", "asked", "largest clip", "noise multiplier", "sampling rate"]
    told = "Every private question that was asked; ledger.json has each booking"
    return table(told, heads, [row(p) for p in card.phases], numbers=4)


def _fields(caption: str, fields: Sequence[Field]) -> Markup:
    rows = [(f.name, f.role, f.type, f.values, f.about) for f in fields]
    return table(caption, ["column", "role", "type", "values", "meaning"], rows)


def _codes(codes: Sequence[Code]) -> Markup | None:
    if not codes:
        return None
    rows = [(c.column, c.cell, f"missing: {c.means}" if c.is_missing else c.means) for c in codes]
    return section(
        "What the codes mean",
        paragraphs(EMPTY_HERE) if any(c.is_missing for c in codes) else None,
        table("Levels and words for missing", ["column", "code", "meaning"], rows),
    )


def _list(items: Sequence[str]) -> Markup:
    return element("ul", *(element("li", item) for item in items))


def number(value: float, digits: int = 3) -> str:
    """A number for people, with a real minus."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"
