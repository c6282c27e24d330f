"""What condensed stays are worth: scores, groups, looks, refusals and the page."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import BENCHMARK, PHYSIONET, SCHEMA, benchmark, make_stays, physionet
from test_report import HOSTILE, check, held
from tincture import evaluate_series
from tincture.errors import ModelError, ReleaseError, SettingError, TableError
from tincture.evaluation.bench import Fitted, Watch
from tincture.evaluation.evaluate import evaluate
from tincture.evaluation.learning import Learned
from tincture.evaluation.merits import OfClasses
from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.panel import Panel
from tincture.evaluation.pictures import (
    Convergence,
    Course,
    Influence,
    Line,
    Track,
    agreement,
    shares,
)
from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, RANDOM, Evaluation, Score
from tincture.report.axes import clock, ticks
from tincture.report.in_house import in_house_page
from tincture.report.summary import InHouse
from tincture.stays.bench import WORDS, StaysBench
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.learners import StaysLearner
from tincture.stays.release import CondensedSeries

NETWORKS = ("gru", "lstm", "tcn", "transformer", "mlp")
Real = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]


@cache
def real() -> Real:
    """Events of all stays, outcomes to condense and to hold out."""
    (events, outcomes), (others, held_out) = make_stays(300), make_stays(150, seed=1)
    moved = pl.col("stay_id") + 5000
    every = pl.concat([events, others.with_columns(moved)])
    return every, outcomes, held_out.with_columns(moved)


@pytest.fixture(scope="module")
def whole() -> CondensedSeries:
    settings: dict[str, Any] = {"schema": SCHEMA, "target": "died", "hours": 12, "n_rows": 16}
    events, outcomes, _ = real()
    condenser = SeriesCondenser(**settings, cohort=40, epsilon=math.inf, delta=1e-5, effort=0)
    return condenser.fit(events, outcomes).table_


@pytest.fixture(scope="module")
def release(whole: CondensedSeries) -> CondensedSeries:
    """Without its cohort, on which networks would be trained as well."""
    return replace(whole, cohort=None)


def score(release: CondensedSeries, *networks: Any, **more: Any) -> Evaluation:
    """An evaluation with short trainings, where torch is installed."""
    pytest.importorskip("torch")
    from tincture.stays.networks import Recipe

    events, train, test = real()
    bench = StaysBench(release, networks, recipe=Recipe(steps=12, rate=5e-3))
    return evaluate(bench, (events, train), (None, test), **more)


@pytest.fixture(scope="module")
def scored(release: CondensedSeries) -> Evaluation:
    """Of two networks, with everything that a page shows."""
    return score(release, "mlp", "gru", pictures=True)


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a command finds it that runs where torch is not installed."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "tincture.stays.networks", raising=False)


def test_without_torch_classical_models_are_scored_and_the_way_to_networks_told(
    whole: CondensedSeries,
) -> None:
    events, train, test = real()
    found = evaluate(StaysBench(whole, deep=False), (events, train), (None, test))
    assert {s.model for s in found.scores} == {"logistic", "boosting"}
    assert 'pip install "tincture[deep]"' in found.note
    for model in ("logistic", "boosting"):
        value = {s: found.value(model, s, "AUROC") for s in (COHORT, CEILING)}
        assert min(value.values()) > 0.65  # of 40 stays, and of all
    assert found.value("logistic", CONDENSED, "AUROC") > 0.8
    assert {s.rows for s in found.scores if s.trained_on != CEILING} == {16, 40}
    assert found.looks == ("train-on-real ceiling of stays", "held-out scores of stays")
    with pytest.raises(ModelError, match=r"pip install \"tincture\[deep\]\""):
        StaysBench(whole, ["gru"], deep=False)


def test_networks_are_scored_each_and_together(scored: Evaluation) -> None:
    assert list(dict.fromkeys(s.model for s in scored.scores)) == [
        "mean of networks",
        "mlp",
        "gru",
        "logistic",
        "boosting",
    ]
    assert {s.metric for s in scored.scores} >= {"AUROC", "AUPRC", "Brier", "calibration slope"}
    for source in (CONDENSED, CEILING, RANDOM):
        each = [scored.value(model, source, "AUROC") for model in ("gru", "mlp")]
        assert scored.value("mean of networks", source, "AUROC") == pytest.approx(np.mean(each))
        figure = scored.figure("mlp", source, "AUROC")
        assert figure.low < figure.value < figure.high
    assert scored.value("mlp", CONDENSED, "AUROC") > 0.75
    assert scored.note == ""


def test_the_seed_decides_and_runs_are_averaged(release: CondensedSeries) -> None:
    def once(**more: Any) -> list[float]:
        found = score(release, "mlp", **more)
        assert (found.charts, found.courses, found.influences, found.bars) == ((), (), (), ())
        return [found.value(m, s, "AUROC") for m in ("mlp", "logistic") for s in (CEILING, RANDOM)]

    assert once() == once()
    first, both = once(), once(runs=2)
    assert first[0] != both[0]
    assert first[2] == pytest.approx(both[2])  # logistic regression has no seed,
    assert first[3] != both[3]  # but the random stays have


def test_figures_of_several_runs_are_their_means() -> None:
    rng = np.random.default_rng(0)
    outcomes = (rng.random((90, 1)) < 0.4).astype(np.float64)
    risks = [np.clip(0.3 * outcomes[:, 0] + 0.6 * rng.random(90), 0.01, 0.99) for _ in range(2)]
    runs = [
        Learned("m", CEILING, 9, 1.0, np.stack([1 - p, p], axis=1), np.empty((0, 2)), outcomes)
        for p in risks
    ]
    merits, everyone = OfClasses(outcomes, 2), {"all": np.ones(90, dtype=bool)}
    values = [
        {s.metric: s.figure.value for s in Panel(some, everyone, merits, 0).scores()}
        for some in ([runs[0]], [runs[1]], runs)
    ]
    for metric, value in values[2].items():
        assert value == pytest.approx((values[0][metric] + values[1][metric]) / 2)


def test_a_network_of_ones_own_is_scored_by_its_name(release: CondensedSeries) -> None:
    pytest.importorskip("torch")
    from torch import nn

    def plain(bins: int, channels: int) -> Any:
        return nn.Sequential(nn.Flatten(), nn.Linear(bins * channels, 1))

    found = score(release, plain)
    assert {s.model for s in found.scores} == {"plain", "logistic", "boosting"}
    assert found.value("plain", CEILING, "AUROC") > 0.75


def test_networks_need_not_be_known_by_heart(release: CondensedSeries) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SettingError, match="'cnn' is not known; use gru, lstm, tcn, transformer"):
        StaysBench(release, ["cnn"])
    from tincture.stays.networks import NETWORKS as known

    assert tuple(known) == NETWORKS


def with_hospitals(sides: Real) -> Real:
    """Outcomes of hospitals in turn, one of which only held-out stays are of."""
    events, train, test = sides
    told = [
        t.with_columns(hospital=pl.Series([names[i % 2] for i in range(t.height)]))
        for t, names in ((train, (1, 2)), (test, (2, 3)))
    ]
    return events, told[0], told[1]


def test_subgroups_by_static_columns_and_by_hospital(release: CondensedSeries) -> None:
    """A group has the figures of its held-out stays alone, whatever it is made by."""
    events, train, test = with_hospitals(real())
    by = ["sex", "age:55,70", "hospital"]
    found = evaluate_series(release, events, train, test, networks=[], by=by)
    about = {g.label: g for g in found.groups}
    assert set(about) == {
        "all",
        "sex = f",
        "sex = m",
        "age < 55",
        "age 55 to < 70",
        "age ≥ 70",
        "hospital = 2",
        "hospital = 3",
    }
    assert [label for label, g in about.items() if g.is_external] == ["hospital = 3"]
    assert found.looks[2:] == ("hospital of stays", "hospital of training stays")
    parts = {
        "sex = m": pl.col("sex") == "m",
        "age ≥ 70": pl.col("age") >= 70,
        "hospital = 3": pl.col("hospital") == 3,
    }
    for label, inside in parts.items():
        some = test.filter(inside)
        assert about[label].records == some.height
        assert about[label].events == some["died"].sum()
        alone = evaluate_series(release, events, train, some, networks=[])
        for source in (CONDENSED, CEILING, RANDOM):
            expected = alone.value("logistic", source, "AUROC")
            assert found.value("logistic", source, "AUROC", label) == pytest.approx(expected)
    gap = next(g for g in found.gaps if (g.group, g.metric) == ("sex = m", "AUROC"))
    best, ours = (found.value("logistic", s, "AUROC", "sex = m") for s in (CEILING, CONDENSED))
    assert gap.figure.value == pytest.approx(best - ours, abs=1e-12)


def test_a_hospital_is_called_by_its_label_where_a_schema_tells_it(
    release: CondensedSeries,
) -> None:
    levels = [{"value": v, "label": n} for v, n in ((1, "North"), (2, "South"), (3, "West"))]
    hospital = {"name": "hospital", "type": "integer", "categories": levels}
    schema = type(SCHEMA).from_dict({"fields": [hospital]})
    sides = with_hospitals(real())
    found = evaluate_series(release, *sides, networks=[], by=["hospital"], schema=schema)
    assert [g.label for g in found.groups[1:]] == ["hospital = 2 (South)", "hospital = 3 (West)"]


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("fate", "no feature 'fate' to look at subgroups by; it has age, sex"),
        ("died", "no feature 'died'"),
        ("age", "need cut points"),
        ("sex:2", "need no cut points"),
        ("stay_id", None),
    ],
)
def test_a_bad_subgroup_of_stays_is_refused_before_a_look(
    by: str, says: str | None, release: CondensedSeries, tmp_path: Path
) -> None:
    events, train, test = real()
    path = tmp_path / "looks.jsonl"
    if says is None:  # 150 stays are fewer than too many hospitals, but none holds 20 of them
        found = evaluate_series(release, events, train, test, networks=[], by=[by])
        assert [g.label for g in found.groups] == ["all"]
        return
    with pytest.raises(SettingError, match=says):
        evaluate_series(release, events, train, test, networks=[], by=[by], in_house=path)
    assert not path.exists()


def test_held_out_stays_must_be_others(release: CondensedSeries) -> None:
    events, outcomes, held_out = real()
    mixed = pl.concat([held_out, outcomes.head(3)])
    for others in (outcomes, outcomes.reverse(), mixed):
        with pytest.raises(TableError, match="Keep some aside before you condense"):
            evaluate_series(release, events, outcomes, others, networks=[])
    with pytest.raises(TableError, match="Keep some aside"):
        evaluate_series(release, events, outcomes, outcomes, test_events=events, networks=[])


def test_held_out_events_may_lie_elsewhere(release: CondensedSeries) -> None:
    events, outcomes, held_out = real()
    is_own = pl.col("stay_id") < 5000
    apart = evaluate_series(
        release,
        events.filter(is_own),
        outcomes,
        held_out,
        test_events=events.filter(~is_own),
        networks=[],
    )
    together = evaluate_series(release, events, outcomes, held_out, networks=[])
    assert apart.scores == together.scores
    # Other people's stays may have the same names.
    renamed = pl.col("stay_id") - 5000
    other = evaluate_series(
        release,
        events.filter(is_own),
        outcomes,
        held_out.with_columns(renamed),
        test_events=events.filter(~is_own).with_columns(renamed),
        networks=[],
    )
    assert other.scores == together.scores


def test_raw_physionet_records_are_scored_as_they_were_condensed(tmp_path: Path) -> None:
    physionet(tmp_path, 60)
    told = pl.read_csv(tmp_path / "outcomes/Outcomes-a.txt")
    train, test = (tmp_path / "outcomes" / f"{name}.txt" for name in ("train", "test"))
    told.head(40).write_csv(train)
    told.tail(20).write_csv(test)
    settings: dict[str, Any] = {"target": "in_hospital_death", "n_rows": 8, "epsilon": math.inf}
    condenser = SeriesCondenser(schema=PHYSIONET, delta=1e-5, **settings, effort=0).fit(
        tmp_path, train
    )
    found = evaluate_series(condenser.table_, tmp_path, train, test, networks=[])
    assert found.value("logistic", CEILING, "AUROC") > 0.9
    assert found.value("logistic", CONDENSED, "AUROC") > 0.9
    with pytest.raises(TableError, match="Keep some aside"):
        evaluate_series(condenser.table_, tmp_path, train, train, networks=[])


def test_a_benchmark_has_its_held_out_stays_in_another_folder(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("train", "test")]
    for folder in folders:
        folder.mkdir()
        benchmark(folder, 30 if folder.name == "train" else 24)
    settings: dict[str, Any] = {"target": "y_true", "n_rows": 8, "hours": 4, "stay": "stay"}
    condenser = SeriesCondenser(
        schema=BENCHMARK, epsilon=math.inf, delta=1e-5, **settings, effort=0
    )
    condenser.fit(folders[0])
    lists = [folder / "listfile.csv" for folder in folders]
    found = evaluate_series(
        condenser.table_, folders[0], *lists, test_events=folders[1], networks=[]
    )
    assert found.value("logistic", CEILING, "AUROC") == 1


@pytest.mark.parametrize("runs", [0, 101])
def test_runs_are_within_reason(runs: int, release: CondensedSeries) -> None:
    with pytest.raises(SettingError, match="expected 1 to 100"):
        evaluate_series(release, *real(), runs=runs)


@pytest.mark.parametrize("broken", ["prevalence", "hours", "columns", "time_unit"])
def test_a_release_without_its_settings_is_refused(broken: str, release: CondensedSeries) -> None:
    settings = {k: v for k, v in release.settings.items() if k != broken}
    with pytest.raises(ReleaseError, match="settings of the release are incomplete"):
        evaluate_series(replace(release, settings=settings), *real(), networks=[])


class Quoting:
    """Fails on whatever it is trained on, and quotes it."""

    name = "quoting"

    def learn(self, table: Any, seed: int, watch: Watch) -> Fitted:
        raise RuntimeError("Zx81")


def test_a_model_that_fails_betrays_nothing(release: CondensedSeries) -> None:
    events, train, test = real()
    bench = StaysBench(release, [])
    bench.learners = [cast(StaysLearner, Quoting())]
    told = r"'quoting' trained on condensed failed \(RuntimeError"
    with pytest.raises(ModelError, match=told) as caught:
        evaluate(bench, (events, train), (None, test))
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.fixture
def files(release: CondensedSeries, tmp_path: Path) -> list[Any]:
    """A command line; stays have odd names that no output may hold."""
    name = pl.col("stay_id").cast(pl.String) + "Zx81"
    names = ("events", "outcomes", "heldout")
    for table, file in zip(real(), names, strict=True):
        table.with_columns(name).write_parquet(tmp_path / f"{file}.parquet")
    release.save(tmp_path / "out")
    events, train, test = (tmp_path / f"{file}.parquet" for file in names)
    return ["evaluate-series", tmp_path / "out", events, "--train", train, "--test", test]


def looks(folder: Path) -> list[dict[str, str]]:
    path = folder / "out.in-house.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.usefixtures("without_torch")
def test_the_command_scores_books_and_says_what_is_missing(
    files: list[Any], tmp_path: Path
) -> None:
    said = run(*files)
    assert (said.code, said.err) == (0, "")
    assert "do not release" in said.out
    assert 'pip install "tincture[deep]"' in said.out
    assert [look["epsilon"] for look in looks(tmp_path)] == ["inf", "inf"]
    said = run(*files, "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    said = run(*files, "--json")
    told = json.loads(said.out)
    assert told["notice"].endswith("do not release")
    assert told["note"].startswith("Networks were not scored")
    assert len(told["scores"]) == 2 * 3 * 6
    assert "Zx81" not in said.out
    assert len(looks(tmp_path)) == 6
    said = run(*files, "--network", "gru")
    assert (said.code, said.out) == (5, "")
    assert said.err.count("\n") == 1
    assert len(looks(tmp_path)) == 6


def test_the_command_refuses_in_one_sentence(files: list[Any], tmp_path: Path) -> None:
    same = [*files[:-1], files[4]]
    for args, code in ((same, 4), ([*files, "--report", tmp_path], 8), ([*files, "--runs", 0], 2)):
        said = run(*args)
        assert (said.code, said.out) == (code, "")
        assert said.err.startswith("tincture: ")
        assert said.err.count("\n") == 1
        assert "Zx81" not in said.err
    assert run("evaluate-series", tmp_path, *files[2:]).code == 8
    assert not looks(tmp_path)


@pytest.mark.usefixtures("without_torch")
def test_the_page_without_torch(files: list[Any], release: CondensedSeries, tmp_path: Path) -> None:
    """Subgroups, and the attacks of an audit of this release and of no other, are on it too."""
    figure = {"attack": "closest stay", "measure": "AUC", "value": 0.51, "low": 0.47, "high": 0.55}
    finding = figure | {"chance": 0.5, "says": "as by chance"}
    audit = {"release": release.fingerprint, "findings": [finding], "verdicts": []}
    (tmp_path / "audit.json").write_text(json.dumps(audit))
    (tmp_path / "other.json").write_text(json.dumps(audit | {"release": "another"}))
    page_of = [*files, "--by", "sex", "--report", tmp_path / "in.html"]
    for args in ([*page_of, "--audit", tmp_path / "other.json"], [*files, "--audit", "no.json"]):
        assert run(*args).code in (2, 8)
    assert not looks(tmp_path)
    said = run(*page_of, "--audit", tmp_path / "audit.json", "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    text = (tmp_path / "in.html").read_text(encoding="utf-8")
    page = check(text)
    # Figures, courses, influences, curves; bars of the static columns and the outcome.
    assert page.count("svg") == 2 + 2 + 2 + 2 * 2 + 3
    assert "Zx81" not in text
    assert any('pip install "tincture[deep]"' in t for t in page.texts)
    assert {"sex = m", "closest stay", "Subgroups", "Attacks", "Looks at real stays"} < {
        *page.texts
    }
    assert looks(tmp_path)[-1]["look"] == "courses of single stays, drawn"
    assert run(*page_of).code == 8
    assert len(looks(tmp_path)) == 5


def test_the_page_with_networks(scored: Evaluation) -> None:
    text = in_house_page(InHouse("T", "promise", scored))
    page = check(text)
    heading = next(i for i, t in enumerate(page.texts) if t.startswith("In-house") and i > 1)
    assert page.texts[heading + 1] == "Computed from real records — do not release."
    assert page.count("svg") == 2 + 2 + 2 + 1 + 4 * 2 + 3
    assert "Convergence of mlp" in page.texts
    assert "Every lower panel shows single patients." in page.texts
    assert not {"Subgroups", "Attacks"} & {*page.texts}
    told = json.loads(json.dumps(scored.to_dict(), allow_nan=False))
    assert [x for x, _ in told["convergence"]["lines"][0]["points"]] == [1, 10]
    found = {i["name"]: i for i in told["influences"]}
    assert found.keys() == {"HR", "Lactate", "MechVent", "age", "sex"}
    assert found["HR"]["condensed"] > found["sex"]["condensed"]
    assert -1 <= told["agreement"] <= 1
    assert "courses" not in told


def everything(name: str = "ward") -> Evaluation:
    """Everything that only a page of stays can show."""
    figure, line = Figure(0.7, 0.6, 0.8), ((1.0, 0.4), (10.0, 0.8))
    three, two = (CONDENSED, CEILING, RANDOM), (CONDENSED, CEILING)
    tracks = tuple(Track(s, k, ((0.5, -3.0), (7.5, 1e4))) for s in two for k in (0, 1))
    return Evaluation(
        scores=tuple(Score(name, s, 9, "all", "AUROC", figure) for s in three),
        looks=(name,),
        influences=(Influence(name, 0.2, 1.5), Influence("b", 0.1, 0.4), Influence("c", 0, 0)),
        courses=(Course(name, name, 48.0, (name, f"not {name}"), tracks),),
        convergence=Convergence(name, (Line(CONDENSED, line), Line(CEILING, line))),
        note=name,
        words=WORDS,
    )


def test_hostile_names_are_only_text_on_the_page_of_stays() -> None:
    page = check(in_house_page(InHouse(HOSTILE, HOSTILE, everything(HOSTILE))))
    assert page.texts.count(HOSTILE) > 5
    assert page.count("svg") == 5


def test_the_page_speaks_of_stays() -> None:
    """No word of its own calls them rows or records, but for the warning of every page."""
    said = " ".join(check(in_house_page(InHouse("T", "promise", everything()))).texts)
    told = said.replace("Computed from real records", "").replace("all real records", "")
    told = told.replace("random real rows", "").split("</style>")[-1]
    assert "condensed stays" in told
    assert "tincture audit-series --out" in told
    assert not [w for w in ("records", " rows") if w in told[told.index("In short") :]]


def test_the_page_says_whose_probabilities_are_far_off() -> None:
    good, bad = Figure(1.0, 0.9, 1.1), Figure(-4.0, -4.5, -3.5)
    told = [("gru", "AUROC", ""), ("gru", "calibration slope", "")]
    told += [("mlp", "calibration slope", CONDENSED), ("tcn", "calibration slope", CEILING)]
    scores = tuple(
        Score(model, source, 9, "all", metric, bad if source == wrong else good)
        for model, metric, wrong in told
        for source in (CONDENSED, CEILING, RANDOM)
    )
    found = replace(everything("gru"), scores=scores)
    page = check(in_house_page(InHouse("T", "promise", found)))
    said = [t for t in page.texts if "recalibrate on real" in t]
    assert len(said) == 1
    assert said[0].startswith("Trained on the condensed stays, probabilities of mlp are far")


def test_a_summary_of_stays_is_frozen_and_holds_numbers_and_words_only(
    scored: Evaluation,
) -> None:
    for part in held(InHouse("T", "promise", scored)):
        kind: Any = type(part)
        if is_dataclass(part):
            assert kind.__dataclass_params__.frozen
        else:
            assert part is None or type(part) in (str, int, float, bool, tuple)
    assert {t.source for c in scored.courses for t in c.tracks} == {CONDENSED, CEILING}
    for course in scored.courses:
        assert all(0 < x < 12 for t in course.tracks for x, _ in t.points)
    assert [c.variable for c in scored.courses] == ["HR", "Lactate"]
    assert [b.column for b in scored.bars] == ["age", "sex", "died"]


def test_influences_are_compared_by_order_and_by_share() -> None:
    found = everything().influences
    assert agreement(found) == pytest.approx(1)
    assert [(i.condensed, i.real) for i in shares(found)] == [
        pytest.approx((2 / 3, 1.5 / 1.9)),
        pytest.approx((1 / 3, 0.4 / 1.9)),
        (0, 0),
    ]
    assert agreement((Influence("a", 0, 1),)) == 0


def many() -> Iterator[tuple[float, float]]:
    rng = np.random.default_rng(0)
    for _ in range(200):
        low = float(rng.normal()) * 10 ** float(rng.integers(-3, 4))
        yield low, low + abs(float(rng.normal())) * 10 ** float(rng.integers(-3, 4))


def test_ticks_enclose_and_are_few_and_round() -> None:
    for low, high in many():
        found = ticks(low, high)
        assert found[0] <= low + 1e-6 * (high - low)
        assert found[-1] >= high - 1e-6 * (high - low)
        assert 2 <= len(found) <= 8
    assert clock(48) == (0, 12, 24, 36, 48)
    assert clock(12) == (0, 2, 4, 6, 8, 10, 12)
    assert clock(720)[-1] >= 720
    assert clock(1)[-1] >= 1
