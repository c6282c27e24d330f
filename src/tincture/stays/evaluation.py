"""Train networks on condensed stays, score on held-out ones, seen from inside the house.

Like `tincture.tables.evaluation`: these figures look at real stays without noise, through
`Vault.disclose`, and must not be released.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ReleaseError, SettingError
from tincture.evaluation.learning import random_rows
from tincture.evaluation.scores import CEILING, CONDENSED, RANDOM
from tincture.evaluation.series_scores import Course, SeriesEvaluation
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.public.schema import Column
from tincture.public.tasks import Classification
from tincture.search.optimizer import Progress
from tincture.stays.courses import courses
from tincture.stays.inputs import channels
from tincture.stays.reading import INCOMPLETE, invented_records, read_like, read_sides
from tincture.stays.release import CondensedSeries
from tincture.stays.sealing import Sealing
from tincture.stays.study import Study, Table, trainers_of
from tincture.tables.release import told_case

Floats = NDArray[np.float64]
MAX_RUNS = 100


def evaluate_series(
    release: CondensedSeries | str | Path,
    events: Any,
    train: Any,
    test: Any,
    *,
    test_events: Any = None,
    networks: Sequence[Any] | None = None,
    runs: int = 1,
    seed: int = 0,
    in_house: str | Path | None = None,
    pictures: bool = False,
    progress: Progress = lambda done, total: None,
) -> SeriesEvaluation:
    """Score networks trained on a release beside the real ceiling and random real stays.

    Parameters
    ----------
    release : CondensedSeries or path
    events : frame or path
        Of the stays that were condensed, in any form that they were condensed from.
    train, test : frame or path
        Outcomes: one row a stay that was condensed, and one a held-out stay.
    test_events : frame or path, optional
        Of the held-out stays, if they are elsewhere.
    networks : sequence of str or callable, optional
        Names of `tincture.stays.networks.NETWORKS`, by default all of them, or makers of a torch
        module that maps (n, bins, channels) to (n, 1), from bins and channels. Logistic regression
        on summaries of each variable is always scored; alone if torch is not installed.
    runs : int
        Times that each model is trained, from other first weights and on other random stays;
        figures are means over them.
    seed : int
        Of first weights, batches, random real stays and the resamples behind the intervals.
    in_house : path, optional
        File to which each un-noised look at real stays is added before it is taken.
    pictures : bool
        Whether to look at courses, influences and convergence too, for the in-house page.
    progress : callable
        Told how many of the trainings are done.

    Returns
    -------
    SeriesEvaluation

    Raises
    ------
    SettingError, SchemaError, TableError, ModelError, ReleaseError
    """
    if not 1 <= runs <= MAX_RUNS:
        raise SettingError(f"{runs} runs were asked for; expected 1 to {MAX_RUNS}.")
    trainers, note = trainers_of(networks)
    table = release if isinstance(release, CondensedSeries) else CondensedSeries.load(release)
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    task, prevalence = table.classes, _prevalence(table)
    own = read_like(table.own, table.events, table.outcomes)
    stays, others = read_sides(table, events, train, test, test_events)
    trained, tested = (Vault(Sealing(table.schema, task), s, ledger) for s in (stays, others))
    condensed = invented_records(own, table.own.schema, task)
    real = trained.disclose("train-on-real ceiling of stays")
    held_out = tested.disclose("held-out scores of stays")
    layout = own.layout
    del stays, others

    everything = Table.of(channels(real.points, layout), real.outcomes)
    sources = {
        CONDENSED: [Table.of(channels(condensed.points, layout), condensed.outcomes, prevalence)],
        CEILING: [everything],
        RANDOM: [
            everything.take(random_rows(real, len(own), np.random.default_rng([seed, run])))
            for run in range(runs)
        ],
    }
    asked = Table.of(channels(held_out.points, layout), held_out.outcomes)
    study = Study(layout, task, trainers, sources, asked, seed, pictures)
    todo = list(itertools.product(trainers, sources, range(runs)))
    for done, (model, source, run) in enumerate(todo):
        progress(done, len(todo))
        study.learn(model, source, run)
    progress(len(todo), len(todo))
    drawn: tuple[Course, ...] = ()
    if pictures:
        ledger.book_disclosure("courses of single stays, drawn")
        names = _names(table.schema[task.target], task)
        drawn = courses(layout, condensed, real, names, np.random.default_rng(seed))
    looks = tuple(entry.question for entry in ledger.entries)
    return study.result(looks, drawn, note, told_case(table.schema, table.task))


def _names(column: Column, task: Classification) -> tuple[str, ...]:
    """Of the two outcomes, the case last."""
    names = tuple(f"{column.name} = {title}" for title in column.titles)
    return names[::-1] if task.is_turned else names


def _prevalence(release: CondensedSeries) -> float:
    """Real share of the case as the release tells it."""
    try:
        return float(release.settings["prevalence"])
    except (KeyError, TypeError, ValueError):
        raise ReleaseError(INCOMPLETE) from None
