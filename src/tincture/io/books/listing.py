"""Words of a list, and what they mean, in one cell: ``1 = male; 2 = female``.

Words stand between semicolons, bars or ends of lines, or where there are none of these, between
commas. A word that holds such a mark, or blanks at an end, stands in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

NOTHING = "none"  # a list without a word, where an empty cell would say that there is no list
QUOTED = r'"((?:[^"]|"")*)"'
LABEL = r"(?<![<>!])="  # an = that is no part of <= or >=
SPECIAL = re.compile(r'[;|\r\n="]|\A\s|\s\Z|\A\Z')


class Entry(NamedTuple):
    """A word, and what it means to people."""

    word: str
    label: str | None = None


def listed(text: str) -> list[Entry]:
    """The words of a cell, in order."""
    if text.strip().casefold() == NOTHING:
        return []
    found = _split(text, r";|\r\n")
    return _split(text, ",") if len(found) == 1 else found


def _split(text: str, marks: str) -> list[Entry]:
    """Words between marks; those in quotes hold any."""
    word = re.compile(
        rf"\s*(?:{QUOTED}|((?:(?!{LABEL})[^{marks}])*?))\s*(?:{LABEL}"
        rf"\s*(?:{QUOTED}|([^{marks}]*?))\s*)?(?:[{marks}]|\Z)"
    )
    out, at = [], 0
    while at < len(text) and (found := word.match(text, at)):
        at = found.end()
        quoted, plain, label, plain_label = found.groups()
        if quoted is None and not plain:
            continue
        says = plain_label if label is None else label.replace('""', '"')
        out.append(Entry(plain if quoted is None else quoted.replace('""', '"'), says or None))
    return out


def written(entries: Sequence[Entry]) -> str:
    """A cell that reads as these words."""
    if not entries:
        return NOTHING
    marks = "," if len(entries) == 1 else ""
    told = [
        _quoted(e.word, marks) + ("" if e.label is None else f" = {_quoted(e.label, marks)}")
        for e in entries
    ]
    return "; ".join(told)


def _quoted(word: str, marks: str) -> str:
    is_odd = SPECIAL.search(word) or word.casefold() == NOTHING or (marks and marks in word)
    return '"' + word.replace('"', '""') + '"' if is_odd else word
