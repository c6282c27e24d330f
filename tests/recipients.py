"""Releases as recipients get them: small, of awkward names and levels, and what is said in them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from helpers import make_condenser
from tincture.public.schema import Schema

SCHEMA = Schema.from_dict(
    {
        "name": "awkward",
        "fields": [
            {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
            {
                "name": "lactate (mmol/l)",
                "type": "number",
                "constraints": {"minimum": 0.2, "maximum": 20},
            },
            {
                "name": "ward",
                "type": "string",
                "categories": ["intensive care", "general, medical", 'the "new" one', "closed"],
            },
            {"name": 'a "grade"', "type": "string", "categories": ["01", "02", "NA", "T"]},
            {"name": "sex", "type": "integer", "categories": [2, 1]},
            {"name": "diabetes", "type": "boolean"},
            {"name": "cm", "type": "number", "categories": [1, 2.5]},
            {
                "name": "seen",
                "type": "date",
                "constraints": {"minimum": "2010-01-01", "maximum": "2019-12-31"},
            },
            {
                "name": "taken at",
                "type": "datetime",
                "constraints": {
                    "minimum": "2010-01-01T00:00:00",
                    "maximum": "2019-12-31T23:59:59",
                },
            },
            {"name": "died here", "type": "string", "categories": ["yes", "no"]},
            {"name": "days", "type": "integer", "constraints": {"minimum": 0, "maximum": 365}},
            {"name": "event", "type": "integer", "categories": [0, 1]},
        ],
    }
)
TASKS: dict[str, dict[str, Any]] = {
    "classes": {
        "target": "died here",
        "case": "yes",
        "models": ["logistic"],
        "drop": ["days", "event"],
    },
    "survival": {"time": "days", "event": "event", "models": ["cox"], "drop": ["died here"]},
}
NEW = pl.DataFrame(
    {
        "age": [50, None],
        "lactate (mmol/l)": [None, 2.5],
        "ward": ["closed", None],
        'a "grade"': ["02", "T"],
        "sex": [1, None],
        "diabetes": [None, True],
        "cm": [1.0, None],
        "seen": ["2015-03-01", None],
        "taken at": [None, "2015-03-01T07:30:00"],
    }
)  # patients of the recipient's own: of a level that is in no record, and with blanks

LACKS = 77  # how R ends where a package is not installed


def make_records(n: int = 800, seed: int = 0) -> pl.DataFrame:
    """Age, lactate, ward and diabetes raise the risk; no record is of the ward that is closed."""
    rng = np.random.default_rng(seed)
    age, lactate = rng.integers(18, 101, n), np.round(rng.lognormal(0.7, 0.6, n).clip(0.2, 20), 2)
    ward, diabetes = rng.integers(0, 3, n), rng.uniform(size=n) < 0.3
    risk = (age - 60) / 20 + np.log(lactate) + 0.7 * (ward == 0) + diabetes - 1
    days = np.round(np.clip(rng.exponential(150 * np.exp(-risk / 2)), 1, 365)).astype(int)
    levels = {c.name: c.levels for c in SCHEMA.columns}

    def gappy(values: list[Any]) -> list[Any]:
        return [None if gap else v for gap, v in zip(rng.random(n) < 0.1, values, strict=True)]

    return pl.DataFrame(
        {
            "age": age,
            "lactate (mmol/l)": gappy(lactate.tolist()),
            "ward": gappy([levels["ward"][i] for i in ward]),
            'a "grade"': rng.choice(["01", "02", "NA", "T"], n),
            "sex": rng.integers(1, 3, n),
            "diabetes": gappy(diabetes.tolist()),
            "cm": rng.choice([1.0, 2.5], n),
            "seen": gappy([date(2010, 1, 1) + timedelta(days=i) for i in range(n)]),
            "taken at": [datetime(2010, 1, 1) + timedelta(hours=9 * i) for i in range(n)],
            "died here": np.where(risk + rng.logistic(size=n) > 0, "yes", "no"),
            "days": days,
            "event": ((days < 365) & (rng.uniform(size=n) < 0.8)).astype(int),
        }
    )


def release(folder: Path, kind: str, **changes: Any) -> Path:
    """A release of a kind of outcome, with the recipient's own patients beside it.

    Without noise, so that the same rows come each time: whether software reads them is asked here.
    """
    settings = {"target": None, "schema": SCHEMA, "n_rows": 60} | TASKS[kind]
    make_condenser(**settings | changes).fit(make_records()).save(folder)
    NEW.write_csv(folder / "own.csv")
    return folder


def files(folder: Path) -> list[str]:
    """The data files that the package names."""
    package = json.loads((folder / "datapackage.json").read_text())
    return [r["path"] for r in package["resources"]]


def snippet(folder: Path, language: str, path: str | None = None) -> str:
    """The code of a release's card; reading another of its files, if one is named."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert isinstance(code, str)
    if path is None:
        return code
    return re.sub(r"^(rows (=|<-) )\w+", rf'\1read("{path}")', code, count=1, flags=re.MULTILINE)


def in_python(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the code makes in the release's folder; a warning is an error here."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "load", raising=False)  # that of another release
    made: dict[str, Any] = {}
    exec(code, made)
    return made


def in_r(code: str, folder: Path, *packages: str) -> str:
    """What the code prints in R, a warning being an error; skips where a package is absent."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    quoted = ", ".join(f'"{p}"' for p in packages)
    loading = (
        f"for (p in c({quoted})) if (!requireNamespace(p, quietly = TRUE)) quit(status = {LACKS})\n"
        f"for (p in c({quoted})) suppressWarnings(suppressPackageStartupMessages(\n"
        "  library(p, character.only = TRUE)))\n"
    )
    command = ["Rscript", "--vanilla", "-e", f"{loading}options(warn = 2)\n{code}"]
    return _done(command, folder, f"R has not all of the packages {quoted}")


def _done(command: list[str], folder: Path, lacks: str) -> str:
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode == LACKS:
        pytest.skip(lacks)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
