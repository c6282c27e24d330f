"""What a data card says of invented stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tincture.report.card import Words
from tincture.stays.inputs import CUT
from tincture.stays.prototypes import n_prototypes

LEFT_OUT = "Left out, as too seldom recorded for what the noise lets see"
NOTHING_SEEN = (
    "Warning: noise hid every variable, so that there is no measurement in this release, and no "
    "model can learn from it more than its static columns tell, if it has any."
)
WHAT = (
    "Invented stays from which networks are trained to predict the outcome. They were made with "
    "the answers to the questions below, which tell how measurements run and what tells the "
    "classes apart, so that networks trained on them predict well for real stays."
)
WHICH = (
    "condensed.parquet and outcomes.parquet hold few stays, made for networks: train these on "
    "them. cohort.parquet and cohort_outcomes.parquet hold many in the same form, measured about "
    "as often and as unevenly as real ones, with the real share of each class: for any model, for "
    "risks, and to try software, loaders and learning curves at full size."
)
USE = (
    "Train networks on these stays, and test them on your own patients before use.",
    "Put the last value of each bin on a grid and carry it forward; a channel beside it tells "
    "whether a value was recorded in that bin. Static columns are channels that do not change.",
    "Standardise every channel by the mean and deviation of these stays, cut it at "
    f"{CUT:g} deviations, and fill what is still missing with the mean; but a variable of the "
    "levels 0 and 1 is 0 until it is recorded.",
    "Do the same, with these means and deviations, to the real stays that the network is to judge, "
    "after clipping them to the bounds above.",
)
LIMITS = (
    "No stay stands for a patient. One stay or one value means nothing by itself.",
    "Do not describe a population with them: how far the classes differ was chosen so that "
    "networks learn, and variables that tell little may be absent.",
    "A course that matters only by its shape is lost, and a network may serve some groups worse "
    "than others; measure it by group.",
)
READING = (
    (
        "python",
        'import pandas as pd\nevents = pd.read_parquet("condensed.parquet")\n'
        'outcomes = pd.read_parquet("outcomes.parquet")',
    ),
    (
        "r",
        'events <- arrow::read_parquet("condensed.parquet")\n'
        'outcomes <- arrow::read_parquet("outcomes.parquet")',
    ),
)


def words_of(package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
    """From the two JSON files of a release."""
    settings, unit = package["tincture"]["settings"], ledger["unit"]
    people = package["tincture"].get("cohort", 0)
    who = f"one person ({unit})"
    if unit in ("stay", settings["columns"][0]):  # a stay may have several windows
        who = "one stay" if unit == "stay" else f"one stay with all its windows ({unit})"
    return Words(
        made="stays",
        records="stays",
        unit=who,
        what=WHAT,
        facts=(
            ("Columns of the events", ", ".join(settings["columns"])),
            ("Window", f"{settings['hours']:g} h in bins of {settings['bin_hours']:g} h"),
            ("Stays in the cohort", f"{people:,}"),
            ("Matched to networks", _matched(settings.get("effort"))),
            (LEFT_OUT, ", ".join(settings.get("left_out", ["not told"])) or "none"),
        ),
        use=(*([WHICH] if people else []), *USE, *_alike(settings["n_rows"])),
        limits=(*_empty(package["tincture"]), *LIMITS),
        reading=READING,
    )


def _empty(about: Mapping[str, Any]) -> tuple[str, ...]:
    """A warning where no variable of the schema is invented."""
    roles = {field["name"]: field.get("role") for field in about["schema"]["fields"]}
    variables = {name for name, role in roles.items() if role == "variable"}
    hidden = variables <= {*about["settings"].get("left_out", ())}
    return (NOTHING_SEEN,) if hidden else ()


def _matched(effort: float | None) -> str:
    if effort is None:
        return "not told"
    return f"yes, with effort {effort:g}, which cost no privacy" if effort else "no"


def _alike(n_rows: int) -> tuple[str, ...]:
    """Where stays are repeated; see `tincture.stays.prototypes`."""
    groups = n_prototypes(n_rows)
    if groups == n_rows:
        return ()
    sizes = " or ".join(map(str, sorted({n_rows // groups, -(-n_rows // groups)})))
    return (
        f"Condensed stays come in groups of {sizes} that are alike. In each group "
        "one has the other outcome, so that networks learn odds and not the stays by heart: keep "
        "all of them.",
    )
