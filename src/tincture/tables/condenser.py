"""The Python interface, by scikit-learn's conventions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import narwhals as nw

from tincture.errors import SettingError
from tincture.io.parts import Partitioned
from tincture.models.portfolio import HINGED, default_models, resolve
from tincture.models.protocol import Model
from tincture.models.served import Served
from tincture.privacy.engine import Engine
from tincture.public.causes import with_cause
from tincture.public.origins import with_origin
from tincture.public.schema import Schema
from tincture.public.tasks import Amounts, Classification, Survival, Task
from tincture.search.optimizer import Progress
from tincture.spine.estimator import Releasing, Running
from tincture.spine.job import SILENT, Notice
from tincture.tables.balance import check_balance
from tincture.tables.burden import require_bearable
from tincture.tables.cohort import check_people
from tincture.tables.job import TableJob
from tincture.tables.method import method_for
from tincture.tables.release import CondensedTable
from tincture.version import __version__

MAX_ROWS = 10_000
MOST_RECORDS = 10**12


class Condenser(Releasing):
    """Condense a table of records to a few invented rows that models can be trained on.

    Parameters
    ----------
    schema : Schema, or path of a schema file
        What is publicly known of the table.
    epsilon : float
        Privacy loss ε allowed; ``float("inf")`` condenses without privacy.
    delta : float
        Probability δ in (0, 1) with which ε may be exceeded; well below one over the records.
    target : str, optional
        Outcome column of a classification.
    outcome : str, optional
        Instead of ``target``, a number with a minimum and a maximum, such as days in hospital.
    time, event : str, optional
        Outcome columns of a survival analysis, instead of ``target``; the event has two levels,
        or more where a ``cause`` is named.
    cause : level, optional
        Which level of the event is the one to predict, by itself or by its label; all others
        count as censored, so that hazards are cause-specific.
    case : level, optional
        Which of the outcome's two levels figures count, by itself or by its label; by default the
        last that the schema declares, or true.
    models : sequence of str or estimators, optional
        Whom the rows shall serve: names of the portfolio, ``"package.module:factory"``, or any
        estimator. By default the whole portfolio of the task.
    n_rows : int, optional
        Rows to make, fewer than there are records; by default 100, or up to 500 where a regression
        without a penalty is served, which needs ten events for each of its columns, or there are
        more than two classes.
    cohort : int, optional
        People to invent beside the rows, at no cost of privacy; by default as many as were counted
        through noise (50,000 at most, where records lie in parts), if the proxy method searches.
    apart : bool
        Whether everyone of the cohort is drawn alone, for support vector machines and for
        descriptions by several columns. By default several people are alike in all but the outcome,
        from whom other models learn more, unless no other model is served.
    complete : bool
        Whether no cell of rows and people may be missing, though cells of records may.
    origin : str, optional
        Date or datetime from which all others count as days, in each record from its own; it is no
        feature then. Without it dates are dates.
    unit : str, optional
        Column that names the person, when a person may have several records.
    n_records : int, optional
        About how many records there are, where they lie in parts: a public number, by which about
        1,000,000 of them are kept in memory.
    drop : sequence of str
        Declared columns to leave out.
    method : {"auto", "direct", "proxy"}
        How to search: with a private teacher and invented records, which is the default, or asking
        real records at every step.
    weights : mapping from str to float, optional
        How much each model counts, by name; 1 where not named.
    balance : str, optional
        Feature with levels: the search then heeds each of its groups alike, not by its size.
    effort : float
        Factor of the rounds that cost no privacy: less is quicker, more is a little better.
    many_levels : bool
        Whether to go on though a column has more than 500 levels, which takes long and shows few.
    seed : int
        Of the search; the noise takes none.

    Attributes
    ----------
    table_ : CondensedTable
        After `fit`.

    Examples
    --------
    >>> from tincture.demo import support2
    >>> train, test, schema = support2(seed=0)
    >>> condenser = Condenser(
    ...     schema=schema, target="hospdead", models=["logistic"], epsilon=1.0, delta=1e-5
    ... ).fit(train)
    >>> condenser.to_frame().shape
    (100, 30)
    """

    table_: CondensedTable
    kind = "rows"

    def __init__(
        self,
        *,
        schema: Schema | str | Path,
        epsilon: float,
        delta: float,
        target: str | None = None,
        outcome: str | None = None,
        time: str | None = None,
        event: str | None = None,
        cause: Any = None,
        case: Any = None,
        models: Sequence[Any] | None = None,
        n_rows: int | None = None,
        cohort: int | None = None,
        apart: bool = False,
        complete: bool = False,
        origin: str | None = None,
        unit: str | None = None,
        n_records: int | None = None,
        drop: Sequence[str] = (),
        method: str = "auto",
        weights: Mapping[str, float] | None = None,
        balance: str | None = None,
        effort: float = 1.0,
        many_levels: bool = False,
        seed: int = 0,
    ) -> None:
        self.schema, self.epsilon, self.delta, self.origin = schema, epsilon, delta, origin
        self.target, self.outcome, self.time, self.event = target, outcome, time, event
        self.cause, self.case = cause, case
        self.models, self.weights, self.method = models, weights, method
        self.n_rows, self.cohort, self.apart, self.complete = n_rows, cohort, apart, complete
        self.unit, self.n_records, self.drop = unit, n_records, drop
        self.balance, self.effort, self.seed = balance, effort, seed
        self.many_levels = many_levels

    def fit(
        self,
        records: Any = None,
        y: None = None,
        *,
        engine: Engine | None = None,
        journal: str | Path | None = None,
        budget: str | Path | None = None,
        progress: Progress = SILENT.progress,
        notice: Notice = SILENT.notice,
    ) -> Condenser:
        """Condense.

        Parameters
        ----------
        records : pandas or polars frame, or Partitioned
            One record a row, with the columns that the schema declares; or the files of a folder,
            which are read one after the other and never held as a whole.
        y : None
            Ignored; the outcome is a column of ``records``.
        engine : Engine, optional
            Instead of records: asks them where they are, such as at several sites
            (`tincture.federation.engine.FederatedEngine`), whose budgets lie there too.
        journal : path, optional
            Where to write the ledger ahead, so that a killed run can be continued by the same call.
        budget : path, optional
            Budget file that must hold this release.
        progress : callable, optional
            Told the rounds done and the rounds in all.
        notice : callable, optional
            Told what to expect: by public settings (`expectation`) when all is checked and nothing
            is spent yet, then by the noisy counts of the outcomes.

        Returns
        -------
        Condenser
            Itself, with ``table_``.

        Raises
        ------
        SettingError, SchemaError, TableError, ModelError
            Before any privacy is spent.
        BudgetError
            If the budget does not hold the release.
        QueryFailed
            If a model fails on real records.
        """
        running = Running(journal=journal, budget=budget, progress=progress, notice=notice)
        self._check_source(records, engine, running)
        is_in_parts = isinstance(records, Partitioned)
        if is_in_parts:
            records = replace(records, progress=progress)
        if is_in_parts != (self.n_records is not None):
            raise SettingError(
                "Records in parts (--partitioned) and about how many there are (--about) go "
                "together; give both or neither."
            )
        self._condense(records, engine, **running)
        self._kind = "polars" if is_in_parts or engine else _kind_of(records)
        return self

    def job(self) -> TableJob:
        """The public settings of a run, checked."""
        schema, case = self._outcome(self._dated(self._schema()))
        self._check()
        task = self._task(schema, case)
        check_people(self.cohort, method_for(self.method), apart=self.apart)
        features = self._features(schema, task)
        check_balance(self.balance, schema, features)
        models = tuple(resolve(m, task) for m in self._model_list(task))
        served = Served(models, tuple(self._weights(models)))
        private = schema, self.epsilon, self.delta, self._settings(served)
        return TableJob(*private, task, tuple(features), served)

    def to_frame(self, kind: str | None = None) -> Any:
        """The condensed rows, in the library that the records came in unless ``kind`` says."""
        self._require_fitted()
        return self.table_.to_frame(kind or self._kind)

    def cohort_frame(self, kind: str | None = None) -> Any:
        """The cohort, in the same way.

        Raises
        ------
        ReleaseError
            If there is none.
        """
        self._require_fitted()
        return self.table_.cohort_frame(kind or self._kind)

    def _check(self) -> None:
        self._check_settings(("epsilon", "delta", "effort"), MAX_ROWS)
        for name in ("models", "drop"):
            if isinstance(getattr(self, name), str):
                raise SettingError(f"{name} must be a list, even of one name.")
        for name in ("apart", "complete"):
            if not isinstance(getattr(self, name), bool):
                raise SettingError(f"{name} must be true or false.")
        about: Any = 1 if self.n_records is None else self.n_records
        if not (isinstance(about, Integral) and 1 <= int(about) <= MOST_RECORDS):
            raise SettingError(
                f"About how many records there are (--about) is {about}; expected a whole number "
                f"from 1 to {MOST_RECORDS:,}."
            )
        if not 0 < self.effort <= 100:
            raise SettingError(f"The effort is {self.effort}; expected above 0, up to 100.")

    def _dated(self, schema: Schema) -> Schema:
        """The schema with dates as days since the origin, if there is one."""
        return schema if self.origin is None else with_origin(schema, self.origin, self.drop)

    def _outcome(self, schema: Schema) -> tuple[Schema, Any]:
        """The schema as the run knows it, and the case."""
        if self.cause is None:
            return schema, self.case
        if self.event is None or self.case is not None:
            raise SettingError(
                "The cause (--cause) says which level of --event is the event; it goes neither "
                "with --target nor with --case."
            )
        return with_cause(schema, self.event, self.cause)

    def _task(self, schema: Schema, case: Any) -> Classification | Amounts | Survival:
        match self.target, self.outcome, self.time, self.event:
            case str(target), None, None, None:
                return Classification.of(schema, target, case)
            case None, str(outcome), None, None:
                return Amounts.of(schema, outcome, case)
            case None, None, str(time), str(event):
                return Survival.of(schema, time, event, case)
        raise SettingError(
            "Name a target, an outcome that is an amount, or both a time and an event column, and "
            "no other beside it."
        )

    def _features(self, schema: Schema, task: Task) -> list[str]:
        others = {*task.columns, *self.drop}
        for name in self.drop:
            schema[name]  # refuses a name that the schema does not declare
            if name in task.columns:
                raise SettingError(f"The column {name!r} is the outcome, and cannot be dropped.")
        if self.unit in task.columns:
            raise SettingError(f"The column {self.unit!r} cannot be both the unit and an outcome.")
        features = [n for n in schema.names if n not in others and n != self.unit]
        if not features:
            raise SettingError("No column is left to predict from; drop fewer.")
        schema.require_public([*features, *task.columns])
        require_bearable([schema[name] for name in features], many_levels=self.many_levels)
        return features

    def _model_list(self, task: Task) -> Iterable[Any]:
        models = default_models(task) if self.models is None else list(self.models)
        if not models:
            raise SettingError("The list of models is empty; name one, or leave it out for all.")
        return models

    def _weights(self, models: Sequence[Model]) -> list[float]:
        """Of the models, summing to 1."""
        if not isinstance(self.weights or {}, Mapping):
            raise SettingError("weights must map names of models to numbers.")
        given: dict[str, Any] = dict(self.weights or {})
        unknown = set(given) - {m.name for m in models}
        if unknown:
            raise SettingError(
                f"A weight was given for {', '.join(sorted(unknown))}, which is not among the "
                f"models {', '.join(m.name for m in models)}."
            )
        if any(not isinstance(w, Real) or not 0 < float(w) < math.inf for w in given.values()):
            raise SettingError("A model's weight must be a number above 0.")
        raw = [float(given.get(m.name, 1.0)) for m in models]
        return [w / sum(raw) for w in raw]

    def _settings(self, served: Served) -> dict[str, Any]:
        apart = self.apart or HINGED.issuperset(served.names)
        return {
            "version": __version__,
            "n_rows": None if self.n_rows is None else int(self.n_rows),
            "cohort": None if self.cohort is None else int(self.cohort),
            **({"apart": True} if apart else {}),
            "complete": self.complete,
            "method": self.method,
            "weights": dict(self.weights or {}),
            "balance": self.balance,
            "effort": float(self.effort),
            "seed": int(self.seed),
            "unit": self.unit,
            **({} if self.origin is None else {"origin": self.origin}),
            **({} if self.n_records is None else {"n_records": int(self.n_records)}),
        }


def _kind_of(records: Any) -> str:
    native = nw.from_native(records, eager_only=True, pass_through=False)
    return "pandas" if nw.get_native_namespace(native).__name__ == "pandas" else "polars"
