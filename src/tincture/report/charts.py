"""Lines, bars, marks and courses as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tincture.evaluation.pictures import Bars, Chart, Convergence, Course, Influence, Line, Track
from tincture.evaluation.scores import CEILING, CONDENSED, EVERYONE, Evaluation
from tincture.report.axes import (
    PLOT,
    SIDE,
    TOP,
    Axes,
    Points,
    clock,
    colour,
    framed,
    label,
    rule,
    ticks,
)
from tincture.report.markup import Markup, element

LEFT, ROW, PANEL, GAP = 48, 20, 112, 26
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_ROWS = 20


def line_chart(chart: Chart, about: str = "") -> Markup:
    """Lines over the unit square, or steps over time, with axes and accessible names.

    Parameters
    ----------
    chart : Chart
    about : str
        Which level is the case, for whoever cannot see the picture.
    """
    widest = max((x for line in chart.lines for x, _ in line.points), default=1.0) or 1.0
    x_ticks = ticks(0.0, widest) if chart.kind == "steps" else QUARTERS
    axes = Axes(LEFT + 4, TOP, PLOT, PLOT, x_ticks, QUARTERS)
    name = {"roc": "ROC curve", "calibration": "Calibration", "steps": "Kaplan–Meier curve"}
    return framed(
        f"{name[chart.kind]}: {chart.title}",
        f"{chart.y} against {chart.x}, for {', '.join(line.name for line in chart.lines)}."
        f"{f' {about}.' if about else ''}",
        axes.drawn(chart.x, chart.y),
        None if chart.kind == "steps" else axes.line([(0.0, 0.0), (1.0, 1.0)], "diagonal"),
        *(_line(axes, line, chart.kind) for line in chart.lines),
    )


def _line(axes: Axes, line: Line, kind: str) -> Markup:
    points: Points = [(x, min(max(y, 0.0), 1.0)) for x, y in line.points]
    dots = axes.dots(points, 3.5) if kind == "calibration" else ()
    if kind == "steps":
        corners = [p for a, b in pairwise(points) for p in (a, (b[0], a[1]))]
        points = [*corners, points[-1]]
    told = element("title", line.name)
    return element("g", told, axes.line(points, "line"), *dots, class_=colour(line.name))


def bar_chart(bars: Bars) -> Markup:
    """Shares of a column's levels or bins, condensed above real."""
    step, left, width = 30, 128, 180
    most = max((*bars.condensed, *bars.real), default=1.0) or 1.0
    parts = []
    for i, level in enumerate(bars.labels):
        y = 6 + i * step
        shown = level if len(level) <= 18 else f"{level[:17]}…"
        parts.append(label(left - 8, y + 15, shown, "end"))
        for k, (name, share) in enumerate(
            ((CONDENSED, bars.condensed[i]), (CEILING, bars.real[i]))
        ):
            told = element("title", f"{level}, {name}: {share:.1%}")
            long = f"{max(share / most * width, 0.5):.1f}"
            bar = element("rect", told, x=left, y=y + 11 * k, width=long, height=10)
            parts.append(element("g", bar, class_=f"{colour(name)} bar"))
    says = "; ".join(
        f"{level}: {a:.1%} and {b:.1%}"
        for level, a, b in zip(bars.labels, bars.condensed, bars.real, strict=True)
    )
    return framed(
        f"Distribution of {bars.column}",
        f"Shares among those condensed and among real ones. {says}.",
        *parts,
        height=len(bars.labels) * step + 8,
    )


def course_chart(course: Course) -> Markup:
    """Condensed stays above real ones, over the same axes."""
    values = [y for track in course.tracks for _, y in track.points]
    x_ticks = clock(course.hours)
    parts = []
    for i, source in enumerate((CONDENSED, CEILING)):
        top = 22 + i * (PANEL + GAP)
        axes = Axes(LEFT, top, SIDE - LEFT - 14, PANEL, x_ticks, ticks(min(values), max(values), 4))
        parts.append(axes.drawn("hours" if i else "", ""))
        parts.append(label(LEFT, top - 8, "real" if i else CONDENSED, "start"))
        parts += [_track(axes, t, course) for t in course.tracks if t.source == source]
    counts = [sum(t.source == source for t in course.tracks) for source in (CONDENSED, CEILING)]
    return framed(
        f"Courses of {course.variable}",
        f"{course.variable} over {course.hours:g} hours in {counts[0]} condensed stays, and on the "
        f"same axes below in {counts[1]} real ones.",
        *parts,
        height=22 + 2 * PANEL + GAP + 44,
    )


