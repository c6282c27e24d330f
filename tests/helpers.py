"""Small invented tables, plans and queries that several tests share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.privacy.accounting import Mechanism, Phase, Plan, calibrate
from tincture.privacy.booking import Answer
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import BLOCK, GRID, Vault
from tincture.public.encoding import Encoding
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Task
from tincture.spine.teaching import Teacher
from tincture.tables.additive import Basis
from tincture.tables.cells import cell_widths
from tincture.tables.condenser import Condenser
from tincture.tables.job import TableJob
from tincture.tables.marginals import Marginals
from tincture.tables.method import DIRECT, PROXY
from tincture.tables.products import Products, candidates
from tincture.tables.questions import InteractionSums
from tincture.tables.sealing import TableSealing

DESCRIPTOR: dict[str, Any] = {
    "name": "visits",
    "fields": [
        {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
        {"name": "lactate", "type": "number", "constraints": {"minimum": 0.2, "maximum": 20}},
        {"name": "sodium", "type": "number", "constraints": {"minimum": 110, "maximum": 170}},
        {"name": "ward", "type": "string", "categories": ["icu", "med", "surg"]},
        {"name": "diabetes", "type": "boolean"},
        {
            "name": "died",
            "type": "integer",
            "categories": [0, 1],
            "constraints": {"required": True},
        },
        {"name": "days", "type": "number", "constraints": {"minimum": 0, "maximum": 365}},
        {"name": "event", "type": "integer", "categories": [0, 1]},
        {"name": "stage", "type": "string", "categories": ["I", "II", "III"]},
        {"name": "patient", "type": "string"},
    ],
}
SCHEMA = Schema.from_dict(DESCRIPTOR)
OTHERS = {"died": ["days", "event", "stage"], "stage": ["days", "event", "died"]}
QUICK = 0.0125  # an effort of two descents
FEATURES = ["age", "lactate", "sodium", "ward", "diabetes"]
ENCODING = Encoding([SCHEMA[f] for f in FEATURES])


def make_table(n: int = 600, seed: int = 0) -> pl.DataFrame:
    """Records in which age, lactate and diabetes raise the risk; a tenth of some cells missing."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 101, n)
    lactate = np.round(np.clip(rng.lognormal(0.7, 0.8, n), 0.2, 20), 2)
    diabetes = rng.uniform(size=n) < 0.3
    risk = (age - 60) / 15 + np.log(lactate) + diabetes - 0.7 + rng.logistic(size=n)
    days = np.round(np.clip(rng.exponential(120 * np.exp(-risk / 3)), 0.1, 365), 1)

    def gappy(values: NDArray[Any]) -> list[Any]:
        gap = rng.uniform(size=n) < 0.1
        return [None if g else v for g, v in zip(gap, values.tolist(), strict=True)]

    return pl.DataFrame(
        {
            "age": age,
            "lactate": gappy(lactate),
            "sodium": gappy(np.round(rng.normal(140, 6, n).clip(110, 170), 1)),
            "ward": gappy(rng.choice(["icu", "med", "surg"], n)),
            "diabetes": gappy(diabetes),
            "died": (risk > 0.8).astype(int),
            "days": days,
            "event": ((days < 365) & (rng.uniform(size=n) < 0.7)).astype(int),
            "stage": np.array(["I", "II", "III"])[np.digitize(risk, [-1, 1])],
            "patient": [f"p{i // 2}" for i in range(n)],
        }
    )


def plan_of(
    noise: float = 0.0, rate: float = 1.0, *, count: int = 10**6, question: str = "q"
) -> Plan:
    """A plan of one kind of question with a given mechanism, whatever that costs."""
    return Plan(1.0, 1e-5, (Phase(question, count, 1.0, rate),), (Mechanism(noise, rate),))


@dataclass
class Ask:
    """A query made of a function of the records; by default it contributes nothing."""

    contribution: Callable[[Records], Any] = field(default=lambda r: np.zeros((len(r), 1)))
    size: int = 1
    clip: float = 1.0
    question: str = "q"

    def prepare(self) -> None:
        """Nothing to do."""

    def contributions(self, records: Records) -> Any:
        """What the function says."""
        return self.contribution(records)


