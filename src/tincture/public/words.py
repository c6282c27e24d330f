"""What a word reads as: a number, a truth value, or itself.

Whatever container a table lies in, a cell must mean the same: 1, 1.0, "1" and "1.0" are one word,
and so are True and "true". A level or a word for missing is found by its text first, and else by
what it reads as.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tincture.public.notation import FALSE, PLAIN, TRUE, Notation

# What follows the digits of a whole number is a group of its own.
NUMBER = re.compile(r"[+-]?(?:\d+(\.\d*)?|(\.\d+))([eE][+-]?\d+)?", re.ASCII)
AMID = re.compile(r"\D*?([+-]?\.?\d(?:.*\d)?)\D*", re.ASCII | re.DOTALL)
ENDLESS = re.compile(r"[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
NAN = re.compile(r"[+-]?nan", re.ASCII | re.IGNORECASE)
LONGEST = 300  # digits, of which a number that floats hold has no more
AMBIGUOUS = -3  # two words read as this one number


def number_of(text: str, notation: Notation = PLAIN) -> int | float | None:
    """The number that a text means, NaN for "nan", or None if it is none.

    Parameters
    ----------
    text : str
        Without blanks around it.
    notation : Notation
        A decimal point is understood beside another decimal mark, as numbers come from other
        readers with one.
    """
    if notation is not PLAIN:
        text = _plainly(text, notation)
    if found := NUMBER.fullmatch(text):
        is_whole = found.lastindex is None and len(text) < LONGEST
        return int(text) if is_whole else float(text)
    if NAN.fullmatch(text):
        return float("nan")
    return float(text) if ENDLESS.fullmatch(text) else None


def _plainly(text: str, notation: Notation) -> str:
    if notation.limits and text[:1] in ("<", ">", "≤", "≥"):
        text = text[1:].removeprefix("=").lstrip()
    if not notation.bare and (inside := AMID.fullmatch(text)):
        text = inside[1]
    if notation.group:
        text = text.replace(notation.group, "")
    return text if notation.decimal == "." else text.replace(notation.decimal, ".")


def truth_of(text: str) -> bool | None:
    """The truth value that a word means, or None."""
    return True if text in TRUE else False if text in FALSE else None


def key_of(number: int | float) -> int | float:
    """One key for a number in every precision: seven digits survive the single one.

    Whole numbers keep all their digits; so do numbers that seven digits would make whole.
    """
    if isinstance(number, int) or number.is_integer():
        return int(number)
    if number != number or number in (float("inf"), float("-inf")):
        return number
    short = float(f"{number:.7g}")
    return number if short.is_integer() else short


class Lookup:
    """From words to codes, by text, number or truth value.

    Parameters
    ----------
    words : iterable of (word, code)
        A word is text, a number or a truth value.
    notation : Notation
        How cells are written.
    is_truth_number : bool
        Whether a truth value that no word means counts as 1 or 0.
    """

    def __init__(
        self,
        words: Iterable[tuple[Any, int]],
        notation: Notation = PLAIN,
        *,
        is_truth_number: bool = True,
    ) -> None:
        self.notation, self._is_truth_number = notation, is_truth_number
        self.texts: dict[str, int] = {}
        self.numbers: dict[int | float, int] = {}
        self._truths: dict[bool, int] = {}
        for word, code in words:
            self._enter(word, code)

    def _enter(self, word: Any, code: int) -> None:
        truth = word if isinstance(word, bool) else None
        number = None if isinstance(word, bool | str) else word
        if isinstance(word, str):
            self.texts.setdefault(word.strip(), code)
            truth, number = truth_of(word.strip()), number_of(word.strip())
        if truth is not None:
            self._truths[truth] = _one(self._truths.get(truth, code), code)
        if number is not None and number == number:
            key = key_of(number)
            self.numbers[key] = _one(self.numbers.get(key, code), code)

    def of_text(self, text: str) -> int | None:
        """The code of a text without blanks around it, or None."""
        found = self.texts.get(text)
        if found is not None:
            return found
        number = number_of(text, self.notation)
        if number is not None:
            return self.of_number(number)
        truth = truth_of(text)
        return None if truth is None else self.of_truth(truth)

    def of_number(self, number: int | float) -> int | None:
        """The code of a number, or None."""
        return self.numbers.get(key_of(number)) if self.numbers else None

    def of_truth(self, truth: bool) -> int | None:
        """The code of a truth value, or None."""
        found = self._truths.get(truth)
        return self.numbers.get(int(truth)) if found is None and self._is_truth_number else found

    def of(self, word: Any) -> int | None:
        """The code of text, a number or a truth value, or None."""
        if isinstance(word, str):
            return self.of_text(word.strip())
        return self.of_truth(word) if isinstance(word, bool) else self.of_number(word)


def _one(present: int, code: int) -> int:
    return code if present == code else AMBIGUOUS