def _track(axes: Axes, track: Track, course: Course) -> Markup:
    told = element("title", f"{track.source}, {course.outcomes[track.outcome]}")
    line = axes.line(track.points, "thin")
    return element("g", told, line, *axes.dots(track.points, 1.4), class_=f"o{track.outcome}")


def score_chart(found: Evaluation, metric: str) -> Markup:
    """One figure of merit of every model with its interval, a mark a source."""
    scores = [
        s
        for s in found.scores
        if (s.metric, s.group) == (metric, EVERYONE) and math.isfinite(s.figure.value)
    ]
    models = list(dict.fromkeys(s.model for s in scores))
    ends = [v for s in scores for v in (s.figure.value, s.figure.low, s.figure.high)]
    known = [v for v in ends if math.isfinite(v)] or [0.5]
    sources = found.sources
    left, top, step = 116, 10, len(sources) * 11 + 12
    height = len(models) * step
    axes = Axes(left, top, SIDE - left - 14, height, ticks(min(known), max(known), 4), (0.0, 1.0))
    parts = [axes.below(metric)]
    for s in scores:
        y = top + models.index(s.model) * step + 12 + 11 * sources.index(s.trained_on)
        value, low, high = s.figure.value, s.figure.low, s.figure.high
        interval = f" ({low:.3f} to {high:.3f})" if math.isfinite(low) else ""
        told = f"{s.model}, {s.trained_on}: {value:.3f}{interval}"
        marks = [element("title", told), _dot(axes.x(value), y, 4)]
        if math.isfinite(low):
            marks.append(rule(axes.x(low), axes.x(high), y, y, "whisker"))
        parts.append(element("g", *marks, class_=colour(s.trained_on)))
    for i, model in enumerate(models):
        parts.append(label(left - 8, top + i * step + step // 2 + 5, model, "end"))
    says = "; ".join(f"{s.model}, {s.trained_on}: {s.figure.value:.3f}" for s in scores)
    return framed(
        f"{metric} on held-out {found.words.records}",
        f"{metric} with 95% intervals, by model and by what it was trained on. {says}.",
        *parts,
        height=top + height + 44,
    )


def influence_chart(influences: Sequence[Influence], says: str) -> Markup:
    """What moves models trained on condensed and on real stays, a line a column.

    Parameters
    ----------
    influences : sequence of Influence
        The first are shown.
    says : str
        What the values are.
    """
    shown = influences[:MOST_ROWS]
    highest = max((v for i in shown for v in (i.condensed, i.real)), default=1.0)
    left, top, height = 116, 10, len(shown) * ROW
    axes = Axes(left, top, SIDE - left - 14, height, ticks(0.0, highest, 4), (0.0, 1.0))
    parts = [axes.below(says)]
    for row, one in enumerate(shown):
        y = top + (row + 0.5) * ROW
        name = one.name if len(one.name) <= 16 else f"{one.name[:15]}…"
        parts.append(label(left - 8, y + 4, name, "end"))
        parts.append(rule(axes.x(one.condensed), axes.x(one.real), y, y, "link"))
        for source, value in ((CONDENSED, one.condensed), (CEILING, one.real)):
            told = element("title", f"{one.name}, {source}: {value:.2f}")
            dot = _dot(axes.x(value), y, 5, told)
            parts.append(element("g", dot, class_=f"{colour(source)} bar"))
    values = "; ".join(f"{i.name}: {i.condensed:.2f} and {i.real:.2f}" for i in shown)
    return framed(
        f"What models heed, {says}",
        f"For each column, {says}, trained on condensed and on real stays. {values}.",
        *parts,
        height=top + height + 44,
    )


def convergence_chart(convergence: Convergence, metric: str) -> Markup:
    """A figure of the held-out records against steps of training."""
    steps, areas = zip(*(p for line in convergence.lines for p in line.points), strict=True)
    y_ticks = ticks(min(*areas, 0.5), max(areas))
    axes = Axes(LEFT + 4, 14, SIDE - LEFT - 18, PLOT, ticks(0.0, max(steps)), y_ticks)
    parts = [axes.drawn("steps of training", metric)]
    for line in convergence.lines:
        told = element("title", line.name)
        parts.append(element("g", told, axes.line(line.points, "line"), class_=colour(line.name)))
    ends = "; ".join(f"{one.name}: {one.points[-1][1]:.3f}" for one in convergence.lines)
    return framed(
        f"Convergence of {convergence.network}",
        f"Held-out {metric} against steps of training. At the end, {ends}.",
        *parts,
    )


def _dot(x: float, y: float, radius: float, *told: Markup) -> Markup:
    return element("circle", *told, cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius)
