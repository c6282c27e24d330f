"""All figures of an evaluation at once, resampled together so that their differences are paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tincture.evaluation.learning import Learned
from tincture.evaluation.metrics import classes, survival
from tincture.evaluation.metrics.figure import Floats, Statistic, figure, plain, resamples
from tincture.evaluation.scores import CEILING, CONDENSED, EVERYONE, RANKING, SQUARED, Gap, Score
from tincture.public.tasks import Classification, Task

Groups = Mapping[str, NDArray[np.bool_]]
Key = tuple[str, str, str, str]  # group, model, source, metric


@dataclass(frozen=True, slots=True)
class Clock:
    """When survival is looked at, from the held-out records.

    Attributes
    ----------
    grid : ndarray of shape (n_times,)
        Times of the integrated Brier score.
    horizons : tuple of float
        Times by which predicted and observed risk are compared.
    observed : Steps
        Share of the held-out records still under observation.
    """

    grid: Floats
    horizons: tuple[float, ...]
    observed: survival.Steps

    @classmethod
    def of(cls, outcomes: Floats, horizons: Sequence[float]) -> Clock:
        """For held-out outcomes (n, 2); without horizons, the quartiles of their event times."""
        time, event = outcomes.T
        if not horizons and (event > 0.5).any():
            quartiles = np.quantile(time[event > 0.5], [0.25, 0.5, 0.75])
            horizons = [float(f"{q:.2g}") for q in quartiles]
        return cls(
            survival.grid(time, event),
            tuple(sorted(set(map(float, horizons)))),
            survival.censoring(time, event),
        )


class Panel:
    """Every model and source in every group.

    Parameters
    ----------
    learned : sequence of Learned
        Of a model trained several times on one source, figures are the means over its runs.
    outcomes : ndarray of shape (n, outcome width)
        Of the held-out records.
    groups : mapping
        Label → who is in it, (n,); the first is everyone.
    task : Task
    clock : Clock or None
        Of a survival task.
    seed : int
        Of the resamples.
    """

    def __init__(
        self,
        learned: Sequence[Learned],
        outcomes: Floats,
        groups: Groups,
        task: Task,
        clock: Clock | None,
        seed: int,
    ) -> None:
        self._learned = learned
        found: dict[Key, list[Statistic]] = {}
        for one in learned:
            for group, inside in groups.items():
                for metric, statistic in _statistics(one, outcomes, inside, task, clock):
                    key = (group, one.model, one.source, metric)
                    found.setdefault(key, []).append(statistic)
        statistics = {key: _mean(runs) for key, runs in found.items()}
        sizes = {group: int(inside.sum()) for group, inside in groups.items()}
        self._values = {key: plain(s, sizes[key[0]]) for key, s in statistics.items()}
        self._replicates = _replicates(statistics, groups, len(outcomes), seed)

    def scores(self) -> Iterator[Score]:
        """Each figure with its interval."""
        rows = {(one.model, one.source): one.rows for one in self._learned}
        for key, value in self._values.items():
            group, model, source, metric = key
            found = figure(value, self._replicates[key])
            yield Score(model, source, rows[model, source], group, metric, found)

    def gaps(self) -> Iterator[Gap]:
        """How far the release stays behind the ceiling, in every group but everyone's too."""
        for group, model, source, metric in self._values:
            if source != CONDENSED or metric not in (*RANKING, *SQUARED):
                continue
            value, replicates = self._gap(group, model, metric)
            whole, whole_replicates = self._gap(EVERYONE, model, metric)
            excess = figure(value - whole, replicates - whole_replicates)
            yield Gap(model, group, metric, figure(value, replicates), excess)

    def _gap(self, group: str, model: str, metric: str) -> tuple[float, Floats]:
        """Value and replicates; positive where the release is worse."""
        ours, best = ((group, model, source, metric) for source in (CONDENSED, CEILING))
        sign = 1.0 if metric in RANKING else -1.0
        value = sign * (self._values[best] - self._values[ours])
        return value, sign * (self._replicates[best] - self._replicates[ours])


def _mean(runs: Sequence[Statistic]) -> Statistic:
    """The mean of a statistic over the runs of a model."""
    return runs[0] if len(runs) == 1 else lambda w: np.mean([run(w) for run in runs], axis=0)


def _replicates(
    statistics: Mapping[Key, Statistic], groups: Groups, n: int, seed: int
) -> dict[Key, Floats]:
    """Values of every statistic in the same resamples of all held-out records."""
    found: dict[Key, list[Floats]] = {key: [] for key in statistics}
    for weights in resamples(n, seed):
        inside = {group: weights[:, members] for group, members in groups.items()}
        for key, statistic in statistics.items():
            found[key].append(statistic(inside[key[0]]))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _statistics(
    one: Learned,
    outcomes: Floats,
    inside: NDArray[np.bool_],
    task: Task,
    clock: Clock | None,
) -> Iterator[tuple[str, Statistic]]:
    """The figures of merit of a task, for one model trained on one source, in one group."""
    predicted, truth = one.held_out[inside], outcomes[inside]
    if clock is not None:
        yield from _of_times(one, predicted[:, 0], truth, clock)
        return
    label = truth[:, 0].astype(np.int64)
    yield "AUROC", classes.auroc(predicted, label)
    yield "AUPRC", classes.auprc(predicted, label)
    yield "Brier", classes.brier(predicted, label)
    if isinstance(task, Classification) and task.n_classes == 2:
        yield "calibration slope", classes.calibration_slope(predicted, label)
        yield "calibration intercept", classes.calibration_intercept(predicted, label)


def _of_times(
    one: Learned, risk: Floats, truth: Floats, clock: Clock
) -> Iterator[tuple[str, Statistic]]:
    time, event = (np.ascontiguousarray(v) for v in truth.T)
    yield "C-index", survival.concordance(risk, time, event)
    alive = survival_at(one, risk, clock.grid)
    yield (
        "integrated Brier",
        survival.integrated_brier(alive, time, event, clock.grid, clock.observed),
    )
    for horizon in clock.horizons:
        died = 1 - survival_at(one, risk, np.array([horizon]))[:, 0]
        name = f"risk by {horizon:g}, predicted − observed"
        yield name, survival.risk_difference(died, time, event, horizon)


def survival_at(one: Learned, risk: Floats, at: Floats) -> Floats:
    """Survival (n, n_times) predicted from a model's risks, by its own training table's times."""
    time, event = one.outcomes.T
    return survival.predicted_survival(one.own[:, 0], time, event, risk, at)
