"""Branching logic of REDCap as rules: a field that is not shown is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tincture.errors import SchemaError
from tincture.public.rules import KEY
from tincture.public.schema import Schema
from tincture.public.words import number_of

Raw = dict[str, Any]
TERM = re.compile(
    r"""\(*\s*\[(\w+)(?:\((-?\w+)\))?\]\s*(=|<>|!=|>=|<=|>|<)\s*(?:'([^']*)'|"([^"]*)"|(-?[\d.]+))\s*\)*"""
)
# What an amount is where the term does not hold.
OTHERWISE = {
    ">": "maximum",
    ">=": "exclusiveMaximum",
    "<": "minimum",
    "<=": "exclusiveMinimum",
}
FAR = 1e9  # a bound for trying a rule, where a column has none yet


def branching_rules(fields: Sequence[Raw], logic: Mapping[str, str]) -> tuple[list[Raw], list[str]]:
    """Rules by which fields are missing where their logic hides them.

    Parameters
    ----------
    fields : sequence of dict
        Of the draft.
    logic : mapping of str to str
        By field: ``[sex] = '2' and [age] > 50``.

    Returns
    -------
    rules : list
    left : list of str
        Fields whose logic is no rule of ours.
    """
    known = {field["name"]: field for field in fields}
    rules: list[Raw] = []
    left = []
    for name, text in logic.items():
        found = _rules(name, text, known)
        if found and _is_lawful(fields, [*rules, *found]):
            rules += found
        else:
            left.append(name)
    return rules, left


def _rules(name: str, text: str, known: Mapping[str, Raw]) -> list[Raw]:
    """One rule for terms joined by "or", one for each term joined by "and"; none if it is mixed."""
    for word, is_one in ((r"\s+and\s+", False), (r"\s+or\s+", True)):
        terms = [_hidden(part.strip(), known) for part in re.split(word, text, flags=re.I)]
        if None in terms:
            continue
        sides = [term for term in terms if term is not None]
        if not is_one:
            return [{"when": _plainly(side), "then": {name: None}} for side in sides]
        together: Raw = {}
        for side in sides:
            for column, told in side.items():
                together[column] = _both(together[column], told) if column in together else told
        if all(told != [] for told in together.values()):
            return [{"when": _plainly(together), "then": {name: None}}]
    return []


def _plainly(side: Raw) -> Raw:
    """A level by itself where it is the only one."""
    alone = {k: v[0] for k, v in side.items() if isinstance(v, list) and len(v) == 1}
    return side | alone


def _hidden(text: str, known: Mapping[str, Raw]) -> Raw | None:
    """What a column holds where a term of the logic does not, or None if that is not told here."""
    found = TERM.fullmatch(text)
    if found is None:
        return None
    column, box, sign, *words = found.groups()
    word = next(w for w in words if w is not None)
    name = column if box is None else f"{column}___{box.lower().replace('-', '_')}"
    field = known.get(name)
    if field is None:
        return None
    if word == "":
        return {name: None} if sign in ("<>", "!=") else None
    levels = [level["value"] for level in field.get("categories") or []]
    if levels:
        return _of_levels(name, levels, sign, word)
    number = number_of(word)
    return None if number is None or sign not in OTHERWISE else {name: {OTHERWISE[sign]: number}}


def _of_levels(name: str, levels: Sequence[Any], sign: str, word: str) -> Raw | None:
    tests = {"=": word.__eq__, "<>": word.__ne__, "!=": word.__ne__}
    if sign in tests:
        hidden = [level for level in levels if not tests[sign](str(level))]
    else:
        number, numbers = number_of(word), [number_of(str(level)) for level in levels]
        if number is None or None in numbers:
            return None
        holds = {">": "__gt__", ">=": "__ge__", "<": "__lt__", "<=": "__le__"}[sign]
        hidden = [
            level
            for level, n in zip(levels, numbers, strict=True)
            if n is not None and not getattr(float(n), holds)(float(number))
        ]
    return {name: hidden} if 0 < len(hidden) < len(levels) else None


def _both(one: Any, other: Any) -> Any:
    """What a column holds where both are so."""
    if isinstance(one, list) and isinstance(other, list):
        return [level for level in one if level in other]
    return one | other if isinstance(one, dict) and isinstance(other, dict) else []


def _is_lawful(fields: Sequence[Raw], rules: Sequence[Raw]) -> bool:
    """Whether rules can be obeyed together, once what is open is filled in."""
    whole = []
    for field in fields:
        limits = field.get("constraints")
        if limits is not None and field["type"] in ("number", "integer"):
            low, high = limits["minimum"], limits["maximum"]
            low = -FAR if low is None else low
            field = field | {
                "constraints": {"minimum": low, "maximum": FAR if high is None else high}
            }
        whole.append(field)
    try:
        Schema.from_dict({"fields": whole, KEY: list(rules)})
    except SchemaError:
        return False
    return True
