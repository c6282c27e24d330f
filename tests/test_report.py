"""Pages stand alone, escape what they are told, name every picture, and betray no record."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import condensing, prepare, run
from helpers import DESCRIPTOR, make_table
from series_helpers import SCHEMA as OF_STAYS
from series_helpers import make_stays, stays_condenser
from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.pictures import Bars, Chart, Line
from tincture.evaluation.scores import Evaluation, Fit, Gap, Group, Score
from tincture.public.schema import Schema
from tincture.report.in_house import in_house_page
from tincture.report.markup import Markup, element, join
from tincture.report.summary import TOLD, Attacks, Finding, InHouse, Verdict
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=y>"
VOID = {"meta", "br"}
CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)


class Reader(HTMLParser):
    """Checks that tags nest, and keeps them with their attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs), self.open[-1] if self.open else ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(t == tag for t, _, _ in self.tags)


def check(text: str) -> Reader:
    """What every page owes its reader."""
    page = Reader(text)
    assert text.startswith("<!DOCTYPE html>")
    assert ("html", {"lang": "en"}, "") in page.tags
    assert not {"script", "img", "link", "iframe", "object", "base"} & {t for t, _, _ in page.tags}
    for tag, attributes, _ in page.tags:
        assert not {"src", "href", "xlink:href", "srcset", "style"} & attributes.keys(), tag
        assert not [a for a in attributes if a.startswith("on")], tag
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
    assert "url(" not in text
    assert "@import" not in text
    for parts in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        assert re.match(r"<svg[^>]*><title>[^<]+</title><desc>[^<]+</desc>", parts)
    assert page.count("table") == page.count("caption") == len(re.findall("<table><caption>", text))
    assert page.count("h1") == page.count("main") == 1
    return page


def invented(name: str = "ward") -> Evaluation:
    """An evaluation of one model with everything in it, and an odd name everywhere."""
    figure = Figure(0.7, 0.6, 0.8)
    sources = ("condensed", "all real records", "random real rows")
    groups = ("all", f"{name} = icu")
    curve = tuple(Line(s, ((0.0, 0.0), (0.4, 0.7), (1.0, 1.0))) for s in sources)
    alive = tuple(Line(s, ((0.0, 1.0), (700.0, 0.7), (1234.0, 0.5))) for s in sources[:2])
    return Evaluation(
        scores=tuple(Score(name, s, 9, g, "AUROC", figure) for g in groups for s in sources),
        looks=(name,),
        gaps=tuple(Gap(name, g, "AUROC", figure, Figure(0.1, 0.05, 0.2)) for g in groups[1:]),
        groups=tuple(Group(g, 40, 7, is_external=g != "all") for g in groups),
        fits=tuple(Fit(name, s, 9, 0.01) for s in sources),
        charts=(
            Chart("roc", name, name, name, curve),
            Chart("calibration", name, name, name, curve),
            Chart("steps", name, name, name, alive),
        ),
        bars=(Bars(name, (name, "b"), (0.2, 0.8), (0.5, 0.5)),),
    )


def test_elements_escape_all_but_elements() -> None:
    made = element("p", HOSTILE, element("b", 1 < 2), None, title=HOSTILE, class_=None)
    page = Reader(made)
    assert [t for t, _, _ in page.tags] == ["p", "b"]
    assert page.tags[0][1] == {"title": HOSTILE}
    assert page.texts == [HOSTILE, "True"]
    assert isinstance(join("<", Markup("<br>")), Markup)
    assert join("<", Markup("<br>")) == "&lt;<br>"


