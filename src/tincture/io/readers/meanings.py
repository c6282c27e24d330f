"""What a file says of a column, as keys of a field of a Table Schema: for a draft alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

MANY = 100  # whole numbers of a range that are listed one by one
NOTED = 12  # labels of an amount that are told
Code = str | float


def _word(value: Code) -> str:
    return value.strip() if isinstance(value, str) else str(_plain(value))


def meanings(
    kind: str,
    labels: Mapping[Any, str],
    *,
    tags: Iterable[str] = (),
    missing: Sequence[tuple[Any, Any]] = (),
    measure: str | None = None,
    description: str | None = None,
    word: Callable[[Code], str] = _word,
) -> dict[str, Any]:
    """The type of a field, its levels, words for missing, and description with other labels.

    Parameters
    ----------
    kind : str
        Type of the field, if its labels do not tell.
    labels : mapping
        From values, or of numbers from the letters of extended missing values, to their labels.
    tags : iterable of str
        Letters of extended missing values that were found.
    missing : sequence of (low, high)
        Ranges of user-missing values; of text, words twice.
    measure : str, optional
        As SPSS says it: nominal, ordinal or scale.
    description : str, optional
        Label of the column.
    word : callable
        What a cell of a user-missing value holds.
    """
    labels, is_text = dict(labels), kind == "string"
    words = {f".{tag}": "" for tag in sorted(tags)}
    if not is_text:
        words |= {f".{v}": labels.pop(v) for v in list(labels) if isinstance(v, str)}
    for low, high in missing:
        inside = [v for v in labels if isinstance(v, str) == is_text and low <= v <= high]
        words |= {word(v): labels.pop(v) for v in inside}
        words |= {word(v): "" for v in whole_numbers(low, high) if word(v) not in words}
    field: dict[str, Any] = {"type": kind}
    if _are_levels(labels, kind, measure):
        values = [v if is_text else _plain(v) for v in labels]
        if not is_text:
            field["type"] = "integer" if all(isinstance(v, int) for v in values) else "number"
        field["categories"] = _labelled(dict(zip(values, labels.values(), strict=True)))
        if measure == "ordinal":
            field["categoriesOrdered"] = True
    if words:
        field["missingValues"] = _labelled({"": ""} | words)
    noted = "" if "categories" in field else _noted({word(v): t for v, t in labels.items()})
    told = " ".join(filter(None, ((description or "").strip(), noted)))
    return field | ({"description": told} if told else {})


def whole_numbers(low: Code, high: Code) -> Sequence[Code]:
    """The whole numbers of a range, if they are few; the one value that it is."""
    if low == high or isinstance(low, str) or isinstance(high, str):
        return [low]
    if not (-1e15 < low and high < 1e15) or high - low > MANY:
        return []
    return range(int(-(-low // 1)), int(high // 1) + 1)


def _are_levels(labels: Mapping[Any, str], kind: str, measure: str | None) -> bool:
    """Whether labels are of levels; of an amount the ends alone may have some."""
    if len(labels) < 2 or kind in ("date", "datetime", "boolean"):
        return False
    if measure != "scale" or kind == "string":
        return True
    return bool(max(labels) - min(labels) == len(labels) - 1)


def _noted(labels: Mapping[str, str]) -> str:
    """Labels of an amount or date, of which some may mean missing, for whoever reviews a draft."""
    pairs = [f"{value} = {label}" for value, label in labels.items() if label]
    return f"({'; '.join(pairs[:NOTED])}{'; …' * (len(pairs) > NOTED)})" if pairs else ""


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _labelled(words: Mapping[Any, str]) -> list[Any]:
    """A list of words, or of objects where one has a label."""
    if not any(words.values()):
        return list(words)
    return [{"value": w} | ({"label": t} if t else {}) for w, t in words.items()]