def make_vault(
    ledger: Ledger,
    n: int = 200,
    *,
    unit: str | None = None,
    table: pl.DataFrame | None = None,
    block: int = BLOCK,
    kind: type[Vault] = Vault,
) -> Vault:
    """A vault of small records, with ``died`` as their target."""
    records = make_table(n) if table is None else table
    task = Classification("died", 2)
    return kind(TableSealing(SCHEMA, ENCODING, task, unit=unit), records, ledger, block=block)


def make_teacher(rng: np.random.Generator, size: float = 0.5) -> Teacher[Basis]:
    """Random curves over columns of uneven histograms, some values missing."""
    counts = rng.integers(1, 100, sum(cell_widths(ENCODING))).astype(np.float64)
    marginals = Marginals.of_counts(ENCODING, counts, 1000.0)
    sample = ENCODING.snap(marginals.place(marginals.draw(500, rng)))
    basis = Basis.fitting(marginals, sample)
    return Teacher(basis, size * rng.normal(size=basis.size))


def interactions(task: Task, teacher: Teacher[Basis], counts: Floats) -> InteractionSums:
    """The question about all products of a teacher's columns."""
    products = Products(teacher.basis, candidates(teacher.basis))
    return InteractionSums(task, teacher, products, counts)


def invented(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Invented records, and a teacher's scores of them."""
    rng = np.random.default_rng(1)
    teacher = make_teacher(rng, 1.0)
    marginals = teacher.basis.marginals
    points = ENCODING.snap(marginals.place(marginals.draw(n, rng)))
    return points, teacher.score(points)


def short_plan(epsilon: float, delta: float, method: str) -> Plan:
    """Five questions of a kind at most."""
    usual = PROXY if method == "proxy" else DIRECT
    return calibrate(epsilon, delta, [Phase(q, min(n, 5), s) for q, (s, n) in usual.items()])


class ShortJob(TableJob):
    """A run of few questions."""

    def plan(self) -> Plan:
        """A short one."""
        return short_plan(self.epsilon, self.delta, self.method)


class ShortCondenser(Condenser):
    """Asks little: what is tested is what goes in and comes out, not how good it is."""

    def job(self) -> ShortJob:
        """With a short plan."""
        return ShortJob(**vars(super().job()))


def make_condenser(**changes: Any) -> Condenser:
    """Sixteen rows for a logistic regression of ``died``, without noise unless told otherwise."""
    settings: dict[str, Any] = {
        "schema": SCHEMA,
        "target": "died",
        "drop": [*OTHERS["died"], "patient"],
        "epsilon": math.inf,
        "delta": 1e-5,
        "models": ["logistic"],
        "n_rows": 16,
        "effort": QUICK,
    }
    return ShortCondenser(**(settings | changes))


def value_of(answer: Answer) -> Floats:
    """The value of an answer that no killed run lost."""
    assert answer.value is not None
    return answer.value


def too_long(steps: Iterable[int]) -> bool:
    """Whether lattice steps exceed the clip, in whole numbers: the check itself cannot round."""
    return sum(v * v for v in steps) > GRID * GRID


def bookings(journal: Path) -> int:
    """Questions written down in a journal."""
    return sum(b'"booked"' in line for line in journal.read_bytes().splitlines())


def lose_answer(journal: Path) -> None:
    """As a kill between the last booking and its answer leaves it."""
    lines = journal.read_bytes().splitlines(keepends=True)
    last = max(i for i, line in enumerate(lines) if b'"booked"' in line)
    journal.write_bytes(b"".join(lines[: last + 1]))


@contextmanager
def kernel_threads(n: int) -> Iterator[None]:
    """So many threads for kernels."""
    config = vars(numba.config)
    before = config["NUMBA_NUM_THREADS"]
    config["NUMBA_NUM_THREADS"] = n
    try:
        yield
    finally:
        config["NUMBA_NUM_THREADS"] = before
