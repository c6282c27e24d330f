"""A run on stays: its public settings, and what they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tincture.errors import TableError
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Sealed
from tincture.public.tasks import Classification, told_of
from tincture.spine.job import Found, Invented, Settled, Tell
from tincture.stays.expectation import Outlook
from tincture.stays.layout import Layout
from tincture.stays.meds import Tables
from tincture.stays.method import Matching, search, usual_plan
from tincture.stays.reading import read_by, read_stays, with_roles
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
        unit = self.settings["unit"]
        events, outcomes = source
        stays, form = read_stays(
            events,
            outcomes,
            self.schema,
            self.layout,
            stay=self.stay,
            time=self.time,
            time_unit=self.time_unit,
            variable=self.variable,
            value=self.value,
            unit=unit,
        )
        if len(stays) <= self.n_rows:
            raise TableError(
                f"There are no more stays than the {self.n_rows} asked for; condensing needs many "
                "times more."
            )
        return replace(StaysSealing(self.schema, self.task, unit=unit)(stays), form=form)

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

    def release(self, found: Found, form: Any, ledger: Ledger) -> CondensedSeries:
        """Events and outcomes in the form of the real ones."""
        layout = self.layout
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
