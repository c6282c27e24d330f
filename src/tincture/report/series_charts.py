"""Courses of stays, what models heed, and how training converges, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tincture.evaluation.scores import CEILING, CONDENSED
from tincture.evaluation.series_scores import (
    Convergence,
    Course,
    Influence,
    SeriesEvaluation,
    Track,
)
from tincture.report.charts import PLOT, SERIES, SIDE, framed, label
from tincture.report.markup import Markup, element, join

LEFT, ROW, PANEL, GAP = 48, 20, 112, 26
MOST_ROWS = 20
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axes:
    """A rectangle of a picture, and the round values that it spans."""

    left: float
    top: float
    width: float
    height: float
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        """Place of a value from the left."""
        first, last = self.x_ticks[0], self.x_ticks[-1]
        return self.left + (value - first) / (last - first) * self.width

    def y(self, value: float) -> float:
        """Place of a value from the top."""
        first, last = self.y_ticks[0], self.y_ticks[-1]
        return self.top + (1 - (value - first) / (last - first)) * self.height

    def drawn(self, x_says: str, y_says: str) -> Markup:
        """Horizontal lines with their values; values below only where they are named."""
        parts = []
        for tick in self.y_ticks:
            parts.append(_rule(self.left, self.left + self.width, self.y(tick), self.y(tick)))
            parts.append(label(self.left - 6, self.y(tick) + 4, f"{tick:,g}", "end"))
        bottom, middle = self.top + self.height, self.top + self.height / 2
        if x_says:
            for tick in self.x_ticks:
                parts.append(label(self.x(tick), bottom + 17, f"{tick:,g}", "middle"))
            parts.append(label(self.left + self.width / 2, bottom + 35, x_says, "middle"))
        if y_says:
            parts.append(label(10, middle, y_says, "middle", f"rotate(-90 10 {middle:g})"))
        return join(*parts)

    def line(self, points: Points, style: str) -> Markup:
        """Points joined."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return element("polyline", points=places, class_=style)

    def dots(self, points: Points, radius: float) -> Iterator[Markup]:
        """Points by themselves."""
        for x, y in points:
            yield element("circle", cx=f"{self.x(x):.1f}", cy=f"{self.y(y):.1f}", r=radius)


def _rule(x1: float, x2: float, y1: float, y2: float, style: str = "grid") -> Markup:
    ends = {"x1": x1, "x2": x2, "y1": y1, "y2": y2}
    return element("line", class_=style, **{k: f"{v:.1f}" for k, v in ends.items()})


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round values that enclose an interval, two at least."""
    wide = high - low or abs(high) or 1.0
    unit = 10.0 ** math.floor(math.log10(wide / most))
    step = next(s * unit for s in (1.0, 2.0, 5.0, 10.0) if wide <= most * s * unit)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(float(f"{i * step:.12g}") for i in range(first, max(last, first + 1) + 1))


def clock(hours: float) -> tuple[float, ...]:
    """Ticks of a window, from its start to its end at least; at most seven."""
    steps = (1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 48.0)
    step = next((s for s in steps if hours <= 6 * s), 24.0 * math.ceil(hours / 144))
    if hours <= 2:
        return ticks(0.0, hours)
    return tuple(i * step for i in range(math.ceil(hours / step - 1e-9) + 1))


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


def score_chart(found: SeriesEvaluation, metric: str) -> Markup:
    """One figure of merit of every model with its interval, a mark a source."""
    scores = [s for s in found.scores if s.metric == metric and math.isfinite(s.figure.value)]
    models = list(dict.fromkeys(s.model for s in scores))
    ends = [v for s in scores for v in (s.figure.value, s.figure.low, s.figure.high)]
    known = [v for v in ends if math.isfinite(v)] or [0.5]
    left, top, step = 116, 10, 3 * 11 + 12
    height = len(models) * step
    axes = Axes(left, top, SIDE - left - 14, height, ticks(min(known), max(known), 4), (0.0, 1.0))
    parts = [_below(axes, metric)]
    for s in scores:
        number = SERIES.index(s.trained_on)
        y = top + models.index(s.model) * step + 12 + 11 * number
        value, low, high = s.figure.value, s.figure.low, s.figure.high
        told = f"{s.model}, {s.trained_on}: {value:.3f} ({low:.3f} to {high:.3f})"
        marks = [element("title", told), *axes.dots([(value, _level(axes, y))], 4)]
        if math.isfinite(low):
            marks.append(_rule(axes.x(low), axes.x(high), y, y, "whisker"))
        parts.append(element("g", *marks, class_=f"s{number}"))
    for i, model in enumerate(models):
        parts.append(label(left - 8, top + i * step + 27, model, "end"))
    says = "; ".join(f"{s.model}, {s.trained_on}: {s.figure.value:.3f}" for s in scores)
    return framed(
        f"{metric} on held-out stays",
        f"{metric} with 95% intervals, by model and by what it was trained on. {says}.",
        *parts,
        height=top + height + 44,
    )


def _level(axes: Axes, y: float) -> float:
    """The value whose place from the top is known."""
    return 1 - (y - axes.top) / axes.height


def _below(axes: Axes, says: str) -> Markup:
    """Vertical lines with their values below."""
    bottom, parts = axes.top + axes.height, []
    for tick in axes.x_ticks:
        parts.append(_rule(axes.x(tick), axes.x(tick), axes.top, bottom))
        parts.append(label(axes.x(tick), bottom + 17, f"{tick:g}", "middle"))
    parts.append(label(axes.left + axes.width / 2, bottom + 35, says, "middle"))
    return join(*parts)


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
    parts = [_below(axes, says)]
    for row, one in enumerate(shown):
        y = top + (row + 0.5) * ROW
        name = one.name if len(one.name) <= 16 else f"{one.name[:15]}…"
        parts.append(label(left - 8, y + 4, name, "end"))
        parts.append(_rule(axes.x(one.condensed), axes.x(one.real), y, y, "link"))
        for number, (source, value) in enumerate(((CONDENSED, one.condensed), (CEILING, one.real))):
            told = element("title", f"{one.name}, {source}: {value:.2f}")
            dot = element("circle", told, cx=f"{axes.x(value):.1f}", cy=f"{y:.1f}", r=5)
            parts.append(element("g", dot, class_=f"s{number} bar"))
    values = "; ".join(f"{i.name}: {i.condensed:.2f} and {i.real:.2f}" for i in shown)
    return framed(
        f"What models heed, {says}",
        f"For each column, {says}, trained on condensed and on real stays. {values}.",
        *parts,
        height=top + height + 44,
    )


def convergence_chart(convergence: Convergence) -> Markup:
    """Held-out AUROC of one network against steps of training."""
    steps, areas = zip(*(p for line in convergence.lines for p in line.points), strict=True)
    y_ticks = ticks(min(*areas, 0.5), max(areas))
    axes = Axes(LEFT + 4, 14, SIDE - LEFT - 18, PLOT, ticks(0.0, max(steps)), y_ticks)
    parts = [axes.drawn("steps of training", "AUROC")]
    for line in convergence.lines:
        told = element("title", line.name)
        number = SERIES.index(line.name) if line.name in SERIES else 3
        parts.append(element("g", told, axes.line(line.points, "line"), class_=f"s{number}"))
    ends = "; ".join(f"{one.name}: {one.points[-1][1]:.3f}" for one in convergence.lines)
    return framed(
        f"Convergence of {convergence.network}",
        f"Held-out AUROC against steps of training. At the end, {ends}.",
        *parts,
    )
