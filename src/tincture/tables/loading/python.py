"""The script for Python: pandas, with levels and labels by the descriptor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

SCRIPT = '''\
"""Reads the release with its types, levels and labels, as ``from load import {names}``."""

import json
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).resolve().parent

with open(FOLDER / "datapackage.json", encoding="utf-8") as file:
    fields = json.load(file)["resources"][0]["schema"]["fields"]
levels = {{
    f["name"]: pd.CategoricalDtype(f.get("constraints", {{}}).get("enum", [False, True]))
    for f in fields
    if f["type"] == "boolean" or "enum" in f.get("constraints", {{}})
}}
times = {{  # of dates and times; those with a zone are told in UTC
    f["name"]: f"datetime64[s{{', UTC' * f['constraints']['minimum'].endswith('Z')}}]"
    for f in fields
    if f["type"] in ("date", "datetime")
}}
labels = {{  # what levels mean
    f["name"]: {{c["value"]: c["label"] for c in f["categories"] if "label" in c}}
    for f in fields
    if any(isinstance(c, dict) and "label" in c for c in f.get("categories", []))
}}
titles = {{  # what columns mean, and their units
    f["name"]: "; ".join(f[key] for key in ("description", "unit") if key in f)
    for f in fields
    if "description" in f or "unit" in f
}}


def read(path):
    """The rows of a CSV file; its ``attrs`` hold what columns and levels mean."""
    kinds = levels | dict.fromkeys(times, str)
    data = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""])
    data = data.astype({{name: kind for name, kind in times.items() if name in data}})
    data.attrs = {{"titles": titles, "labels": labels}}
    return data


def labelled(data):
    """The same rows with levels as people read them, such as 1 (male)."""
    called = {{
        name: [f"{{v}} ({{labels[name][v]}})" if v in labels[name] else v for v in dtype.categories]
        for name, dtype in levels.items()
        if name in labels and name in data
    }}
    return data.assign(**{{n: data[n].cat.rename_categories(c) for n, c in called.items()}})


def in_days(data):
    """The same rows with dates and times as days since 1970, of which differences are days."""
    dated = data.select_dtypes(["datetime", "datetimetz"])
    days = {{
        name: (x.dt.tz_localize(None) - pd.Timestamp("1970-01-01")).dt.total_seconds() / 86400
        for name, x in dated.items()
    }}
    return data.assign(**days)


{reads}
'''


def load_py(paths: Sequence[str]) -> str:
    """The script; it holds no name of a column, as all come from the descriptor.

    Parameters
    ----------
    paths : sequence of str
        The CSV files.
    """
    stems = [PurePath(path).stem for path in paths]
    reads = (f'{s} = read(FOLDER / "{path}")' for s, path in zip(stems, paths, strict=True))
    return SCRIPT.format(names=", ".join(stems), reads="\n".join(reads))
