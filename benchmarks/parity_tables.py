"""Random and real tables on which kernels and libraries are compared."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tincture.io.frames import read_table, to_columns
from tincture.models.prepared import Tables
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, Task

CLASSES = ("support2_hospdead", "diabetes130", "framingham_chd", "heart_uci", "brfss_diabetes")
LIFETIMES = ("support2_surv", "flchain", "rhc", "framingham_surv", "rotterdam")
SIZES = (100, 1000)
RECORDS = 1000


class Rows(NamedTuple):
    """Columns and outcomes of a few rows; times are of use to survival models only.

    Attributes
    ----------
    x : (m, p) float64
    label : (m,) int64
    time, event : (m,) float64 and bool
    """

    x: np.ndarray
    label: np.ndarray
    time: np.ndarray
    event: np.ndarray


class Pair(NamedTuple):
    """A table to fit on and records to predict."""

    table: Rows
    records: Rows

    @property
    def n_classes(self) -> int:
        """Every class has rows in the table."""
        return int(self.table.label.max()) + 1


def random_pairs(n: int, classes: tuple[int, ...] = (2,), seed: int = 0) -> Iterator[Pair]:
    """Tables of 20–200 rows and 2–40 columns, some discrete, some rows alike, many times tied."""
    for k in range(n):
        rng = np.random.default_rng([seed, k])
        m, p, n_classes = (
            int(rng.integers(20, 201)),
            int(rng.integers(2, 41)),
            classes[k % len(classes)],
        )
        digits = rng.choice([0, 1, 8], size=p)
        slope = rng.normal(size=(p, n_classes)) * (rng.random(p) < 0.5)[:, None] / np.sqrt(p / 4)
        steps, shown = rng.choice([2, 20, 1e6]), rng.choice([0.1, 0.5, 1.0])

        def draw(
            n_rows: int,
            rng: np.random.Generator = rng,
            p: int = p,
            digits: np.ndarray = digits,
            slope: np.ndarray = slope,
            steps: float = steps,
            shown: float = shown,
        ) -> Rows:
            x = rng.normal(size=(n_rows, p))
            x = np.where(digits == 8, x, np.round(x * 10.0**digits) / 10.0**digits)
            score = x @ slope
            label = (score + rng.gumbel(size=score.shape)).argmax(axis=1)
            time = np.ceil(rng.exponential(size=n_rows) * np.exp(-score[:, 0]) * steps) / steps
            return Rows(x, label, time, rng.random(n_rows) < shown)

        table = draw(m)
        table.x[: m // 10] = table.x[m // 10 : 2 * (m // 10)]
        table.label[:n_classes], table.event[:2] = np.arange(n_classes), True
        yield Pair(table, draw(RECORDS))


def real_pairs(folder: Path, names: tuple[str, ...]) -> Iterator[Pair]:
    """A hundred and a thousand records of each set, encoded, imputed and scaled as in a search."""
    for name in names:
        rows, numeric = _load(folder, name)
        order = np.random.default_rng(1).permutation(len(rows.x))
        for m in (min(s, len(order) // 2) for s in SIZES):
            chosen, others = order[:m], order[m : m + RECORDS]
            ready = Tables(rows.x[None, chosen], numeric).scaled
            table, records = (Rows(*(part[i] for part in rows)) for i in (chosen, others))
            yield Pair(table._replace(x=ready.x[0]), records._replace(x=ready.apply(records.x, 0)))


def _load(folder: Path, name: str) -> tuple[Rows, np.ndarray]:
    meta = tomllib.loads((folder / f"{name}.toml").read_text())
    schema = Schema.load(folder / f"{name}.schema.json")
    task: Task = (
        Classification.of(schema, meta["target"])
        if "target" in meta
        else Survival.of(schema, meta["time"], meta["event"])
    )
    features = [feature["name"] for feature in meta["features"]]
    frame = read_table(folder / f"{name}.parquet")
    values = to_columns(frame, schema, [*features, *task.columns])
    encoding = Encoding([schema[f] for f in features])
    outcomes = task.outcomes(values)
    rows = Rows(
        encoding.design(encoding.encode(values)),
        outcomes[:, -1].astype(np.int64),
        outcomes[:, 0],
        outcomes[:, -1] > 0.5,
    )
    return rows, encoding.numeric
