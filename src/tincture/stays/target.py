"""How a release of stays is attacked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Unpack

from tincture.audit.attacks import Statistic
from tincture.audit.audit import Settings, attack
from tincture.audit.findings import Audit
from tincture.audit.membership import closeness
from tincture.audit.target import Target
from tincture.privacy.query import Records, Sealed
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.description import Description, likelihood
from tincture.stays.events.reader import Form
from tincture.stays.job import StaysJob
from tincture.stays.layout import Stays
from tincture.stays.reading import form_of, invented, read_sides
from tincture.stays.release import CondensedSeries
from tincture.stays.sealing import StaysSealing


@dataclass(frozen=True)
class StaysTarget(Target):
    """A release of stays; points are descriptions."""

    release: CondensedSeries
    one, units = "stay", "stays"
    statistics: ClassVar[Mapping[str, Statistic]] = {"loss of a model": likelihood}
    ratios: ClassVar[Mapping[str, Statistic]] = {
        "likelihood ratio, closest": closeness,
        "likelihood ratio, loss": likelihood,
    }

    @property
    def form(self) -> Form:
        """Of the real events."""
        return form_of(self.release)

    def sides(self, members: Any, others: Any) -> tuple[Stays, Stays]:
        """Events and outcomes of each, binned; the events of others may be those of the members."""
        (events, inside), (elsewhere, outside) = members, others
        return read_sides(self.release, events, inside, outside, elsewhere)

    def seal(self, source: Stays) -> Sealed:
        """Encode binned stays."""
        made = self.release
        return StaysSealing(made.schema, made.outcome, unit=made.settings["unit"])(source)

    def records(self, release: CondensedSeries) -> Records:
        """Its stays."""
        return invented(release)[1]

    def description(self, real: Records, invented: Records) -> Description:
        """In deviations of the real ones; of what the release holds at all."""
        return Description.of(self.job(0).layout, real, invented)

    def job(self, seed: int) -> StaysJob:
        """Of the release's settings."""
        made, form = self.release, self.form
        settings = made.settings
        return SeriesCondenser(
            schema=made.schema,
            epsilon=made.ledger.plan.epsilon,
            delta=made.ledger.plan.delta,
            target=made.task["target"],
            case=made.case.level,
            stay=form.stay,
            n_rows=settings["n_rows"],
            cohort=0,  # the attacks look at the condensed stays
            hours=settings["hours"],
            bin_hours=settings["bin_hours"],
            time=form.time,
            time_unit=form.unit,
            unit=settings["unit"],
            effort=settings["effort"],
            seed=seed,
        ).job()


def audit_stays(
    release: CondensedSeries | str | Path,
    events: Any,
    records: Any,
    held_out: Any,
    *,
    held_out_events: Any = None,
    **settings: Unpack[Settings],
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
    **settings
        As for `tincture.audit.audit.attack`.

    Raises
    ------
    TableError, SchemaError, SettingError, ReleaseError
    """
    target = StaysTarget(CondensedSeries.of(release))
    return attack(target, (events, records), (held_out_events, held_out), **settings)
