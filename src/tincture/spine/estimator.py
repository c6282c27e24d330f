"""What estimators of every kind of data share: a release after `fit`, and settings to check."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, TypedDict

from tincture.errors import SettingError
from tincture.privacy.accounting import check_privacy
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.public.schema import Schema
from tincture.search.optimizer import Progress
from tincture.spine.condense import condense
from tincture.spine.job import SILENT, Job, Notice, Tell
from tincture.spine.parameters import Parametrised


class Running(TypedDict, total=False):
    """Of every `fit`, for those that hand it on."""

    journal: str | Path | None
    budget: str | Path | None
    progress: Progress
    notice: Notice


def check_cohort(cohort: Any, whom: str, most: int) -> None:
    """Refuse a number that cannot be invented beside the condensed.

    Parameters
    ----------
    cohort : int or None
        None where it is left to the noisy counts.
    whom : str
        What it is made of.
    most : int

    Raises
    ------
    SettingError
    """
    if cohort is None:
        return
    if isinstance(cohort, bool) or not isinstance(cohort, Integral):
        raise SettingError("cohort must be a whole number.")
    if not 0 <= int(cohort) <= most:
        raise SettingError(f"A cohort of {cohort} {whom} was asked for; expected 0 to {most}.")


class Releasing(Parametrised):
    """An estimator whose ``table_``, after ``fit``, is a release."""

    kind: ClassVar[str]  # what it makes: rows, stays
    schema: Any  # settings that all have, unchecked
    epsilon: Any
    delta: Any
    n_rows: Any
    seed: Any
    table_: Any

    @abstractmethod
    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Condense, and keep the release as ``table_``."""

    @abstractmethod
    def job(self) -> Job[Any]:
        """The public settings of a run, checked.

        Raises
        ------
        SettingError, SchemaError, ModelError
        """

    def expectation(self) -> str:
        """What to expect of the release, from public settings alone.

        Raises
        ------
        SettingError, SchemaError, ModelError
            As `fit` would.
        """
        return self.job().expectation()

    def _condense(
        self,
        source: Any,
        engine: Engine | None = None,
        *,
        journal: str | Path | None = None,
        budget: str | Path | None = None,
        progress: Progress = SILENT.progress,
        notice: Notice = SILENT.notice,
    ) -> None:
        """Make ``table_`` of a source, as the job takes it, or of what an engine answers."""
        job, tell = self.job(), Tell(progress, notice)
        self.table_ = condense(
            job, source, self.seed, engine=engine, journal=journal, budget=budget, tell=tell
        )

    @staticmethod
    def _check_source(records: Any, engine: Engine | None, running: Running) -> None:
        """Refuse both, or none, of records and an engine that asks for them.

        Raises
        ------
        SettingError
        """
        if (records is None) == (engine is None) or (engine and running.get("budget")):
            raise SettingError(
                "Give either records or an engine that asks for them, and a budget with records "
                "alone."
            )

    def save(self, path: str | Path, also: Sequence[str] = ()) -> None:
        """Write the release as a new folder, its data in further formats too."""
        self._require_fitted()
        self.table_.save(path, also)

    @property
    def ledger(self) -> Ledger:
        """Every private question asked, and what it cost."""
        self._require_fitted()
        ledger: Ledger = self.table_.ledger
        return ledger

    def _schema(self) -> Schema:
        """As given, or read from its file."""
        return self.schema if isinstance(self.schema, Schema) else Schema.load(self.schema)

    def _check_settings(self, amounts: Sequence[str], most: int) -> None:
        """Refuse what no kind of data can work with.

        Parameters
        ----------
        amounts : sequence of str
            Settings that must be numbers.
        most : int
            Rows or stays that may be asked for.

        Raises
        ------
        SettingError
        """
        for name in amounts:
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), Real):
                raise SettingError(f"{name.capitalize()} must be a number.")
        counts = [self.seed] if self.n_rows is None else [self.seed, self.n_rows]
        if not all(isinstance(count, Integral) for count in counts):
            raise SettingError("n_rows and seed must be whole numbers.")
        check_privacy(self.epsilon, self.delta)
        if self.n_rows is not None and not 4 <= self.n_rows <= most:
            raise SettingError(f"{self.n_rows} {self.kind} were asked for; expected 4 to {most}.")
        if not 0 <= self.seed < 2**63:
            raise SettingError(f"The seed is {self.seed}; expected a whole number from 0 up.")
