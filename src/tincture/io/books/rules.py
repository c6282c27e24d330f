"""Rules between columns, in the cells of a code book."""

from __future__ import annotations

import json
from typing import Any

from tincture.errors import SchemaError

Raw = dict[str, Any]


def rule_written(rule: Raw) -> str:
    """A rule on one line."""
    return json.dumps(rule, ensure_ascii=False)


def rule_told(text: str, at: str) -> Raw:
    """The rule that a line tells.

    Raises
    ------
    SchemaError
    """
    try:
        rule = json.loads(text)
    except ValueError:
        rule = None
    if not isinstance(rule, dict):
        raise SchemaError(f"{at}: the rule {text!r} cannot be read.")
    return rule


def subject_of(rule: Raw) -> str:
    """The column whose line tells a rule: the one that follows the others."""
    if "derive" in rule:
        return str(rule["derive"])
    side = rule.get("then") or rule.get("only")
    if isinstance(side, dict):
        return str(next(iter(side)))
    names = rule.get("columns") or rule.get("order") or [""]
    return str(names[-1] if "columns" in rule else names[0])
