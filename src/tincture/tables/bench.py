"""What condensed rows bring to an evaluation, and `tincture.evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.evaluation.bench import Bench, Learner
from tincture.evaluation.evaluate import evaluate as judge
from tincture.evaluation.scores import Check, Evaluation, Ratio
from tincture.io.frames import has_column, to_columns
from tincture.io.released import plain
from tincture.models import portfolio
from tincture.privacy.query import Records
from tincture.privacy.stream import Seal
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Task
from tincture.tables.checks import checks
from tincture.tables.effects import effects
from tincture.tables.release import CondensedTable
from tincture.tables.sealing import TableSealing, records_of
from tincture.tables.view import Recipient

LOOKS = {
    "classification": ("odds ratios of training records", "a file's own AUROC beside held-out"),
    "survival": ("hazard ratios of training records", "survival curve of training records"),
}
QUADRATIC = ("neighbours", "svm")
FEW = 5000  # rows that these learn in seconds


def evaluate(
    release: CondensedTable | str | Path,
    train: Any,
    test: Any,
    *,
    models: Sequence[Any] | None = None,
    by: Sequence[str] = (),
    at: Sequence[float] = (),
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    in_house: str | Path | None = None,
    pictures: bool = False,
) -> Evaluation:
    """Score models trained on a release beside the real ceiling and random real rows.

    Parameters
    ----------
    release : CondensedTable or path
    train, test : pandas or polars frames
        The records that were condensed, and held-out ones.
    models : sequence, optional
        Names or estimators; by default those the release was made for. The regression without a
        penalty (``"glm"``, ``"coxph"``) joins them, as most recipients will run it.
    by : sequence of str
        Columns to look at subgroups by: ``"sex"``, ``"age:40,60,80"`` with cut points, or a column
        that is no feature, such as the hospital, whose held-out records are scored each in turn.
    at : sequence of float
        Times by which predicted and observed risk are compared, in the unit of the time column; by
        default the quartiles of the held-out event times.
    schema : Schema, or path of a schema file, optional
        That of the records, which tells what a column that is no feature means by its levels.
    seed : int
        Of the random real rows and of the resamples behind the intervals.
    in_house : path, optional
        File to which each un-noised look at real records is added before it is taken.
    pictures : bool
        Whether to look at curves and distributions too, for the in-house page.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError, SchemaError, ModelError, SettingError
    """
    return judge(
        TableBench(release, models),
        train,
        test,
        by=by,
        at=at,
        schema=schema,
        seed=seed,
        in_house=in_house,
        pictures=pictures,
    )


class TableBench(Bench):
    """A release of rows, and the models to be trained on it."""

    def __init__(
        self, release: CondensedTable | str | Path, models: Sequence[Any] | None = None
    ) -> None:
        table = CondensedTable.of(release)
        self.schema, self.task = table.schema, table.outcome
        self.case, self.columns = table.case, table.schema.columns
        self._encoding = Encoding([c for c in self.columns if c.name not in self.task.columns])
        self.condensed = condensed_records(table, self._encoding, self.task)
        if table.cohort is not None:
            self.cohort = _records(table.cohort, table.schema, self._encoding, self.task)
        usual = portfolio.plain(self.task)
        if usual is not None:
            self.checked = LOOKS.get(self.task.name, ())
        named = list(table.models if models is None else models)
        if named and usual is not None and usual not in named:
            named.append(usual)
        self.learners = [
            Recipient(portfolio.recipient(m, self.task), self._encoding, self.task) for m in named
        ]

    def seal(self, schema: Schema, beside: tuple[str, ...]) -> Seal:
        """Features and outcome of a frame."""
        return TableSealing(schema, self._encoding, self.task, beside=beside)

    def has(self, side: Any, name: str) -> bool:
        """Whether a frame has a column."""
        return has_column(side, name)

    def most(self, learner: Learner) -> int | None:
        """A few thousand, for models whose time grows with the square of the rows."""
        return FEW if learner.name in QUADRATIC else None

    def checks(
        self, sources: Mapping[str, Records], held_out: Records
    ) -> tuple[tuple[Ratio, ...], tuple[Check, ...]]:
        """Odds or hazard ratios, how honest a file is about itself, and its survival curve."""
        if not self.checked:
            return (), ()
        ratios, near = effects(self._encoding, self.task, sources)
        return ratios, near + checks(self._encoding, self.task, sources, held_out)

    def values(self, records: Records) -> Mapping[str, NDArray[np.generic]]:
        """Every column of the release."""
        points = records.points.astype(np.float64)
        return self._encoding.decode(points) | self.task.values(records.outcomes)


def condensed_records(table: CondensedTable, encoding: Encoding, task: Task) -> Records:
    """The rows of a release as models see them."""
    return _records(table.rows, table.schema, encoding, task)


def _records(frame: pl.DataFrame, schema: Schema, encoding: Encoding, task: Task) -> Records:
    values = to_columns(frame, plain(schema), schema.names)
    return records_of(encoding, encoding.encode(values), task.outcomes(values))
