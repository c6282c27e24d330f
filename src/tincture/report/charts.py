"""Lines, steps and bars as SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from tincture.evaluation.scores import Bars, Chart, Line
from tincture.report.markup import Markup, element, join

SIDE, LEFT, TOP, PLOT = 320, 52, 14, 236
SERIES = ("condensed", "all real records", "random real rows")
Point = tuple[float, float]


def line_chart(chart: Chart, about: str = "") -> Markup:
    """Lines over the unit square, or steps over time, with axes and accessible names.

    Parameters
    ----------
    chart : Chart
    about : str
        Which level is the case, for whoever cannot see the picture.
    """
    widest = max((x for line in chart.lines for x, _ in line.points), default=1.0)
    reach = (widest or 1.0) if chart.kind == "steps" else 1.0
    name = {"roc": "ROC curve", "calibration": "Calibration", "steps": "Kaplan–Meier curve"}
    title = f"{name[chart.kind]}: {chart.title}"
    diagonal = [(0.0, 0.0), (1.0, 1.0)]
    return framed(
        title,
        f"{chart.y} against {chart.x}, for {', '.join(line.name for line in chart.lines)}."
        f"{f' {about}.' if about else ''}",
        _axes(chart.x, chart.y, reach),
        None if chart.kind == "steps" else _path(diagonal, reach, "diagonal"),
        *(_line(line, chart.kind, reach) for line in chart.lines),
    )


def _line(line: Line, kind: str, reach: float) -> Markup:
    number = SERIES.index(line.name) if line.name in SERIES else 3
    points: Sequence[Point] = line.points
    if kind == "steps":
        points = [p for a, b in pairwise(points) for p in (a, (b[0], a[1]))]
        points = [*points, line.points[-1]]
    dots = [
        element("circle", cx=f"{_x(x, reach):.1f}", cy=f"{_y(y):.1f}", r=3.5)
        for x, y in (line.points if kind == "calibration" else ())
    ]
    told = element("title", line.name)
    return element("g", told, _path(points, reach, "line"), *dots, class_=f"s{number}")


def _path(points: Sequence[Point], reach: float, style: str) -> Markup:
    drawn = " ".join(f"{_x(x, reach):.1f},{_y(y):.1f}" for x, y in points)
    return element("polyline", points=drawn, class_=style)


def _x(value: float, reach: float) -> float:
    return LEFT + value / reach * PLOT


def _y(value: float) -> float:
    return TOP + (1 - min(max(value, 0.0), 1.0)) * PLOT


def _axes(x: str, y: str, reach: float) -> Markup:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        height = _y(share)
        parts += [
            element("line", x1=LEFT, x2=LEFT + PLOT, y1=height, y2=height, class_="grid"),
            label(LEFT - 6, height + 4, f"{share:g}", "end"),
        ]
    for tick in _ticks(reach):
        parts.append(label(_x(tick, reach), TOP + PLOT + 18, f"{tick:,g}", "middle"))
    middle = TOP + PLOT / 2
    turned = f"rotate(-90 12 {middle})"
    parts.append(label(LEFT + PLOT / 2, TOP + PLOT + 38, x, "middle"))
    parts.append(label(12, middle, y, "middle", transform=turned))
    return join(*parts)


def _ticks(reach: float) -> list[float]:
    """Three to six round values from 0 to the reach."""
    unit = 10.0 ** math.floor(math.log10(reach))
    step = next(s * unit for s in (0.25, 0.5, 1.0, 2.5) if reach <= 5 * s * unit)
    return [i * step for i in range(int(reach / step + 1e-9) + 1)]


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
            (("condensed", bars.condensed[i]), ("all real records", bars.real[i]))
        ):
            told = element("title", f"{level}, {name}: {share:.1%}")
            long = f"{max(share / most * width, 0.5):.1f}"
            bar = element("rect", told, x=left, y=y + 11 * k, width=long, height=10)
            parts.append(element("g", bar, class_=f"s{k} bar"))
    says = "; ".join(
        f"{level}: {a:.1%} and {b:.1%}"
        for level, a, b in zip(bars.labels, bars.condensed, bars.real, strict=True)
    )
    return framed(
        f"Distribution of {bars.column}",
        f"Shares among condensed rows and real records. {says}.",
        *parts,
        height=len(bars.labels) * step + 8,
    )


def legend(names: Sequence[str]) -> Markup:
    """Which colour means what, as HTML."""
    return element(
        "p",
        *(
            element("span", element("i", class_=f"key k{SERIES.index(n)}", aria_hidden="true"), n)
            for n in names
        ),
        class_="legend",
    )


def framed(title: str, says: str, *parts: Markup | None, height: float = TOP + PLOT + 44) -> Markup:
    """A picture with its accessible name and description."""
    return element(
        "svg",
        element("title", title),
        element("desc", says),
        *parts,
        viewBox=f"0 0 {SIDE} {height:g}",
        role="img",
        aria_label=title,
        class_="chart",
    )


def label(x: float, y: float, text: str, anchor: str, transform: str | None = None) -> Markup:
    """Text in a picture."""
    return element(
        "text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, transform=transform
    )
