"""A site scores a release on its own held-out patients, and learns four figures a model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from tincture.arrays import Floats
from tincture.errors import SettingError
from tincture.evaluation.binned import figures, least_of
from tincture.federation.consortium import NAME
from tincture.io.files import append_line
from tincture.models.portfolio import portfolio, resolve
from tincture.models.protocol import Predictor
from tincture.privacy.accounting import Phase, calibrate
from tincture.privacy.engine import LocalEngine, Replaying, ask
from tincture.privacy.journal import read_journal
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import Vault
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.spine.run import Run, digest_of
from tincture.tables.bench import condensed_records
from tincture.tables.job import TableJob
from tincture.tables.release import CondensedTable
from tincture.tables.target import TableTarget
from tincture.tables.trial import rehearse
from tincture.tables.validation.question import ScoreCounts, risks

N_BINS = 10  # deciles of risk: more would cost noise, fewer tell less
MARK = "validation"
NOWHERE: Mapping[Path, Sequence[str]] = MappingProxyType({})


def validate(
    release: CondensedTable | str | Path,
    records: Any,
    *,
    site: str,
    epsilon: float,
    delta: float,
    schema: Schema | None = None,
    journal: str | Path | None = None,
    budget: str | Path | None = None,
    in_house: Mapping[Path, Sequence[str]] = NOWHERE,
) -> dict[str, Any]:
    """Score a release's models on held-out records that are nobody's but this site's.

    Parameters
    ----------
    release : CondensedTable or path
        Of a binary outcome, with models by name.
    records : pandas or polars frame
        Held out: none of them was condensed.
    site : str
        What the page calls it.
    epsilon, delta : float
        That the one question may cost these records.
    schema : Schema, optional
        The release's, with how the records are written; see `Schema.written_as`.
    journal, budget : path, optional
        As for `tincture.Condenser.fit`.
    in_house : mapping of path to names, optional
        Files in which every validation is written down before it asks, each with what tells there
        that a second one is the same, of "site" and "release", and so needs a budget.

    Returns
    -------
    dict
        JSON that may leave the house: figures, the noisy counts behind them, the ledger.

    Raises
    ------
    SettingError, SchemaError, TableError
        Before any privacy is spent.
    BudgetError, ReleaseError
    """
    if not NAME.fullmatch(site):
        raise SettingError(
            f"The site (--site) must be a name of letters, digits and ._-; this one is {site!r}."
        )
    if epsilon == math.inf:
        raise SettingError(
            "A validation may leave the house, so its epsilon must be finite, such as 0.5; a look "
            "without noise that stays in it is `tincture evaluate`."
        )
    table = CondensedTable.of(release)
    job = _job(table)
    plan = calibrate(epsilon, delta, [Phase(ScoreCounts.question, 1, 1.0)])
    ledger = Ledger(plan, unit=job.unit)
    query, means = asked(table, job)
    seal = _job(replace(table, schema=schema or table.schema)).seal_part
    engine = Replaying(LocalEngine(Vault(seal, records, ledger)))
    told = {"site": site, "release": table.fingerprint, "epsilon": epsilon, "delta": delta}
    with Run(digest_of({**told, "validated": list(query.shape)}), journal, budget) as run:
        run.start(ledger)
        if not ledger.is_continued:
            _write_down(in_house, told, is_counted=budget is not None)
        answer = ask(engine, query)
    counts = answer.value.reshape(query.shape)
    rng = np.random.default_rng(0)
    return {
        "tincture": MARK,
        **told,
        "case": table.case.event,
        "unit": job.unit,
        "models": {
            name: {
                "figures": {
                    key: list(figure)
                    for key, figure in figures(counts[i], means[i], answer.noise, rng).items()
                },
                "predicted": means[i].tolist(),
                "counts": counts[i].tolist(),
            }
            for i, name in enumerate(table.models)
        },
        "noise": answer.noise,
        "least": least_of(means.shape[1], answer.noise),
        "ledger": ledger.to_dict(),
    }


def _write_down(
    places: Mapping[Path, Sequence[str]], told: dict[str, Any], is_counted: bool
) -> None:
    """One line a validation and place.

    Raises
    ------
    SettingError
        If one of them holds the same, and no budget counts both.
    ReleaseError
        If a line cannot be written.
    """
    for path, names in places.items():
        known = [[line.get(name) for name in names] for line in read_journal(path)]
        if [told[name] for name in names] in known and not is_counted:
            raise SettingError(
                f"The site {told['site']} has validated this release already ({path.name}); "
                "another answer costs the same patients as much again. Use the first one's file, "
                "or let a budget count both (--budget)."
            )
    for path in places:
        append_line(path, json.dumps(told))


def _job(table: CondensedTable) -> TableJob:
    """Public settings of a release that can be validated.

    Raises
    ------
    SettingError
    """
    task = table.outcome
    if not isinstance(task, Classification) or task.n_classes != 2:
        raise SettingError(
            f"A release of {table.case.event} cannot be validated yet; expected one of an outcome "
            "with two levels."
        )
    if not table.models or set(table.models) - set(portfolio(task)):
        raise SettingError(
            "Only models by name can be validated, since others are not proved to look at each "
            f"patient alone; the release was made for {', '.join(table.models) or 'none'}."
        )
    return TableTarget(table).job(0)


def asked(table: CondensedTable, job: TableJob) -> tuple[ScoreCounts, Floats]:
    """The question and each bin's predicted risk, (models, bins), from the release alone."""
    rows = condensed_records(table, job.encoding, job.task)
    models = [resolve(name, job.task) for name in table.models]
    rehearse(models, job.task, job.encoding, len(rows))
    design, numeric = rows.design[None].astype(np.float64), job.encoding.numeric
    fitted = [model.fit(design, rows.outcomes, numeric) for model in models]
    public = rows
    if table.cohort is not None:  # among whom risks are spread as among patients
        public = condensed_records(replace(table, rows=table.cohort), job.encoding, job.task)
    edges, means = zip(*(_bins(model, public) for model in fitted), strict=True)
    return ScoreCounts(fitted, np.array(edges)), np.array(means)


def _bins(model: Predictor, public: Records) -> tuple[Floats, Floats]:
    """Inner edges that cut invented people into parts, and the mean risk of a part.

    As many people are in each, or, where no more risks than parts occur, those of one risk.
    """
    found = risks(model, public)
    edges = np.quantile(found, np.linspace(0, 1, N_BINS + 1)[1:-1])
    if len(levels := np.unique(found)) <= N_BINS:  # a tree's, of which a rare one would be joined
        between = (levels[1:] + levels[:-1]) / 2
        edges = np.concatenate([between, np.full(N_BINS - len(levels), 1.0)])
    place = np.searchsorted(edges, found, side="right")
    sums = np.bincount(place, found, N_BINS)
    sizes = np.bincount(place, minlength=N_BINS)
    middles = (np.r_[0.0, edges] + np.r_[edges, 1.0]) / 2
    return edges, np.where(sizes > 0, sums / np.maximum(sizes, 1), middles)
