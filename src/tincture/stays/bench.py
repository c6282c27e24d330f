"""What condensed stays bring to an evaluation, and `tincture.evaluate_series`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ReleaseError
from tincture.evaluation.bench import Bench, Seen
from tincture.evaluation.evaluate import Settings
from tincture.evaluation.evaluate import evaluate as judge
from tincture.evaluation.pictures import Influence, Pictures
from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, Evaluation, Words
from tincture.io.frames import has_column
from tincture.privacy.query import Records
from tincture.privacy.stream import Seal
from tincture.public.schema import Schema
from tincture.stays.courses import courses
from tincture.stays.inputs import channels, influence, sources
from tincture.stays.layout import Stays
from tincture.stays.learners import CLASSICAL, Table, learners_of
from tincture.stays.reading import INCOMPLETE, cohort_of, invented, read_sides
from tincture.stays.release import CondensedSeries
from tincture.stays.sealing import StaysSealing

if TYPE_CHECKING:
    from tincture.stays.networks import Recipe

TOGETHER = "mean of networks"
N_ASKED = 400  # held-out stays that influences are means over
WORDS = Words(
    records="stays",
    rows="stays",
    of=" of stays",
    training="Training is blind: a fixed number of steps on batches of half of each class, without "
    "validation data. Predictions are then corrected to the prevalence that the release tells, or "
    "that of the real stays trained on. Of several runs, and of several networks together, figures "
    "are means.",
    audit="audit-series",
)


def evaluate_series(
    release: CondensedSeries | str | Path,
    events: Any,
    train: Any,
    test: Any,
    *,
    test_events: Any = None,
    networks: Sequence[Any] | None = None,
    device: str = "auto",
    **settings: Unpack[Settings],
) -> Evaluation:
    """Score networks trained on a release beside the real ceiling and random real stays.

    Parameters
    ----------
    release : CondensedSeries or path
    events : frame or path
        Of the stays that were condensed, in any form that they were condensed from.
    train, test : frame or path
        Outcomes: one row a stay that was condensed, and one a held-out stay.
    test_events : frame or path, optional
        Of the held-out stays, if they are elsewhere.
    networks : sequence of str or callable, optional
        Names of `tincture.stays.networks.NETWORKS`, by default all of them, or makers of a torch
        module that maps (n, bins, channels) to (n, 1), from bins and channels. Logistic regression
        and boosting on summaries of each channel are always scored; alone without torch.
    device : str
        Where networks are trained: ``"auto"``, on a GPU if torch sees one, ``"cpu"`` or ``"cuda"``.
    **settings
        ``by``, ``schema``, ``seed``, ``in_house`` and ``pictures`` as for `tincture.evaluate`, of
        static columns and outcomes; ``runs``, the times that each model is trained, from other
        first weights and on other random stays, of which figures are means (1); ``progress``, told
        how many of the trainings are done.

    Returns
    -------
    Evaluation

    Raises
    ------
    SettingError, SchemaError, TableError, ModelError, ReleaseError
    """
    bench = StaysBench(release, networks, device=device)
    return judge(bench, (events, train), (test_events, test), **settings)


class StaysBench(Bench):
    """A release of stays, and the models to be trained on it.

    Parameters
    ----------
    release, networks
        As for `evaluate_series`.
    recipe, deep, device
        As for `tincture.stays.learners.learners_of`.
    """

    words = WORDS
    drawn = ("courses of single stays, drawn",)

    def __init__(
        self,
        release: CondensedSeries | str | Path,
        networks: Sequence[Any] | None = None,
        *,
        recipe: Recipe | None = None,
        deep: bool = True,
        device: str = "auto",
    ) -> None:
        self.learners, self.note = learners_of(networks, recipe=recipe, deep=deep, device=device)
        told = CondensedSeries.of(release)
        self._release, self.schema = told, told.schema
        self.task, self.case = told.outcome, told.case
        self._layout, self.condensed = invented(told)
        self.cohort = cohort_of(told)
        statics = self._layout.statics.columns if self._layout.statics else ()
        self.columns = (*statics, *(told.schema[name] for name in self.task.columns))
        networks = [one.name for one in self.learners if one.name not in CLASSICAL]
        self.together = {TOGETHER: networks} if len(networks) > 1 else {}
        self._heeding = networks or list(CLASSICAL)[:1]

    def seal(self, schema: Schema, beside: tuple[str, ...]) -> Seal:
        """Grid, static columns and outcome."""
        return StaysSealing(schema, self.task, beside=beside)

    def has(self, side: Stays, name: str) -> bool:
        """Whether the outcomes have a column."""
        return has_column(side.outcomes, name)

    def values(self, records: Records) -> Mapping[str, NDArray[np.generic]]:
        """Static columns and outcome."""
        found = self.task.values(records.outcomes)
        if self._layout.statics is not None:
            statics = self._layout.parts(records.points)[1].astype(np.float64)
            found |= self._layout.statics.decode(statics)
        return found

    def sides(self, train: Any, test: Any) -> tuple[Stays, Stays]:
        """Events and outcomes of each, binned; held-out events may be among the others."""
        (events, inside), (elsewhere, outside) = train, test
        return read_sides(self._release, events, inside, outside, elsewhere)

    def ready(self, records: Records, source: str) -> Table:
        """Channels; the prevalence of the release is what it tells, not what its stays have."""
        inputs = channels(records.points, self._layout)
        told = self._prevalence if source in (CONDENSED, COHORT) else None
        return Table.of(inputs, records.outcomes, told)

    @property
    def _prevalence(self) -> float:
        """Real share of the case."""
        try:
            return float(self._release.settings["prevalence"])
        except (KeyError, TypeError, ValueError):
            raise ReleaseError(INCOMPLETE) from None

    def pictures(self, seen: Seen) -> Pictures:
        """What models heed, and courses of single stays."""
        column = self.schema[self.task.columns[-1]]
        names = [f"{column.name} = {title}" for title in column.titles]
        order = -1 if self.task.is_turned else 1  # the case last
        rng = np.random.default_rng(seen.seed)
        drawn = courses(
            self._layout,
            seen.sources[CONDENSED],
            seen.sources[CEILING],
            tuple(names[::order]),
            rng,
        )
        return Pictures(self._influences(seen), drawn)

    def _influences(self, seen: Seen) -> tuple[Influence, ...]:
        """Means over the networks; what moves those trained on real stays most comes first."""
        places = sources(self._layout)
        moved = {
            source: [self._moved(seen, model, source) for model in self._heeding]
            for source in (CONDENSED, CEILING)
        }
        found = [
            Influence(name, *(float(np.mean([m[name] for m in moved[s]])) for s in moved))
            for name in places
        ]
        return tuple(sorted(found, key=lambda i: -i.real))

    def _moved(self, seen: Seen, model: str, source: str) -> dict[str, float]:
        """By every variable and static column, in some of the held-out stays."""
        trained, standard = seen.fitted[model, source].model
        n = len(seen.held_out.inputs)
        some = np.random.default_rng(seen.seed).permutation(n)[:N_ASKED]
        asked = standard(seen.held_out.inputs)[some]
        return {
            name: influence(trained, asked, standard.places(places))
            for name, places in sources(self._layout).items()
        }
