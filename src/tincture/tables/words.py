"""What a data card says of invented rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tincture.public.rules import KEY
from tincture.public.tasks import PARTS
from tincture.report.card import Words
from tincture.tables.reading import reading

WHICH = (
    "condensed.csv holds few rows, for the models named: quick to train on and easy to read; "
    "cohort.csv holds many invented people, for any model, plain regressions and learning curves."
)
USE = (
    "Train models on these rows, and test them on your own patients before use.",
    "Read columns by their declared types and levels; impute, scale and one-hot encode on these "
    "rows alone, then fit. The code below does so, and takes patients of any declared level.",
)
LOADING = (
    "load.R, load.py, load.do and load.sps read the files in R, pandas, Stata and SPSS, with "
    "types, labels and missing values. Where Stata or SPSS does not allow the name of a column, "
    "it has another there, and the label of the variable begins with its own."
)
BLANK = "A blank cell is a missing value; R leaves out rows that have one, unless it is filled."
SELDOM = (
    "A column without a blank in condensed.csv may lack values in records: what is seldom missing "
    "may be so in none of few rows. Prepare models for a blank in any column."
)
COMPLETE = (
    "No cell is blank, though values are missing in records (--complete): what a blank would tell "
    "of the outcome was not kept."
)
CAUSE = (
    "Models of these rows tell the hazard of one cause: how fast the event comes to those who have "
    "had none of the competing events yet, which count as censored. One minus Kaplan and Meier's "
    "curve is not the share who will have the event, as it takes competing events to be prevented."
)
COMPETING = (
    "Where another cause ended the observation, that was read as censoring like any other: models "
    "learn how fast the event comes to those whom nothing else has taken yet, not how many people "
    "will ever have had it."
)
LIMITS = (
    "No figure computed on these rows (cross-validation, out-of-bag error, p-value, standard "
    "error) tells how good or how sure a model is. Ask the custodian for theirs: tincture "
    "evaluate measures it on real held-out records.",
    "Rows are in no order; their place tells nothing.",
    "No row stands for a patient. One row, a rare level or a subgroup means nothing by itself.",
    "Do not describe a population with condensed.csv: its rows were chosen so that models learn, "
    "not so that distributions agree.",
    "Rare but important cases may be lost, and a model may serve some groups worse than others; "
    "measure it by group.",
)
PERSONS = (
    "A person counts once, however many records: shares and chances are those of a person's "
    "records on average. Where people with many records fare otherwise, chances are off for all "
    "records together; recalibrate on records of your own."
)
OTHERS = "Models of another kind than those named above may learn less from condensed.csv"
DRAWN = (
    "In cohort.csv each column is distributed as it was counted, through noise, and columns go "
    "together as their rank correlations say; what only three or more tell together is not there."
)
ALIKE = (
    "People of one kind in cohort.csv are alike in every column but the outcome, which as many of "
    "them have as their chance says, so that models learn chances and not accidents. No two real "
    "people need be alike: do not count how many share a rare combination."
)


def words_of(package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
    """From the two JSON files of a release."""
    about, unit = package["tincture"], ledger["unit"]
    settings, models = about["settings"], ", ".join(about["models"])
    balance, schema = settings.get("balance"), package["resources"][0]["schema"]
    rules, origin = len(schema.get(KEY, ())), settings.get("origin")
    what = (
        "Invented rows from which models are trained to predict the outcome. They were searched "
        "for with the answers to the questions below, so that models trained on them predict well "
        "for real records."
    )
    people, task = about.get("cohort", 0), about["task"]
    kinds = about.get("kinds", people)
    if "time" in task:
        what += (
            f" Each time was drawn evenly within one of up to {PARTS} parts of its declared range, "
            "shorter ones where it is early unless the schema gives its scale, as many in each "
            "part as the counted outcomes call for."
        )
    if about["task"]["kind"] == "amounts" and about["settings"]["method"] != "direct":
        what += (
            " The outcome of a row is the mean that people like it have, so that outcomes of rows "
            "scatter less than real ones. Those of a cohort scatter as the counted ones do."
        )
    if "cause" in task:
        what += f" {CAUSE}"
    return Words(
        made="rows",
        records="records",
        unit="one record" if unit == "record" else f"one person ({unit})",
        what=what,
        facts=(
            ("Made for the models", models),
            ("People in the cohort", f"{people:,}"),
            *([("Kinds of people in it", f"{kinds:,}")] if people else []),
            *([("Groups that counted alike", f"those of {balance}")] if balance else []),
            *([("Dates", f"days since {origin}, each person's own")] if origin else []),
            *([("Rules", _obeyed(rules))] if rules else []),
        ),
        use=(
            *([WHICH] if people else []),
            *USE,
            LOADING,
            COMPLETE if settings.get("complete") else BLANK,
        ),
        limits=(
            *LIMITS,
            *([] if settings.get("complete") else [SELDOM]),
            *([] if unit == "record" else [PERSONS]),
            *([f"{OTHERS}; train them on cohort.csv.", DRAWN] if people else [f"{OTHERS}."]),
            *([ALIKE] if people and not settings.get("apart") else []),
            *([COMPETING] if "time" in task and "cause" not in task else []),
        ),
        reading=reading(package),
        is_searched=True,
    )


def _obeyed(rules: int) -> str:
    which = "the rule" if rules == 1 else f"the {rules} rules"
    return f"All rows obey {which} between columns that the custodian declared"
