"""A run on rows: its public settings, and what they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import polars as pl

from tincture.arrays import Floats
from tincture.io.frames import record_count, to_frame
from tincture.io.parts import Partitioned
from tincture.models.served import Served
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Sealed
from tincture.privacy.stream import Stream
from tincture.public.encoding import Encoding
from tincture.public.rules import Rules
from tincture.public.tasks import Amounts, Classification, Survival, told_of
from tincture.spine.job import Found, Settled, Tell
from tincture.spine.questions import CellCounts
from tincture.spine.recipe import Recipe
from tincture.tables.brief import MAX_PEOPLE
from tincture.tables.burden import advice
from tincture.tables.expectation import UNKNOWN, expectation
from tincture.tables.method import method_for, search, usual_plan
from tincture.tables.parts import Number, Sealer, TableParts
from tincture.tables.questions import MarginalCounts
from tincture.tables.recipes import Recipes
from tincture.tables.release import CondensedTable
from tincture.tables.ruled import Ruled
from tincture.tables.sealing import TableSealing
from tincture.tables.sizing import LEAST, USUAL
from tincture.tables.trial import rehearse


@dataclass(frozen=True)
class TableJob(Settled):
    """Public settings of one run on rows; a `tincture.spine.job.Job`.

    Parameters
    ----------
    task : Task
    features : tuple of str
        Columns to predict from.
    served : Served
    """

    task: Classification | Amounts | Survival
    features: tuple[str, ...]
    served: Served
    one = "record"
    sample: ClassVar[int] = 1_000_000  # about so many records of many parts are kept
    most_people: ClassVar[int] = 50_000  # in a cohort beside them, where it is left to the counts

    @cached_property
    def encoding(self) -> Encoding:
        """Of the features; rows obey the rules, if the schema has any."""
        columns, rules = [self.schema[f] for f in self.features], self.rules
        return Ruled(columns, rules, self.task) if rules else Encoding(columns)

    @cached_property
    def rules(self) -> Rules:
        """Of the columns used, which change no outcome.

        Raises
        ------
        SchemaError
            If some outcome could not be without a breach.
        """
        used = self.schema.select([*self.features, *self.task.columns])
        return used.lawful(self.task.columns)

    @property
    def n_asked(self) -> int | None:
        """Rows to make; None where that is left to the counts."""
        asked: int | None = self.settings["n_rows"]
        return asked

    @property
    def method(self) -> str:
        """What is meant where the method is left to us."""
        return method_for(self.settings["method"])

    def plan(self) -> Plan:
        """The method's usual questions."""
        return usual_plan(self.epsilon, self.delta, self.method)

    def seal(self, source: Any) -> Sealed | Stream:
        """Encode a frame, or the parts of a folder as they pass.

        Raises
        ------
        TableError
            If it disagrees with the schema, or has no more records than rows are asked for.
        """
        if not isinstance(source, Partitioned):
            self._number.refuse_few(record_count(source))
            return self.sealing(source)
        opening = CellCounts(self.task), MarginalCounts(self.encoding)
        rate = min(1.0, self.sample / self.settings["n_records"])
        parts = TableParts(source, Sealer(self.sealing), self._number)
        return Stream(parts.passed, opening, rate)

    def seal_part(self, source: Any) -> Sealed:
        """Encode one site's frame: only those of all sites must be many, and of several outcomes.

        Raises
        ------
        TableError
        """
        return self.sealing.part(source)

    @property
    def _number(self) -> Number:
        """More records than rows; and about as many as were said, of which some are kept."""
        most = 2.0 * max(self.settings.get("n_records", math.inf), self.sample)
        is_asked = self.n_asked is not None
        return Number(self.n_asked or LEAST, is_asked, most)

    @property
    def sealing(self) -> TableSealing:
        """How records of any number are encoded."""
        return TableSealing(self.schema, self.encoding, self.task, unit=self.settings["unit"])

    def rehearse(self) -> None:
        """Try every model on invented rows and records."""
        rehearse(self.served.models, self.task, self.encoding, self.n_asked or USUAL)

    def described(self) -> dict[str, Any]:
        """The outcome, and what is predicted from what."""
        about = told_of(self.schema, self.task)
        names = {"features": list(self.features), "models": list(self.served.names)}
        return {"outcome": about, **names}

    def expectation(self) -> str:
        """From the number of columns and ε, and where columns or levels are many, the time."""
        several = self.task.n_outputs > 2
        told = (
            UNKNOWN.format("amounts")
            if self.task.name == "amounts"
            else expectation(len(self.features), self.epsilon, self.method, several=several)
        )
        long = advice(self.encoding.columns, self.n_asked, self.settings["effort"])
        return f"{told} {long}".strip()

    def recipe_of(self, query: Query) -> Recipe:
        """What makes a query of this job again, elsewhere."""
        return self._recipes.of(query)

    def query_of(self, recipe: Recipe) -> Query:
        """The query, prepared and tried; some exception where it is none of this job."""
        return self._recipes.query(recipe)

    @property
    def _recipes(self) -> Recipes:
        return Recipes(self.encoding, self.task, self.served, self.settings["balance"])

    def search(self, engine: Engine, rng: np.random.Generator, tell: Tell) -> Found:
        """By the method that the ledger's plan is of."""
        return search(
            engine,
            self.encoding,
            self.task,
            self.served,
            self.n_asked,
            rng,
            balance=self.settings["balance"],
            effort=self.settings["effort"],
            cohort=self.settings["cohort"],
            apart=self.settings.get("apart", False),
            complete=self.settings["complete"],
            most_people=self.most_people if "n_records" in self.settings else MAX_PEOPLE,
            n_said=None if self.settings["unit"] else self.settings.get("n_records"),
            tell=tell,
        )

    def release(self, found: Found, form: Any, ledger: Ledger) -> CondensedTable:
        """Rows in schema order, as the rules have them."""
        schema = self.schema.select([*self.features, *self.task.columns])

        def frame(points: Floats, outcomes: Floats) -> pl.DataFrame:
            values = {**self.encoding.decode(points), **self.task.values(outcomes)}
            return to_frame(self.rules.mended(values), schema)

        return CondensedTable(
            frame(found.points, found.outcomes),
            self.served.names,
            schema=schema,
            task=told_of(schema, self.task),
            settings={**self.settings, **found.told},
            ledger=ledger,
            cohort=None if found.cohort is None else frame(*found.cohort),
        )
