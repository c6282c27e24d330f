"""What a kind of data brings to a run: public settings that can plan, seal, search and release."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.privacy.accounting import Plan
from tincture.privacy.engine import Engine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Sealed
from tincture.privacy.stream import Stream
from tincture.public.schema import Schema
from tincture.search.optimizer import Progress
from tincture.spine.run import digest_of

Made = TypeVar("Made", covariant=True)
Notice = Callable[[str], None]  # told a sentence for a person


class Tell(NamedTuple):
    """Whom a run tells how it goes.

    Attributes
    ----------
    progress : callable
        Told the rounds done and the rounds in all.
    notice : callable
        Told a sentence for a person.
    """

    progress: Progress = lambda done, total: None
    notice: Notice = lambda text: None


SILENT = Tell()


class Invented(NamedTuple):
    """Invented records, as a vault would hold them.

    Attributes
    ----------
    points : ndarray of shape (n, width)
        Exact points of the encoded cube.
    outcomes : ndarray of shape (n, outcome width)
    """

    points: NDArray[Any]
    outcomes: Floats


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: invented records, as a vault would hold them.

    Attributes
    ----------
    points : ndarray of shape (n_rows, width)
        Exact points of the encoded cube.
    outcomes : ndarray of shape (n_rows, outcome width)
    told : mapping
        What the answers tell of the real ones, through noise, for whoever uses the release.
    cohort : Invented or None
        Many more, drawn and not searched, where the search can draw them.
    """

    points: NDArray[Any]
    outcomes: Floats
    told: Mapping[str, Any] = field(default_factory=dict)
    cohort: Invented | None = None


class Job(Protocol[Made]):
    """Public settings of one run; nothing here has seen a record.

    A third kind of data brings a class of its own with these members (docs/decisions/0014).
    """

    @property
    def unit(self) -> str:
        """Whom the ledger protects: record, stay, or a column of persons."""

    def plan(self) -> Plan:
        """The questions that may be asked, with their noise.

        Raises
        ------
        SettingError
            If no noise is large enough.
        """

    def seal(self, source: Any) -> Sealed | Stream:
        """Encode the records; called by the vault alone, at its door.

        Raises
        ------
        TableError
            If the source disagrees with the settings; never quoting a cell.
        """

    def rehearse(self) -> None:
        """Try all that could fail, on invented records, before a question is paid for.

        Raises
        ------
        ModelError
        """

    def digest(self) -> str:
        """Of all that a resumed run must have in common with the killed one."""

    def expectation(self) -> str:
        """What to expect, from public settings alone."""

    def search(self, engine: Engine, rng: np.random.Generator, tell: Tell) -> Found:
        """Ask, and find what is to be released."""

    def release(self, found: Found, form: Any, ledger: Ledger) -> Made:
        """What can be handed on.

        Parameters
        ----------
        found : Found
        form : Any
            How the source was written, as `seal` told the vault.
        ledger : Ledger
        """


@dataclass(frozen=True)
class Settled(ABC):
    """What the jobs of rows and of stays share.

    Parameters
    ----------
    schema : Schema
        Of the real records.
    epsilon, delta : float
    settings : mapping
        All others, as the release tells them.
    """

    schema: Schema
    epsilon: float
    delta: float
    settings: Mapping[str, Any]
    one: ClassVar[str]  # what is a unit where no column names persons

    @property
    def unit(self) -> str:
        """A column of persons, or the record itself."""
        return self.settings["unit"] or self.one

    @property
    def n_rows(self) -> int:
        """Records to invent."""
        return int(self.settings["n_rows"])

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """What is set beside the settings, for the digest."""

    def digest(self) -> str:
        """Of all settings."""
        shared = {"epsilon": str(self.epsilon), "delta": float(self.delta)}
        schema = self.schema.to_dict()
        return digest_of({**self.settings, "schema": schema, **shared, **self.described()})
