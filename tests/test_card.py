"""The Markdown and the HTML of a data card are one document, and what it says is true."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from helpers import make_condenser, make_table
from series_helpers import SCHEMA as OF_STAYS
from series_helpers import make_stays
from test_case import coded, recode
from test_released import SCHEMA as OF_REGISTRY
from test_released import registry
from tincture.privacy.accounting import Phase, calibrate
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival
from tincture.report.card import card_page, card_text, document
from tincture.report.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Lines,
    Paragraph,
    Promise,
    Section,
    Table,
    as_html,
    as_markdown,
)
from tincture.spine.questions import CellCounts, told_shares
from tincture.spine.release import Release
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.release import CondensedSeries
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable

TOLD = {"h1": "h1", "h2": "h2", "h3": "h3", "p": "p", "caption": "p", "li": "li", "pre": "pre"}
TOLD |= {"th": "cell", "td": "cell"}
NASTY = "a|b `c` <script>alert(1)</script>\n# _d_ *e* [f](http://g) ![h](i) &lt; \\| ~~j~~"
Facts = list[tuple[str, str]]


def plainly(text: str) -> str:
    return " ".join(text.split())


class Reader(HTMLParser):
    """Every heading, paragraph, bullet, cell and code of a page in order, with its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.facts: Facts = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag in TOLD:
            self.facts.append((TOLD[tag], ""))

    def handle_data(self, data: str) -> None:
        if self.facts:
            kind, text = self.facts[-1]
            self.facts[-1] = kind, text + data


def read(page: str) -> Facts:
    reader = Reader(page)
    assert not {"script", "img", "a", "em", "del", "blockquote", "hr"} & reader.tags
    return [(kind, plainly(text)) for kind, text in reader.facts]


def of_block(block: Block) -> Iterator[tuple[str, str]]:
    match block:
        case Section(title, blocks):
            yield "h2", title
            for inner in blocks:
                yield from of_block(inner)
        case Heading(text):
            yield "h3", text
        case Paragraph(text) | Promise(text):
            yield "p", text
        case Bullets(items):
            yield from (("li", item) for item in items)
        case Lines(_, text):
            yield "pre", text
        case Table(caption, heads, rows):
            yield "p", caption
            yield from (("cell", cell) for row in (heads, *rows) for cell in row)


def of_document(told: Document) -> Facts:
    facts = [("h1", told.title), *(f for block in told.blocks for f in of_block(block))]
    return [(kind, plainly(text)) for kind, text in facts]


