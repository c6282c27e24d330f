"""The Python interface for stays, by the conventions of `tincture.tables.condenser`."""

from __future__ import annotations

from importlib.util import find_spec
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tincture.errors import SettingError, TableError
from tincture.privacy.accounting import check_privacy
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.search.optimizer import Progress
from tincture.spine.run import Releasing, Run, digest_of
from tincture.stays.condense import condense_series, series_plan
from tincture.stays.events.reader import Form
from tincture.stays.layout import Layout
from tincture.stays.reading import read_by, read_stays, with_roles
from tincture.stays.release import CondensedSeries, written
from tincture.stays.sealing import Sealing
from tincture.tables.release import outcome_told
from tincture.version import __version__

MAX_STAYS = 2_000
MAX_EFFORT = 100
HAS_TORCH = find_spec("torch") is not None


class SeriesCondenser(Releasing):
    """Condense stays, each a bundle of irregular measurements, to a few invented ones.

    Parameters
    ----------
    schema : Schema, or path of a schema file
        With ``"role": "variable"`` or ``"static"`` for each column to learn from.
    epsilon, delta : float
        As for `Condenser`.
    target : str
        Outcome of two classes, a column of the outcomes.
    case : level, optional
        As for `Condenser`.
    stay : str
        Column that names the stay, in events and outcomes.
    n_rows : int
        Stays to make.
    hours, bin_hours : float
        Window from the start of the stay, and its bins.
    time, time_unit : str, optional
        Time column of the events and what it counts, where its name does not tell: second, minute,
        hour or day from the start of the stay, or datetime.
    unit : str, optional
        Column of the outcomes that names the person, when a person may have several stays; or
        ``stay`` itself, when the outcomes name one several times, each with a window of its own.
    effort : float, optional
        Factor of the rounds in which stays are matched to small networks; 0 leaves it out. It costs
        minutes and no privacy, and needs torch. If not given: 1 where torch is there, else 0; the
        release tells which.
    seed : int
        Of the search; the noise takes none.

    Attributes
    ----------
    table_ : CondensedSeries
        After `fit`.
    """

    def __init__(
        self,
        *,
        schema: Schema | str | Path,
        epsilon: float,
        delta: float,
        target: str,
        case: Any = None,
        stay: str = "stay_id",
        n_rows: int = 80,
        hours: float = 48.0,
        bin_hours: float = 1.0,
        time: str | None = None,
        time_unit: str | None = None,
        unit: str | None = None,
        effort: float | None = None,
        seed: int = 0,
    ) -> None:
        self.schema = schema
        self.epsilon = epsilon
        self.delta = delta
        self.target = target
        self.case = case
        self.stay = stay
        self.n_rows = n_rows
        self.hours = hours
        self.bin_hours = bin_hours
        self.time = time
        self.time_unit = time_unit
        self.unit = unit
        self.effort = effort
        self.seed = seed

    def fit(
        self,
        events: Any,
        outcomes: Any = None,
        *,
        journal: str | Path | None = None,
        budget: str | Path | None = None,
        progress: Progress = lambda done, total: None,
    ) -> SeriesCondenser:
        """Condense.

        Parameters
        ----------
        events : frame or path
            Long events, or a folder; see `tincture.stays.formats.open_events`.
        outcomes : frame or path, optional
            One row a stay (or a window of it, if ``unit`` is the stay); may be left out where the
            folder holds it.
        journal, budget, progress
            As for `Condenser.fit`.

        Returns
        -------
        SeriesCondenser
            Itself, with ``table_``.

        Raises
        ------
        SettingError, SchemaError, TableError
            Before any privacy is spent.
        BudgetError
            If the budget does not hold the release.
        """
        schema = self.schema if isinstance(self.schema, Schema) else Schema.load(self.schema)
        self._check_settings()
        task = self._task(schema)
        stays, form = read_stays(
            events,
            outcomes,
            schema,
            target=self.target,
            stay=self.stay,
            hours=float(self.hours),
            bin_hours=float(self.bin_hours),
            time=self.time,
            time_unit=self.time_unit,
            unit=self.unit,
        )
        if len(stays) <= self.n_rows:
            raise TableError(
                f"There are no more stays than the {self.n_rows} asked for; condensing needs many "
                "times more."
            )
        layout = stays.layout
        ledger = Ledger(series_plan(self.epsilon, self.delta), unit=self.unit or "stay")
        vault = Vault(Sealing(schema, task, self.unit), stays, ledger)
        del stays

        with Run(self._digest(schema, task), journal, budget) as run:
            run.start(ledger, self.epsilon, self.delta)
            rng = np.random.default_rng(self.seed)
            found = condense_series(
                LocalEngine(vault),
                layout,
                task,
                self.n_rows,
                rng,
                effort=self._effort(),
                progress=progress,
            )
        released = with_roles(schema.select(self._released(layout, form)), form)
        tables = written(found.points, found.outcomes, layout, released, task, form)
        settings = self._settings() | {
            "prevalence": round(found.prevalence, 4),
            "left_out": list(found.left_out),
            "columns": [form.stay, form.time, form.variable, form.value],
            "time_unit": form.unit,
        }
        about = outcome_told(released, task)
        self.table_ = CondensedSeries(*tables, released, about, settings, ledger)
        return self

    def to_frames(self, kind: str = "pandas") -> tuple[Any, Any]:
        """Events and outcomes of the invented stays, as ``"pandas"`` or ``"polars"`` frames."""
        check_is_fitted(self, "table_")
        tables = self.table_.events, self.table_.outcomes
        if kind == "polars":
            return tables
        import pandas as pd

        events, outcomes = (pd.DataFrame({s.name: s.to_numpy() for s in t}) for t in tables)
        return events, outcomes

    def _check_settings(self) -> None:
        for name in ("epsilon", "delta", "hours", "bin_hours"):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), Real):
                raise SettingError(f"{name} must be a number.")
        self._check_whole()
        check_privacy(self.epsilon, self.delta)
        if not 4 <= self.n_rows <= MAX_STAYS:
            raise SettingError(f"{self.n_rows} stays were asked for; expected 4 to {MAX_STAYS}.")
        self._check_seed()
        self._check_effort()
        if self.unit == self.target:
            raise SettingError("The unit must be another column than the target.")

    def _check_effort(self) -> None:
        effort: Any = self.effort
        if effort is None:
            return
        if isinstance(effort, bool) or not isinstance(effort, int | float):
            raise SettingError("effort must be a number.")
        if not 0 <= effort <= MAX_EFFORT:
            raise SettingError(
                f"The effort is {effort}; expected 0, for no matching to networks, up to "
                f"{MAX_EFFORT}."
            )
        if effort and not HAS_TORCH:
            raise SettingError(
                "Matching stays to networks needs torch, which is not installed; run "
                'pip install "tincture[deep]", or leave it out with effort 0.'
            )

    def _task(self, schema: Schema) -> Classification:
        task = Classification.of(schema, self.target, self.case)
        if task.n_classes != 2:
            raise SettingError(
                f"The target {self.target!r} has {task.n_classes} classes; stays are condensed for "
                "two."
            )
        return task

    def _released(self, layout: Layout, form: Form) -> list[str]:
        statics = [c.name for c in layout.statics.columns] if layout.statics else []
        return [*layout.names, *statics, self.target, *read_by(form)]

    def _settings(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "n_rows": int(self.n_rows),
            "hours": float(self.hours),
            "bin_hours": float(self.bin_hours),
            "seed": int(self.seed),
            "unit": self.unit,
            "effort": self._effort(),
        }

    def _effort(self) -> float:
        """As given, or as torch allows."""
        return float(HAS_TORCH) if self.effort is None else float(self.effort)

    def _digest(self, schema: Schema, task: Classification) -> str:
        """Of all that a resumed run must have in common with the killed one."""
        described = {
            **self._settings(),
            "schema": schema.to_dict(),
            "epsilon": str(self.epsilon),
            "delta": float(self.delta),
            "outcome": [outcome_told(schema, task), self.stay],
            "time": [self.time, self.time_unit],
        }
        return digest_of(described)
