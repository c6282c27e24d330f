"""The custodian's own page: what the release is worth, computed from real records."""

from __future__ import annotations

from collections.abc import Sequence

from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.scores import (
    CEILING,
    CONDENSED,
    EVERYONE,
    MARGIN,
    RANDOM,
    RANKING,
    Bars,
    Evaluation,
    Gap,
)
from tincture.report.charts import bar_chart, legend, line_chart
from tincture.report.markup import Child, Markup, element, join
from tincture.report.page import number, page, paragraphs, section, table
from tincture.report.summary import Attacks, InHouse

SOURCES = (CONDENSED, CEILING, RANDOM)
WARNING = "Computed from real records — do not release."
NO_ATTACK = "No attack on this release is shown; run tincture audit --out, then add --audit."


def in_house_page(summary: InHouse) -> str:
    """The page as a whole HTML document."""
    found = summary.evaluation
    return page(
        f"In-house: {summary.title}",
        element("p", WARNING, class_="warning"),
        element("p", summary.promise, class_="promise"),
        section("In short", _in_short(summary)),
        section("Utility", _says_utility(), says_case(found), utility(found, EVERYONE)),
        section("Subgroups", *_subgroups(found)),
        section("Learning speed", speed(found)),
        curves(found),
        _distributions(found.bars),
        section("Attacks", *_attacks(summary.attacks)),
        section("Looks at real records", says_looks(found.looks)),
    )


def _in_short(summary: InHouse) -> Markup:
    found, attacks = summary.evaluation, summary.attacks
    texts = (
        f"Of what all real records gain over chance ({' or '.join(RANKING)} above ½), models "
        f"trained on the condensed rows keep: {', '.join(kept(found))}.",
        _says_groups(found),
        attacks.in_short if attacks.findings else NO_ATTACK,
    )
    return element("ul", *(element("li", text) for text in texts))


def kept(found: Evaluation) -> list[str]:
    """Share of the ceiling's gain over chance, a model each."""
    return [
        f"{s.model} {_share(s.figure.value, found.value(s.model, CEILING, s.metric)):.0%}"
        for s in found.scores
        if (s.trained_on, s.group) == (CONDENSED, EVERYONE) and s.metric in RANKING
    ]


def _share(value: float, ceiling: float) -> float:
    return (value - 0.5) / (ceiling - 0.5) if ceiling > 0.5 else float("nan")


def _says_utility() -> Markup:
    return paragraphs(
        "Every model was trained on the condensed rows, on all real training records (the ceiling) "
        "and on as many random real records, and scored on held-out records. Brackets hold 95% "
        "intervals from resamples of the held-out records; the fits stay as they are.",
        "AUROC, AUPRC and C-index: larger is better. Brier scores: smaller is better. Calibration: "
        "slope 1, intercept 0 and difference 0 are right.",
    )


def says_case(found: Evaluation) -> Markup | None:
    """Which level is the positive class, in a sentence."""
    case = found.case
    if case is None:
        return None
    if case.level is None:
        return paragraphs(
            f"Of the classes of {case.column}, {case.title}: AUROC and AUPRC are means over each "
            "level against the rest, and the Brier score is the sum over all."
        )
    return paragraphs(
        f"The case, which is the positive class or the event that probabilities and risks are of: "
        f"{case.event}."
    )


def utility(found: Evaluation, group: str) -> Markup:
    """Every figure of a group with its interval, the sources side by side."""
    cells: dict[tuple[str, str], dict[str, Figure]] = {}
    rows = {s.trained_on: s.rows for s in found.scores}
    for s in found.scores:
        if s.group == group:
            cells.setdefault((s.model, s.metric), {})[s.trained_on] = s.figure
    lines = [
        (model, metric, *(_interval(row[source]) for source in SOURCES))
        for (model, metric), row in cells.items()
    ]
    heads = ["model", "figure", *(f"{s} ({rows[s]:,})" for s in SOURCES if s in rows)]
    caption = captioned("Figures on held-out records, by what was trained on", found)
    return table(caption, heads, lines, numbers=3)


def captioned(text: str, found: Evaluation) -> str:
    """A caption that says what the figures below it are about."""
    return f"{text}; {found.says_case}" if found.says_case else text


def _interval(figure: Figure) -> Markup:
    if figure.low != figure.low:
        return join(number(figure.value))
    ends = f"[{number(figure.low)}, {number(figure.high)}]"
    return join(number(figure.value), element("small", ends))


