"""Static pictures as SVG, legible without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT, ROW, TOP, GAP = 720, 190, 40, 24, 84, 16
COLOURS = ("#0b7285", "#343a40", "#c2255c", "#5c940d")
STYLE = (
    "text{font-family:system-ui,Helvetica,Arial,sans-serif;font-size:14px;fill:#212529}"
    ".small{font-size:12px;fill:#495057}.title{font-size:17px;font-weight:600}"
    ".grid{stroke:#dee2e6}"
)


class Mark(NamedTuple):
    """A value with its interval."""

    value: float
    low: float
    high: float


def dot_plot(
    title: str,
    axis: str,
    rows: Mapping[str, Mapping[str, Mark]],
    note: str,
) -> str:
    """Values with intervals, one line a row, one colour a series.

    Parameters
    ----------
    title, axis, note : str
        Heading, name of the value, and a line of small print.
    rows : mapping
        Row label → series label → `Mark`; one that is not a number is left out.

    Returns
    -------
    str
        An SVG document.
    """
    rows = {
        label: {name: mark for name, mark in marks.items() if math.isfinite(mark.value)}
        for label, marks in rows.items()
    }
    series = list(dict.fromkeys(name for marks in rows.values() for name in marks))
    ticks = _ticks([m for marks in rows.values() for m in marks.values()])
    low, high = ticks[0], ticks[-1]
    height = TOP + len(rows) * (ROW * max(1, len(series)) + GAP) + 60
    bottom = height - 60

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts = [_text(20, 28, title, "title"), _legend(series)]
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP - 12}" '
            f'y2="{bottom}"/>' + _text(x(tick), bottom + 18, f"{tick:.2f}", "small", "middle")
        )
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 38, axis, "small", "middle"))
    y = float(TOP)
    for label, marks in rows.items():
        middle = y + ROW * (len(marks) - 1) / 2 + 5
        parts.append(_text(LEFT - 16, middle, label, "", "end"))
        for name in series:
            if name in marks:
                colour = COLOURS[series.index(name) % len(COLOURS)]
                parts.append(_mark(x, y, marks[name], colour, f"{label}, {name}"))
                y += ROW
        y += GAP
    parts.append(_text(20, height - 4, note, "small"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height + 8}" role="img" '
        f'aria-label="{escape(title)}"><style>{STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _ticks(marks: Sequence[Mark]) -> list[float]:
    """Round values that enclose all intervals."""
    low, high = min(m.low for m in marks), max(m.high for m in marks)
    step = 0.05 if high - low <= 0.4 else 0.1
    first, last = int(low // step), int(-(-high // step))
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def _mark(x: object, y: float, mark: Mark, colour: str, label: str) -> str:
    at = [x(v) for v in mark]  # type: ignore[operator]
    title = f"{label}: {mark.value:.3f} ({mark.low:.3f} to {mark.high:.3f})"
    return (
        f'<g stroke="{colour}" fill="{colour}"><title>{escape(title)}</title>'
        f'<line x1="{at[1]:.1f}" x2="{at[2]:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke-width="3"/>'
        f'<circle cx="{at[0]:.1f}" cy="{y:.1f}" r="6"/></g>'
    )


def _legend(series: Sequence[str]) -> str:
    parts, x = [], 20.0
    for i, name in enumerate(series):
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<circle cx="{x + 6}" cy="51" r="6" fill="{colour}"/>')
        parts.append(_text(x + 18, 56, name, "small"))
        x += 36 + 7.2 * len(name)
    return "".join(parts)


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
