"""Rules between columns as a code book tells them: in words if that loses nothing, else in JSON.

``if smoker = no then cigarettes = 0``, ``pregnant = yes only if sex = female``, ``diastolic <
systolic`` and ``bmi = weight / height ** 2``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tincture.errors import SchemaError
from tincture.public.words import number_of

Raw = dict[str, Any]
MISSING, AND, OR = "missing", "and", "or"
LIMITS = {
    ">=": "minimum",
    "<=": "maximum",
    ">": "exclusiveMinimum",
    "<": "exclusiveMaximum",
}
SIGNS = {key: sign for sign, key in LIMITS.items()}
TOKEN = re.compile(r'\s*(`[^`]+`|"(?:[^"\\]|\\.)*"|<=|>=|<|>|=|[^\s<>=`"]+)')
WORD = re.compile(r"[^\W\d][\w.-]*")
NAME = r"(`[^`]+`|[^\s<>=`\"]+)"
IMPLIES = re.compile(r"if\s+(.+?)\s+then\s+(.+)", re.IGNORECASE)
ONLY = re.compile(r"(.+?)\s+only\s+if\s+(.+)", re.IGNORECASE)
ORDER = re.compile(rf"{NAME}(?:\s*<\s*{NAME})+|{NAME}(?:\s*<=\s*{NAME})+")
DERIVE = re.compile(rf"{NAME}\s*=\s*(.+)")
HOW = (
    '"if smoker = no then cigarettes = 0", "pregnant = yes only if sex = female", "diastolic < '
    'systolic" or "bmi = weight / height ** 2"'
)


def rule_told(text: str, at: str) -> Raw:
    """The rule that a line tells, in words or in JSON.

    Raises
    ------
    SchemaError
    """
    text = text.strip()
    try:
        rule = json.loads(text) if text.startswith("{") else _in_words(text)
    except ValueError:
        rule = None
    if not isinstance(rule, dict):
        raise SchemaError(f"{at}: the rule {text!r} cannot be read; write it as in {HOW}.")
    return rule


def rule_written(rule: Raw) -> str:
    """A rule on one line, from which it is read as it was."""
    words = _words_of(rule)
    try:
        if words is not None and "\n" not in words and _in_words(words) == rule:
            return words
    except ValueError:
        pass
    return json.dumps(rule, ensure_ascii=False)


def subject_of(rule: Raw) -> str:
    """The column whose line tells a rule: the one that follows the others."""
    if "derive" in rule:
        return str(rule["derive"])
    side = rule.get("then") or rule.get("only")
    if isinstance(side, dict):
        return str(next(iter(side)))
    names = rule.get("columns") or rule.get("order") or [""]
    return str(names[-1] if "columns" in rule else names[0])


def _in_words(text: str) -> Raw:
    """Read a rule.

    Raises
    ------
    ValueError
    """
    for shape, keys in ((IMPLIES, ("when", "then")), (ONLY, ("only", "if"))):
        if found := shape.fullmatch(text):
            return {key: _side(told) for key, told in zip(keys, found.groups(), strict=True)}
    if ORDER.fullmatch(text):
        tokens = TOKEN.findall(text)
        strict = {"strict": True} if tokens[1] == "<" else {}
        return {"order": [_name(token) for token in tokens[::2]], **strict}
    if found := DERIVE.fullmatch(text):
        return {"derive": _name(found[1]), "formula": found[2]}
    raise ValueError(text)


def _side(text: str) -> Raw:
    """Columns and what they hold."""
    out: Raw = {}
    terms: list[list[str]] = [[]]
    for token in TOKEN.findall(text):
        if token.casefold() == AND:
            terms.append([])
        else:
            terms[-1].append(token)
    for term in terms:
        name, told = _condition(term)
        if isinstance(out.get(name), dict) and isinstance(told, dict):
            out[name] |= told
        elif name in out:
            raise ValueError(text)
        else:
            out[name] = told
    return out


def _condition(term: Sequence[str]) -> tuple[str, Any]:
    match term:
        case [name, "=", "missing"]:
            return _name(name), None
        case [name, "=", first, *others] if all(word.casefold() == OR for word in others[::2]):
            values = [_value(first), *map(_value, others[1::2])]
            return _name(name), values if others else values[0]
        case [name, sign, limit] if sign in LIMITS:
            return _name(name), {LIMITS[sign]: _number(limit)}
    raise ValueError(term)


def _name(token: str) -> str:
    return token[1:-1] if token.startswith("`") else token


def _value(token: str) -> Any:
    if token.startswith('"'):
        return json.loads(token)
    number = number_of(token)
    return token if number is None else number


def _number(token: str) -> float:
    if (number := number_of(token)) is None:
        raise ValueError(token)
    return number


def _words_of(rule: Raw) -> str | None:
    """The words of a rule of a kind that has some."""
    match rule:
        case {"when": Mapping() as one, "then": Mapping() as other, **rest} if not rest:
            return f"if {_told(one)} then {_told(other)}"
        case {"only": Mapping() as one, "if": Mapping() as other, **rest} if not rest:
            return f"{_told(one)} only if {_told(other)}"
        case {"order": [*names]}:
            return (" < " if rule.get("strict") else " <= ").join(map(_written_name, names))
        case {"derive": name, "formula": formula, **rest} if not rest:
            return f"{_written_name(name)} = {formula}"
    return None


def _told(side: Mapping[str, Any]) -> str:
    return f" {AND} ".join(part for name, told in side.items() for part in _parts(name, told))


def _parts(name: str, told: Any) -> Iterator[str]:
    column = _written_name(name)
    if isinstance(told, Mapping):
        yield from (f"{column} {SIGNS.get(key, key)} {value}" for key, value in told.items())
    else:
        values = told if isinstance(told, list) else [told]
        yield f"{column} = " + f" {OR} ".join(map(_written_value, values))


def _written_name(name: Any) -> str:
    return name if WORD.fullmatch(str(name)) else f"`{name}`"


def _written_value(value: Any) -> str:
    if value is None:
        return MISSING
    is_bare = isinstance(value, str) and WORD.fullmatch(value) and number_of(value) is None
    keywords = (MISSING, AND, OR, "if", "then", "only")
    return (
        str(value) if is_bare and value not in keywords else json.dumps(value, ensure_ascii=False)
    )
