"""The custodian's own page: what a release is worth, computed from real records of any kind."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.pictures import agreement
from tincture.evaluation.scores import (
    CEILING,
    CHANCE,
    COHORT,
    CONDENSED,
    EVERYONE,
    MARGIN,
    Evaluation,
    Gap,
    Score,
)
from tincture.report.attacks import WARNING, attacked, interval
from tincture.report.axes import legend
from tincture.report.charts import score_chart
from tincture.report.drawings import (
    about,
    convergence,
    courses,
    curves,
    distributions,
    drawn,
    grid,
    influences,
)
from tincture.report.markup import Child, Markup, element, join
from tincture.report.page import number, page, paragraphs, section, table
from tincture.report.ratios import ratios
from tincture.report.summary import InHouse

FAR = 0.5  # a calibration intercept is called out beyond it, a slope below it or above its inverse


def in_house_page(summary: InHouse) -> str:
    """The page as a whole HTML document; a section for whatever there is to show."""
    found, words = summary.evaluation, summary.evaluation.words
    return page(
        f"In-house: {summary.title}",
        element("p", WARNING, class_="warning"),
        element("p", summary.promise, class_="promise"),
        section("In short", element("ul", *(element("li", t) for t in _in_short(summary)))),
        section("Utility", *_utility(found)),
        ratios(found),
        _subgroups(found),
        courses(found),
        influences(found),
        convergence(found),
        section("Learning speed", _speed(found)),
        curves(found),
        distributions(found),
        attacked(summary.attacks, words.records),
        section(f"Looks at real {words.records}", _says_looks(found.looks)),
    )


def _in_short(summary: InHouse) -> list[str]:
    found, words = summary.evaluation, summary.evaluation.words
    texts = []
    for source, name in ((CONDENSED, f"condensed {words.rows}"), (COHORT, "invented cohort")):
        if shares := _kept(found, source):
            known = {s.metric for s in found.scores} & CHANCE.keys()
            ranking = " or ".join(f"{m} above {CHANCE[m]:g}" for m in CHANCE if m in known)
            texts.append(
                f"Of what all real {words.records} gain over chance ({ranking}), models "
                f"trained on the {name} keep: {', '.join(shares)}."
            )
        if wrong := _miscalibrated(found, source):
            texts.append(
                f"Trained on the {name}, probabilities of {', '.join(wrong)} are far off, though "
                "risks may be ranked well; recalibrate on real patients before use."
            )
    texts.append(_says_groups(found))
    if found.influences:
        texts.append(
            f"The order of what moves predictions agrees with that of real {words.records} by a "
            f"rank correlation of {number(agreement(found.influences), 2)} (1 is the same order, "
            "0 none in common)."
        )
    if found.note:
        texts.append(found.note)
    no_attack = (
        f"No attack on this release is shown; run tincture {words.audit} --out, then add --audit."
    )
    return [*texts, summary.attacks.in_short if summary.attacks.findings else no_attack]


def _kept(found: Evaluation, source: str) -> list[str]:
    """Share of the ceiling's gain over chance, a model each."""
    shares = {
        s.model: _share(s, found.value(s.model, CEILING, s.metric))
        for s in found.scores
        if (s.trained_on, s.group) == (source, EVERYONE) and s.metric in CHANCE
    }
    return [f"{model} {share:.0%}" for model, share in shares.items() if math.isfinite(share)]


def _share(score: Score, ceiling: float) -> float:
    chance = CHANCE[score.metric]
    return (score.figure.value - chance) / (ceiling - chance) if ceiling > chance else float("nan")


def _miscalibrated(found: Evaluation, source: str) -> list[str]:
    """Models whose risks are far from what is observed when they are trained on the release."""
    limits = {"calibration slope": (FAR, 1 / FAR), "calibration intercept": (-FAR, FAR)}
    wrong = [
        s.model
        for s in found.scores
        if (s.trained_on, s.group) == (source, EVERYONE) and s.metric in limits
        if s.figure.value < limits[s.metric][0] or s.figure.value > limits[s.metric][1]
    ]
    return list(dict.fromkeys(wrong))


