"""Train on condensed, score on held-out: what a release is worth, seen from inside the house.

These figures look at real records without noise. They go through `Vault.disclose`, which books
ε = ∞ in an in-house ledger, and must not be released.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.encoding import Encoding
from tincture.errors import ModelError, SettingError
from tincture.frames import to_columns
from tincture.metrics import Figure, auroc, brier, concordance
from tincture.models import Model
from tincture.portfolio import recipient
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Records, Vault
from tincture.table import CondensedTable
from tincture.tasks import Classification, Survival, Task

Floats = NDArray[np.float64]
MIN_GROUP = 20  # records below which a subgroup's figure says nothing
CONDENSED, CEILING, RANDOM = "condensed", "all real records", "random real rows"


@dataclass(frozen=True, slots=True)
class Score:
    """One figure: a model, trained on something, scored on the held-out records of a group."""

    model: str
    trained_on: str
    rows: int
    group: str
    metric: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation, and the un-noised looks they took."""

    scores: tuple[Score, ...]
    looks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "notice": "computed from real records without noise; do not release",
            "scores": [asdict(s) | {"figure": _numbers(s.figure)} for s in self.scores],
            "looks": list(self.looks),
        }

    def value(self, model: str, trained_on: str, metric: str, group: str = "all") -> float:
        """One figure's value.

        Raises
        ------
        KeyError
        """
        for s in self.scores:
            if (s.model, s.trained_on, s.metric, s.group) == (model, trained_on, metric, group):
                return s.figure.value
        raise KeyError((model, trained_on, metric, group))


def _numbers(figure: Figure) -> dict[str, float | None]:
    """A figure for JSON, which has no NaN."""
    return {k: v if math.isfinite(v) else None for k, v in asdict(figure).items()}


def evaluate(
    release: CondensedTable | str | Path,
    train: Any,
    test: Any,
    *,
    models: Sequence[Any] | None = None,
    by: Sequence[str] = (),
    seed: int = 0,
    in_house: str | Path | None = None,
) -> Evaluation:
    """Score models trained on a release beside the real ceiling and random real rows.

    Parameters
    ----------
    release : CondensedTable or path
    train, test : pandas or polars frames
        The records that were condensed, and held-out ones.
    models : sequence, optional
        Names or estimators; by default those the release was made for.
    by : sequence of str
        Columns to look at subgroups by: ``"sex"``, or ``"age:40,60,80"`` with cut points.
    seed : int
        Of the random real rows.
    in_house : path, optional
        File to which each un-noised look at real records is added before it is taken.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError, SchemaError, ModelError, SettingError
    """
    table = release if isinstance(release, CondensedTable) else CondensedTable.load(release)
    task = table_task(table)
    encoding = Encoding([c for c in table.schema.columns if c.name not in task.columns])
    groupings = [_Grouping.parse(text, encoding) for text in by]
    fitters = [recipient(m, task) for m in (table.models if models is None else models)]
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    trained, tested = (Vault(t, table.schema, encoding, task, ledger) for t in (train, test))
    real = trained.disclose("train-on-real ceiling")
    held_out = tested.disclose("held-out scores")
    sources = {
        CONDENSED: condensed_records(table, encoding, task),
        CEILING: real,
        RANDOM: real.take(_random_rows(real, len(table), task, np.random.default_rng(seed))),
    }
    groups = {"all": np.ones(len(held_out), dtype=bool)}
    for grouping in groupings:
        groups |= dict(grouping.members(held_out, encoding))
    scores = [
        score
        for fitter in fitters
        for source, records in sources.items()
        for score in _scores(fitter, source, records, held_out, groups, task, encoding)
    ]
    return Evaluation(tuple(scores), tuple(e.question for e in ledger.entries))


def table_task(table: CondensedTable) -> Task:
    """The task that a release was made for."""
    about = table.task
    if about["kind"] == "classification":
        return Classification.of(table.schema, about["target"])
    return Survival.of(table.schema, about["time"], about["event"])


def condensed_records(table: CondensedTable, encoding: Encoding, task: Task) -> Records:
    """The rows of a release as models see them."""
    values = to_columns(table.rows, table.schema, table.schema.names)
    points = encoding.encode(values)
    design = encoding.design(points).astype(np.float32)
    return Records(points.astype(np.float32), design, task.outcomes(values))


