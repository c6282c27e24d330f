"""All attacks on a release of stays, in the house.

A stay is attacked by a description of fixed length, made of what the method itself looks at: mean
and last value of each variable, its course around a few knots of time, static columns, outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.audit.attacks import (
    Audit,
    Chosen,
    Scene,
    by_references,
    by_statistic,
    check_enough,
    check_references,
    how_close,
    membership,
)
from tincture.audit.membership import closeness
from tincture.audit.one_run import one_run
from tincture.audit.vault_checks import check_vault
from tincture.io.frames import to_frame
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import BLOCK, Vault
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.search.optimizer import Progress
from tincture.stays.condense import condense_series
from tincture.stays.embeddings import HATS, Trajectories
from tincture.stays.formats import Form
from tincture.stays.layout import Grid, Layout, Stays
from tincture.stays.reading import invented_records, read_like, read_sides
from tincture.stays.release import CondensedSeries, written
from tincture.stays.sealing import Sealing
from tincture.stays.summaries import Occupancy, Summaries

Floats = NDArray[np.float64]


def audit_stays(
    release: CondensedSeries | str | Path,
    events: Any,
    records: Any,
    held_out: Any,
    *,
    held_out_events: Any = None,
    references: int = 0,
    canaries: int = 1000,
    seed: int = 0,
    in_house: str | Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Audit:
    """Attack a release of stays with all that is known of the real ones.

    Parameters
    ----------
    release : CondensedSeries or path
    events : frame or path
        Of the stays that were condensed, in the form they had then.
    records, held_out : frame or path
        Outcomes of the stays that were condensed, and of others that were not.
    held_out_events : frame or path, optional
        Of the others, where they do not lie among ``events``.
    references, canaries, seed, in_house, progress
        As for `tincture.tables.audit.audit`.

    Raises
    ------
    TableError, SchemaError, SettingError, ReleaseError
    """
    check_references(references)
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    made = release if isinstance(release, CondensedSeries) else CondensedSeries.load(release)
    rng = np.random.default_rng(seed)
    plan = made.ledger.plan
    bound, checks = one_run(plan, rng, canaries=canaries), check_vault()
    both = read_sides(made, events, records, held_out, held_out_events)
    task = made.classes
    seen = []
    for stays, purpose in zip(both, ("attacked members", "attacked others"), strict=True):
        check_enough(len(stays), "stays")
        seen.append(Vault(Sealing(made.schema, task), stays, ledger).disclose(purpose))
    everybody = _together(*seen)
    makes = _Makes(made, both[0].layout, task, everybody)
    invented = makes.records(made.events, made.outcomes)
    describe = Description.of(both[0].layout, everybody, invented)
    scene = Scene(*(describe(who) for who in (invented, *seen)))
    attacks = membership(scene, "closest stay", rng)
    attacks.append(by_statistic("loss of a model", likelihood, scene, rng))
    if references:

        def make(places: Chosen, reference: int) -> Floats:
            return describe(makes.reference(places, reference))

        statistics = {"likelihood ratio, closest": closeness, "likelihood ratio, loss": likelihood}
        attacks += by_references(scene, make, references, rng, progress, statistics)
    return Audit(
        made.fingerprint,
        plan.epsilon,
        plan.delta,
        tuple(attacks),
        how_close(scene, rng),
        (),
        bound,
        checks,
        tuple(e.question for e in ledger.entries),
        "stays",
    )


def _together(*parts: Records) -> Records:
    return Records(
        np.concatenate([p.points for p in parts]),
        np.concatenate([p.design for p in parts]),
        np.concatenate([p.outcomes for p in parts]),
    )


def stays_of(
    points: Grid, outcomes: Floats, layout: Layout, schema: Schema, task: Classification
) -> Stays:
    """Stays of a vault, or invented ones, as they were before they were closed into it."""
    grid, statics = layout.parts(points)
    cells = task.values(outcomes)
    if layout.statics is not None:
        cells |= layout.statics.decode(statics.astype(np.float64))
    return Stays(grid, to_frame(cells, schema), layout)


@dataclass(frozen=True)
class Description:
    """Numbers by which stays are compared, in deviations of the real ones, 0 where unknown.

    Parameters
    ----------
    summaries : Summaries
    kept : ndarray of int
        Coordinates of variables and static columns that the release holds at all; no stay can be
        betrayed by others, which would only blur the distances.
    """

    summaries: Summaries
    kept: NDArray[np.int64]

    @classmethod
    def of(cls, layout: Layout, real: Records, invented: Records) -> Description:
        """Scaled by real stays, members and others alike; restricted to what was invented."""
        occupancy = Occupancy(layout)
        sums = [occupancy.contributions(block).sum(axis=0) for block in _blocks(real)]
        summaries = Summaries(layout, occupancy.scale(np.sum(sums, axis=0), 0.0, len(real)))
        grid, statics = layout.parts(invented.points)
        measured = np.isfinite(grid).any(axis=(0, 1))
        known = np.zeros(layout.n_static, dtype=bool)
        for place in layout.statics.slices if layout.statics else ():
            known[place] = (statics[:, place.stop - 1] < 0.5).any()  # the last says "missing"
        kept = [np.repeat(measured, 2), known, np.repeat(measured, HATS)]
        return cls(summaries, np.flatnonzero(np.concatenate(kept)))

    def __call__(self, stays: Records) -> Floats:
        """Descriptions, (n, kept and the outcome)."""
        layout, scale = self.summaries.layout, self.summaries.scale
        course, n_hats = Trajectories(layout, scale), HATS * len(layout.variables)
        values = [
            np.concatenate(
                [
                    self.summaries.values(block.points)[:, :-1],  # the last is a constant
                    course.values(block.points)[:, :n_hats],
                ],
                axis=1,
            )[:, self.kept]
            for block in _blocks(stays)
        ]
        return np.concatenate([np.concatenate(values), stays.outcomes], axis=1)


def likelihood(invented: Floats, stays: Floats) -> Floats:
    """Log likelihood of each stay's outcome by a model trained on the invented stays, (n,).

    A logistic regression on descriptions, standardised by the invented ones as a recipient would.

    References
    ----------
    Yeom, Giacomelli, Fredrikson, Jha (2018), *Privacy risk in machine learning: analyzing the
    connection to overfitting*, CSF.
    """
    from sklearn.linear_model import LogisticRegression

    middle, spread = invented[:, :-1].mean(axis=0), invented[:, :-1].std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=2000)
    model.fit((invented[:, :-1] - middle) / spread, invented[:, -1])
    odds = model.decision_function((stays[:, :-1] - middle) / spread)
    return np.asarray(-np.logaddexp(0.0, np.where(stays[:, -1] > 0.5, -odds, odds)))


def _blocks(stays: Records) -> list[Records]:
    return [stays.take(slice(i, i + BLOCK)) for i in range(0, len(stays), BLOCK)]


@dataclass(frozen=True)
class _Makes:
    """Releases like the one attacked, from any of the real stays."""

    made: CondensedSeries
    layout: Layout
    task: Classification
    real: Records

    def records(self, events: Any, outcomes: Any) -> Records:
        """Invented stays as a vault would hold them; they are no secret."""
        made = self.made.own
        return invented_records(read_like(made, events, outcomes), made.schema, self.task)

    def reference(self, places: Chosen, seed: int) -> Records:
        """A release made of the stays at these places."""
        made, layout, chosen = self.made.own, self.layout, self.real.take(places)
        stays = stays_of(chosen.points, chosen.outcomes, layout, made.schema, self.task)
        engine = LocalEngine(
            Vault(Sealing(made.schema, self.task), stays, Ledger(made.ledger.plan))
        )
        rng = np.random.default_rng(seed)
        found = condense_series(engine, layout, self.task, made.settings["n_rows"], rng)
        stay, time, variable, value = made.settings["columns"]
        form = Form(stay, time, variable, value, made.settings["time_unit"])
        return self.records(
            *written(found.points, found.outcomes, layout, made.schema, self.task, form)
        )