def _utility(found: Evaluation) -> list[Child]:
    words = found.words
    cohort = ", on the invented cohort" if COHORT in found.sources else ""
    metrics = dict.fromkeys(s.metric for s in found.scores if s.metric in (*CHANCE, "AUPRC"))
    charts = [drawn(about(m, found), score_chart(found, m)) for m in metrics]
    return [
        paragraphs(
            f"Every model was trained on the condensed {words.rows}{cohort}, on all real training "
            f"{words.records} (the ceiling) and on as many random real {words.records}, and scored "
            f"on held-out {words.records}. Brackets hold 95% intervals from resamples of the "
            f"held-out {words.records}; the fits stay as they are.",
            *([words.training] if words.training else []),
            "AUROC, AUPRC, C-index and R2: larger is better. Brier scores and absolute errors: "
            "smaller is better. "
            "Calibration: slope 1, intercept 0, observed / predicted 1 and difference 0 are right.",
        ),
        _says_case(found),
        legend(found.sources),
        grid(charts),
        _figures(found),
    ]


def _says_case(found: Evaluation) -> Markup | None:
    """Which level is the positive class, in a sentence."""
    case = found.case
    if case is None:
        return None
    if case.is_amount:
        return paragraphs(
            f"The outcome {case.column} is an amount: R2 is the share of its squared deviations "
            "that predictions explain (of its logarithm, where the schema declares that scale); "
            "errors are in its unit."
        )
    if case.level is None:
        return paragraphs(
            f"Of the classes of {case.column}, {case.title}: AUROC and AUPRC are means over each "
            "level against the rest, and the Brier score is the sum over all."
        )
    return paragraphs(
        f"The case, which is the positive class or the event that probabilities and risks are of: "
        f"{case.event}."
    )


def _figures(found: Evaluation) -> Markup:
    """Every figure of everyone with its interval, the sources side by side."""
    cells: dict[tuple[str, str], dict[str, Figure]] = {}
    rows = {s.trained_on: s.rows for s in found.scores}
    for s in found.scores:
        if s.group == EVERYONE:
            cells.setdefault((s.model, s.metric), {})[s.trained_on] = s.figure
    lines = [
        (model, metric, *(interval(row[source]) for source in found.sources))
        for (model, metric), row in cells.items()
    ]
    heads = ["model", "figure", *(f"{s} ({rows[s]:,})" for s in found.sources)]
    caption = _captioned(
        f"Figures on held-out {found.words.records}, by what was trained on", found
    )
    return table(caption, heads, lines, numbers=len(found.sources))


def _captioned(text: str, found: Evaluation) -> str:
    """A caption that says what the figures below it are about."""
    return f"{text}; {found.says_case}" if found.says_case else text


def _subgroups(found: Evaluation) -> Markup | None:
    gaps = [g for g in found.gaps if g.group != EVERYONE]
    if not gaps:
        return None
    records = found.words.records
    sizes: list[tuple[str, ...]] = [
        (g.label, f"{g.records:,}", f"{g.events:,}", "yes" if g.is_external else "no")
        for g in found.groups
    ]
    counted = next((g.counts for g in found.groups), "events")
    heads = ["group", records, counted, "unseen site"]
    if not any(g.is_external for g in found.groups):
        heads, sizes = heads[:-1], [row[:-1] for row in sizes]
    return section(
        "Subgroups",
        paragraphs(
            element("strong", _says_groups(found)),
            "The gap is what the release loses against the ceiling; the excess is the group's gap "
            f"less that of all {records}. A group is called left behind if its excess is above "
            f"{MARGIN:g} and the 95% interval of the excess is above 0; of groups that lose no "
            "more than others, one in forty would be by chance. Groups of few events have wide "
            "intervals: not being called out is then no proof of being served.",
        ),
        table("Groups", heads, sizes, numbers=len(heads) - 1),
        table(
            _captioned("Gap to the ceiling by group", found),
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
    differences = (interval(gap.figure), interval(gap.excess))
    return (gap.group, gap.model, gap.metric, ours, best, *differences, flag)


def _speed(found: Evaluation) -> Markup:
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
    of = found.words.rows
    heads = ["model", "trained on", of, "seconds", "times faster", f"times fewer {of}"]
    return table("Time to train, once, on this machine", heads, rows, numbers=4)


def _says_looks(looks: Sequence[str]) -> Markup:
    return join(
        paragraphs(
            "This page took these looks without noise. Each costs ε = ∞ and is booked in the "
            "in-house ledger, apart from that of the release."
        ),
        element("ul", *(element("li", look) for look in looks)),
    )
