"""What a kind of data brings to an evaluation: the protocol by which it joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.evaluation.pictures import Pictures
from tincture.evaluation.scores import Check, Ratio, Words
from tincture.privacy.query import Records
from tincture.privacy.stream import Seal
from tincture.public.case import Case
from tincture.public.columns import Column
from tincture.public.schema import Schema
from tincture.public.tasks import Task

Predict = Callable[[Any], Floats]  # from what `Bench.ready` made, to predictions (n, n_outputs)
Watch = Callable[[int, Predict], None]  # of the step that was done, and the model as it is then


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model that has learned, in so many seconds; `Bench.pictures` may look into ``model``."""

    predict: Predict
    seconds: float
    model: Any = None


class Learner(Protocol):
    """A model that can be trained; whatever it raises is told by its kind alone."""

    @property
    def name(self) -> str:
        """For people."""

    def learn(self, table: Any, seed: int, watch: Watch) -> Fitted:
        """Train from scratch.

        Parameters
        ----------
        table : Any
            What `Bench.ready` made.
        seed : int
            Another one in every run.
        watch : callable
            To be told of every step, by what is trained in steps.
        """


@dataclass(frozen=True, slots=True)
class Seen:
    """What pictures are drawn from, after everything was learned.

    Attributes
    ----------
    sources : mapping of str to Records
        What was trained on, but for random real records.
    held_out : Any
        What `Bench.ready` made.
    fitted : mapping
        By model and source, of the first run on condensed and on all real records.
    seed : int
    """

    sources: Mapping[str, Records]
    held_out: Any
    fitted: Mapping[tuple[str, str], Fitted]
    seed: int


class Bench(Protocol):
    """A release of one kind of data, ready to be judged by `tincture.evaluation.evaluate`.

    To be subclassed: what has a body here need not be written again.

    Attributes
    ----------
    task : Task
    case : Case
        What figures are about.
    schema : Schema
        Of features and outcomes, as declared for the real records.
    columns : sequence of Column
        Those that have one value a record, outcomes among them: groups are made by the others, and
        all of them are drawn.
    condensed : Records
        The invented ones, as a vault would hold them.
    cohort : Records or None
        As many invented people as there are real ones, if the release holds them.
    learners : sequence of Learner
    together : mapping
        Learners, by name, whose runs are also told as those of one model of another name.
    words : Words
    checked : tuple of str
        Looks that `checks` takes, to be booked before.
    drawn : tuple of str
        Looks that `pictures` takes, to be booked before.
    note : str
        What could not be done here; may be empty.
    """

    task: Task
    case: Case
    schema: Schema
    columns: Sequence[Column]
    condensed: Records
    cohort: Records | None = None
    learners: Sequence[Learner]
    together: Mapping[str, Sequence[str]] = {}
    words: Words = Words()
    checked: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    note: str = ""

    def seal(self, schema: Schema, beside: tuple[str, ...]) -> Seal:
        """By which a vault encodes a side.

        Parameters
        ----------
        schema : Schema
            That of the bench, with what is known of the columns beside.
        beside : tuple of str
            Columns that are no feature, kept for `Vault.disclose_labels`.
        """

    def values(self, records: Records) -> Mapping[str, NDArray[np.generic]]:
        """Codes of levels (-1 for missing) or amounts (NaN) of every one of ``columns``, (n,)."""

    def has(self, side: Any, name: str) -> bool:
        """Whether a side has a column; only its header is read."""

    def sides(self, train: Any, test: Any) -> tuple[Any, Any]:
        """The condensed and the held-out records as `seal` takes them; refuses what overlaps."""
        return train, test

    def ready(self, records: Records, source: str) -> Any:
        """Records as learners take them, made once a source."""
        return records

    def most(self, learner: Learner) -> int | None:
        """Records that a learner takes in reasonable time; None for any number."""
        return None

    def checks(
        self, sources: Mapping[str, Records], held_out: Records
    ) -> tuple[tuple[Ratio, ...], tuple[Check, ...]]:
        """Ratios of the plain regression by source, and numbers about invented tables as wholes."""
        return (), ()

    def pictures(self, seen: Seen) -> Pictures:
        """What only this kind of data has to show."""
        return Pictures()