def _random_rows(
    real: Records, n_rows: int, task: Task, rng: np.random.Generator
) -> NDArray[np.int64]:
    """As many real records, with the real share of each class (or of events)."""
    label = real.outcomes[:, -1]
    if len(real) <= n_rows:
        return np.arange(len(real))
    chosen = [
        rng.choice(
            np.flatnonzero(label == value),
            min(max(2, round(n_rows * np.mean(label == value))), int(np.sum(label == value))),
            replace=False,
        )
        for value in np.unique(label)
    ]
    return np.concatenate(chosen)


def _scores(
    fitter: Model,
    source: str,
    records: Records,
    held_out: Records,
    groups: dict[str, NDArray[np.bool_]],
    task: Task,
    encoding: Encoding,
) -> Iterator[Score]:
    """Train one model on one source and score it in every group."""
    predicted = _predictions(fitter, source, records, held_out, encoding)
    for group, inside in groups.items():
        for metric, figure in figures(predicted[inside], held_out.outcomes[inside], task):
            yield Score(fitter.name, source, len(records), group, metric, figure)


def _predictions(
    model: Model,
    source: str,
    records: Records,
    held_out: Records,
    encoding: Encoding,
) -> Floats:
    """What a model trained on one source predicts; its errors may quote a record and are dropped.

    Raises
    ------
    ModelError
    """
    design = records.design.astype(np.float64)[None]
    try:
        fitted = model.fit(design, records.outcomes, encoding.numeric)
        predicted: Floats = fitted.predict(held_out.design)[0]
    except Exception as error:
        kind = type(error.__cause__ or error).__name__
    else:
        if np.isfinite(predicted).all():
            return predicted
        kind = "not a finite number"
    raise ModelError(
        f"The model {model.name!r} trained on {source} failed ({kind}); leave it out or choose "
        "another with --model."
    )


def figures(predicted: Floats, outcomes: Floats, task: Task) -> Iterator[tuple[str, Figure]]:
    """The metrics of a task.

    Parameters
    ----------
    predicted : ndarray of shape (n, n_outputs)
    outcomes : ndarray of shape (n, outcome width)
    """
    if isinstance(task, Classification):
        labels = outcomes[:, 0].astype(np.int64)
        yield "AUROC", auroc(predicted, labels)
        yield "Brier", brier(predicted, labels)
    else:
        yield "C-index", concordance(predicted[:, 0], outcomes[:, 0], outcomes[:, 1])


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Subgroups by the levels of a column, or by cut points of an amount."""

    column: str
    cuts: tuple[float, ...]

    @classmethod
    def parse(cls, text: str, encoding: Encoding) -> _Grouping:
        name, _, tail = text.partition(":")
        column = next((c for c in encoding.columns if c.name == name), None)
        if column is None:
            known = ", ".join(c.name for c in encoding.columns)
            raise SettingError(
                f"The release has no feature {name!r} to look at subgroups by; it has {known}."
            )
        try:
            cuts = tuple(sorted({float(c) for c in tail.split(",")})) if tail else ()
        except ValueError:
            cuts = (math.nan,)
        if not all(math.isfinite(c) for c in cuts):
            raise SettingError(f"The cut points of --by {text!r} must be numbers.")
        if column.is_categorical == bool(cuts):
            hint = "no cut points" if cuts else f"cut points, as in {name}:40,60,80"
            raise SettingError(f"Subgroups by {name!r} need {hint}.")
        return cls(name, cuts)

    def members(
        self, records: Records, encoding: Encoding
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Each subgroup's label and who is in it, leaving out the tiny ones."""
        names = [c.name for c in encoding.columns]
        j = names.index(self.column)
        points = records.points[:, encoding.slices[j]].astype(np.float64)
        values = np.asarray(encoding.kinds[j].decode(points), dtype=np.float64)
        levels = encoding.columns[j].levels
        if self.cuts:
            edges = [-np.inf, *self.cuts, np.inf]
            parts = [
                (_between(low, high), (values >= low) & (values < high))
                for low, high in pairwise(edges)
            ]
        else:
            parts = [(f"= {level}", values == code) for code, level in enumerate(levels)]
        for label, inside in parts:
            if inside.sum() >= MIN_GROUP:
                yield f"{self.column} {label}", inside


def _between(low: float, high: float) -> str:
    if np.isinf(low):
        return f"< {high:g}"
    return f"≥ {low:g}" if np.isinf(high) else f"{low:g} to < {high:g}"
