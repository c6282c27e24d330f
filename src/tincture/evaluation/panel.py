"""All figures of an evaluation at once, resampled together so that their differences are paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.evaluation.learning import Learned
from tincture.evaluation.merits import Merits
from tincture.evaluation.metrics.figure import Statistic, figure, plain, resamples
from tincture.evaluation.scores import CEILING, CONDENSED, EVERYONE, Gap, Score

Groups = Mapping[str, Mask]
Key = tuple[str, str, str, str]  # group, model, source, metric


class Panel:
    """Every model and source in every group.

    Parameters
    ----------
    learned : sequence of Learned
        Of a model trained several times on one source, figures are the means over its runs.
    groups : mapping
        Label → which held-out records are in it, (n,); the first is everyone.
    merits : Merits
    seed : int
        Of the resamples.
    """

    def __init__(
        self,
        learned: Sequence[Learned],
        groups: Groups,
        merits: Merits,
        seed: int,
    ) -> None:
        self._learned, self._signs = learned, merits.signs
        found: dict[Key, list[Statistic]] = {}
        parts = {group: merits.among(inside) for group, inside in groups.items()}
        for one in learned:
            for group, inside in groups.items():
                there = replace(one, held_out=one.held_out[inside])
                for metric, statistic in parts[group].figures(there):
                    key = (group, one.model, one.trained_on, metric)
                    found.setdefault(key, []).append(statistic)
        statistics = {key: _mean(runs) for key, runs in found.items()}
        sizes = {group: int(inside.sum()) for group, inside in groups.items()}
        self._values = {key: plain(s, sizes[key[0]]) for key, s in statistics.items()}
        self._replicates = _replicates(statistics, groups, seed)

    def scores(self) -> Iterator[Score]:
        """Each figure with its interval."""
        rows = {(one.model, one.trained_on): one.rows for one in self._learned}
        for key, value in self._values.items():
            group, model, source, metric = key
            found = figure(value, self._replicates[key])
            yield Score(model, source, rows[model, source], group, metric, found)

    def gaps(self) -> Iterator[Gap]:
        """How far the release stays behind the ceiling, in every group but everyone's too."""
        for group, model, source, metric in self._values:
            if source != CONDENSED or metric not in self._signs:
                continue
            value, replicates = self._gap(group, model, metric)
            whole, whole_replicates = self._gap(EVERYONE, model, metric)
            excess = figure(value - whole, replicates - whole_replicates)
            yield Gap(model, group, metric, figure(value, replicates), excess)

    def _gap(self, group: str, model: str, metric: str) -> tuple[float, Floats]:
        """Value and replicates; positive where the release is worse."""
        ours, best = ((group, model, source, metric) for source in (CONDENSED, CEILING))
        sign = self._signs[metric]
        value = sign * (self._values[best] - self._values[ours])
        return value, sign * (self._replicates[best] - self._replicates[ours])


def _mean(runs: Sequence[Statistic]) -> Statistic:
    """The mean of a statistic over the runs of a model."""
    return runs[0] if len(runs) == 1 else lambda w: np.mean([run(w) for run in runs], axis=0)


def _replicates(
    statistics: Mapping[Key, Statistic], groups: Groups, seed: int
) -> dict[Key, Floats]:
    """Values of every statistic in the same resamples of all held-out records."""
    found: dict[Key, list[Floats]] = {key: [] for key in statistics}
    for weights in resamples(len(next(iter(groups.values()))), seed):
        inside = {group: weights[:, members] for group, members in groups.items()}
        for key, statistic in statistics.items():
            found[key].append(statistic(inside[key[0]]))
    return {key: np.concatenate(parts) for key, parts in found.items()}
