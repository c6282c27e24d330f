"""The data card that travels with a release, built from the release alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tincture.report.codes import EMPTY_HERE, codes_of, described, outcome_told


def data_card(package: Mapping[str, Any], ledger: Mapping[str, Any]) -> str:
    """A page of Markdown for whoever receives the rows.

    Parameters
    ----------
    package : dict
        The Data Package descriptor.
    ledger : dict
        As in ``ledger.json``.
    """
    about, schema = package["tincture"], described(package)
    outcome = in_cell(outcome_told(schema, about["task"]))
    return f"""# {package["title"]}

**{ledger["promise"]}**

The rows in `condensed.csv` are invented. They stand for no patient; they were searched for so that
models trained on them predict well for real patients. Use them to train models, not to describe a
population: a single row, a rare level or a subgroup means nothing by itself.

| | |
|---|---|
| Outcome | {outcome} |
| Made for the models | {", ".join(about["models"])} |
| Rows | {about["settings"]["n_rows"]} |
{privacy_rows(ledger)}

{code_table(schema)}## Reading it

```python
import pandas as pd
rows = pd.read_csv("condensed.csv", keep_default_na=False, na_values=[""])
```

```r
rows <- read.csv("condensed.csv", na.strings = "")
```

Impute, scale and one-hot encode on these rows alone, then fit. Their outcome has the prevalence (or
the event times) of the real records, so that predicted probabilities need no correction.

Made with tincture {about["settings"]["version"]}.
"""


def privacy_rows(ledger: Mapping[str, Any]) -> str:
    """Rows of a table on the promise, what was public, and every question, as Markdown."""
    named = ledger["unit"] in ("record", "stay")
    unit = ledger["unit"] if named else f"person ({ledger['unit']})"
    asked, spent = float(ledger["epsilon"]), float(ledger["epsilon_spent"])
    return f"""| ε asked for, spent | {asked:g}, {spent:.4g} |
| δ | {ledger["delta"]:g} |
| Protected unit | one {unit}; neighbouring tables differ by {ledger["neighbours"]} |
| Accountant | {ledger["accountant"]} |

Names, types, bounds and levels in `datapackage.json` were declared as public knowledge.
Every private question that was asked is in `ledger.json`:

{_phase_table(ledger)}"""


def code_table(schema: Mapping[str, Any]) -> str:
    """What labelled levels and words for missing mean, as Markdown, if there are any."""
    codes = codes_of(schema)
    if not codes:
        return ""
    lines = ["## What the codes mean", "", "| column | code | meaning |", "|---|---|---|"]
    for c in codes:
        means = f"missing: {c.means}" if c.is_missing else c.means
        lines.append(f"| {in_cell(c.column)} | {in_cell(c.cell)} | {in_cell(means)} |")
    if any(c.is_missing for c in codes):
        lines += ["", EMPTY_HERE]
    return "\n".join([*lines, "", ""])


def in_cell(text: str) -> str:
    """Text that stays in its cell of a Markdown table, and stays text."""
    return re.sub(r"([\\|<`])", r"\\\1", " ".join(text.split()))


def _phase_table(ledger: Mapping[str, Any]) -> str:
    """Questions, how often they were asked, and their noise, as a Markdown table."""
    lines = ["| question | times asked | noise multiplier | sampling rate |", "|---|---|---|---|"]
    for phase in ledger["phases"]:
        asked = sum(e["question"] == phase["question"] for e in ledger["entries"])
        lines.append(
            f"| {phase['question']} | {asked} | {phase['noise_multiplier']:.4g} "
            f"| {phase['sampling_rate']:g} |"
        )
    return "\n".join(lines)
