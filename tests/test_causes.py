"""Of several events that compete one is the event, and every record of another is censored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

from commands import condensing, prepare, run
from helpers import make_condenser, make_table
from recipients import in_python, in_r, snippet
from tincture.errors import ReleaseError, SchemaError, SettingError, TableError
from tincture.evaluation.scores import CEILING
from tincture.io.frames import to_columns
from tincture.public.causes import with_cause
from tincture.public.schema import Schema
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable
from tincture.tables.target import TableTarget

AGE = {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}}
WARD = {"name": "ward", "type": "string", "categories": ["icu", "med", "surg"]}
DAYS = {"name": "days", "type": "number", "constraints": {"minimum": 0, "maximum": 365}}
FATE: dict[str, Any] = {
    "name": "fate",
    "type": "integer",
    "categories": [
        {"value": 0, "label": "event-free"},
        {"value": 1, "label": "relapse"},
        {"value": 2, "label": "dead"},
    ],
    "missingValues": ["", "9"],
}
DESCRIPTOR: dict[str, Any] = {"fields": [AGE, WARD, DAYS, FATE]}
SCHEMA = Schema.from_dict(DESCRIPTOR)
SETTINGS = {"schema": SCHEMA, "target": None, "time": "days", "models": ["cox"], "drop": []}


def table(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """The old die, the young relapse: predictors of one cause are wrong about the other."""
    rng = np.random.default_rng(seed)
    records = make_table(n, seed).select("age", "ward")
    risk = (records["age"].to_numpy() - 60) / 15
    dies, relapses, ends = (
        rng.exponential(150 * np.exp(-s * risk)).clip(0.1, 365) for s in (1.0, -1.0, 0.0)
    )
    days = np.minimum(np.minimum(dies, relapses), ends)
    fate = np.select([days == ends, days == relapses], [0, 1], 2)
    return records.with_columns(days=days.round(1), fate=fate)


def two_levels(records: pl.DataFrame, cause: int) -> pl.DataFrame:
    """The cause as 1, and all others as 0: what a custodian would do by hand."""
    return records.with_columns(fate=(pl.col("fate") == cause).cast(pl.Int64))


BY_HAND = Schema.from_dict(
    {"fields": [AGE, WARD, DAYS, {"name": "fate", "type": "integer", "categories": [0, 1]}]}
)


def fitted(cause: Any = "dead", **changes: Any) -> Condenser:
    return make_condenser(**SETTINGS | {"event": "fate", "cause": cause} | changes).fit(table())


@pytest.fixture(scope="module")
def made() -> Condenser:
    return fitted()


# Cells are read by the levels declared, in any spelling, and only then as the cause or not.
@pytest.mark.parametrize(("cause", "codes"), [("2", [0, 0, 1, 1, 0, -1]), (1, [0, 1, 0, 0, 1, -1])])
def test_a_cell_is_read_by_the_declared_levels(cause: Any, codes: list[int]) -> None:
    schema, _ = with_cause(SCHEMA, "fate", cause)
    cells = pl.DataFrame({"fate": ["0", "1", "2", "2.0", "true", "9"]})
    assert to_columns(cells, schema, ["fate"])["fate"].tolist() == codes
    with pytest.raises(TableError, match="does not list; expected one of 0, 1, 2"):
        to_columns(pl.DataFrame({"fate": ["0", "false", "3"]}), schema, ["fate"])


# Rows are the very ones that two levels by hand give: nothing else differs but how cells are told.
@pytest.mark.parametrize(("cause", "level"), [("dead", 2), ("relapse", 1), (0, 0)])
def test_a_cause_is_what_two_levels_by_hand_are(cause: Any, level: int) -> None:
    rows = fitted(cause, n_rows=24).to_frame("polars")
    by_hand = make_condenser(**SETTINGS | {"schema": BY_HAND, "event": "fate", "n_rows": 24})
    other = by_hand.fit(two_levels(table(), level)).to_frame("polars")
    assert rows.equals(other)


def test_held_out_records_of_several_levels_are_scored_by_cause(made: Condenser) -> None:
    found = evaluate(made.table_, table(), table(seed=1), at=[90.0])
    by_hand = make_condenser(**SETTINGS | {"schema": BY_HAND, "event": "fate"})
    tables = [two_levels(table(seed=seed), 2) for seed in (0, 1)]
    other = evaluate(by_hand.fit(tables[0]).table_, *tables, at=[90.0])
    assert [(s.metric, s.figure) for s in found.scores] == [
        (s.metric, s.figure) for s in other.scores
    ]
    assert found.says_case == "case: fate = 1 (dead)"
    assert found.groups[0].events == int((table(seed=1)["fate"] == 2).sum())
    # Were deaths and relapses one event, age would tell nothing.
    assert found.value("cox", CEILING, "C-index") > 0.65


def test_a_release_says_which_level_is_the_event_and_comes_back(
    made: Condenser, tmp_path: Path
) -> None:
    made.save(tmp_path / "out")
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    field = package["resources"][0]["schema"]["fields"][-1]
    assert field["type"] == "integer"
    assert field["description"] == (
        "1: the event, in records 2 (dead); 0: censored, in records 0 (event-free) or 1 (relapse)"
    )
    assert package["tincture"]["task"] == {
        "kind": "survival",
        "time": "days",
        "event": "fate",
        "cause": 2,
    }
    back = CondensedTable.load(tmp_path / "out")
    assert (back.schema, back.fingerprint) == (made.table_.schema, made.table_.fingerprint)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "days (time) and fate (event); the case is 1 (dead)" in card
    assert "| fate | 1 | dead |" in card
    assert card.count("One minus Kaplan and Meier's curve is not the share") == 1
    package["tincture"]["task"]["cause"] = "heart"
    (tmp_path / "out" / "datapackage.json").write_text(json.dumps(package))
    with pytest.raises(ReleaseError, match="damaged: The cause 'heart' is no level"):
        CondensedTable.load(tmp_path / "out")


# What an audit runs again is the run itself, read from the release alone.
def test_an_audit_condenses_by_the_same_cause(made: Condenser, tmp_path: Path) -> None:
    made.save(tmp_path / "out")
    job = TableTarget(CondensedTable.load(tmp_path / "out")).job(0)
    own = made.job()
    assert (job.task, job.schema, job.described()) == (own.task, own.schema, own.described())


def test_r_fits_the_cause_by_the_code_on_the_card(tmp_path: Path) -> None:
    made = fitted(n_rows=60)
    made.save(tmp_path / "out")
    code = snippet(tmp_path / "out", "r")
    assert 'survival::Surv(`days`, `fate` == "1") ~ .' in code
    # To a plain reader 0 and 1 are what software takes for an event as it stands.
    plain = 'p <- read.csv("cohort.csv")\ncat(sum(p$fate), survival::is.Surv(survival::Surv(\n'
    said = in_r(f"{code}\n{plain}  p$days, p$fate)), model$nevent)", tmp_path / "out", "survival")
    events = int(made.cohort_frame("polars")["fate"].sum())
    assert said == f"{events} TRUE {events}"


def test_python_fits_the_cause_by_the_code_on_the_card(
    made: Condenser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sksurv")
    made.save(tmp_path / "out")
    code = snippet(tmp_path / "out", "python")
    found = in_python(code, tmp_path / "out", monkeypatch)
    assert np.isfinite(found["risk"]).all()


def test_without_a_cause_more_than_two_levels_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"3 levels \(0 \(event-free\), 1 .* by --cause"):
        fitted(None)
    with pytest.raises(SchemaError, match="by --cause"):
        fitted(None, case="dead")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cause": "heart"}, "The cause 'heart' is no level of 'fate'; name one of 0 (event-free)"),
        ({"case": 1}, "goes neither with --target nor with --case"),
        ({"event": None, "time": None, "target": "ward"}, "goes neither with --target"),
        ({"event": "days"}, "must be declared with two levels"),
    ],
)
def test_a_cause_is_a_declared_level_of_an_event(changes: dict[str, Any], says: str) -> None:
    settings = SETTINGS | {"event": "fate", "cause": "dead", "cohort": None} | changes
    with pytest.raises((SettingError, SchemaError)) as caught:
        make_condenser(**settings).job()
    assert says in str(caught.value)
    assert caught.value.__context__ is None


def test_of_two_levels_the_cause_is_the_case() -> None:
    settings = SETTINGS | {"schema": BY_HAND, "event": "fate"}
    one, two = (make_condenser(**settings | {name: 0}).job() for name in ("cause", "case"))
    assert one.digest() == two.digest()
    assert one.described()["outcome"]["case"] == 0


# A run is resumed only with the cause it began with, and what is cloned has it.
def test_the_cause_is_a_setting() -> None:
    settings = SETTINGS | {"event": "fate"}
    dead, relapse = (make_condenser(**settings | {"cause": c}) for c in ("dead", "relapse"))
    assert dead.job().digest() != relapse.job().digest()
    assert clone(dead).get_params()["cause"] == "dead"
    more = json.loads(json.dumps(DESCRIPTOR))
    more["fields"][-1]["categories"].append({"value": 3, "label": "moved"})
    wider = make_condenser(**settings | {"cause": "dead", "schema": Schema.from_dict(more)})
    assert wider.job().digest() != dead.job().digest()


def test_a_rule_cannot_bind_levels_that_rows_do_not_tell() -> None:
    rule = {"when": {"fate": "dead"}, "then": {"ward": "icu"}}
    bound = Schema.from_dict(DESCRIPTOR | {"tincture:rules": [rule]})
    with pytest.raises(SchemaError, match="binds the event 'fate'"):
        with_cause(bound, "fate", "dead")


def test_the_command_line_takes_the_cause(tmp_path: Path) -> None:
    prepare(tmp_path, table(120), DESCRIPTOR)
    flags: dict[str, Any] = {
        "target": None,
        "time": "days",
        "event": "fate",
        "model": "cox",
        "drop": [],
    }
    refused = run(*condensing(tmp_path, **flags))
    assert (refused.code, "name the one that is the event by --cause" in refused.err) == (3, True)
    refused = run(*condensing(tmp_path, **flags, cause="heart"))
    assert (refused.code, "name one of 0 (event-free), 1 (relapse)" in refused.err) == (2, True)
    said = run(*condensing(tmp_path, **flags, cause="dead"))
    assert (said.code, "case: fate = 1 (dead)" in said.out) == (0, True)
    table(120, seed=1).write_csv(tmp_path / "heldout.csv")
    args = ["evaluate", tmp_path / "out", "--train", tmp_path / "records.csv"]
    said = run(*args, "--test", tmp_path / "heldout.csv")
    assert (said.code, "case: fate = 1 (dead)" in said.out) == (0, True)
