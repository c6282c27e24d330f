"""Pages that stand alone: no script, nothing fetched, legible in light and dark and on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import files

from tincture.report.markup import Child, Markup, element, join

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


def number(value: float, digits: int = 3) -> str:
    """A number for people, with a real minus."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else "–"
