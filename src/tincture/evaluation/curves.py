"""Curves of an evaluation, reduced to what is drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tincture.evaluation.metrics.figure import runs
from tincture.evaluation.metrics.survival import kaplan_meier
from tincture.evaluation.pictures import Chart, Line
from tincture.evaluation.scores import CEILING, CONDENSED
from tincture.privacy.query import Records

Floats = NDArray[np.float64]
MOST_POINTS = 150


def roc(model: str, probabilities: Mapping[str, Floats], label: NDArray[np.int64]) -> Chart:
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


def _roc(score: Floats, positive: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    order, starts = runs(-score)
    hits = np.add.reduceat(positive[order].astype(np.float64), starts)
    others = np.add.reduceat((~positive[order]).astype(np.float64), starts)
    y = np.r_[0.0, np.cumsum(hits) / max(hits.sum(), 1.0)]
    x = np.r_[0.0, np.cumsum(others) / max(others.sum(), 1.0)]
    return _points(x, y)


def calibration(model: str, predicted: Mapping[str, Floats], label: NDArray[np.int64]) -> Chart:
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


def survival_curves(time: str, condensed: Records, real: Records) -> Chart:
    """Kaplan and Meier's curve of the rows beside that of the training records."""
    lines = []
    for name, records in ((CONDENSED, condensed), (CEILING, real)):
        curve = kaplan_meier(*records.outcomes.T)
        lines.append(Line(name, _points(np.r_[0.0, curve.times], np.r_[1.0, curve.values])))
    return Chart("steps", "Outcome", time, "share without the event", tuple(lines))


def _points(x: Floats, y: Floats) -> tuple[tuple[float, float], ...]:
    """A curve thinned to what can be seen."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_POINTS)).round().astype(int))
    return tuple((float(a), float(b)) for a, b in zip(x[keep], y[keep], strict=True))