def _subgroups(found: Evaluation) -> Sequence[Child]:
    gaps = [g for g in found.gaps if g.group != EVERYONE]
    if not gaps:
        return (paragraphs(_says_groups(found)),)
    sizes: list[tuple[str, ...]] = [
        (g.label, f"{g.records:,}", f"{g.events:,}", "yes" if g.is_external else "no")
        for g in found.groups
    ]
    counted = next((g.counts for g in found.groups), "events")
    heads = ["group", "records", counted, "unseen site"]
    if not any(g.is_external for g in found.groups):
        heads, sizes = heads[:-1], [row[:-1] for row in sizes]
    return (
        paragraphs(
            element("strong", _says_groups(found)),
            "The gap is what the release loses against the ceiling; the excess is the group's gap "
            "less that of all records. A group is called left behind if its excess is above "
            f"{MARGIN:g} and the 95% interval of the excess is above 0; of groups that lose no "
            "more than others, one in forty would be by chance. Groups of few events have wide "
            "intervals: not being called out is then no proof of being served.",
        ),
        table("Groups", heads, sizes, numbers=len(heads) - 1),
        table(
            captioned("Gap to the ceiling by group", found),
            ["group", "model", "figure", "condensed", "ceiling", "gap", "excess", "verdict"],
            [_gap(found, g) for g in gaps],
            numbers=5,
            behind=[g.is_left_behind for g in gaps],
        ),
    )


def _says_groups(found: Evaluation) -> str:
    if all(g.group == EVERYONE for g in found.gaps):
        return "No subgroup was asked for; add --by to the command."
    behind = dict.fromkeys(g.group for g in found.left_behind)
    return f"Left behind: {', '.join(behind)}." if behind else "No group was clearly left behind."


def _gap(found: Evaluation, gap: Gap) -> Sequence[Child]:
    ours, best = (
        number(found.value(gap.model, source, gap.metric, gap.group))
        for source in (CONDENSED, CEILING)
    )
    flag = element("span", "left behind", class_="flag") if gap.is_left_behind else ""
    differences = (_interval(gap.figure), _interval(gap.excess))
    return (gap.group, gap.model, gap.metric, ours, best, *differences, flag)


def speed(found: Evaluation) -> Markup:
    """How long each model took to learn from each source."""
    full = {f.model: f for f in found.fits if f.trained_on == CEILING}
    rows = [
        (
            f.model,
            f.trained_on,
            f"{f.rows:,}",
            f"{f.seconds:.3g}",
            f"{full[f.model].seconds / f.seconds:.3g}",
            f"{full[f.model].rows / f.rows:.3g}",
        )
        for f in found.fits
    ]
    heads = ["model", "trained on", "rows", "seconds", "times faster", "times fewer rows"]
    return table("Time to fit, once, on this machine", heads, rows, numbers=4)


def curves(found: Evaluation) -> Markup | None:
    """A section of ROC and calibration curves, or of survival, if there are any."""
    charts = found.charts
    if not charts:
        return None
    names = [s for s in SOURCES if any(s == line.name for c in charts for line in c.lines)]
    titles = {"roc": "ROC", "calibration": "Calibration", "steps": "Kaplan–Meier"}
    figures = [
        drawn(about(f"{titles[c.kind]}: {c.title}", found), line_chart(c, found.says_case))
        for c in charts
    ]
    return section("Curves", legend(names), element("div", *figures, class_="grid-of-charts"))


def _distributions(bars: Sequence[Bars]) -> Markup | None:
    if not bars:
        return None
    figures = [
        drawn(join(b.column, " ", element("small", f"distance {b.distance:.2f}")), bar_chart(b))
        for b in bars
    ]
    return section(
        "Every column, condensed beside real",
        paragraphs(
            "Rows are chosen so that models learn, so that their distributions need not agree with "
            "those of the training records. The distance is total variation, from 0 to 1. Bins "
            "span the middle 98% of the real values; a column's longest bar fills its width."
        ),
        legend(SOURCES[:2]),
        element("div", *figures, class_="grid-of-charts"),
    )


def about(caption: Child, found: Evaluation) -> Markup:
    """A picture's name with what its figures are about."""
    return (
        join(caption, " ", element("small", found.says_case)) if found.says_case else join(caption)
    )


def drawn(caption: Child, drawing: Markup) -> Markup:
    """A picture below its name."""
    return element("figure", element("figcaption", caption), drawing)


def _attacks(attacks: Attacks) -> Sequence[Child]:
    if not attacks.findings:
        return (paragraphs(NO_ATTACK),)
    rows = [
        (f.attack, f.measure, f.says, _interval(f.figure), number(f.chance))
        for f in attacks.findings
    ]
    heads = ["attack", "measure", "finding", "value", "by chance"]
    verdicts = (
        element("li", v.says if v.is_well else element("strong", v.says)) for v in attacks.verdicts
    )
    return (
        paragraphs(
            "Whoever holds real records tries to tell those that were condensed (members) from "
            "others. An AUC of ½ is a coin's. What is told rightly of members holds of others too, "
            "as a release teaches about people at large; what betrays members is their lead.",
            "Brackets hold 95% intervals: one attack in twenty misses chance though it learns "
            "nothing. A dash: too few held-out records to tell. That an attack finds nothing "
            "proves nothing; the promise rests on its proof.",
        ),
        table("What attacks achieved", heads, rows, numbers=2),
        element("h3", "The vault"),
        element("ul", *verdicts),
    )


def says_looks(looks: Sequence[str]) -> Markup:
    """The looks at real records that the page took."""
    return join(
        paragraphs(
            "This page took these looks without noise. Each costs ε = ∞ and is booked in the "
            "in-house ledger, apart from that of the release."
        ),
        element("ul", *(element("li", look) for look in looks)),
    )
