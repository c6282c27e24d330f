"""The data card that travels with condensed stays, built from the release alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tincture.report.card import code_table, in_cell, privacy_rows
from tincture.report.codes import described, event_told, outcome_told
from tincture.report.summary import LEFT_OUT, left_out_told
from tincture.stays.prototypes import COPIES


def _matched(effort: float) -> str:
    return f"yes, with effort {effort:g}, which cost no privacy" if effort else "no"


def series_card(package: Mapping[str, Any], ledger: Mapping[str, Any]) -> str:
    """A page of Markdown for whoever receives the stays.

    Parameters
    ----------
    package : dict
        The Data Package descriptor.
    ledger : dict
        As in ``ledger.json``.
    """
    about = package["tincture"]
    settings = about["settings"]
    stay, time, variable, value = settings["columns"]
    schema, task = described(package), about["task"]
    target = task["target"]
    return f"""# {package["title"]}

**{ledger["promise"]}**

The stays in `condensed.parquet` are invented. They stand for no patient; they were made so that
networks trained on them predict well for real patients. Use them to train models, not to describe a
population: differences between the classes are exaggerated on purpose, and a single stay or value
means nothing by itself. Stays may come in groups of about {COPIES} that are alike, of which one has
the other outcome, so that a network learns odds and not the stays by heart: keep all of them.

| | |
|---|---|
| Outcome | {in_cell(outcome_told(schema, task))} |
| Stays | {settings["n_rows"]}, half of each class |
| Matched to networks | {_matched(settings["effort"])} |
| Real prevalence | about {settings["prevalence"]:.1%} ({in_cell(event_told(schema, task))}), \
through noise: recalibrate with it |
| Window | {settings["hours"]:g} h in bins of {settings["bin_hours"]:g} h |
| {LEFT_OUT} | {in_cell(left_out_told(settings))} |
{privacy_rows(ledger)}

{code_table(schema)}## Reading it

```python
import pandas as pd
events = pd.read_parquet("condensed.parquet")     # {stay}, {time}, {variable}, {value}
outcomes = pd.read_parquet("outcomes.parquet")    # {stay}, static columns, {target}
```

Put the last value of each bin on a grid and carry it forward; fill what is still missing with the
mean of these stays, and standardise every channel by their mean and deviation. Do the same, with
*these* means and deviations, to the real stays that the network is to judge. Clip real values to
the bounds in `datapackage.json` first.

Made with tincture {settings["version"]}.
"""
