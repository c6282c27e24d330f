"""Axes, frames and labels of pictures as SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, RANDOM
from tincture.report.markup import Markup, element, join

SIDE, TOP, PLOT = 320, 14, 236
COLOURS = (CONDENSED, CEILING, RANDOM, COHORT)  # in the order of the page's styles
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
            parts.append(rule(self.left, self.left + self.width, self.y(tick), self.y(tick)))
            parts.append(label(self.left - 6, self.y(tick) + 4, f"{tick:,g}", "end"))
        bottom, middle = self.top + self.height, self.top + self.height / 2
        if x_says:
            for tick in self.x_ticks:
                parts.append(label(self.x(tick), bottom + 17, f"{tick:,g}", "middle"))
            parts.append(label(self.left + self.width / 2, bottom + 35, x_says, "middle"))
        if y_says:
            parts.append(label(10, middle, y_says, "middle", f"rotate(-90 10 {middle:g})"))
        return join(*parts)

    def below(self, says: str) -> Markup:
        """Vertical lines with their values below."""
        bottom, parts = self.top + self.height, []
        for tick in self.x_ticks:
            parts.append(rule(self.x(tick), self.x(tick), self.top, bottom))
            parts.append(label(self.x(tick), bottom + 17, f"{tick:g}", "middle"))
        parts.append(label(self.left + self.width / 2, bottom + 35, says, "middle"))
        return join(*parts)

    def line(self, points: Points, style: str) -> Markup:
        """Points joined."""
        places = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        return element("polyline", points=places, class_=style)

    def dots(self, points: Points, radius: float) -> Iterator[Markup]:
        """Points by themselves."""
        for x, y in points:
            yield element("circle", cx=f"{self.x(x):.1f}", cy=f"{self.y(y):.1f}", r=radius)


def rule(x1: float, x2: float, y1: float, y2: float, style: str = "grid") -> Markup:
    """A straight line."""
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


def colour(source: str) -> str:
    """The style of what was trained on, or of anything else."""
    return f"s{COLOURS.index(source) if source in COLOURS else len(COLOURS)}"


def legend(names: Sequence[str]) -> Markup:
    """Which colour means what, as HTML."""
    return element(
        "p",
        *(
            element("span", element("i", class_=f"key k{COLOURS.index(n)}", aria_hidden="true"), n)
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
