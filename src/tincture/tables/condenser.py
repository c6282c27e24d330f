"""The Python interface, by scikit-learn's conventions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.utils.validation import check_is_fitted

from tincture.errors import SettingError, TableError
from tincture.io.frames import record_count, to_frame
from tincture.models.generic import Model
from tincture.models.portfolio import default_models, resolve
from tincture.privacy.accounting import check_privacy
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.public.encoding import Encoding
from tincture.public.expectation import Notice, expectation
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, Task
from tincture.search.optimizer import Progress
from tincture.spine.run import Releasing, Run, digest_of
from tincture.tables.balance import check_balance
from tincture.tables.condense import condense, method_for, rehearse, usual_plan
from tincture.tables.release import CondensedTable, outcome_told
from tincture.tables.sealing import Sealing
from tincture.version import __version__

MAX_ROWS = 10_000


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
    time, event : str, optional
        Outcome columns of a survival analysis, instead of ``target``; the event has two levels.
    case : level, optional
        Which of the outcome's two levels figures count, by itself or by its label; by default the
        last that the schema declares, or true.
    models : sequence of str or estimators, optional
        Whom the rows shall serve: names of the portfolio, ``"package.module:factory"``, or any
        estimator. By default the whole portfolio of the task.
    n_rows : int
        Rows to make; fewer than there are records.
    unit : str, optional
        Column that names the person, when a person may have several records.
    drop : sequence of str
        Declared columns to leave out.
    method : {"auto", "direct", "proxy"}
        How to search: with a private teacher and invented records (two classes, survival), or
        asking real records at every step.
    weights : mapping from str to float, optional
        How much each model counts, by name; 1 where not named.
    balance : str, optional
        Feature with levels: the search then heeds each of its groups alike, not by its size.
    effort : float
        Factor of the rounds that cost no privacy: less is quicker, more is a little better.
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

    def __init__(
        self,
        *,
        schema: Schema | str | Path,
        epsilon: float,
        delta: float,
        target: str | None = None,
        time: str | None = None,
        event: str | None = None,
        case: Any = None,
        models: Sequence[Any] | None = None,
        n_rows: int = 100,
        unit: str | None = None,
        drop: Sequence[str] = (),
        method: str = "auto",
        weights: Mapping[str, float] | None = None,
        balance: str | None = None,
        effort: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.schema = schema
        self.epsilon = epsilon
        self.delta = delta
        self.target = target
        self.time = time
        self.event = event
        self.case = case
        self.models = models
        self.n_rows = n_rows
        self.unit = unit
        self.drop = drop
        self.method = method
        self.weights = weights
        self.balance = balance
        self.effort = effort
        self.seed = seed

    def fit(
        self,
        records: Any,
        y: None = None,
        *,
        journal: str | Path | None = None,
        budget: str | Path | None = None,
        progress: Progress = lambda done, total: None,
        notice: Notice = lambda text: None,
    ) -> Condenser:
        """Condense.

        Parameters
        ----------
        records : pandas or polars frame
            One record a row, with the columns that the schema declares.
        y : None
            Ignored; the outcome is a column of ``records``.
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
        schema = self.schema if isinstance(self.schema, Schema) else Schema.load(self.schema)
        self._check_settings()
        task = self._task(schema)
        features = self._features(schema, task)
        check_balance(self.balance, schema, features)
        encoding = Encoding([schema[f] for f in features])
        models = [resolve(m, task) for m in self._model_list(task)]
        weights = self._weights(models)
        self._check_size(records)
        method = method_for(self.method, task)
        plan = usual_plan(self.epsilon, self.delta, method)
        ledger = Ledger(plan, unit=self.unit or "record")
        vault = Vault(Sealing(schema, encoding, task, self.unit), records, ledger)
        rehearse(models, task, encoding, self.n_rows)

        with Run(self._digest(schema, task, models), journal, budget) as run:
            run.start(ledger, self.epsilon, self.delta)
            notice(expectation(len(features), self.epsilon, method))
            points, outcomes = condense(
                LocalEngine(vault),
                encoding,
                task,
                models,
                weights,
                self.n_rows,
                np.random.default_rng(self.seed),
                balance=self.balance,
                effort=self.effort,
                progress=progress,
                notice=notice,
            )
        released = schema.select([*features, *task.columns])
        rows = to_frame({**encoding.decode(points), **task.values(outcomes)}, released)
        about, names = outcome_told(released, task), tuple(m.name for m in models)
        self.table_ = CondensedTable(rows, released, about, names, ledger, self._settings())
        self._kind = _kind_of(records)
        return self

    def expectation(self) -> str:
        """One sentence on what to expect of the release, from public settings alone.

        Raises
        ------
        SettingError, SchemaError
            As `fit` would.
        """
        schema = self.schema if isinstance(self.schema, Schema) else Schema.load(self.schema)
        self._check_settings()
        task = self._task(schema)
        n_columns = len(self._features(schema, task))
        return expectation(n_columns, self.epsilon, method_for(self.method, task))

    def to_frame(self, kind: str | None = None) -> Any:
        """The condensed rows, in the library that the records came in unless ``kind`` says."""
        check_is_fitted(self, "table_")
        return self.table_.to_frame(kind or self._kind)

    def _check_settings(self) -> None:
        for name in ("epsilon", "delta", "effort"):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), Real):
                raise SettingError(f"{name.capitalize()} must be a number.")
        self._check_whole()
        for name in ("models", "drop"):
            if isinstance(getattr(self, name), str):
                raise SettingError(f"{name} must be a list, even of one name.")
        check_privacy(self.epsilon, self.delta)
        if not 0 < self.effort <= 100:
            raise SettingError(f"The effort is {self.effort}; expected above 0, up to 100.")
        if not 4 <= self.n_rows <= MAX_ROWS:
            raise SettingError(f"{self.n_rows} rows were asked for; expected 4 to {MAX_ROWS}.")
        self._check_seed()

    def _task(self, schema: Schema) -> Classification | Survival:
        if self.target is not None and self.time is None and self.event is None:
            return Classification.of(schema, self.target, self.case)
        if self.target is None and self.time is not None and self.event is not None:
            return Survival.of(schema, self.time, self.event, self.case)
        raise SettingError("Name a target, or both a time and an event column, and not all three.")

    def _features(self, schema: Schema, task: Task) -> list[str]:
        others = {*task.columns, *self.drop}
        for name in self.drop:
            schema[name]  # refuses a name that the schema does not declare
        if self.unit in task.columns:
            raise SettingError(f"The column {self.unit!r} cannot be both the unit and an outcome.")
        features = [n for n in schema.names if n not in others and n != self.unit]
        if not features:
            raise SettingError("No column is left to predict from; drop fewer.")
        schema.require_public([*features, *task.columns])
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

    def _check_size(self, records: Any) -> None:
        n_records = record_count(records)
        if n_records <= self.n_rows:
            raise TableError(
                f"The table has no more records than the {self.n_rows} rows asked for; condensing "
                "needs many times more records than rows."
            )

    def _settings(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "n_rows": int(self.n_rows),
            "method": self.method,
            "weights": dict(self.weights or {}),
            "balance": self.balance,
            "effort": float(self.effort),
            "seed": int(self.seed),
            "unit": self.unit,
        }

    def _digest(
        self, schema: Schema, task: Classification | Survival, models: Sequence[Model]
    ) -> str:
        """Of all that a resumed run must have in common with the killed one."""
        described = {
            **self._settings(),
            "schema": schema.to_dict(),
            "epsilon": str(self.epsilon),
            "delta": float(self.delta),
            "outcome": outcome_told(schema, task),
            "drop": sorted(self.drop),
            "models": [m.name for m in models],
        }
        return digest_of(described)


def _kind_of(records: Any) -> str:
    native = nw.from_native(records, eager_only=True, pass_through=False)
    return "pandas" if nw.get_native_namespace(native).__name__ == "pandas" else "polars"
