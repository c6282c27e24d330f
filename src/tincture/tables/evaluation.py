"""Train on condensed, score on held-out: what a release is worth, seen from inside the house.

These figures look at real records without noise. They go through `Vault.disclose`, which books
ε = ∞ in an in-house ledger, and must not be released.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import SettingError
from tincture.evaluation.curves import (
    calibration,
    distributions,
    roc,
    survival_calibration,
    survival_curves,
)
from tincture.evaluation.groups import ByFeature, BySite, parse
from tincture.evaluation.learning import Learned, learn, random_rows
from tincture.evaluation.panel import Clock, Panel, survival_at
from tincture.evaluation.scores import (
    CEILING,
    CONDENSED,
    EVERYONE,
    RANDOM,
    Bars,
    Chart,
    Evaluation,
    Fit,
    Group,
)
from tincture.io.frames import to_columns
from tincture.io.released import plain
from tincture.models.portfolio import recipient
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import Vault
from tincture.public.case import Case
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, Task
from tincture.tables.release import CondensedTable, told_case, told_task
from tincture.tables.sealing import Sealing

Floats = NDArray[np.float64]


def evaluate(
    release: CondensedTable | str | Path,
    train: Any,
    test: Any,
    *,
    models: Sequence[Any] | None = None,
    by: Sequence[str] = (),
    at: Sequence[float] = (),
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    in_house: str | Path | None = None,
    pictures: bool = False,
) -> Evaluation:
    """Score models trained on a release beside the real ceiling and random real rows.

    Parameters
    ----------
    release : CondensedTable or path
    train, test : pandas or polars frames
        The records that were condensed, and held-out ones.
    models : sequence, optional
        Names or estimators; by default those the release was made for.
    by : sequence of str
        Columns to look at subgroups by: ``"sex"``, ``"age:40,60,80"`` with cut points, or a column
        that is no feature, such as the hospital, whose held-out records are scored each in turn.
    at : sequence of float
        Times by which predicted and observed risk are compared, in the unit of the time column; by
        default the quartiles of the held-out event times.
    schema : Schema, or path of a schema file, optional
        That of the records, which tells what a column that is no feature means by its levels.
    seed : int
        Of the random real rows and of the resamples behind the intervals.
    in_house : path, optional
        File to which each un-noised look at real records is added before it is taken.
    pictures : bool
        Whether to look at curves and distributions too, for the in-house page.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError, SchemaError, ModelError, SettingError
    """
    table = release if isinstance(release, CondensedTable) else CondensedTable.load(release)
    task = table_task(table)
    encoding = Encoding([c for c in table.schema.columns if c.name not in task.columns])
    beside = schema if schema is None or isinstance(schema, Schema) else Schema.load(schema)
    groupings = parse(by, encoding, task.columns, test, beside)
    _check_horizons(at, task)
    fitters = [recipient(m, task) for m in (table.models if models is None else models)]
    house = _House.open(table, task, encoding, train, test, in_house, groupings)
    groups, described = house.groups(groupings)
    sources = {
        CONDENSED: condensed_records(table, encoding, task),
        CEILING: house.real,
        RANDOM: house.real.take(random_rows(house.real, len(table), np.random.default_rng(seed))),
    }
    learned = [
        learn(fitter, source, records, house.held_out, encoding, task)
        for fitter in fitters
        for source, records in sources.items()
    ]
    outcomes = house.held_out.outcomes
    clock = Clock.of(outcomes, at) if isinstance(task, Survival) else None
    panel = Panel(learned, outcomes, groups, task, clock, seed)
    charts, bars = house.pictures(learned, sources[CONDENSED], clock) if pictures else ((), ())
    return Evaluation(
        scores=tuple(panel.scores()),
        looks=house.looks,
        gaps=tuple(panel.gaps()),
        groups=described,
        fits=tuple(Fit(one.model, one.source, one.rows, one.seconds) for one in learned),
        charts=charts,
        bars=bars,
        case=house.case,
    )


def table_task(table: CondensedTable) -> Task:
    """The task that a release was made for."""
    return told_task(table.schema, table.task)


def condensed_records(table: CondensedTable, encoding: Encoding, task: Task) -> Records:
    """The rows of a release as models see them."""
    values = to_columns(table.rows, plain(table.schema), table.schema.names)
    points = encoding.encode(values)
    design = encoding.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, task.outcomes(values))


def _check_horizons(at: Sequence[float], task: Task) -> None:
    """Refuse times that mean nothing.

    Raises
    ------
    SettingError
    """
    if at and not isinstance(task, Survival):
        raise SettingError("The release has no survival outcome; leave out the times (--at).")
    if not all(math.isfinite(t) and t > 0 for t in at):
        raise SettingError("The times (--at) must be positive numbers.")


@dataclass(frozen=True)
class _House:
    """The two vaults of an evaluation, and what was looked at in them."""

    table: CondensedTable
    task: Task
    encoding: Encoding
    ledger: Ledger
    trained: Vault
    tested: Vault
    real: Records
    held_out: Records

    @classmethod
    def open(
        cls,
        table: CondensedTable,
        task: Task,
        encoding: Encoding,
        train: Any,
        test: Any,
        in_house: str | Path | None,
        groupings: Sequence[ByFeature | BySite],
    ) -> _House:
        ledger = Ledger.in_house(None if in_house is None else Path(in_house))
        sites = [g for g in groupings if isinstance(g, BySite)]
        names = [g.column for g in sites]
        columns = (*table.schema.columns, *(g.declared for g in sites if g.declared is not None))
        schema = replace(table.schema, columns=columns)
        trained, tested = (
            Vault(Sealing(schema, encoding, task, beside=tuple(names)), t, ledger)
            for t in (train, test)
        )
        real = trained.disclose("train-on-real ceiling")
        held_out = tested.disclose("held-out scores")
        return cls(table, task, encoding, ledger, trained, tested, real, held_out)

    @property
    def looks(self) -> tuple[str, ...]:
        return tuple(e.question for e in self.ledger.entries)

    def groups(
        self, groupings: Sequence[ByFeature | BySite]
    ) -> tuple[dict[str, NDArray[np.bool_]], tuple[Group, ...]]:
        """Who is in each group, and what is said of it."""
        members = {EVERYONE: np.ones(len(self.held_out), dtype=bool)}
        external: set[str] = set()
        for grouping in groupings:
            if isinstance(grouping, ByFeature):
                members |= dict(grouping.members(self.held_out, self.encoding))
                continue
            name = grouping.column
            found = dict(grouping.members(self.tested.disclose_labels(name, f"{name} of records")))
            known = self.trained.disclose_labels(name, f"{name} of training records").names
            external |= found.keys() - {grouping.title(site) for site in known}
            members |= found
        is_several = isinstance(self.task, Classification) and self.task.n_classes > 2
        last = Case.of(self.table.schema[self.task.columns[-1]], -1)
        counted, code = (last, self.task.n_outputs - 1) if is_several else (self.case, 1)
        event = self.held_out.outcomes[:, -1] == code
        return members, tuple(
            Group(
                label,
                int(inside.sum()),
                int((inside & event).sum()),
                label in external,
                counted.event,
            )
            for label, inside in members.items()
        )

    @property
    def case(self) -> Case:
        """What the figures are about."""
        return told_case(self.table.schema, self.table.task)

    def pictures(
        self, learned: Sequence[Learned], condensed: Records, clock: Clock | None
    ) -> tuple[tuple[Chart, ...], tuple[Bars, ...]]:
        """Curves of the held-out records, and distributions of the training records."""
        held_out = self.tested.disclose("curves of held-out records")
        real = self.trained.disclose("distributions of training records")
        by_model: dict[str, dict[str, Learned]] = {}
        for one in learned:
            by_model.setdefault(one.model, {})[one.source] = one
        charts: list[Chart] = []
        if isinstance(self.task, Survival):
            charts.append(survival_curves(self.task, condensed, real))
        for model, sources in by_model.items():
            charts += _charts(model, sources, held_out.outcomes, self.task, clock)
        bars = distributions(self.table.schema, self.encoding, self.task, condensed, real)
        return tuple(charts), tuple(bars)


def _charts(
    model: str, sources: dict[str, Learned], outcomes: Floats, task: Task, clock: Clock | None
) -> list[Chart]:
    """ROC and calibration curves of one model; for survival, calibration at the middle horizon."""
    if clock is not None:
        if not clock.horizons:
            return []
        middle = clock.horizons[len(clock.horizons) // 2]
        at = np.array([middle])
        risks = {
            name: 1 - survival_at(one, one.held_out[:, 0], at)[:, 0]
            for name, one in sources.items()
        }
        return [survival_calibration(model, risks, outcomes, middle)]
    if not (isinstance(task, Classification) and task.n_classes == 2):
        return []
    label = outcomes[:, 0].astype(np.int64)
    probabilities = {name: one.held_out[:, 1] for name, one in sources.items()}
    return [
        roc(model, probabilities, label),
        calibration(model, probabilities, label),
    ]