def test_the_data_card_says_what_the_release_says(condensed: Condenser, tmp_path: Path) -> None:
    condensed.save(tmp_path / "out")
    text = (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    page = check(text)
    said = " ".join(page.texts)
    assert condensed.ledger.promise in page.texts
    for phrase in ("adding or removing one unit", "one record", "Limits", "died", "1e-05", "ε"):
        assert phrase in said
    for phase in condensed.ledger.plan.phases:
        assert phase.question in page.texts
    for column in condensed.table_.schema.columns:
        assert column.name in page.texts
    assert "18 to 100" in page.texts


def test_a_release_without_a_promise_warns(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert run(*condensing(tmp_path, epsilon="inf", quiet=True)).code == 0
    text = (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    assert '<p class="warning">NO PRIVACY PROMISE' in text


def test_report_writes_the_card_again_and_over_nothing(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    said = run("report", tmp_path / "out", "--out", tmp_path / "card.html")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert (tmp_path / "card.html").read_bytes() == (tmp_path / "out" / "card.html").read_bytes()
    again = run("report", tmp_path / "out", "--out", tmp_path / "card.html")
    assert again.code == 8
    assert "exists already" in again.err


def test_hostile_names_and_levels_are_only_text() -> None:
    attacks = Attacks(
        (Finding(HOSTILE, HOSTILE, Figure(0.5, 0.4, 0.6), 0.5),), (Verdict(HOSTILE, False),)
    )
    summary = InHouse(HOSTILE, HOSTILE, invented(HOSTILE), attacks)
    assert HOSTILE in check(in_house_page(summary)).texts


def test_the_in_house_page_shows_everything_and_says_do_not_release() -> None:
    attacks = Attacks(
        (Finding("distance", "AUC", Figure(0.51, 0.47, 0.55), 0.5),), (Verdict("passed", True),)
    )
    page = check(in_house_page(InHouse("T", "promise", invented(), attacks)))
    heading = page.texts.index("In-house: T", 2)  # after the title and the style sheet
    assert page.texts[heading + 1] == "Computed from real records — do not release."
    assert page.count("svg") == 5
    for text in (
        "left behind",
        "Left behind: ward = icu.",
        "as by chance",
        "passed",
        "0.510",
        "promise",
    ):
        assert text in page.texts
    bare = InHouse("T", "promise", Evaluation(invented().scores, ()))
    assert any(t.startswith("No attack on this release") for t in check(in_house_page(bare)).texts)


def test_the_page_says_in_short_what_attacks_found() -> None:
    lead = Figure(0.1, 0.05, 0.15)
    findings = (
        Finding("rows", "share equal to a training record", lead, 0.0),
        Finding("ward inferred", TOLD, Figure(0.6, 0.55, 0.65), 0.5),
        Finding("closest row", "AUC", Figure(float("nan"), float("nan"), float("nan")), 0.5),
    )
    assert [f.says for f in findings] == ["above chance", "see the lead", "–"]
    said = Attacks(findings, (Verdict("FAILED: noise", False),)).in_short
    assert said.startswith("Above chance: 1 of 2 figures of attacks (rows, share equal")
    assert said.endswith("What failed: FAILED: noise")


def held(summary: object) -> Iterator[object]:
    """Everything that hangs on a frozen summary."""
    yield summary
    if is_dataclass(summary):
        for field in fields(summary):
            yield from held(getattr(summary, field.name))
    elif isinstance(summary, tuple):
        for part in summary:
            yield from held(part)


def test_a_summary_is_frozen_and_holds_numbers_and_words_only(condensed: Condenser) -> None:
    found = evaluate(
        condensed.table_, make_table(200), make_table(200, seed=1), by=["ward"], pictures=True
    )
    card = condensed.table_.card()
    for part in held(InHouse(card.title, card.promise, found)):
        kind: Any = type(part)
        if is_dataclass(part):
            assert kind.__dataclass_params__.frozen
        else:
            assert part is None or type(part) in (str, int, float, bool, tuple)
    check(in_house_page(InHouse(card.title, card.promise, found)))


def test_no_patient_value_reaches_the_data_card(tmp_path: Path) -> None:
    odd = make_table(80).with_columns(
        sodium=pl.lit(123.456789), patient=pl.lit("Zx81sentinel"), lactate=pl.lit(17.77)
    )
    prepare(tmp_path, odd, DESCRIPTOR)
    assert run(*condensing(tmp_path, epsilon=1, quiet=True)).code == 0
    text = (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    for value in ("Zx81", "123.4567", "17.77"):
        assert value not in text
    # Not even an invented one: the card is drawn from what was declared and booked.
    rows = CondensedTable.load(tmp_path / "out")
    assert all(not isinstance(p, pl.DataFrame) for p in held(rows.card()))


@pytest.mark.parametrize("epsilon", [1.0, float("inf")])
def test_stays_have_a_data_card_too(epsilon: float, tmp_path: Path) -> None:
    described = OF_STAYS.to_dict()
    described["fields"][0] |= {"description": HOSTILE, "unit": "/min"}
    events, outcomes = make_stays()
    odd = events.with_columns(
        pl.col("stay_id").cast(pl.String) + "Zx81",
        value=pl.when(pl.col("variable") == "HR").then(123.456789).otherwise("value"),
    )
    named = outcomes.with_columns(pl.col("stay_id").cast(pl.String) + "Zx81", age=pl.lit(61.7654))
    condenser = stays_condenser(Schema.from_dict(described), epsilon=epsilon).fit(odd, named)
    condenser.save(tmp_path / "out")
    text = (tmp_path / "out" / "card.html").read_text(encoding="utf-8")
    page = check(text)
    assert ('<p class="warning">NO PRIVACY' in text) == (epsilon > 1)
    assert {"died; the case is 1", "one stay", "12 h in bins of 1 h", "Limits", "0 to 300"} < set(
        page.texts
    )
    assert any(HOSTILE in t for t in page.texts)
    assert {phase.question for phase in condenser.ledger.plan.phases} <= set(page.texts)
    assert {column.name for column in condenser.table_.schema.columns} <= set(page.texts)
    for value in ("Zx81", "123.4567", "61.7654"):
        assert value not in text
    # No invented cell either: the card is drawn from what was declared and booked.
    parts = list(held(condenser.table_.card()))
    assert not [p for p in parts if isinstance(p, pl.DataFrame)]
    other = condenser.table_.events.with_columns(pl.col("value").reverse() + 1 / 7)
    assert replace(condenser.table_, events=other).card() == condenser.table_.card()
    said = run("report", tmp_path / "out", "--out", tmp_path / "card.html")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert (tmp_path / "card.html").read_text(encoding="utf-8") == text


def test_evaluate_writes_the_page_and_books_its_looks(tmp_path: Path) -> None:
    prepare(tmp_path, make_table(120))
    assert run(*condensing(tmp_path, quiet=True)).code == 0
    records = tmp_path / "records.csv"
    args = ["evaluate", tmp_path / "out", "--train", records, "--test", tmp_path / "heldout.csv"]
    args += ["--by", "ward"]
    said = run(*args, "--report", tmp_path / "in.html", "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")
    page = check((tmp_path / "in.html").read_text(encoding="utf-8"))
    assert page.count("svg") == 2 + 2 * 2 + 6 + 1
    looks = (tmp_path / "out.in-house.jsonl").read_text().splitlines()
    assert len(looks) == 6
    assert run(*args, "--report", tmp_path / "in.html").code == 8
    assert len((tmp_path / "out.in-house.jsonl").read_text().splitlines()) == 6


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("size", ["1200,900", "500,900"])
def test_a_browser_renders_the_page_without_a_word(size: str, tmp_path: Path) -> None:
    path = tmp_path / "in.html"
    path.write_text(in_house_page(InHouse("T", "promise", invented())), encoding="utf-8")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={size}"]
    arguments += [f"--user-data-dir={tmp_path}/profile", "--enable-logging=stderr"]
    picture = tmp_path / "in.png"
    for wanted in ("--dump-dom", f"--screenshot={picture}"):
        done = subprocess.run(
            [str(CHROMIUM), *arguments, wanted, path.as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert (
            ":CONSOLE" not in done.stderr
        )  # neither an error nor a request that the policy blocks
        if wanted == "--dump-dom":
            assert done.stdout.count("<svg") == 5
    assert picture.stat().st_size > 10_000
