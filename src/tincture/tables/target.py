"""How a release of rows is attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np

from tincture.arrays import Floats
from tincture.audit.attacks import Statistic
from tincture.audit.audit import Settings, attack
from tincture.audit.findings import Audit
from tincture.audit.membership import closeness
from tincture.audit.target import Target
from tincture.privacy.query import Records, Sealed
from tincture.public.encoding import Encoding
from tincture.tables.bench import condensed_records
from tincture.tables.condenser import Condenser
from tincture.tables.job import TableJob
from tincture.tables.release import CondensedTable


@dataclass(frozen=True)
class TableTarget(Target):
    """A release of rows; points are all columns, encoded."""

    release: CondensedTable
    one, units = "row", "records"
    ratios: ClassVar[Mapping[str, Statistic]] = {"likelihood ratio": closeness}

    @property
    def encoding(self) -> Encoding:
        """Of all columns, outcomes last."""
        job, schema = self._own, self.release.schema
        return Encoding([schema[name] for name in (*job.features, *job.task.columns)])

    def seal(self, source: Any) -> Sealed:
        """Encode the features of a frame as the release's own job does."""
        return self._own.sealing(source)

    def records(self, release: CondensedTable) -> Records:
        """Its rows."""
        return condensed_records(release, self._own.encoding, release.outcome)

    def description(self, real: Records, invented: Records) -> Callable[[Records], Floats]:
        """Features and outcomes side by side."""
        task = self._own.task
        outcome = Encoding([self.release.schema[name] for name in task.columns])

        def points(records: Records) -> Floats:
            outcomes = outcome.encode(task.values(records.outcomes))
            return np.concatenate([records.points.astype(np.float64), outcomes], axis=1)

        return points

    @cached_property
    def _own(self) -> TableJob:
        """Whose seed does not matter."""
        return self.job(0)

    def job(self, seed: int) -> TableJob:
        """Of the release's settings."""
        made = self.release
        settings = made.settings
        outcome = {k: v for k, v in made.task.items() if k != "kind"}
        if "cause" not in outcome:
            outcome["case"] = made.case.level
        return Condenser(
            schema=made.schema,
            epsilon=made.ledger.plan.epsilon,
            delta=made.ledger.plan.delta,
            models=list(made.models),
            n_rows=settings["n_rows"],
            cohort=0,  # the attacks look at the rows
            complete=settings.get("complete", False),
            origin=settings.get("origin"),
            unit=settings.get("unit"),
            method=settings["method"],
            weights=settings["weights"],
            balance=settings.get("balance"),
            effort=settings["effort"],
            seed=seed,
            **outcome,
        ).job()


def audit(
    release: CondensedTable | str | Path, records: Any, held_out: Any, **settings: Unpack[Settings]
) -> Audit:
    """Attack a release of rows with all that is known of its records.

    Parameters
    ----------
    release : CondensedTable or path
    records, held_out : pandas or polars frames
        The records that were condensed, and others of the same kind that were not.
    **settings
        As for `tincture.audit.audit.attack`.

    Raises
    ------
    TableError, SchemaError, ModelError, SettingError
    """
    return attack(TableTarget(CondensedTable.of(release)), records, held_out, **settings)
