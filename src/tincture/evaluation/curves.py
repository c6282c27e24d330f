"""Curves and distributions of an evaluation, reduced to what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers, Mask
from tincture.evaluation.metrics.figure import runs
from tincture.evaluation.metrics.survival import kaplan_meier
from tincture.evaluation.pictures import Bars, Chart, Line
from tincture.privacy.query import Records
from tincture.public.columns import DAY, Column
from tincture.public.dates import told
from tincture.public.encoding import Values

MOST_POINTS = 150
BINS = 12


def roc(model: str, probabilities: Mapping[str, Floats], label: Integers) -> Chart:
    """ROC curves of a model by what it was trained on.

    Parameters
    ----------
    model : str
    probabilities : mapping
        Source → probability of the case, (n,).
    label : ndarray of int, shape (n,)
    """
    lines = tuple(Line(source, _roc(p, label == 1)) for source, p in probabilities.items())
    return Chart("roc", model, "1 − specificity", "sensitivity", lines)


def _roc(score: Floats, positive: Mask) -> tuple[tuple[float, float], ...]:
    order, starts = runs(-score)
    hits = np.add.reduceat(positive[order].astype(np.float64), starts)
    others = np.add.reduceat((~positive[order]).astype(np.float64), starts)
    y = np.r_[0.0, np.cumsum(hits) / max(hits.sum(), 1.0)]
    x = np.r_[0.0, np.cumsum(others) / max(others.sum(), 1.0)]
    return _points(x, y)


def calibration(model: str, predicted: Mapping[str, Floats], label: Integers) -> Chart:
    """Observed share against mean predicted probability, by tenths of the prediction."""
    lines = []
    for source, p in predicted.items():
        parts = _parts(p, 10)
        x, y = ([float(np.mean(v[part])) for part in parts] for v in (p, label == 1))
        lines.append(Line(source, tuple(zip(x, y, strict=True))))
    return Chart("calibration", model, "predicted probability", "observed share", tuple(lines))


def survival_calibration(
    model: str, risks: Mapping[str, Floats], outcomes: Floats, horizon: float
) -> Chart:
    """Kaplan and Meier's risk by a horizon against mean predicted risk, by fifths of it."""
    at = np.array([horizon])
    lines = []
    for source, risk in risks.items():
        points = [
            (float(risk[part].mean()), float(1 - kaplan_meier(*outcomes[part].T)(at)[0]))
            for part in _parts(risk, 5)
        ]
        lines.append(Line(source, tuple(points)))
    label = f"predicted risk by {horizon:g}"
    return Chart("calibration", model, label, "observed risk (Kaplan–Meier)", tuple(lines))


def _parts(values: Floats, count: int) -> list[NDArray[np.intp]]:
    """Records in order of a value, in equal parts."""
    order = np.argsort(values, kind="stable")
    return [part for part in np.array_split(order, count) if len(part)]


def survival_curves(time: str, sources: Mapping[str, Records]) -> Chart:
    """Kaplan and Meier's curve of what is invented beside that of the training records."""
    lines = []
    for name, records in sources.items():
        curve = kaplan_meier(*records.outcomes.T)
        lines.append(Line(name, _points(np.r_[0.0, curve.times], np.r_[1.0, curve.values])))
    return Chart("steps", "Outcome", time, "share without the event", tuple(lines))


def _points(x: Floats, y: Floats) -> tuple[tuple[float, float], ...]:
    """A curve thinned to what can be seen."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).round().astype(int))
    return tuple((float(a), float(b)) for a, b in zip(x[keep], y[keep], strict=True))


def distributions(columns: Sequence[Column], condensed: Values, real: Values) -> Iterator[Bars]:
    """Every column, invented beside real, from its codes or amounts."""
    for column in columns:
        yield _bars(column, condensed[column.name], real[column.name])


def _bars(column: Column, condensed: NDArray[np.generic], real: NDArray[np.generic]) -> Bars:
    if column.is_categorical:
        labels: Sequence[str] = column.titles
        codes = [np.asarray(v, dtype=np.int64) for v in (condensed, real)]
    else:
        amounts = [np.asarray(v, dtype=np.float64) for v in (condensed, real)]
        edges = _edges(amounts[1], column)
        labels = [_range(a, b, column) for a, b in pairwise(edges)]
        codes = [
            np.where(np.isnan(v), -1, np.searchsorted(edges[1:-1], v, side="right"))
            for v in amounts
        ]
    counts = [np.bincount(c + 1, minlength=len(labels) + 1) for c in codes]
    shares = [np.roll(c / max(int(c.sum()), 1), -1) for c in counts]  # missing last
    if not any(share[-1] for share in shares):
        shares = [share[:-1] for share in shares]
    else:
        labels = [*labels, "missing"]
    first, second = (tuple(map(float, share)) for share in shares)
    return Bars(column.name, tuple(labels), first, second)


def _edges(real: Floats, column: Column) -> Floats:
    """Equal bins over the middle 98% of the real values; what lies outside joins the ends."""
    known = real[~np.isnan(real)]
    low, high = np.quantile(known, [0.01, 0.99]) if len(known) else column.bounds
    if high <= low:
        low, high = column.bounds
    if column.type == "date" or (column.is_time and high - low > BINS * DAY):
        return column.per_day * _whole(low / column.per_day, high / column.per_day)
    if column.type == "integer" and not (column.is_log and high - low > 10 * BINS):
        return _whole(low, high)
    if column.is_log and low > 0:
        return np.geomspace(low, high, BINS + 1)
    return np.linspace(low, high, BINS + 1)


def _whole(low: float, high: float) -> Floats:
    """Edges of whole numbers."""
    step = max(np.ceil((np.floor(high) + 1 - np.floor(low)) / BINS), 1.0)
    return np.arange(np.floor(low), np.floor(high) + 1 + step, step)


def _range(low: float, high: float, column: Column) -> str:
    """What a bin holds, from its edges, the upper of which is not in it; of dates the first."""
    if column.is_time:
        first = told(column, low)
        if column.type == "datetime" and high - low >= DAY:
            first = first.partition("T")[0]
        return first if high == low + 1 else f"from {first}"
    if column.type == "integer" and low == np.floor(low) and high == np.floor(high):
        return f"{low:.10g}" if high == low + 1 else f"{low:.10g} to {high - 1:.10g}"
    return " to ".join(f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}" for x in (low, high))
