"""Which level of an outcome is the case: read, kept in the release, said at every figure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from commands import condensing, run
from helpers import DESCRIPTOR, SCHEMA, make_condenser, make_table
from series_helpers import SCHEMA as OF_STAYS
from series_helpers import make_stays, stays_condenser
from tincture.errors import ReleaseError, SettingError
from tincture.evaluation.scores import CEILING
from tincture.io.frames import to_columns
from tincture.public.case import Case, place_of
from tincture.public.columns import Column
from tincture.public.notation import Notation
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, case_of
from tincture.report.in_house import in_house_page
from tincture.report.summary import InHouse
from tincture.stays.bench import evaluate_series
from tincture.tables.bench import evaluate
from tincture.tables.release import CondensedTable

CODED = Column("died", "integer", categories=(1, 2), labels=("dead", "alive"))
TEXT = Column("died", "string", categories=("01", "1.0", "no"))
POINT = Column("x", "number", categories=(1.5, 2.5), notation=Notation(decimal=",", group="."))
TRUTH = Column("died", "boolean", categories=(True, False))


def coded() -> dict[str, Any]:
    """The shared schema with ``died`` coded 1 = dead, 2 = alive, as some code books have it."""
    levels = [{"value": 1, "label": "dead"}, {"value": 2, "label": "alive"}]
    fields = [f for f in DESCRIPTOR["fields"] if f["name"] != "died"]
    return {"fields": [*fields, {"name": "died", "type": "integer", "categories": levels}]}


def recode(table: pl.DataFrame) -> pl.DataFrame:
    """1 for the dead, 2 for those alive."""
    return table.with_columns(died=2 - pl.col("died"))


@pytest.mark.parametrize(
    ("column", "named", "place"),
    [
        (CODED, None, 1),
        (CODED, "1", 0),
        (CODED, 1.0, 0),
        (CODED, np.int64(2), 1),
        (CODED, " dead ", 0),
        (TEXT, None, 2),
        (TEXT, "1.0", 1),
        (POINT, "1.5", 0),
        (POINT, 2.5, 1),
        (TRUTH, None, 0),
        (TRUTH, "false", 1),
        (TRUTH, 0, 1),
    ],
)
def test_a_level_is_named_in_any_spelling_or_by_its_label(
    column: Column, named: Any, place: int
) -> None:
    assert place_of(column, named) == place


@pytest.mark.parametrize(
    ("column", "named", "says"),
    [
        (CODED, "3", "is no level of 'died'; name one of 1 (dead), 2 (alive)"),
        (CODED, "", "is no level"),
        (CODED, ["dead"], "is no level"),
        (TEXT, 1, "means several levels"),
        (replace(CODED, labels=("x", "x")), "x", "means several levels"),
    ],
)
def test_a_level_that_is_not_declared_is_refused_with_those_there_are(
    column: Column, named: Any, says: str
) -> None:
    with pytest.raises(SettingError) as caught:
        place_of(column, named)
    assert says in str(caught.value)
    assert caught.value.__context__ is None


def test_more_than_two_classes_have_no_case() -> None:
    with pytest.raises(SettingError, match="each in turn; leave out the case"):
        Classification.of(SCHEMA, "stage", "I")
    settings = {"schema": SCHEMA, "epsilon": 1.0, "delta": 1e-5, "drop": ["patient", "days"]}
    with pytest.raises(SettingError, match="leave out the case"):
        make_condenser(target="stage", case="I", **settings).expectation()


def test_class_one_is_the_case_and_cells_come_back_as_they_were() -> None:
    schema = Schema.from_dict(coded())
    table = recode(make_table(50))
    values = to_columns(table, schema, ["died"])
    for case, level in ((None, 2), ("dead", 1), ("alive", 2)):
        task = Classification.of(schema, "died", case)
        outcomes = task.outcomes(values)
        np.testing.assert_array_equal(outcomes[:, 0] == 1, table["died"].to_numpy() == level)
        np.testing.assert_array_equal(task.values(outcomes)["died"], values["died"])
    missing = {"died": np.array([0, 1, -1])}
    assert Classification.of(schema, "died", 1).outcomes(missing)[:, 0].tolist() == [1, 0, -1]


def test_an_event_may_be_any_of_two_levels() -> None:
    field = {"name": "fate", "type": "string", "categories": ["dead", "alive"]}
    schema = Schema.from_dict({"fields": [*DESCRIPTOR["fields"], field]})
    codes = {"days": np.array([1.0, 2.0, 3.0]), "fate": np.array([0, 1, 1])}
    for case, events in ((None, [0, 1, 1]), ("dead", [1, 0, 0])):
        task = Survival.of(schema, "days", "fate", case)
        outcomes = task.outcomes(codes)
        assert outcomes[:, 1].tolist() == events
        assert task.values(outcomes)["fate"].tolist() == [0, 1, 1]
    task = Survival.of(schema, "days", "fate", "dead")
    with pytest.raises(Exception, match="is alive in every record"):
        task.check_together(task.outcomes(codes | {"fate": np.array([1, 1, 1])}))


def test_every_figure_follows_the_case_and_says_it(tmp_path: Path) -> None:
    train, test = recode(make_table(300)), recode(make_table(300, seed=1))
    made = make_condenser(schema=Schema.from_dict(coded()), case="1").fit(train)
    made.save(tmp_path / "out")
    release = CondensedTable.load(tmp_path / "out")
    assert release.task == {"kind": "classification", "target": "died", "case": 1}
    assert set(release.rows["died"]) == {1, 2}
    found = evaluate(release, train, test, by=["ward"], pictures=True)
    # The same figures as where the dead are the last level, coded 1 of 0 and 1.
    plain = make_condenser().fit(make_table(300))
    other = evaluate(plain.table_, make_table(300), make_table(300, seed=1), by=["ward"])
    for metric in ("AUROC", "AUPRC", "Brier", "calibration slope", "calibration intercept"):
        one, two = (e.value("logistic", CEILING, metric) for e in (found, other))
        assert one == pytest.approx(two, abs=1e-12)
    dead = int((test["died"] == 1).sum())
    assert (found.groups[0].events, found.groups[0].counts) == (dead, "died = 1 (dead)")
    assert found.to_dict()["case"] == {"column": "died", "level": 1, "label": "dead"}
    page = in_house_page(InHouse("T", "promise", found))
    assert page.count("case: died = 1 (dead)</caption>") == 2  # figures and gaps
    # AUROC, AUPRC, odds ratios, and curves of two models.
    assert page.count("<small>case: died = 1 (dead)</small>") == 7
    assert '<th scope="col" class="number">died = 1 (dead)</th>' in page
    for card in ("README.md", "card.html"):
        assert "died; the case is 1 (dead)" in (tmp_path / "out" / card).read_text()


def test_rows_have_the_prevalence_of_the_case_whichever_it_is() -> None:
    # Without noise a share of 16 rows is exact to a row.
    table = recode(make_table(300))
    share = cast(float, (table["died"] == 1).mean())
    for case in ("dead", "alive"):
        rows = make_condenser(schema=Schema.from_dict(coded()), case=case).fit(table).table_.rows
        assert abs(cast(float, (rows["died"] == 1).mean()) - share) <= 1 / 16


def test_the_command_line_takes_and_tells_the_case(tmp_path: Path) -> None:
    recode(make_table(120)).write_csv(tmp_path / "records.csv")
    recode(make_table(120, seed=1)).write_csv(tmp_path / "heldout.csv")
    (tmp_path / "schema.json").write_text(json.dumps(coded()))
    refused = run(*condensing(tmp_path, case="death"))
    assert (refused.code, "name one of 1 (dead), 2 (alive)" in refused.err) == (2, True)
    said = run(*condensing(tmp_path, case="dead"))
    assert (said.code, "case: died = 1 (dead)" in said.out) == (0, True)
    args = ["evaluate", tmp_path / "out", "--train", tmp_path / "records.csv"]
    args += ["--test", tmp_path / "heldout.csv"]
    assert "\ncase: died = 1 (dead)\n" in run(*args).out
    told = json.loads(run(*args, "--json").out)
    assert told["case"] == {"column": "died", "level": 1, "label": "dead"}


def test_several_classes_are_each_the_case_in_turn() -> None:
    drop = ["days", "event", "died", "patient"]
    made = make_condenser(target="stage", drop=drop).fit(make_table(300))
    assert made.table_.task == {"kind": "classification", "target": "stage"}
    found = evaluate(made.table_, make_table(300), make_table(200, seed=1), by=["ward"])
    assert found.says_case == "case: stage, each level in turn"
    assert found.to_dict()["case"] == {
        "column": "stage",
        "level": None,
        "label": "each level in turn",
    }
    assert found.groups[0].counts == "stage = III"
    assert "stage; each level in turn" in made.table_.card().told


def test_a_release_of_before_had_the_last_level_and_a_wrong_one_is_damaged(
    condensed: Any, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    path = tmp_path / "out" / "datapackage.json"
    package = json.loads(path.read_text())
    assert package["tincture"]["task"].pop("case") == 1
    del package["tincture"]["records"]
    path.write_text(json.dumps(package))
    old = CondensedTable.load(tmp_path / "out")
    assert old.outcome == condensed.table_.outcome
    assert case_of(old.schema, old.task) == Case("died", 1)
    assert old.card().told == "died; the case is 1"
    package["tincture"]["task"]["case"] = "heart"
    path.write_text(json.dumps(package))
    with pytest.raises(ReleaseError, match="is damaged: The case 'heart' is no level"):
        CondensedTable.load(tmp_path / "out")


def test_survival_by_words_is_survival_by_numbers() -> None:
    words = {0: "alive", 1: "dead"}
    field = {"name": "event", "type": "string", "categories": ["dead", "alive"]}
    fields = [f for f in DESCRIPTOR["fields"] if f["name"] != "event"]
    schema = Schema.from_dict({"fields": [*fields, field]})
    tables = [make_table(200, seed=seed) for seed in (0, 1)]
    named = [t.with_columns(pl.col("event").replace_strict(words)) for t in tables]
    settings = {
        "target": None,
        "time": "days",
        "event": "event",
        "drop": ["died", "stage", "patient"],
        "models": ["cox"],
    }
    made = make_condenser(schema=schema, case="dead", **settings).fit(named[0])
    plain = make_condenser(**settings).fit(tables[0])
    assert set(made.table_.rows["event"]) == {"alive", "dead"}
    found, other = evaluate(made.table_, *named), evaluate(plain.table_, *tables)
    for score in other.scores:
        if score.trained_on == CEILING:
            value = found.value(score.model, CEILING, score.metric)
            assert value == pytest.approx(score.figure.value, abs=1e-12)
    assert found.says_case == "case: event = dead"
    assert made.table_.card().told == "days (time) and event (event); the case is dead"


def test_stays_have_a_case_too(tmp_path: Path) -> None:
    described = OF_STAYS.to_dict()
    labelled = [{"value": 0, "label": "dead"}, {"value": 1, "label": "home"}]
    described["fields"][-1]["categories"] = labelled
    events, outcomes = make_stays()
    turned = outcomes.with_columns(died=1 - pl.col("died"))
    made = stays_condenser(Schema.from_dict(described), case="dead").fit(events, turned)
    table = made.table_
    assert table.task["case"] == 0
    share = cast(float, outcomes["died"].mean())
    assert table.settings["prevalence"] == pytest.approx(share, abs=0.01)
    table.save(tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| Outcome | died; the case is 0 (dead) |" in card
    assert f"| died = 0 (dead) | {100 * round(share, 4):.3g}% |" in card
    half = turned["stay_id"] < 1150
    found = evaluate_series(
        table, events, turned.filter(half), turned.filter(~half), networks=[], pictures=True
    )
    assert found.says_case == "case: died = 0 (dead)"
    assert found.value("logistic", CEILING, "AUROC") > 0.6
    assert found.courses[0].outcomes == ("died = 1 (home)", "died = 0 (dead)")
