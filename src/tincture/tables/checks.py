"""What an invented table says of itself, beside what real records say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tincture.arrays import Floats, Integers
from tincture.evaluation.metrics import classes, survival
from tincture.evaluation.metrics.figure import plain
from tincture.evaluation.scores import CEILING, Check
from tincture.models.portfolio import resolve
from tincture.privacy.query import Records
from tincture.public.encoding import Encoding
from tincture.public.tasks import Task
from tincture.tables.view import View

FOLDS = 5
ENOUGH = 20_000  # rows of a file that is cross-validated; with more the gap hardly moves
QUANTILES = np.linspace(0.05, 0.95, 19)  # of the real times, where curves are compared


def checks(
    encoding: Encoding, task: Task, sources: Mapping[str, Records], held_out: Records
) -> tuple[Check, ...]:
    """Of every source but the real records themselves."""
    real = sources[CEILING]
    invented = {source: records for source, records in sources.items() if source != CEILING}
    if task.name == "survival":
        return tuple(_curves(invented, real))
    return tuple(_gaps(encoding, task, invented, held_out))


def _curves(invented: Mapping[str, Records], real: Records) -> Iterator[Check]:
    at = np.quantile(real.outcomes[:, 0], QUANTILES)
    wanted = survival.kaplan_meier(*real.outcomes.T)(at)
    for source, records in invented.items():
        found = survival.kaplan_meier(*records.outcomes.T)(at)
        yield Check("km", source, float(np.abs(found - wanted).max()))


def _gaps(
    encoding: Encoding, task: Task, invented: Mapping[str, Records], held_out: Records
) -> Iterator[Check]:
    for source, every in invented.items():
        records = _some(every)
        label = _labels(records)
        if task.n_outputs != 2 or min(np.bincount(label, minlength=2)) < FOLDS:
            continue
        own = np.zeros((len(label), 2))
        for learned, asked in _folds(label):
            taught = records.take(learned)
            own[asked] = _predicted(encoding, task, taught, records.take(asked))
        told = plain(classes.auroc(own, label), len(label))
        chances = _predicted(encoding, task, records, held_out)
        true = plain(classes.auroc(chances, _labels(held_out)), len(held_out))
        yield Check("cv_gap", source, told - true)


def _some(records: Records) -> Records:
    """At most so many, drawn at random."""
    if len(records) <= ENOUGH:
        return records
    return records.take(np.random.default_rng(0).choice(len(records), ENOUGH, replace=False))


def _labels(records: Records) -> Integers:
    return records.outcomes[:, 0].astype(np.int64)


def _folds(label: Integers) -> Iterator[tuple[Integers, Integers]]:
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    yield from folds.split(np.zeros(len(label)), label)


def _predicted(encoding: Encoding, task: Task, taught: Records, asked: Records) -> Floats:
    """Chances by logistic regression, in a recipient's own pipeline."""
    view = View.of(encoding, taught)
    seen = view.columns(taught)[None]
    fitted = resolve("logistic", task).fit(seen, taught.outcomes, view.numeric)
    return np.asarray(fitted.predict(view.columns(asked))[0])
