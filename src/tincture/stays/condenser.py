"""The Python interface for stays, by the conventions of `tincture.tables.condenser`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Unpack

from tincture.errors import SchemaError, SettingError
from tincture.privacy.engine import Engine
from tincture.public.rules import KEY
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.spine.estimator import Releasing, Running, check_cohort
from tincture.stays.cohort import MAX_COHORT
from tincture.stays.job import StaysJob
from tincture.stays.layout import Layout
from tincture.stays.release import CondensedSeries
from tincture.version import __version__

MAX_STAYS = 2_000
MAX_EFFORT = 100


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
    cohort : int, optional
        More stays to draw beside them, at no cost of privacy; by default as many as were counted
        through noise.
    hours, bin_hours : float
        Window from the start of the stay, and its bins.
    time, time_unit : str, optional
        Time column of the events and what it counts, where its name does not tell: second, minute,
        hour or day from the start of the stay, or datetime.
    variable, value : str, optional
        Columns of the events that name the variable and hold its value, where their names do not
        tell.
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

    table_: CondensedSeries
    kind = "stays"

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
        cohort: int | None = None,
        hours: float = 48.0,
        bin_hours: float = 1.0,
        time: str | None = None,
        time_unit: str | None = None,
        variable: str | None = None,
        value: str | None = None,
        unit: str | None = None,
        effort: float | None = None,
        seed: int = 0,
    ) -> None:
        self.schema, self.epsilon, self.delta = schema, epsilon, delta
        self.target, self.case, self.stay, self.unit = target, case, stay, unit
        self.hours, self.bin_hours = hours, bin_hours
        self.time, self.time_unit = time, time_unit
        self.variable, self.value = variable, value
        self.n_rows, self.cohort = n_rows, cohort
        self.effort, self.seed = effort, seed

    def fit(
        self,
        events: Any = None,
        outcomes: Any = None,
        *,
        engine: Engine | None = None,
        **running: Unpack[Running],
    ) -> SeriesCondenser:
        """Condense.

        Parameters
        ----------
        events : frame or path
            Long or wide events, or a folder; see `tincture.stays.formats.opening.open_events`.
        outcomes : frame or path, optional
            One row a stay (or a window of it, if ``unit`` is the stay); may be left out where the
            folder holds it.
        engine : Engine, optional
            Instead of events, as for `Condenser.fit`.
        **running
            ``journal``, ``budget``, ``progress`` and ``notice`` as for `Condenser.fit`.

        Returns
        -------
        SeriesCondenser
            Itself, with ``table_``.

        Raises
        ------
        SettingError, SchemaError, TableError, BudgetError
            As there.
        """
        self._check_source(events, engine, running)
        self._condense((events, outcomes), engine, **running)
        return self

    def job(self) -> StaysJob:
        """The public settings of a run, checked."""
        schema = self._schema()
        self._check()
        if schema.rules:
            raise SchemaError(
                f'The schema has rules ("{KEY}"), which stays cannot be made to obey yet; leave '
                "them out."
            )
        task = self._task(schema)
        layout = Layout.of(
            schema,
            target=self.target,
            stay=self.stay,
            hours=float(self.hours),
            bin_hours=float(self.bin_hours),
        )
        private = schema, self.epsilon, self.delta, self._settings()
        return StaysJob(
            *private,
            task,
            layout,
            self.stay,
            self.time,
            self.time_unit,
            self.variable,
            self.value,
        )

    def to_frames(self, kind: str = "pandas") -> tuple[Any, Any]:
        """Events and outcomes of the invented stays, as ``"pandas"`` or ``"polars"`` frames."""
        self._require_fitted()
        return self.table_.frames(kind)

    def cohort_frames(self, kind: str = "pandas") -> tuple[Any, Any]:
        """Those of the cohort, in the same way.

        Raises
        ------
        ReleaseError
            If there is none.
        """
        self._require_fitted()
        return self.table_.cohort_frames(kind)

    def _check(self) -> None:
        self._check_settings(("epsilon", "delta", "hours", "bin_hours"), MAX_STAYS)
        check_cohort(self.cohort, "stays", MAX_COHORT)
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
        if effort and not _has_torch():
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

    def _settings(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "n_rows": int(self.n_rows),
            "cohort": None if self.cohort is None else int(self.cohort),
            "hours": float(self.hours),
            "bin_hours": float(self.bin_hours),
            "seed": int(self.seed),
            "unit": self.unit,
            "effort": self._effort(),
        }

    def _effort(self) -> float:
        """As given, or as torch allows."""
        return float(_has_torch()) if self.effort is None else float(self.effort)


def _has_torch() -> bool:
    return find_spec("torch") is not None