def of_markdown(text: str) -> Facts:
    return read(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def assert_same(told: Document) -> None:
    assert read(as_html(told)) == of_document(told)
    assert of_markdown(as_markdown(told)) == of_document(told)


words = st.text(st.sampled_from("ab1.) |`<>&;#*_~[](!)\\\n-+=:x/\"'é "), min_size=1, max_size=12)
texts = st.one_of(words.filter(lambda text: text.strip()), st.just(NASTY))


@given(st.lists(texts, min_size=12, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_text_stays_text_and_is_the_same_in_both(made: list[str]) -> None:
    table = Table(made[4], (made[5], made[6]), ((made[7], made[8]),), numbers=1)
    code = Lines("python", plainly(made[9]))
    blocks = (Heading(made[1]), Paragraph(made[2]), Bullets((made[3], made[10])), table, code)
    promise = Promise(made[11], True)
    assert_same(Document(made[0], (promise, Section(made[1], blocks), Paragraph(made[2]))))


def renamed(made: CondensedTable, names: dict[str, str]) -> CondensedTable:
    """The same release with columns of other names, also as the column of persons."""
    columns = tuple(replace(c, name=names.get(c.name, c.name)) for c in made.schema.columns)
    task = {role: names.get(str(told), told) for role, told in made.task.items()}
    schema = replace(made.schema, columns=columns, title=NASTY)
    ledger = made.ledger.from_dict({**made.ledger.to_dict(), "unit": NASTY})
    rows = made.rows.rename(names)
    return replace(made, rows=rows, schema=schema, task=task, ledger=ledger)


def of_rows(**changes: Any) -> CondensedTable:
    return make_condenser(**changes).fit(make_table(200)).table_


def of_stays(epsilon: float = math.inf, n_rows: int = 16, **changes: Any) -> CondensedSeries:
    settings: dict[str, Any] = {"target": "died", "hours": 12, "delta": 1e-5, "effort": 0} | changes
    stays = SeriesCondenser(schema=OF_STAYS, epsilon=epsilon, n_rows=n_rows, **settings)
    return stays.fit(*make_stays()).table_


def survival() -> CondensedTable:
    return of_rows(
        target=None, time="days", event="event", drop=["died", "stage", "patient"], models=["cox"]
    )


def several() -> CondensedTable:
    return of_rows(target="stage", drop=["days", "event", "died", "patient"])


def test_both_cards_of_every_release_hold_the_same_facts(condensed: Condenser) -> None:
    registered = make_condenser(schema=OF_REGISTRY, drop=[]).fit(registry()[1]).table_
    names = {"age": NASTY, "died": "| `died`", "ward": "</td>\nward"}
    for made in (
        condensed.table_,
        registered,
        survival(),
        several(),
        renamed(condensed.table_, names),
        of_stays(),
        of_stays(1.0),
        of_stays(n_rows=36),
    ):
        card = made.card()
        told = document(card)
        assert_same(told)
        assert (card_page(card), card_text(card)) == (as_html(told), as_markdown(told))
        facts = {text for _, text in of_document(told)}
        # What only one of the cards told before.
        assert {"largest clip", "noise multiplier", "Accountant", "meaning"} <= facts
        assert {plainly(c.name) for c in made.schema.columns} <= facts


def said(made: Release) -> str:
    return " ".join(text for _, text in of_document(document(made.card())))


def share(made: Release, real: Any, invented: Any = None, error: Any = 0.0) -> str:
    """The section on prevalence of a release whose real and invented shares are told."""
    package = made.package()
    package["tincture"]["settings"] |= {"prevalence": real, "prevalence_error": error}
    if invented is not None:
        package["tincture"]["prevalence"] = invented
    ledger = made.ledger.to_dict()
    card = type(made.card()).of(package, ledger, made.schema, made.words(package, ledger))
    text = " ".join(text for _, text in of_document(document(card)))
    return text.partition("How often the outcome occurs ")[2].partition(" The promise, ")[0]


def test_stays_are_corrected_by_log_odds() -> None:
    far = share(of_stays(), 0.02, 1 / 16)
    shift = math.log(0.02 / 0.98) - math.log(1 / 15)
    assert f"add −{-shift:.3f} to predicted log odds" in far
    assert "no correction" not in far
    top = share(of_stays(), 1.0, 0.25)
    assert f"add {math.log(0.999 * 3 / 0.001):.3f} to" in top  # 0.999 at most


def test_rows_are_not_corrected_but_where_noise_hides_the_share(condensed: Condenser) -> None:
    # The release has 16 rows; half a row is 1/32.
    made = condensed.table_
    near = share(made, 0.25 + 1 / 32, 0.25)
    assert "died = 1 28.1% 25% The shares agree as nearly as 16 rows allow: predicted" in near
    assert "real records, through noise" in near
    assert "agree within the noise: predicted" in share(made, 0.3, 0.25, error=0.05)
    assert "differ, but predicted probabilities need no correction" in share(made, 0.12, 1 / 16)
    noisy = share(made, 0.12, 1 / 16, error=0.005)
    assert "(± 2 deviations)" in noisy
    assert "12% ± 1 6.25%" in noisy
    assert "need no correction" in noisy
    for hidden in (share(made, 0.0, 0.25, error=0.2), share(made, 0.25, 0.25, error=0.125)):
        assert "The noise hides the real share" in hidden
        assert "probabilities need to be recalibrated on real records" in hidden
    assert " ± " not in share(made, 0.25, error="much")
    for unknown in (share(made, None), share(made, "often"), share(made, [0.1, 0.9])):
        assert "died = 1 not told" in unknown
        assert "cannot say how to correct predictions" in unknown


def test_several_classes_are_left_as_they_are_and_survival_is_recalibrated() -> None:
    made = several()
    near = share(made, [0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
    assert "stage = II 50% 50%" in near
    assert "need no correction" in near
    far = share(made, [0.1, 0.8, 0.1], [0.25, 0.75, 0.0])
    assert "stage = I 10% 25% stage = II 80% 75% stage = III 10% 0%" in far
    assert "differ, but predicted probabilities need no correction" in far
    assert "The noise hides" in share(made, [0.1, 0.8, 0.1], error=0.05)
    made = survival()
    assert "absolute risks need no correction" in share(made, 0.5, 0.5)
    assert "need to be recalibrated on real records" in share(made, 0.5, 0.25)
    assert "Each time was drawn evenly within one of up to 32 parts" in said(made)


def test_a_rare_case_that_was_given_a_row_is_not_said_to_be_as_frequent() -> None:
    table = make_table(400)
    rare = table.with_columns(died=pl.when(pl.int_range(pl.len()) < 3).then(1).otherwise(0))
    made = make_condenser().fit(rare).table_
    text = said(made)
    assert made.rows["died"].sum() == 1
    assert "0.75% 6.25% The outcome is too rare for 16 rows to show its share: ranks" in text
    labelled = make_condenser(schema=Schema.from_dict(coded()), case="1").fit(recode(table)).table_
    assert "died = 1 (dead)" in said(labelled)


def test_how_far_noise_moves_a_share_follows_from_noisy_counts() -> None:
    plan = calibrate(1.0, 1e-5, [Phase(CellCounts.question, 1, 1.0)])
    noise = plan.mechanism(CellCounts.question).noise_multiplier
    counts, task = np.array([300.0, 100.0]), Classification("died", 2)
    told = told_shares(task, counts, noise)
    assert told == {"prevalence": 0.25, "prevalence_error": round(noise / 400, 4)}
    assert told_shares(task, -counts, noise)["prevalence_error"] == 1.0
    # Of a survival outcome each side is a running sum, of less noise than its many cells together.
    timed = Survival("days", "event", 0.0, 20.0)
    told = told_shares(timed, np.full(timed.n_cells, 50.0), noise)
    one = noise / 50 / timed.n_cells
    assert one < told["prevalence_error"] < one * math.sqrt(timed.n_bins) / 2
    assert "prevalence_error" in of_stays(1.0).settings
    assert "prevalence_error" not in of_stays().settings


def test_noise_is_told_only_where_there_is_some(condensed: Condenser) -> None:
    assert "part of them, each with Gaussian noise" in said(condensed.table_)
    exact = said(of_stays())
    assert "part of them, without noise" in exact
    assert ", through noise" not in exact


def test_stays_are_said_to_be_alike_only_where_they_are() -> None:
    alike = of_stays(n_rows=36)
    assert "in groups of 3 that are alike" in said(alike)
    events = alike.events.drop(alike.events.columns[0])
    assert len(events) > 2 * len(events.unique())
    assert "in groups of 3 that are alike" in said(of_stays(1.0, n_rows=36))
    assert "alike" not in said(of_stays(n_rows=16))


def test_whom_the_promise_protects_is_named_as_what_it_is(condensed: Condenser) -> None:
    made = condensed.table_
    persons = made.ledger.from_dict({**made.ledger.to_dict(), "unit": "patient"})
    assert "Protected unit one record " in said(made)
    assert "Protected unit one person (patient) " in said(replace(made, ledger=persons))
    assert "A person counts once" in said(replace(made, ledger=persons))
    assert "A person counts once" not in said(made)
    stays = of_stays()
    for unit, told in (("stay", "one stay "), ("patient", "one person (patient) ")):
        ledger = stays.ledger.from_dict({**stays.ledger.to_dict(), "unit": unit})
        assert f"Protected unit {told}" in said(replace(stays, ledger=ledger))
    ledger = stays.ledger.from_dict({**stays.ledger.to_dict(), "unit": "stay_id"})
    told = said(replace(stays, ledger=ledger))
    assert "Protected unit one stay with all its windows (stay_id) " in told


def limits(made: Release) -> str:
    return said(made).rpartition(" Limits ")[2]


# What the card says of both files agrees: the cohort is for any model and has the counted shares.
def test_what_is_said_of_other_models_and_of_populations_heeds_the_cohort(
    condensed: Condenser,
) -> None:
    both, alone = limits(condensed.table_), limits(replace(condensed.table_, cohort=None))
    assert "cohort.csv" in said(condensed.table_)
    assert "may learn less from condensed.csv; train them on cohort.csv." in both
    assert "In cohort.csv each column is distributed as it was counted" in both
    assert "may learn less from condensed.csv." in alone
    assert "cohort.csv" not in alone


# Censoring by another cause is told where there are times, and nowhere else.
def test_a_card_of_survival_says_what_an_end_by_another_cause_was_read_as(
    condensed: Condenser,
) -> None:
    assert "Where another cause ended the observation" in limits(survival())
    assert "another cause" not in limits(condensed.table_)
