"""A third kind of data moves in by the public protocols alone: signals, eight numbers and a class.

It is condensed to two signals' worth of class means, and then judged, attacked and shown like rows
and stays, with no line of the house changed.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.audit.audit import attack
from tincture.audit.membership import closeness
from tincture.audit.target import Target
from tincture.audit.told import told
from tincture.evaluation.bench import Bench, Fitted, Watch
from tincture.evaluation.evaluate import evaluate
from tincture.io.frames import has_column, to_columns
from tincture.privacy.accounting import Phase, Plan, calibrate
from tincture.privacy.engine import Engine, ask
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query, Records, Sealed
from tincture.privacy.stream import Seal
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, task_of, told_of
from tincture.report.card import Words, card_page
from tincture.report.in_house import in_house_page
from tincture.report.summary import InHouse
from tincture.spine.condense import condense
from tincture.spine.job import Found, Tell
from tincture.spine.questions import CellCounts
from tincture.spine.release import Release
from tincture.spine.run import digest_of
from tincture.spine.sealing import Sealing

LENGTH, N = 8, 400
PARTS = [f"s{i}" for i in range(LENGTH)]
FIELDS: list[dict[str, Any]] = [
    {"name": n, "type": "number", "constraints": {"minimum": 0, "maximum": 1}} for n in PARTS
]
FIELDS.append({"name": "ill", "type": "integer", "categories": [0, 1]})
SCHEMA = Schema.from_dict({"name": "signals", "fields": FIELDS})


@dataclass(frozen=True)
class Signals(Release):
    rows: pl.DataFrame
    kind, command, unnamed = "signals", "the test", "signals"

    @property
    def labelled(self) -> pl.DataFrame:
        return self.rows

    def data(self) -> dict[str, bytes]:
        buffer = io.BytesIO()
        self.rows.write_csv(buffer)
        return {"signals.csv": buffer.getvalue()}

    def resources(self) -> list[dict[str, Any]]:
        return [{"name": "signals", "path": "signals.csv"}]

    def own_facts(self) -> dict[str, Any]:
        return {"schema": self.schema.to_dict()}

    @classmethod
    def read(cls, path: Path, package: Mapping[str, Any], ledger: Ledger) -> Signals:
        about = package["tincture"]
        rows = pl.read_csv(path / "signals.csv")
        schema, told = Schema.from_dict(about["schema"]), about["settings"]
        return cls(rows, schema=schema, task=about["task"], settings=told, ledger=ledger)

    def words(self, package: Mapping[str, Any], ledger: Mapping[str, Any]) -> Words:
        what, use = "Invented signals.", ("Train on them.",)
        return Words("signals", "records", "one record", what, (), use, (), ())


class SignalSealing(Sealing):
    """Numbers as they are; they lie in [0, 1]."""

    def __call__(self, frame: pl.DataFrame) -> Sealed:
        values = to_columns(frame, self.schema, [*PARTS, "ill"])
        points = np.stack([values[n] for n in PARTS], axis=1).astype(np.float32)
        outcomes = Classification("ill", 2).outcomes(values)
        return self.sealed(Records(points, points, outcomes), frame)


@dataclass(frozen=True, slots=True)
class ClassSums(Query):
    """Of the numbers of each class."""

    question: ClassVar[str] = "class sums"
    size: ClassVar[int] = 2 * LENGTH
    clip: ClassVar[float] = LENGTH**0.5

    def contributions(self, records: Records) -> Floats:
        ill = records.outcomes > 0.5
        return np.concatenate([records.points * ~ill, records.points * ill], axis=1)


@dataclass(frozen=True)
class SignalJob:
    epsilon: float
    n_rows: int = 40
    unit: ClassVar[str] = "record"

    def plan(self) -> Plan:
        phases = [Phase(CellCounts.question, 1, 0.3), Phase(ClassSums.question, 1, 0.7)]
        return calibrate(self.epsilon, 1e-5, phases)

    def seal(self, source: Any) -> Sealed:
        return SignalSealing(SCHEMA)(source)

    def rehearse(self) -> None:
        """No model is served."""

    def digest(self) -> str:
        return digest_of({"epsilon": str(self.epsilon), "n_rows": self.n_rows})

    def expectation(self) -> str:
        return "Signals are condensed to the means of their classes."

    def search(self, engine: Engine, rng: np.random.Generator, tell: Tell) -> Found:
        task = Classification.of(SCHEMA, "ill")
        counts = ask(engine, CellCounts(task)).value
        sums = ask(engine, ClassSums()).value.reshape(2, LENGTH)
        outcomes = task.allot(counts, self.n_rows, rng)
        means = (sums / np.maximum(counts, 1.0)[:, None])[outcomes[:, 0].astype(int)]
        points = np.clip(means + 0.05 * rng.standard_normal(means.shape), 0, 1).round(3)
        return Found(points, outcomes, {"prevalence": task.prevalence(counts)})

    def release(self, found: Found, form: Any, ledger: Ledger) -> Signals:
        task = Classification.of(SCHEMA, "ill")
        rows = pl.DataFrame(found.points, schema=PARTS, orient="row").with_columns(
            ill=found.outcomes[:, 0].astype(np.int64)
        )
        settings = {"version": "0", "n_rows": self.n_rows, **found.told}
        about = told_of(SCHEMA, task)
        return Signals(rows, schema=SCHEMA, task=about, settings=settings, ledger=ledger)


class NearestMean:
    name = "nearest mean"

    def learn(self, table: Records, seed: int, watch: Watch) -> Fitted:
        label = table.outcomes[:, 0] > 0.5
        way = table.points[label].mean(axis=0) - table.points[~label].mean(axis=0)

        def predict(records: Records) -> Floats:
            risk = 1 / (1 + np.exp(-4 * (records.points - table.points.mean(axis=0)) @ way))
            return np.stack([1 - risk, risk], axis=1)

        return Fitted(predict, 0.001)


class SignalBench(Bench):
    def __init__(self, release: Signals) -> None:
        self.schema, self.task, self.case = release.schema, release.outcome, release.case
        self.columns = release.schema.columns
        self.condensed = SignalSealing(SCHEMA)(release.rows).records
        self.learners = [NearestMean()]

    def seal(self, schema: Schema, beside: tuple[str, ...]) -> Seal:
        return SignalSealing(schema, beside=beside)

    def has(self, side: Any, name: str) -> bool:
        return has_column(side, name)

    def values(self, records: Records) -> Mapping[str, NDArray[np.generic]]:
        own = dict(zip(PARTS, records.points.T.astype(np.float64), strict=True))
        return own | self.task.values(records.outcomes)


@dataclass(frozen=True)
class SignalTarget(Target):
    release: Signals
    one, units = "signal", "records"
    ratios: ClassVar[Mapping[str, Any]] = {"likelihood ratio": closeness}

    def seal(self, source: Any) -> Sealed:
        return SignalSealing(SCHEMA)(source)

    def records(self, release: Signals) -> Records:
        return SignalSealing(SCHEMA)(release.rows).records

    def description(self, real: Records, invented: Records) -> Callable[[Records], Floats]:
        return lambda who: np.concatenate([who.points, who.outcomes], axis=1, dtype=np.float64)

    def job(self, seed: int) -> SignalJob:
        return SignalJob(self.release.ledger.plan.epsilon, self.release.settings["n_rows"])


def signals(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    ill = rng.integers(0, 2, N)
    points = np.clip(0.4 + 0.2 * ill[:, None] + 0.2 * rng.standard_normal((N, LENGTH)), 0, 1)
    site = rng.choice(["north", "south"], N)
    return pl.DataFrame(points, schema=PARTS, orient="row").with_columns(ill=ill, site=site)


@pytest.mark.parametrize("epsilon", [2.0, float("inf")])
def test_signals_are_condensed_judged_attacked_and_shown(epsilon: float, tmp_path: Path) -> None:
    train, test = signals(0), signals(1)
    made = condense(SignalJob(epsilon), train, 0, journal=tmp_path / "journal.jsonl")
    assert len(made.ledger.entries) == 2
    made.save(tmp_path / "out")
    release = Signals.load(tmp_path / "out")
    assert release.fingerprint == made.fingerprint
    assert task_of(release.schema, release.task) == Classification.of(SCHEMA, "ill")

    bench = SignalBench(release)
    found = evaluate(bench, train, test, by=["site", "s0:0.5"], pictures=True)
    assert {g.label for g in found.groups} == {
        "all", "site = north", "site = south", "s0 < 0.5", "s0 ≥ 0.5",
    }  # fmt: skip
    assert found.value("nearest mean", "condensed", "AUROC") > 0.9

    attacked = attack(SignalTarget(release), train, test, references=16, canaries=50)
    assert [a.name for a in attacked.membership][::3] == ["closest signal", "likelihood ratio"]
    assert attacked.holds == "signals"
    page = in_house_page(InHouse(release.card().title, made.ledger.promise, found, told(attacked)))
    assert "closest signal" in page and "s0 ≥ 0.5" in page
    assert "signals" in card_page(release.card())
