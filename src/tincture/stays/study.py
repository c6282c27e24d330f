"""Models trained on stays from several sources, and asked about the same held-out ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import ModelError, SettingError
from tincture.evaluation.curves import calibration, roc
from tincture.evaluation.learning import Learned
from tincture.evaluation.metrics.classes import auroc
from tincture.evaluation.metrics.figure import plain
from tincture.evaluation.panel import Panel
from tincture.evaluation.scores import CEILING, CONDENSED, EVERYONE, RANDOM, Chart, Fit, Line
from tincture.evaluation.series_scores import (
    WITHOUT_NETWORKS,
    Convergence,
    Course,
    Influence,
    SeriesEvaluation,
)
from tincture.public.case import Case
from tincture.public.tasks import Classification
from tincture.stays.inputs import Logistic, Standard, Trained, influence, sources
from tincture.stays.layout import Grid, Layout

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Watch = Callable[[int, Trained], None]
Trainer = Callable[[Grid, Labels, int, Watch], Trained]
LOGISTIC, TOGETHER = "logistic", "mean of networks"
BETWEEN = 10  # steps between two looks at a network that is being trained
N_ASKED = 400  # held-out stays that influences are means over
RARE = 1e-3  # a prevalence is taken to lie this far from 0 and 1


def trainers_of(networks: Sequence[Any] | None) -> tuple[dict[str, Trainer], str]:
    """Networks, then logistic regression; and what to say where there are none.

    Parameters
    ----------
    networks : sequence of str or callable, optional
        Names, or makers of a torch module from bins and channels; by default all that have a name.

    Raises
    ------
    SettingError, ModelError
    """
    logistic: dict[str, Trainer] = {LOGISTIC: lambda x, y, seed, watch: Logistic.train(x, y)}
    try:
        from tincture.stays.networks import NETWORKS, train
    except ImportError:
        if networks:
            raise ModelError(
                'Networks need torch, which is not installed; run pip install "tincture[deep]", or '
                "leave out --network."
            ) from None
        return logistic, WITHOUT_NETWORKS

    def trainer(network: Any) -> Trainer:
        if not callable(network) and network not in NETWORKS:
            known = ", ".join(NETWORKS)
            raise SettingError(f"The network {network!r} is not known; use {known}.")
        maker = network if callable(network) else NETWORKS[network]
        return lambda x, y, seed, watch: train(maker, x, y, seed, watch=watch)

    chosen = NETWORKS if networks is None else networks
    return {getattr(n, "__name__", str(n)): trainer(n) for n in chosen} | logistic, ""


@dataclass(frozen=True)
class Table:
    """Stays to train on or to ask about.

    Attributes
    ----------
    inputs : float32 ndarray of shape (n, bins, channels)
        Not standardised.
    outcomes : ndarray of shape (n, 1)
    prevalence : float
        To which predictions are corrected, since models see both classes alike.
    """

    inputs: Grid
    outcomes: Floats
    prevalence: float

    @classmethod
    def of(cls, inputs: Grid, outcomes: Floats, prevalence: float | None = None) -> Table:
        """With the table's own share of the case, unless another is known."""
        share = float(outcomes.mean()) if prevalence is None else prevalence
        return cls(inputs, outcomes, min(max(share, RARE), 1 - RARE))

    def take(self, rows: NDArray[np.int64]) -> Table:
        """Some of the stays, with their own prevalence."""
        return Table.of(self.inputs[rows], self.outcomes[rows])

    @property
    def label(self) -> Labels:
        """Class of each stay, (n,)."""
        return self.outcomes[:, 0].astype(np.int64)


