"""Odds and hazard ratios of invented rows beside the real ones: a forest plot and its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tincture.evaluation.scores import ADVICE, CHECKS, SOURCES, Evaluation, Ratio
from tincture.report.axes import SIDE, Axes, colour, framed, label, legend, rule
from tincture.report.drawings import about, drawn, grid
from tincture.report.markup import Child, Markup, element, join
from tincture.report.page import number, paragraphs, section, table

FARTHEST = 10.0  # ratios beyond it or its inverse lie at the edge
TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LINE = 11


def ratios(found: Evaluation) -> Markup | None:
    """What a recipient's plain regression says, and what a file says of itself."""
    if not found.ratios and not found.checks:
        return None
    parts: list[Child] = [paragraphs(element("strong", ADVICE))]
    if found.ratios:
        parts += [legend(_sources(found)), grid([_plot(found)]), _told(found)]
    if found.checks:
        parts.append(_checks(found))
    return section("What a recipient's regression says", *parts)


def _plot(found: Evaluation) -> Markup:
    return drawn(about("Odds (hazard) ratios", found), forest(found.ratios))


def forest(told: Sequence[Ratio]) -> Markup:
    """Ratios on a logarithmic axis, with the intervals of the real ones."""
    sources = [s for s in SOURCES if any(r.trained_on == s for r in told)]
    terms = list(dict.fromkeys(r.term for r in told))
    left, top, step = 136, 10, len(sources) * LINE + 10
    height = len(terms) * step
    axes = Axes(left, top, SIDE - left - 14, height, (-1.0, 1.0), (0.0, 1.0))
    parts = []
    for tick in TICKS:
        x = _place(axes, tick)
        parts.append(rule(x, x, top, top + height))
        parts.append(label(x, top + height + 17, f"{tick:g}", "middle"))
    for i, term in enumerate(terms):
        name = term.split(" : ")[0]  # what a level is against stands in the table
        shown = name if len(name) <= 18 else f"{name[:17]}…"
        parts.append(label(left - 8, top + i * step + step / 2 + 4, shown, "end"))
    for r in told:
        if math.isfinite(r.figure.value):
            y = top + terms.index(r.term) * step + 10 + LINE * sources.index(r.trained_on)
            parts.append(_mark(axes, r, y))
    says = "; ".join(f"{r.term}, {r.trained_on}: {_ratio(r)}" for r in told)
    return framed(
        "Ratios of the plain regression",
        f"Odds or hazard ratios by term and by what was trained on. {says}.",
        *parts,
        height=top + height + 44,
    )


def _mark(axes: Axes, r: Ratio, y: float) -> Markup:
    x = _place(axes, r.figure.value)
    told = element("title", f"{r.term}, {r.trained_on}: {_ratio(r)}")
    marks = [told, element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4)]
    if math.isfinite(r.figure.low):
        ends = _place(axes, r.figure.low), _place(axes, r.figure.high)
        marks.append(rule(*ends, y, y, "whisker"))
    return element("g", *marks, class_=colour(r.trained_on))


def _place(axes: Axes, value: float) -> float:
    """On the axis, at its end for what lies beyond."""
    return axes.x(max(-1.0, min(math.log(max(value, 1e-300)) / math.log(FARTHEST), 1.0)))


def _ratio(r: Ratio) -> str:
    """For people; one of separated rows is only called huge or tiny."""
    value = r.figure.value
    if not math.isfinite(value):
        return "–"
    if not 1e-3 < value < 1e3:
        return "separated"
    return number(value, 2 if value >= 0.1 else 3)


def _sources(found: Evaluation) -> list[str]:
    return [s for s in SOURCES if any(r.trained_on == s for r in found.ratios)]


def _told(found: Evaluation) -> Markup:
    sources = _sources(found)
    cells = {(r.term, r.trained_on): r for r in found.ratios}
    lines = [
        (term, *(_cell(cells[term, s]) for s in sources))
        for term in dict.fromkeys(r.term for r in found.ratios)
    ]
    caption = (
        "Odds (hazard) ratios of the plain regression on the columns that matter most among real "
        f"{found.words.records}, amounts per real standard deviation; brackets hold 95% intervals"
    )
    return table(caption, ["term", *sources], lines, numbers=len(sources))


def _cell(r: Ratio) -> Child:
    if not math.isfinite(r.figure.low):
        return _ratio(r)
    return join(
        _ratio(r),
        element("small", f"[{number(r.figure.low, 2)}, {number(r.figure.high, 2)}]"),
    )


def _checks(found: Evaluation) -> Markup:
    sources = [s for s in SOURCES if any(c.trained_on == s for c in found.checks)]
    cells = {(c.name, c.trained_on): c.value for c in found.checks}
    lines = [
        (name, says, *(number(cells.get((name, s), math.nan)) for s in sources))
        for name, says in CHECKS.items()
        if any(c.name == name for c in found.checks)
    ]
    heads = ["check", "meaning", *sources]
    return table("Invented tables as wholes", heads, lines, numbers=len(sources))
