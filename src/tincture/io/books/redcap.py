"""REDCap data dictionaries: what a project declares of its fields, as the draft of a schema.

The draft is of the export of raw codes, in which a checkbox has a column for each choice. Free
text, identifiers and files are left out, and the draft's description tells of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any

from tincture.io.books.branching import branching_rules
from tincture.io.books.sheet import Lines
from tincture.io.files import slug
from tincture.public.fields import DECIMALS
from tincture.public.rules import KEY
from tincture.public.schema import PROFILE
from tincture.public.words import number_of

Raw = dict[str, Any]
# As the project's page writes them, and as its interface for programs does.
HEADINGS = {
    "name": ("Variable / Field Name", "field_name"),
    "type": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": (
        "Choices, Calculations, OR Slider Labels",
        "Choices OR Calculations",
        "select_choices_or_calculations",
    ),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "minimum": ("Text Validation Min", "text_validation_min"),
    "maximum": ("Text Validation Max", "text_validation_max"),
    "identifier": ("Identifier?", "identifier"),
    "branching": ("Branching Logic (Show field only if...)", "branching_logic"),
}
OF = {name.casefold(): key for key, names in HEADINGS.items() for name in names}
DAY, MOMENT = re.compile(r"date_"), re.compile(r"datetime_")
WHOLE = re.compile(r"integer\Z")
NUMBER = re.compile(r"number(?:_([1-4])dp)?(_comma_decimal)?\Z")
TRUTHS = {"yesno": ("No", "Yes"), "truefalse": ("False", "True"), "checkbox": ("no", "yes")}
CHOICES = ("radio", "dropdown")
SLIDER = (0, 100)  # where a project says nothing else
TAG = re.compile(r"<[^>]*>")


def is_book(first: Sequence[str]) -> bool:
    """Whether a first line is that of a data dictionary."""
    return {"name", "type", "label"} <= {OF.get(cell.strip().casefold()) for cell in first}


def from_lines(lines: Lines, path: Path) -> Raw:
    """The draft of a schema of the project's raw export."""
    keys = [OF.get(cell.strip().casefold(), "") for cell in lines[0]]
    rows = [dict(zip(keys, map(str.strip, line), strict=False)) for line in lines[1:]]
    fields: list[Raw] = []
    left: list[str] = []
    told: dict[str, str] = {}
    for i, row in enumerate(rows):
        found = [] if i == 0 or _is_identifier(row) else list(_fields(row))
        fields += found
        if not found and row.get("type") != "descriptive":
            left.append(row["name"])
        if found and row.get("branching"):
            told |= {field["name"]: row["branching"] for field in found}
    rules, open_ = branching_rules(fields, told)
    out: Raw = {"$schema": PROFILE, "name": slug(path.stem)}
    if notes := list(_notes(left, open_)):
        out["description"] = " ".join(notes)
    return out | {"fields": fields, "missingValues": [""]} | ({KEY: rules} if rules else {})


def _notes(left: Sequence[str], open_: Sequence[str]) -> Iterator[str]:
    if left:
        yield (
            "Left out, as identifiers, free text, files or fields of one choice: "
            f"{', '.join(left)}."
        )
    if open_:
        yield f"Branching logic that is no rule yet, to be added by hand: {', '.join(open_)}."


def _is_identifier(row: dict[str, str]) -> bool:
    return row.get("identifier", "").casefold() in ("y", "yes", "1")


def _fields(row: dict[str, str]) -> Iterator[Raw]:
    """The columns of a field in the export."""
    kind, label = row.get("type", ""), _text(row.get("label", ""))
    about = {"description": label} if label else {}
    if kind in CHOICES:
        choices = _choices(row.get("choices", ""))
        if len(choices) > 1:
            yield _levels(row["name"], choices) | about
    elif kind == "checkbox":
        for code, meaning in _choices(row.get("choices", "")):
            name = f"{row['name']}___{code.lower().replace('-', '_')}"
            whole = ": ".join(filter(None, (label, meaning)))
            yield _truth(name, kind) | {"description": whole}
    elif kind in TRUTHS:
        yield _truth(row["name"], kind) | about
    elif (amount := _amount(kind, row.get("validation", ""))) is not None:
        yield {"name": row["name"]} | amount | _bounds(row, amount["type"], kind) | about


def _choices(text: str) -> list[tuple[str, str]]:
    """Codes and what they mean: ``1, Male | 2, Female``."""
    pairs = [part.partition(",") for part in re.split(r"[|\n]", text) if part.strip()]
    return [(code.strip(), _text(meaning) or code.strip()) for code, _, meaning in pairs]


def _levels(name: str, choices: list[tuple[str, str]]) -> Raw:
    numbers = [number_of(code) for code, _ in choices]
    is_whole = all(
        isinstance(n, int) and str(n) == c for n, (c, _) in zip(numbers, choices, strict=True)
    )
    levels = [
        {"value": number if is_whole else code, "label": meaning}
        for number, (code, meaning) in zip(numbers, choices, strict=True)
    ]
    return {"name": name, "type": "integer" if is_whole else "string", "categories": levels}


def _truth(name: str, kind: str) -> Raw:
    return _levels(name, [("0", TRUTHS[kind][0]), ("1", TRUTHS[kind][1])])


def _amount(kind: str, validation: str) -> Raw | None:
    """The type of a field that is a number or a day; None for free text."""
    if kind == "slider":
        return {"type": "integer"}
    if kind == "calc":
        return {"type": "number"}
    if kind != "text":
        return None
    if WHOLE.match(validation):
        return {"type": "integer"}
    if found := NUMBER.match(validation):
        places, comma = found.groups()
        more: Raw = {"decimalChar": ","} if comma else {}
        return {"type": "number"} | more | ({DECIMALS: int(places)} if places else {})
    if MOMENT.match(validation):
        return {"type": "datetime"}
    return {"type": "date"} if DAY.match(validation) else None


def _bounds(row: dict[str, str], kind: str, field: str) -> Raw:
    """Those declared, and nulls where none is, to be filled in."""
    usual: tuple[Any, Any] = SLIDER if field == "slider" else (None, None)
    ends = ("minimum", "maximum")
    found = {k: _bound(row.get(k, ""), kind) for k in ends}
    return {
        "constraints": {
            k: other if found[k] is None else found[k] for k, other in zip(ends, usual, strict=True)
        }
    }


def _bound(text: str, kind: str) -> Any:
    if kind in ("date", "datetime"):
        return text if re.match(r"\d{4}-\d\d-\d\d", text) else None  # and not "today"
    number = number_of(text.replace(",", "."))
    return round(number) if kind == "integer" and number is not None else number


def _text(label: str) -> str:
    """A label without the marks of a page."""
    return " ".join(unescape(TAG.sub(" ", label)).split())
