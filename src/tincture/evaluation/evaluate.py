"""Train on condensed, score on held-out: what a release is worth, seen from inside the house.

These figures look at real records without noise. They go through `Vault.disclose`, which books
ε = ∞ in an in-house ledger, and must not be released.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from tincture.arrays import Floats, Mask
from tincture.errors import SettingError
from tincture.evaluation.bench import Bench, Fitted, Learner, Seen
from tincture.evaluation.curves import distributions
from tincture.evaluation.groups import ByFeature, BySite, no_column, parse
from tincture.evaluation.learning import Glances, Learned, Lesson, learn, random_rows
from tincture.evaluation.merits import MERITS, Merits
from tincture.evaluation.metrics.figure import plain
from tincture.evaluation.panel import Panel
from tincture.evaluation.pictures import Convergence, Line
from tincture.evaluation.scores import (
    CEILING,
    COHORT,
    CONDENSED,
    EVERYONE,
    RANDOM,
    Check,
    Evaluation,
    Fit,
    Group,
    Ratio,
)
from tincture.kernels.threads import one_thread
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import Vault
from tincture.public.case import Case
from tincture.public.schema import Schema
from tincture.search.optimizer import Progress

Members = dict[str, Mask]
MAX_RUNS = 100


class Settings(TypedDict, total=False):
    """Of `evaluate`, for functions that hand them on."""

    by: Sequence[str]
    schema: Schema | str | Path | None
    runs: int
    seed: int
    in_house: str | Path | None
    pictures: bool
    progress: Progress


def evaluate(
    bench: Bench,
    train: Any,
    test: Any,
    *,
    by: Sequence[str] = (),
    at: Sequence[float] = (),
    schema: Schema | str | Path | None = None,
    runs: int = 1,
    seed: int = 0,
    in_house: str | Path | None = None,
    pictures: bool = False,
    progress: Progress = lambda done, total: None,
) -> Evaluation:
    """Score models trained on a release beside the real ceiling and random real records.

    Parameters
    ----------
    bench : Bench
        The release, and what its kind of data brings.
    train, test : Any
        The records that were condensed, and held-out ones, as `Bench.sides` takes them.
    by, at, schema
        As for `tincture.evaluate`.
    runs : int
        Times that each model is trained, with other seeds and on other random records; figures are
        means over them.
    seed : int
        Of models, of the random real records and of the resamples behind the intervals.
    in_house, pictures
        As for `tincture.evaluate`.
    progress : callable
        Told how many of the trainings are done.

    Returns
    -------
    Evaluation

    Raises
    ------
    TinctureError
    """
    ledger = Ledger.in_house(None if in_house is None else Path(in_house))
    _check(bench, by, runs, seed)
    merits_of = MERITS[bench.task.name]
    merits_of.check(at)
    house = _House.open(bench, train, test, by, schema, ledger)
    merits = merits_of.of(bench.task, house.held_out.outcomes, at)
    members, groups = house.groups()
    trainings = _Trainings(bench, house, merits, seed, pictures)
    with one_thread("blas"):
        trainings.run(runs, progress)
        ratios, checks = trainings.checks()
        panel = Panel(trainings.everything, members, merits, seed)
    scored = Evaluation(
        scores=tuple(panel.scores()),
        looks=house.looks,
        ratios=ratios,
        checks=checks,
        gaps=tuple(panel.gaps()),
        groups=groups,
        fits=tuple(trainings.fits),
        case=bench.case,
        note=" ".join(filter(None, (bench.note, trainings.cut_short))),
        words=bench.words,
    )
    return trainings.drawn(scored) if pictures else scored


def _check(bench: Bench, by: Sequence[str], runs: int, seed: int) -> None:
    """Refuse, before a record is looked at, what would tell nothing.

    Raises
    ------
    SettingError
    """
    if not 1 <= runs <= MAX_RUNS:
        raise SettingError(f"{runs} runs were asked for; expected 1 to {MAX_RUNS}.")
    if isinstance(by, str):
        raise SettingError("by must be a list, even of one column.")
    if seed < 0:
        raise SettingError(f"The seed is {seed}; expected a whole number from 0 up.")
    if not bench.learners:
        raise SettingError("The list of models is empty; name one, or leave it out.")


@dataclass(frozen=True)
class _House:
    """The two vaults of an evaluation, and what was looked at in them."""

    bench: Bench
    groupings: Sequence[ByFeature | BySite]
    trained: Vault
    tested: Vault
    real: Records
    held_out: Records

    @classmethod
    def open(
        cls,
        bench: Bench,
        train: Any,
        test: Any,
        by: Sequence[str],
        schema: Schema | str | Path | None,
        ledger: Ledger,
    ) -> _House:
        outcome = bench.task.columns
        features = [c for c in bench.columns if c.name not in outcome]
        told = Schema.load(schema) if isinstance(schema, str | Path) else schema
        groupings = parse(by, features, bench.schema if told is None else told, outcome)
        train, test = bench.sides(train, test)
        sites = [g for g in groupings if isinstance(g, BySite)]
        for site in sites:
            if not bench.has(test, site.column):
                raise no_column(site.column, features)
        known = {c.name: c for c in bench.schema.columns}
        known |= {g.column: g.declared for g in sites if g.declared is not None}
        widened = replace(bench.schema, columns=tuple(known.values()))
        seal = bench.seal(widened, tuple(g.column for g in sites))
        trained, tested = (Vault(seal, side, ledger) for side in (train, test))
        real = trained.disclose(f"train-on-real ceiling{bench.words.of}")
        held_out = tested.disclose(f"held-out scores{bench.words.of}")
        return cls(bench, groupings, trained, tested, real, held_out)

    @property
    def looks(self) -> tuple[str, ...]:
        return tuple(e.question for e in self.tested.ledger.entries)

    def groups(self) -> tuple[Members, tuple[Group, ...]]:
        """Who is in each group, and what is said of it."""
        members = {EVERYONE: np.ones(len(self.held_out), dtype=bool)}
        external: set[str] = set()
        values = self.bench.values(self.held_out) if self.groupings else {}
        for grouping in self.groupings:
            if isinstance(grouping, ByFeature):
                members |= dict(grouping.members(values))
                continue
            name, of = grouping.column, self.bench.words.records
            found = dict(grouping.members(self.tested.disclose_labels(name, f"{name} of {of}")))
            there = self.trained.disclose_labels(name, f"{name} of training {of}")
            external |= found.keys() - {grouping.title(site) for site in there.names}
            members |= found
        is_event, counts = self._counted()
        return members, tuple(
            Group(
                label,
                int(inside.sum()),
                int((inside & is_event).sum()),
                label in external,
                counts,
            )
            for label, inside in members.items()
        )

    def _counted(self) -> tuple[Mask, str]:
        """Held-out records that groups are said to hold so many of, and what they are."""
        task, counted, last = self.bench.task, self.bench.case, self.held_out.outcomes[:, -1]
        if counted.is_amount:
            return last > np.median(last), f"{counted.column} above its median"
        if counted.level is None:  # of several classes the last
            counted = Case.of(self.bench.schema[task.columns[-1]], -1)
        return last == max(task.n_outputs - 1, 1), counted.event


class _Trainings:
    """Every model, trained on every source, and asked about the held-out records."""

    def __init__(
        self, bench: Bench, house: _House, merits: Merits, seed: int, pictures: bool
    ) -> None:
        self._bench, self._house, self._merits = bench, house, merits
        self._seed, self._pictures = seed, pictures
        self._asked = bench.ready(house.held_out, "held-out")
        self._learned: dict[tuple[str, str], list[Learned]] = {}
        self._fitted: dict[tuple[str, str], Fitted] = {}
        self._lines: list[Line] = []
        self._random = house.real
        self._cut: dict[str, int] = {}

    def run(self, runs: int, progress: Progress) -> None:
        """Train all, model by model.

        Raises
        ------
        ModelError
        """
        lessons = self._lessons(runs)
        todo = list(itertools.product(self._bench.learners, lessons, range(runs)))
        for done, (learner, source, run) in enumerate(todo):
            progress(done, len(todo))
            is_drawn = self._pictures and run == 0 and source != RANDOM
            is_watched = is_drawn and learner is self._bench.learners[0]
            glances = Glances(self._asked, self._first_figure) if is_watched else None
            lesson = self._shortened(lessons[source][run % len(lessons[source])], learner, source)
            one, fitted = learn(
                learner,
                source,
                lesson,
                self._asked,
                self._seed + run,
                needs_own=self._merits.needs_own,
                glances=glances,
            )
            self._learned.setdefault((learner.name, source), []).append(one)
            if is_drawn:
                self._fitted[learner.name, source] = fitted
            if glances is not None and glances.points:
                self._lines.append(Line(source, tuple(glances.points)))
        progress(len(todo), len(todo))

    def _lessons(self, runs: int) -> dict[str, list[Lesson]]:
        """What is trained on, a run each, or the same in every run."""
        real = self._house.real
        drawn = [
            random_rows(real, len(self._bench.condensed), np.random.default_rng([self._seed, run]))
            for run in range(runs)
        ]
        found = {source: [records] for source, records in self.sources.items()}
        found[RANDOM] = [real.take(d) for d in drawn]
        self._random = found[RANDOM][0]
        return {
            source: [Lesson(self._bench.ready(r, source), r) for r in tables]
            for source, tables in found.items()
        }

    def _shortened(self, lesson: Lesson, learner: Learner, source: str) -> Lesson:
        """Some of a lesson, at random, for a learner that would take too long over all of it."""
        most, there = self._bench.most(learner), len(lesson.records)
        if most is None or there <= most:
            return lesson
        self._cut[learner.name] = most
        drawn = np.random.default_rng(self._seed).choice(there, most, replace=False)
        records = lesson.records.take(drawn)
        return Lesson(self._bench.ready(records, source), records)

    @property
    def cut_short(self) -> str:
        """Which learners were spared a part; empty if none was."""
        return " ".join(
            f"{name} learned from {most:,} drawn at random at most, as all would take it too long."
            for name, most in self._cut.items()
        )

    @property
    def sources(self) -> dict[str, Records]:
        """What is trained on, but for random real records."""
        cohort = self._bench.cohort
        invented = {CONDENSED: self._bench.condensed}
        return invented | ({} if cohort is None else {COHORT: cohort}) | {CEILING: self._house.real}

    def checks(self) -> tuple[tuple[Ratio, ...], tuple[Check, ...]]:
        """What is told of tables as wholes, each look booked before it is taken."""
        for look in self._bench.checked:
            self._house.tested.ledger.book_disclosure(look)
        return self._bench.checks(self.sources | {RANDOM: self._random}, self._house.held_out)

    def _first_figure(self, predicted: Floats) -> float:
        """The first figure of merit, of all held-out records."""
        one = Learned("", "", 0, 0.0, predicted, predicted[:0], predicted[:0])
        return plain(next(self._merits.figures(one))[1], len(predicted))

    @property
    def everything(self) -> list[Learned]:
        """Every run, those that are told together first."""
        every = [one for runs in self._learned.values() for one in runs]
        together = [
            replace(one, model=name)
            for name, models in self._bench.together.items()
            for one in every
            if one.model in models
        ]
        return together + every

    @property
    def fits(self) -> list[Fit]:
        """The shortest of the runs of each."""
        return [
            Fit(model, source, runs[0].rows, min(one.seconds for one in runs))
            for (model, source), runs in self._learned.items()
        ]

    def drawn(self, scored: Evaluation) -> Evaluation:
        """With what the page draws, each look booked before it is taken."""
        bench, house, of = self._bench, self._house, self._bench.words.records
        usual = (f"curves of held-out {of}", f"distributions of training {of}")
        for look in (*usual, *bench.drawn):
            house.tested.ledger.book_disclosure(look)
        sources = self.sources
        charts = self._merits.opening(sources)
        for learner in bench.learners:
            mine = {s: runs[0] for (m, s), runs in self._learned.items() if m == learner.name}
            charts += self._merits.charts(learner.name, mine)
        own = bench.pictures(Seen(sources, self._asked, self._fitted, self._seed))
        bars = distributions(bench.columns, bench.values(bench.condensed), bench.values(house.real))
        lines = tuple(self._lines)
        return replace(
            scored,
            looks=house.looks,
            charts=tuple(charts),
            bars=tuple(bars),
            influences=own.influences,
            courses=own.courses,
            convergence=Convergence(bench.learners[0].name, lines) if lines else None,
        )
