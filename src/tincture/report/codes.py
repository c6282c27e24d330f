"""What a data card says of an outcome and of coded cells, from the package alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tincture.io.released import declared

Field = Mapping[str, Any]
ANY = "any column"
EMPTY_HERE = (
    "A word for missing stands in records alone: in this release, what is missing is empty."
)


class Code(NamedTuple):
    """A level or a word for missing that means something to people.

    Attributes
    ----------
    column, cell, means : str
    is_missing : bool
    """

    column: str
    cell: str
    means: str
    is_missing: bool


def described(package: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a release of rows or stays, as it was declared for the records."""
    about = package["tincture"]
    if "schema" in about:  # of stays
        return dict(about["schema"])
    return declared(package["resources"][0]["schema"], about.get("records"))


def codes_of(schema: Mapping[str, Any]) -> tuple[Code, ...]:
    """All levels and words for missing with a label, column by column."""
    found: list[Code] = []
    for field in schema["fields"]:
        name = str(field["name"])
        found += [Code(name, v, label, False) for v, label in _labelled(field.get("categories"))]
        found += [Code(name, v, label, True) for v, label in _labelled(field.get("missingValues"))]
    found += [Code(ANY, v, label, True) for v, label in _labelled(schema.get("missingValues"))]
    return tuple(found)


def _labelled(listed: Any) -> Iterator[tuple[str, str]]:
    for word in listed or ():
        if isinstance(word, Mapping) and word.get("label"):
            yield str(word["value"]) or "nothing", str(word["label"])


def case_told(schema: Mapping[str, Any], task: Mapping[str, Any]) -> str | None:
    """The level that figures count, such as 1 (dead); None where there are more than two."""
    name = task.get("target") or task["event"]
    levels = _levels(next(f for f in schema["fields"] if f["name"] == name))
    if len(levels) != 2:
        return None
    case = task.get("case", levels[-1][0])
    label = next((label for level, label in levels if level == case), None)
    return str(case) if label is None else f"{case} ({label})"


def _levels(field: Field) -> Sequence[tuple[Any, str | None]]:
    listed = field.get("categories") or field.get("constraints", {}).get("enum")
    if not listed:
        return ((False, None), (True, None)) if field["type"] == "boolean" else ()
    return [(v["value"], v.get("label")) if isinstance(v, Mapping) else (v, None) for v in listed]


def outcome_told(schema: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """The outcome and its case: died; the case is 1 (dead)."""
    names = task.get("target") or f"{task['time']} (time) and {task['event']} (event)"
    case = case_told(schema, task)
    return f"{names}; each level in turn" if case is None else f"{names}; the case is {case}"


def event_told(schema: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Column and level of the case: died = 1 (dead)."""
    return f"{task.get('target') or task['event']} = {case_told(schema, task)}"
