"""How a date or time is written, told in the letters of strptime, as one regular expression.

The letters mean the same on every machine: names of months are English, whatever its language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FULL = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
ZONE = r"[Zz]|[+-][012][0-9](?::?[0-5][0-9])?"
NUMBERS = {"Y": "year", "m": "month", "d": "day", "H": "hour", "I": "half", "M": "minute"}
NUMBERS |= {"S": "second"}
WORDS = {
    "b": ("name", "|".join(MONTHS)),
    "B": ("name", "|".join(FULL)),
    "f": ("fraction", "[0-9]{1,9}"),
    "p": ("noon", "[ap]m"),
    "z": ("zone", ZONE),
}
SAME = {"name": "month", "half": "hour"}  # two ways to tell one part
LETTERS = ", ".join(f"%{letter}" for letter in (*NUMBERS, *WORDS))
PIECE = re.compile(r"%:?(.?)|(\s+)|([^%\s]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way of writing times.

    Attributes
    ----------
    shape : str
        Regular expression of a whole cell, with a named group for each part.
    parts : frozenset of str
        Names of the groups.
    digits : int
        How many digits a cell is, where it is nothing else; else 0.
    """

    shape: str
    parts: frozenset[str]
    digits: int


@lru_cache(maxsize=256)
def pattern_of(text: str) -> Pattern | str:
    """Read a pattern, or tell what is wrong with it.

    Numbers that touch have all their digits; others may lack a leading zero. A year has four.
    """
    pieces = [m.groups() for m in PIECE.finditer(text)]
    letters = [letter for letter, _, _ in pieces if letter not in (None, "%")]
    if text.startswith("%Y-%d-%m"):  # text of other software is ISO 8601
        return "%Y-%d-%m, which looks like ISO 8601 and means another day; write dates as %Y-%m-%d"
    if fault := _fault(letters):
        return fault
    is_number = [letter in NUMBERS for letter, _, _ in pieces]
    shape, digits = "", 0
    for i, (letter, blank, plain) in enumerate(pieces):
        touches = any(is_number[max(i - 1, 0) : i] + is_number[i + 1 : i + 2])
        shape += _shape(letter, blank, plain, touches)
        digits += 4 if letter == "Y" else 2
    return Pattern(f"(?i)^{shape}$", frozenset(_groups(letters)), digits * all(is_number))


def _groups(letters: Sequence[str]) -> list[str]:
    return [NUMBERS.get(letter) or WORDS[letter][0] for letter in letters]


def _fault(letters: Sequence[str]) -> str | None:
    if "y" in letters:
        return "%y: a year of two digits may be of either century; write four, as %Y"
    if odd := [f"%{x}" for x in letters if x not in NUMBERS and x not in WORDS]:
        return f"{odd[0]}, which is not known here; use {LETTERS}"
    names = [SAME.get(name, name) for name in _groups(letters)]
    if len(set(names)) < len(names):
        return "the same part of a time twice"
    if not {"year", "month", "day"} <= set(names):
        return "no whole day, which takes a year, a month and a day"
    clock = [part in names for part in ("fraction", "second", "minute", "hour")]
    if ("I" in letters) != ("p" in letters) or clock != sorted(clock):
        return "no whole time of day: %I needs %p, minutes need hours, and seconds minutes"
    return None


def _shape(letter: str | None, blank: str | None, plain: str | None, touches: bool) -> str:
    if letter is None:
        return r"\s+" if blank else re.escape(plain or "")
    if letter == "%":
        return "%"
    if letter == "Y":
        return "(?P<year>[1-9][0-9]{3})"
    if letter in NUMBERS:
        return f"(?P<{NUMBERS[letter]}>{'[0-9]{2}' if touches else '[0-9]{1,2}'})"
    name, shape = WORDS[letter]
    return f"(?P<{name}>{shape})"
