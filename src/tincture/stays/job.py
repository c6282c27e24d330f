"""A run on stays: its public settings, and what they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tincture.errors import TableError
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Sealed
from tincture.public.tasks import Classification, told_of
from tincture.spine.job import Found, Invented, Settled, Tell
from tincture.spine.recipe import Recipe
from tincture.stays.events.reader import Form
from tincture.stays.expectation import Outlook
from tincture.stays.layout import Layout, Stays
from tincture.stays.meds import Tables
from tincture.stays.method import Matching, search, usual_plan
from tincture.stays.reading import read_by, read_stays, with_roles
from tincture.stays.recipes import StaysRecipes
from tincture.stays.release import CondensedSeries, written
from tincture.stays.sealing import StaysSealing


@dataclass(frozen=True)
class StaysJob(Settled):
    """Public settings of one run on stays; a `tincture.spine.job.Job`.

    Parameters
    ----------
    task : Classification
    layout : Layout
        Of this schema.
    stay : str
        Column that names the stay, in events and outcomes.
    time, time_unit : str or None
        Time column of the events and what it counts, where its name does not tell.
    variable, value : str or None
        Columns of the events that name the variable and hold its value, likewise.
    """

    task: Classification
    layout: Layout
    stay: str
    time: str | None
    time_unit: str | None
    variable: str | None
    value: str | None
    one = "stay"

    def plan(self) -> Plan:
        """The usual questions."""
        return usual_plan(self.epsilon, self.delta)

    def seal(self, source: Any) -> Sealed:
        """Bin and encode events and outcomes, each a frame or a path.

        Raises
        ------
        SettingError, TableError
            If they disagree with the schema, or there are no more stays than are asked for.
        """
        stays, form = self._read(source)
        if len(stays) <= self.n_rows:
            raise TableError(
                f"There are no more stays than the {self.n_rows} asked for; condensing needs many "
                "times more."
            )
        return replace(self._sealing(stays), form=form)

    def seal_part(self, source: Any) -> Sealed:
        """Those of one site: only those of all sites must be many, and of both outcomes.

        Raises
        ------
        SettingError, TableError
        """
        stays, form = self._read(source)
        return replace(self._sealing.part(stays), form=form)

    @property
    def _sealing(self) -> StaysSealing:
        return StaysSealing(self.schema, self.task, unit=self.settings["unit"])

    def _read(self, source: Any) -> tuple[Stays, Form]:
        events, outcomes = source
        return read_stays(
            events,
            outcomes,
            self.schema,
            self.layout,
            stay=self.stay,
            time=self.time,
            time_unit=self.time_unit,
            variable=self.variable,
            value=self.value,
            unit=self.settings["unit"],
        )

    def recipe_of(self, query: Query) -> Recipe:
        """What makes a query of this job again, elsewhere."""
        return StaysRecipes(self.layout, self.task).of(query)

    def query_of(self, recipe: Recipe) -> Query:
        """The query, prepared and tried; some exception where it is none of this job."""
        return StaysRecipes(self.layout, self.task).query(recipe)

    def rehearse(self) -> None:
        """Nothing is asked of models."""

    def described(self) -> dict[str, Any]:
        """The outcome, whose it is, and when."""
        outcome = [told_of(self.schema, self.task), self.stay]
        columns = [self.time, self.time_unit, self.variable, self.value]
        return {"outcome": outcome, "columns": columns}

    def expectation(self) -> str:
        """From the number of columns, ε and δ."""
        return Outlook(self.layout, self.plan(), self.unit).before()

    def search(self, engine: Engine, rng: np.random.Generator, tell: Tell) -> Found:
        """Ask, teach, invent, match."""
        return search(
            engine,
            self.layout,
            self.task,
            self.n_rows,
            rng,
            cohort=self.settings["cohort"],
            matching=Matching.of(self.settings["effort"]),
            tell=tell,
        )

    @property
    def _usual_form(self) -> Form:
        """A long table, by the names that are set; each of several sites may have its own."""
        named = {"time": self.time, "unit": self.time_unit}
        named |= {"variable": self.variable, "value": self.value}
        return Form(self.stay, **{part: name for part, name in named.items() if name})

    def release(self, found: Found, form: Any, ledger: Ledger) -> CondensedSeries:
        """Events and outcomes in the form of the real ones, or a usual one of those elsewhere."""
        form, layout = form or self._usual_form, self.layout
        statics = [c.name for c in layout.statics.columns] if layout.statics else []
        names = [*layout.names, *statics, *self.task.columns, *read_by(form)]
        schema = with_roles(self.schema.select(names), form)

        def tables(made: Found | Invented, first: int) -> Tables:
            form_of_them = layout, schema, self.task, form
            return written(made.points, made.outcomes, *form_of_them, first=first)

        people = found.cohort
        settings = {
            **self.settings,
            **found.told,
            "columns": [form.stay, form.time, form.variable, form.value],
            "time_unit": form.unit,
        }
        about = told_of(schema, self.task)
        return CondensedSeries(
            *tables(found, 1),
            None if people is None else tables(people, self.n_rows + 1),
            schema=schema,
            task=about,
            settings=settings,
            ledger=ledger,
        )
