"""A run on rows: its public settings, and what they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tincture.errors import TableError
from tincture.io.frames import record_count, to_frame
from tincture.models.served import Served
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Sealed
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, told_of
from tincture.spine.job import Found, Tell
from tincture.spine.run import digest_of
from tincture.tables.expectation import expectation
from tincture.tables.method import method_for, search, usual_plan
from tincture.tables.release import CondensedTable
from tincture.tables.sealing import Sealing
from tincture.tables.trial import rehearse


@dataclass(frozen=True)
class TableJob:
    """Public settings of one run on rows; a `tincture.spine.job.Job`.

    Parameters
    ----------
    schema : Schema
        Of the records.
    task : Task
    features : tuple of str
        Columns to predict from.
    served : Served
    epsilon, delta : float
    settings : mapping
        All others, as the release tells them.
    """

    schema: Schema
    task: Classification | Survival
    features: tuple[str, ...]
    served: Served
    epsilon: float
    delta: float
    settings: Mapping[str, Any]

    @property
    def unit(self) -> str:
        """A column of persons, or the record."""
        return self.settings["unit"] or "record"

    @property
    def encoding(self) -> Encoding:
        """Of the features."""
        return Encoding([self.schema[f] for f in self.features])

    @property
    def method(self) -> str:
        """What is meant where the method is left to us."""
        return method_for(self.settings["method"], self.task)

    def plan(self) -> Plan:
        """The method's usual questions."""
        return usual_plan(self.epsilon, self.delta, self.method)

    def seal(self, source: Any) -> Sealed:
        """Encode a frame.

        Raises
        ------
        TableError
            If it disagrees with the schema, or has no more records than rows are asked for.
        """
        n_rows = self.settings["n_rows"]
        if record_count(source) <= n_rows:
            raise TableError(
                f"The table has no more records than the {n_rows} rows asked for; condensing needs "
                "many times more records than rows."
            )
        return self.sealing(source)

    @property
    def sealing(self) -> Sealing:
        """How records of any number are encoded."""
        return Sealing(self.schema, self.encoding, self.task, self.settings["unit"])

    def rehearse(self) -> None:
        """Try every model on invented rows and records."""
        rehearse(self.served.models, self.task, self.encoding, self.settings["n_rows"])

    def digest(self) -> str:
        """Of all settings."""
        return digest_of(
            {
                **self.settings,
                "schema": self.schema.to_dict(),
                "epsilon": str(self.epsilon),
                "delta": float(self.delta),
                "outcome": told_of(self.schema, self.task),
                "features": list(self.features),
                "models": list(self.served.names),
            }
        )

    def expectation(self) -> str:
        """From the number of columns and ε."""
        return expectation(len(self.features), self.epsilon, self.method)

    def search(self, engine: Engine, rng: np.random.Generator, tell: Tell) -> Found:
        """By the method that the ledger's plan is of."""
        return search(
            engine,
            self.encoding,
            self.task,
            self.served,
            self.settings["n_rows"],
            rng,
            balance=self.settings["balance"],
            effort=self.settings["effort"],
            tell=tell,
        )

    def release(self, found: Found, form: Any, ledger: Ledger) -> CondensedTable:
        """Rows in schema order."""
        schema = self.schema.select([*self.features, *self.task.columns])
        values = {**self.encoding.decode(found.points), **self.task.values(found.outcomes)}
        names, about = self.served.names, told_of(schema, self.task)
        settings = {**self.settings, **found.told}
        return CondensedTable(to_frame(values, schema), schema, about, names, ledger, settings)
