"""How a field's cells are written, as the Table Schema declares it.

The keys of the standard that say how a cell is read are honoured here or refused by name; what they
mean for a cell is in `tincture.public.cells`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tincture.errors import SchemaError
from tincture.public.patterns import pattern_of

LIMITS = "tincture:limits"
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
DIGITS = set("0123456789+-eE")
TIMES = ("date", "datetime")  # types whose "format" tells how they are written


@dataclass(frozen=True, slots=True)
class Notation:
    """How the cells of one field are written.

    Parameters
    ----------
    decimal : str
        Decimal mark beside the point (``decimalChar``).
    group : str
        Mark between groups of digits (``groupChar``), or nothing.
    bare : bool
        Whether a number stands alone; if not, what stands around it is left out (``bareNumber``).
    limits : bool
        Whether ``<1.0`` and ``>20`` mean the limit (``tincture:limits``).
    true, false : tuple of str
        Words for the two truth values beside true and false (``trueValues``, ``falseValues``).
    time : str or None
        How a date or time is written, in the letters of strptime (``format``).
    """

    decimal: str = "."
    group: str = ""
    bare: bool = True
    limits: bool = False
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    time: str | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any], kind: str, at: str) -> Notation:
        """Read a field's keys.

        Raises
        ------
        SchemaError
            If a key has no meaning for the field's type, or its value none at all.
        """
        amounts = ("number", "integer")
        decimal = _mark(raw, "decimalChar", kind, ("number",), ".", at) or "."
        group = _mark(raw, "groupChar", kind, amounts, "", at)
        if decimal == group:
            raise SchemaError(f'{at}: "decimalChar" and "groupChar" must differ.')
        found = cls(
            decimal,
            group,
            _switch(raw, "bareNumber", kind, amounts, True, at),
            _switch(raw, LIMITS, kind, amounts, False, at),
            *_truths(raw, kind, at),
            _pattern(raw, kind, at),
        )
        return PLAIN if found == PLAIN else found

    @property
    def hides_numbers(self) -> bool:
        """Whether a text such as 1.500 is no plain number, so that a reader may have misread it."""
        return self.group == "."

    def to_dict(self) -> dict[str, Any]:
        """The keys, ready for JSON."""
        return dict(self._keys())

    def _keys(self) -> Iterator[tuple[str, Any]]:
        if self.decimal != ".":
            yield "decimalChar", self.decimal
        if self.group:
            yield "groupChar", self.group
        if not self.bare:
            yield "bareNumber", False
        if self.limits:
            yield LIMITS, True
        if self.true or self.false:
            yield "trueValues", list(self.true)
            yield "falseValues", list(self.false)
        if self.time is not None:
            yield "format", self.time


PLAIN = Notation()


def _refuse_elsewhere(key: str, kind: str, kinds: tuple[str, ...], at: str) -> None:
    if kind not in kinds:
        raise SchemaError(
            f'{at}: "{key}" says how a {" or ".join(kinds)} is written, but the type is {kind}; '
            "correct the type or remove the key."
        )


def _mark(
    raw: Mapping[str, Any], key: str, kind: str, kinds: tuple[str, ...], usual: str, at: str
) -> str:
    value = raw.get(key)
    if value is None or value == usual:
        return usual
    _refuse_elsewhere(key, kind, kinds, at)
    if not isinstance(value, str) or len(value) != 1 or value in DIGITS:
        raise SchemaError(f'{at}: "{key}" must be one character, and no digit, sign or "e".')
    return value


def _switch(
    raw: Mapping[str, Any], key: str, kind: str, kinds: tuple[str, ...], usual: bool, at: str
) -> bool:
    value = raw.get(key)
    if value is None or value is usual:
        return usual
    _refuse_elsewhere(key, kind, kinds, at)
    if not isinstance(value, bool):
        raise SchemaError(f'{at}: "{key}" must be true or false.')
    return value


def _truths(raw: Mapping[str, Any], kind: str, at: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Declared words; none where both lists are the usual ones, as each is if it is absent."""
    found, usual = [], {"trueValues": [*TRUE, "1"], "falseValues": [*FALSE, "0"]}
    listed = {key: usual[key] if raw.get(key) is None else raw[key] for key in usual}
    if listed == usual:
        return (), ()
    for key, value in listed.items():
        _refuse_elsewhere(key, kind, ("boolean",), at)
        if not isinstance(value, list) or not all(isinstance(w, str) and w.strip() for w in value):
            raise SchemaError(f'{at}: "{key}" must be a list of words.')
        found.append(tuple(w.strip() for w in value))
    true, false = found
    if set(true) & {*false, *FALSE} or set(false) & set(TRUE):
        raise SchemaError(f'{at}: a word stands in "trueValues" and means false too; choose one.')
    return true, false


def _pattern(raw: Mapping[str, Any], kind: str, at: str) -> str | None:
    value = raw.get("format")
    if value is None or value == "default" or kind in ("string", "boolean"):
        return None  # of text it tells what the words are about, not how they are read
    _refuse_elsewhere("format", kind, TIMES, at)
    if value == "any":
        raise SchemaError(
            f'{at}: "format": "any" leaves each reader to guess what 03.04.2020 means; give the '
            'pattern, such as "%d.%m.%Y", or leave it out where cells are as ISO 8601 writes them.'
        )
    if not isinstance(value, str) or "%" not in value:
        raise SchemaError(
            f'{at}: "format" must tell how the time is written, such as "%d.%m.%Y %H:%M"; without '
            "it, times are read as 2020-05-01 07:00:00."
        )
    if isinstance(fault := pattern_of(value), str):
        raise SchemaError(f'{at}: "format" tells {fault}.')
    if kind == "date" and "zone" in fault.parts:
        raise SchemaError(
            f'{at}: "format" tells a zone, and a day has none; make the type datetime.'
        )
    return value
