"""The code on a card runs whatever columns are called, and whatever the outcome is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers import make_condenser
from recipients import SCHEMA, in_python, in_r, make_records, snippet
from tincture.public.schema import Schema

ODD = {"age": "ä`g\\e {x} %", "ward": "'w'\"a\"\tr", "died here": "`died` \\{0}é"}
FIELDS: dict[str, dict[str, Any]] = {f["name"]: f for f in SCHEMA.to_dict()["fields"]}
MANY = [*FIELDS["ward"]["categories"], *(f"level {i} {'of many ' * 12}" for i in range(99))]
USUAL = {"target": "died here", "drop": ["days", "event"]}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # settings, and what is declared
    "true or false": ({"target": "diabetes", "drop": [*USUAL["drop"], "died here"]}, FIELDS),
    "several classes": (USUAL | {"target": "ward"}, FIELDS),
    "numbers as classes": (USUAL | {"target": "cm", "case": 1}, FIELDS),
    "odd names": (
        USUAL | {"target": ODD["died here"]},
        {name: f | {"name": ODD.get(name, name)} for name, f in FIELDS.items()},
    ),
    "amounts alone": (USUAL | {"drop": []}, {n: FIELDS[n] for n in ("age", "died here")}),
    "levels alone": (USUAL | {"drop": []}, {n: FIELDS[n] for n in ("ward", "sex", "died here")}),
    "more levels than people read": (
        USUAL,
        FIELDS | {"ward": FIELDS["ward"] | {"categories": MANY}},
    ),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    records = make_records().drop_nulls()
    folder = tmp_path_factory.mktemp("odd")
    for case, (settings, fields) in CASES.items():
        names = {name: field["name"] for name, field in fields.items()}
        schema = Schema.from_dict({"fields": list(fields.values())})
        made = make_condenser(**settings, schema=schema, n_rows=60, cohort=None)
        made.fit(records.rename(names, strict=False)).save(folder / case)
    return {case: folder / case for case in CASES}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_in_python(saved: dict[str, Path], case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = in_python(snippet(saved[case], "python"), saved[case], monkeypatch)
    assert len(made["chance"]) == len(made["rows"]) >= 60


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_in_r(saved: dict[str, Path], case: str) -> None:
    code = snippet(saved[case], "r")
    if case == "more levels than people read":
        code += f"stopifnot(nlevels(rows$ward) == {len(MANY)})\n"
    needed = ["nnet"] if "nnet" in code else []
    said = in_r(
        f"{code}cat(NROW(chance) == nrow(rows), length(declared) > 0)", saved[case], *needed
    )
    assert said == "TRUE TRUE"
