"""Odds and hazard ratios of the plain regression: what a recipient of the rows would report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.evaluation.metrics.figure import Figure
from tincture.evaluation.scores import CEILING, Check, Ratio
from tincture.models.prepared import impute
from tincture.privacy.query import Records
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.tables.view import MISSING, View

FEW = 6  # columns that are told: those with the largest |z| on real records
SURE = 2.0  # |z| on real records from which the direction of a ratio counts
_FARTHEST = 50.0  # log ratios of separated rows are cut there


@dataclass(frozen=True, slots=True)
class Regression:
    """A plain regression on some columns of a table.

    Attributes
    ----------
    terms : tuple
        Column of each coefficient, and its level where it is one.
    coef, error, spread : ndarray of shape (p,)
        Log ratios, their standard errors, and the standard deviations of the terms.
    """

    terms: tuple[tuple[str, str | None], ...]
    coef: Floats
    error: Floats
    spread: Floats

    @classmethod
    def of(
        cls, encoding: Encoding, task: Task, records: Records, names: frozenset[str] | None = None
    ) -> Regression:
        """Fitted on records, on all columns or on those named."""
        view = View.plain(encoding, records)
        keep: Mask = np.array([names is None or c in names for c, _ in view.terms], dtype=bool)
        _, x = impute(view.columns(records)[None, :, keep], view.numeric[keep])
        terms = tuple(t for t, kept in zip(view.terms, keep, strict=True) if kept)
        return cls(terms, *_fitted(task, x, records.outcomes), x[0].std(axis=0))

    @property
    def z(self) -> Floats:
        """Coefficients beside their errors; 0 where a column is aliased."""
        return np.nan_to_num(np.abs(self.coef / self.error))


def _fitted(task: Task, x: Floats, outcomes: Floats) -> tuple[Floats, Floats]:
    from tincture.kernels import coxph, glm

    if task.name == "survival":
        cox = coxph.fit(x, outcomes[:, 0], outcomes[:, 1] > 0.5)
        return cox.coef[0], cox.error[0]
    odds = glm.fit(x, outcomes[:, 0].astype(np.int64))
    return odds.coef[0, 0], odds.error[0, 0]


def effects(
    encoding: Encoding, task: Task, sources: Mapping[str, Records]
) -> tuple[tuple[Ratio, ...], tuple[Check, ...]]:
    """Ratios of the few columns that matter by source, and how near they are to the real ones."""
    real = sources[CEILING]
    few = _few(Regression.of(encoding, task, real))
    fits = {s: Regression.of(encoding, task, records, few) for s, records in sources.items()}
    names = _names(encoding, real, fits[CEILING])
    ratios = [r for source, fit in fits.items() for r in _ratios(source, fit, fits[CEILING], names)]
    checks = [
        check
        for source, fit in fits.items()
        if source != CEILING
        for check in _nearness(source, fit, fits[CEILING])
    ]
    return tuple(ratios), tuple(checks)


def _few(every: Regression) -> frozenset[str]:
    best: dict[str, float] = {}
    for (column, _), z in zip(every.terms, every.z, strict=True):
        best[column] = max(best.get(column, 0.0), float(z))
    return frozenset(sorted(best, key=lambda name: best[name])[-FEW:])


def _names(encoding: Encoding, records: Records, fit: Regression) -> list[str]:
    """What each ratio is of: a standard deviation of an amount, or a level against the first."""
    first: dict[str, str] = {}
    columns = {c.name: c for c in encoding.columns}
    for column, level in View.of(encoding, records).terms:
        if level is not None and first.get(column, MISSING) == MISSING:
            first[column] = level
    return [
        f"{column}, per {_spread(spread, columns[column])}"
        if level is None
        else f"{column} {level} : {first[column]}"
        for (column, level), spread in zip(fit.terms, fit.spread, strict=True)
    ]


def _spread(spread: float, column: Column) -> str:
    """A standard deviation; of dates and times in days."""
    return f"{spread / column.per_day:.3g}{' days' if column.is_time else ''}"


def _ratios(source: str, fit: Regression, real: Regression, names: list[str]) -> Iterator[Ratio]:
    places = {term: k for k, term in enumerate(fit.terms)}
    for name, term, spread in zip(names, real.terms, real.spread, strict=True):
        k = places.get(term)
        step = 1.0 if term[1] is not None else float(spread)
        if k is None or not fit.error[k] > 0:
            yield Ratio(name, source, Figure(np.nan, np.nan, np.nan))
            continue
        wide = 1.96 * fit.error[k] if source == CEILING else np.nan  # others' errors mean nothing
        ends = np.array([fit.coef[k], fit.coef[k] - wide, fit.coef[k] + wide]) * step
        yield Ratio(name, source, Figure(*np.exp(np.clip(ends, -_FARTHEST, _FARTHEST)).tolist()))


def _nearness(source: str, fit: Regression, real: Regression) -> Iterator[Check]:
    ours = dict(zip(fit.terms, fit.coef, strict=True))
    same = [k for k, term in enumerate(real.terms) if term in ours]
    if not same:
        return
    moved = np.array([ours[real.terms[k]] for k in same])
    away = (moved - real.coef[same]) * real.spread[same]
    yield Check("beta", source, float(np.sqrt(np.mean(np.square(away)))))
    sure = real.z[same] > SURE
    if sure.any():
        agree = np.sign(moved) == np.sign(real.coef[same])
        yield Check("sign", source, float(np.mean(agree[sure])))