class Study:
    """What every model learns from every source.

    Parameters
    ----------
    layout : Layout
    task : Classification
    trainers : mapping
        Of `trainers_of`; convergence is that of the first, influences those of all networks.
    tables : mapping
        Source → its tables, a run each; one for all runs if it is alone.
    held_out : Table
    seed : int
    pictures : bool
        Whether to look at convergence and influences.
    """

    def __init__(
        self,
        layout: Layout,
        task: Classification,
        trainers: Mapping[str, Trainer],
        tables: Mapping[str, Sequence[Table]],
        held_out: Table,
        seed: int,
        pictures: bool,
    ) -> None:
        self._layout, self._task, self._trainers, self._tables = layout, task, trainers, tables
        self._held_out, self._seed, self._pictures = held_out, seed, pictures
        self._networks = [name for name in trainers if name != LOGISTIC]
        self._learned: list[Learned] = []
        self._moved: dict[str, list[Mapping[str, float]]] = {}
        self._lines: list[Line] = []

    def learn(self, model: str, source: str, run: int) -> None:
        """Train once, and ask.

        Raises
        ------
        ModelError
            Without the cause, which may quote a stay.
        """
        tables = self._tables[source]
        table = tables[run % len(tables)]
        standard = Standard.of(table.inputs)
        asked = standard(self._held_out.inputs)
        is_drawn = self._pictures and run == 0 and source != RANDOM
        is_watched = is_drawn and model in self._networks[:1]
        glances = _Glances(asked, self._held_out.label) if is_watched else None
        start = time.perf_counter()
        try:
            trained = self._trainers[model](
                standard(table.inputs), table.label, self._seed + run, glances or _look_away
            )
            seconds = time.perf_counter() - start
            odds = trained.log_odds(asked)
        except Exception as error:
            kind = type(error).__name__
        else:
            kind = "" if np.isfinite(odds).all() else "not a finite number"
        if kind:  # raised here and not in the handler, where it would carry its context
            raise ModelError(f"The model {model!r} trained on {source} failed ({kind}).")
        if glances is not None:
            seconds -= glances.seconds
            self._lines.append(Line(source, tuple(glances.points)))
        odds = odds + np.log(table.prevalence / (1 - table.prevalence))
        risk = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        both = np.stack([1 - risk, risk], axis=1)
        n = len(table.outcomes)
        self._learned.append(Learned(model, source, n, seconds, both, both[:0], table.outcomes))
        if is_drawn and model in (self._networks or [LOGISTIC]):
            moved = self._influences(trained, standard, asked)
            self._moved.setdefault(source, []).append(moved)

    def _influences(self, trained: Trained, standard: Standard, asked: Grid) -> dict[str, float]:
        rng = np.random.default_rng(self._seed)
        some = rng.permutation(len(asked))[:N_ASKED]
        return {
            name: influence(trained, asked[some], standard.places(places))
            for name, places in sources(self._layout).items()
        }

    def result(
        self,
        looks: tuple[str, ...],
        courses: tuple[Course, ...],
        note: str,
        case: Case | None = None,
    ) -> SeriesEvaluation:
        """All figures, with intervals from paired resamples of the held-out stays."""
        learned = [*self._together(), *self._learned]
        everyone = {EVERYONE: np.ones(len(self._held_out.outcomes), dtype=bool)}
        panel = Panel(learned, self._held_out.outcomes, everyone, self._task, None, self._seed)
        lines = tuple(self._lines)
        return SeriesEvaluation(
            scores=tuple(panel.scores()),
            looks=looks,
            gaps=tuple(panel.gaps()),
            fits=tuple(self._fits()),
            charts=tuple(self._charts()) if self._pictures else (),
            case=case,
            influences=self._mean_influences(),
            courses=courses,
            convergence=Convergence(self._networks[0], lines) if lines else None,
            note=note,
        )

    def _together(self) -> list[Learned]:
        """Several networks as if they were runs of one."""
        if len(self._networks) < 2:
            return []
        return [replace(one, model=TOGETHER) for one in self._learned if one.model != LOGISTIC]

    def _runs(self) -> dict[tuple[str, str], list[Learned]]:
        found: dict[tuple[str, str], list[Learned]] = {}
        for one in self._learned:
            found.setdefault((one.model, one.source), []).append(one)
        return found

    def _fits(self) -> Iterator[Fit]:
        for (model, source), runs in self._runs().items():
            yield Fit(model, source, runs[0].rows, min(one.seconds for one in runs))

    def _charts(self) -> Iterator[Chart]:
        """Curves of the first run of each model."""
        every = self._runs()
        for model in self._trainers:
            risks = {
                source: runs[0].held_out[:, 1]
                for (name, source), runs in every.items()
                if name == model
            }
            yield roc(model, risks, self._held_out.label)
            yield calibration(model, risks, self._held_out.label)

    def _mean_influences(self) -> tuple[Influence, ...]:
        """Over the networks; what moves those trained on real stays most comes first."""
        if not self._moved:
            return ()
        found = [
            Influence(
                name,
                *(
                    float(np.mean([one[name] for one in self._moved[source]]))
                    for source in (CONDENSED, CEILING)
                ),
            )
            for name in sources(self._layout)
        ]
        return tuple(sorted(found, key=lambda i: -i.real))


class _Glances:
    """Held-out AUROC of a network while it is trained, and the seconds that this took."""

    def __init__(self, asked: Grid, label: Labels) -> None:
        self._asked, self._label = asked, label
        self.points: list[tuple[float, float]] = []
        self.seconds = 0.0

    def __call__(self, step: int, network: Trained) -> None:
        if step > 1 and step % BETWEEN:
            return
        start = time.perf_counter()
        odds = network.log_odds(self._asked)
        statistic = auroc(np.stack([-odds, odds], axis=1), self._label)
        self.points.append((float(step), plain(statistic, len(odds))))
        self.seconds += time.perf_counter() - start


def _look_away(step: int, network: Trained) -> None:
    """What is not drawn is not looked at."""
