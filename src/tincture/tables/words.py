"""What a data card says of invented rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tincture.public.rules import KEY
from tincture.public.tasks import PARTS
from tincture.report.card import Words

WHICH = (
    "condensed.csv holds few rows, for the models named: quick to train on and easy to read; "
    "cohort.csv holds many invented people, for any model, plain regressions and learning curves."
)
USE = (
    "Train models on these rows, and test them on your own patients before use.",
    "Impute, scale and one-hot encode on these rows alone, then fit.",
)
LIMITS = (
    "No row stands for a patient. One row, a rare level or a subgroup means nothing by itself.",
    "Do not describe a population with them: they were chosen so that models learn, not so that "
    "distributions agree.",
    "Rare but important cases may be lost, and a model may serve some groups worse than others; "
    "measure it by group.",
    "Models of another kind than those named above may learn less from them.",
)


def words_of(package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
    """From the two JSON files of a release."""
    about, unit = package["tincture"], ledger["unit"]
    settings, models = about["settings"], ", ".join(about["models"])
    balance, schema = settings.get("balance"), package["resources"][0]["schema"]
    rules = len(schema.get(KEY, ()))
    what = (
        "Invented rows from which models are trained to predict the outcome. They were searched "
        "for with the answers to the questions below, so that models trained on them predict well "
        "for real records."
    )
    if "time" in about["task"]:
        what += (
            f" Each time was drawn evenly within one of up to {PARTS} parts of its declared range, "
            "shorter ones where it is early unless the schema gives its scale, as many in each "
            "part as the counted outcomes call for."
        )
    return Words(
        made="rows",
        records="records",
        unit="one record" if unit == "record" else f"one person ({unit})",
        what=what,
        facts=(
            ("Made for the models", models),
            ("People in the cohort", f"{about.get('cohort', 0):,}"),
            *([("Groups that counted alike", f"those of {balance}")] if balance else []),
            *([("Rules", _obeyed(rules))] if rules else []),
        ),
        use=(WHICH, *USE) if about.get("cohort") else USE,
        limits=LIMITS,
        reading=_reading(schema["fields"]),
        is_searched=True,
    )


def _obeyed(rules: int) -> str:
    which = "the rule" if rules == 1 else f"the {rules} rules"
    return f"All rows obey {which} between columns that the custodian declared"


def _reading(fields: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Python and R; levels that are text and look like numbers must be said to be text."""
    texts = [
        json.dumps(field["name"], ensure_ascii=False)
        for field in fields
        if field["type"] == "string" and any(map(_is_ambiguous, _levels(field)))
    ]
    python, r = (
        ", ".join(f"{name}{sign}" for name in texts) for sign in (": str", ' = "character"')
    )
    types, classes = (f", dtype={{{python}}}", f", colClasses = c({r})") if texts else ("", "")
    return (
        (
            "python",
            "import pandas as pd\n"
            f'rows = pd.read_csv("condensed.csv", keep_default_na=False, na_values=[""]{types})',
        ),
        ("r", f'rows <- read.csv("condensed.csv", na.strings = "", check.names = FALSE{classes})'),
    )


def _levels(field: Mapping[str, Any]) -> Iterable[str]:
    return map(str, field.get("constraints", {}).get("enum") or ())


def _is_ambiguous(level: str) -> bool:
    """Whether a reader that guesses would take a level for a number or a truth."""
    try:
        float(level)
    except ValueError:
        return level.lower() in ("true", "false", "t", "f")
    return True
