"""One document, two spellings: an HTML page and Markdown say the same, block by block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tincture.report.markup import Markup, element
from tincture.report.page import page, section, table

# What Markdown would not take as text, wherever it stands, and at the beginning of a line.
SPECIAL = re.compile(r"[\\|<`*\[~#]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
LEADING = re.compile(r"^(\d{0,9})([-+>=.)])")


@dataclass(frozen=True, slots=True)
class Heading:
    """Within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What is guaranteed, or a warning that nothing is."""

    text: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to be copied."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads, of which the last ``numbers`` columns are aligned as numbers."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what belongs to it."""

    title: str
    blocks: tuple[Block, ...]


Block = Heading | Paragraph | Promise | Bullets | Lines | Table | Section


@dataclass(frozen=True, slots=True)
class Document:
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


def as_html(document: Document) -> str:
    """A page that stands alone."""
    return page(document.title, *map(_element, document.blocks))


def as_markdown(document: Document) -> str:
    """Markdown as GitHub and others read it; every text stays text."""
    blocks = [f"# {in_text(document.title)}", *map(_markdown, document.blocks)]
    return "\n\n".join(blocks) + "\n"


def in_text(text: str) -> str:
    """Text that stays in its line and its cell, and stays text."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def _element(block: Block) -> Markup:
    match block:
        case Section(title, blocks):
            return section(title, *map(_element, blocks))
        case Heading(text):
            return element("h3", text)
        case Paragraph(text):
            return element("p", text)
        case Promise(text, is_kept):
            return element("p", text, class_="promise" if is_kept else "warning")
        case Bullets(items):
            return element("ul", *(element("li", item) for item in items))
        case Lines(_, text):
            return element("pre", text)
        case Table(caption, heads, rows, numbers):
            return table(caption, heads, rows, numbers=numbers)


def _markdown(block: Block) -> str:
    match block:
        case Section(title, blocks):
            return "\n\n".join([f"## {in_text(title)}", *map(_markdown, blocks)])
        case Heading(text):
            return f"### {in_text(text)}"
        case Paragraph(text):
            return _line(text)
        case Promise(text):
            return f"**{in_text(text)}**"
        case Bullets(items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Lines(language, text):
            fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
            return f"{fence}{language}\n{text}\n{fence}"
        case Table(caption, heads, rows, numbers):
            rule = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
            lines = [_row(heads), f"|{'|'.join(rule)}|", *map(_row, rows)]
            return "\n".join([_line(caption), "", *lines])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(in_text, cells))} |"


def _line(text: str) -> str:
    """Text at the beginning of a line, where it could be taken for a list or a quotation."""
    return LEADING.sub(r"\1\\\2", in_text(text))
