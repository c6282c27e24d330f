"""Pairs of data sets that differ by one unit, and what every *other* unit adds to each question.

Each pair is written to files or handed over as frames, read, sealed into a vault and asked the
questions of a real run; every other unit's lattice vector must be the same, bit for bit, whatever
the size of a block and the number of BLAS threads. `benchmarks/differential.py` tries thousands.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import polars as pl
from threadpoolctl import ThreadpoolController

from helpers import short_plan
from tincture.arrays import Integers
from tincture.audit.rehearsal import Listening
from tincture.errors import TinctureError
from tincture.io.frames import read_table
from tincture.io.parts import Partitioned
from tincture.models.portfolio import resolve
from tincture.models.protocol import Model
from tincture.models.served import Served
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.stream import Stream
from tincture.privacy.vault import BLOCK, Vault, lattice
from tincture.public.causes import with_cause
from tincture.public.cells import identity
from tincture.public.encoding import Encoding
from tincture.public.origins import with_origin
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival, Task
from tincture.spine.weighing import Scaled
from tincture.tables.marginals import Marginals
from tincture.tables.method import search
from tincture.tables.parts import Sealer, TableParts
from tincture.tables.sealing import TableSealing
from tincture.tables.validation import ScoreCounts

Record = dict[str, str]  # cells as text
N_UNITS = 40
N_ASKED = 300  # units of the run whose questions are asked
MOST = 3  # of a kind of question


class Family(Protocol):
    """One kind of data with its settings."""

    name: str
    readers: Sequence[str]
    n_units: int

    @property
    def queries(self) -> Sequence[Query]:
        """The questions of a real run."""
        ...

    def usual(self, rng: np.random.Generator, number: int) -> Any:
        """A unit that nothing is odd about."""
        ...

    def odd(self, rng: np.random.Generator) -> Any:
        """The added unit."""
        ...

    def vault(self, units: Sequence[Any], reader: str, folder: Path, block: int) -> Vault:
        """Read and seal; raises TinctureError if the units are refused."""
        ...

    def place(self, units: Sequence[Any], odd: Any, at: int) -> int:
        """Where the odd unit, put in at a place among the others, lies in the vault."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What one pair showed.

    Attributes
    ----------
    family, reader : str
    is_refused : bool
        Whether the larger set was refused.
    values : int
        Lattice values of other units that were compared.
    differing : int
        Of them, those that differ.
    """

    family: str
    reader: str
    is_refused: bool
    values: int = 0
    differing: int = 0


def differ(family: Family, rng: np.random.Generator, folder: Path) -> Outcome:
    """One pair: D is always accepted; D with one more unit may be refused, by every reader or none.

    Raises
    ------
    AssertionError
        If whether the unit is refused depends on the reader.
    """
    reader, n_units = str(rng.choice(list(family.readers))), family.n_units
    units = [family.usual(rng, i) for i in range(n_units)]
    odd, at = family.odd(rng), int(rng.integers(n_units + 1))
    more = [*units[:at], odd, *units[at:]]
    near = [7, *(n_units + d for d in (-2, -1, 0, 1, 2)), BLOCK]
    blocks = [int(b) for b in rng.choice(near, size=2, replace=False)]
    before = family.vault(units, reader, fresh(folder / "D"), blocks[0])
    after = _tried(family, more, reader, fresh(folder / "more"), blocks[1])
    first = after
    if reader != family.readers[0]:
        first = _tried(family, more, family.readers[0], fresh(folder / "first"), BLOCK)
    assert (after is None) == (first is None), f"{family.name}: refused by {reader} alone or not"
    if after is None:
        return Outcome(family.name, reader, True)
    queries, libraries = family.queries, ThreadpoolController()
    with libraries.limit(limits=1):
        one = [vectors(before, query) for query in queries]
    with libraries.limit(limits=2):
        two = [vectors(after, query) for query in queries]
    place, values, differing = family.place(units, odd, at), 0, 0
    for kept, all_of_them in zip(one, two, strict=True):
        others = np.delete(all_of_them, place, axis=0)
        assert kept.shape == others.shape
        values, differing = values + kept.size, differing + int((kept != others).sum())
    return Outcome(family.name, reader, False, values, differing)


def fresh(folder: Path) -> Path:
    """A new folder of this name, numbered."""
    number = 0
    while (path := folder.with_name(f"{folder.name}{number}")).exists():
        number += 1
    path.mkdir(parents=True)
    return path


def vectors(vault: Vault, query: Query) -> Integers:
    """What each unit adds to the sum, in lattice steps, (n_units, size)."""
    blocks = list(vault._sampled_blocks(1.0))
    return np.concatenate(
        [lattice(query.contributions(r), lengths, query.clip) for r, lengths in blocks]
    )


def _tried(
    family: Family, units: Sequence[Any], reader: str, folder: Path, block: int
) -> Vault | None:
    try:
        return family.vault(units, reader, folder, block)
    except TinctureError:
        return None


# Tables ---------------------------------------------------------------------------------------


FIELDS: list[dict[str, Any]] = [
    {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
    {
        "name": "lactate",
        "type": "number",
        "constraints": {"minimum": 0.2, "maximum": 20},
        "tincture:limits": True,
    },
    {
        "name": "weight",
        "type": "number",
        "decimalChar": ",",
        "missingValues": ["", {"value": "0", "label": "not weighed"}, "-1,5"],
        "constraints": {"minimum": 20, "maximum": 300},
    },
    {"name": "warmth", "type": "number", "constraints": {"minimum": 30, "maximum": 45}},
    {"name": "smokes", "type": "boolean", "trueValues": ["Yes"], "falseValues": ["No"]},
    {"name": "insured", "type": "boolean"},
    {"name": "grade", "type": "string", "categories": ["1", "2", "3"]},
    {"name": "ward", "type": "string", "categories": ["icu", "med", "surg"]},
    {"name": "answer", "type": "string", "categories": ["true", "false", "unsure"]},
    {"name": "dose", "type": "number", "categories": [0, 0.5, 1]},
    {
        "name": "admitted",
        "type": "date",
        "constraints": {"minimum": "2010-01-01", "maximum": "2019-12-31"},
    },
    {
        "name": "discharged",
        "type": "date",
        "format": "%d.%m.%Y",
        "constraints": {"minimum": "2010-01-01", "maximum": "2020-12-31"},
        "tincture:days": {"minimum": 0, "maximum": 90},
    },
    {
        "name": "tested",
        "type": "datetime",
        "missingValues": ["1900-01-01"],
        "constraints": {"minimum": "2010-01-01T00:00Z", "maximum": "2020-12-31T00:00Z"},
    },
    {"name": "died", "type": "integer", "categories": [0, 1]},
    {"name": "stage", "type": "string", "categories": ["I", "II", "III", "IV"]},
    {
        "name": "days",
        "type": "number",
        "missingValues": [""],
        "constraints": {"minimum": 0, "maximum": 365},
    },
    {"name": "event", "type": "integer", "categories": [0, 1]},
    {"name": "fate", "type": "integer", "categories": [0, 1, 2]},
]
SCHEMA = Schema.from_dict({"missingValues": ["", "NA", "-9", "99.9"], "fields": FIELDS})
OUTCOMES = ("died", "stage", "days", "event", "fate")
ODD: dict[str, list[str]] = {
    "age": ["", "NA", "-9", "-9.0", " 44", "44.0", "4.4e1", "TRUE", "1000", "99.9", "nan", "9"],
    "lactate": ["", "<1.0", ">20", "1e-3", "-9.00", "+3", ".5", "7.", "NA", "99.9", "0.1"],
    "weight": ["", "0", "0,0", "-1,5", "70,5", "70", "70.5", "8e1", "-9"],
    "warmth": ["", "37", "37.000000001", "-9", "99.90", "36.6"],
    "smokes": ["", "Yes", "No", "true", "FALSE", "NA"],
    "insured": ["", "true", "False", "1", "0", "1.0", "NA"],
    "grade": ["", "1", "2.0", "3e0", " 2", "NA", "-9"],
    "ward": ["", "icu", " med", "NA", "-9", "nan"],
    "answer": ["", "true", "TRUE", "False", "unsure", "NA"],
    "dose": ["", "0", "0.50", "1", "1.0", "true", "-9"],
    "days": ["0", "365", "1e2", " 7", "12.0", "400", "true"],
    "admitted": ["", "NA", "-9", "2015-3-1", "2015-03-01 23:59", "9999-12-31", "1899-12-31", "nan"],
    "discharged": ["", "NA", "1.3.2015", "29.02.2016", "31.12.9999", "99.9"],
    "tested": ["", "1900-01-01", "2015-03-01T07:00:00+02:00", "2015-03-01 07:00:59.9Z", "nan"],
    "died": ["0", "1", "1.0", "true", "FALSE", " 1"],
    "event": ["0", "1", "0.0", "TRUE"],
    "fate": ["0", "1", "1.0", " 2", "2.0", "TRUE", "false"],
    "stage": ["I", "IV", " II"],
}
REFUSED = {
    "age": "old",
    "lactate": "high",
    "grade": "4",
    "insured": "2",
    "dose": "0.7",
    "fate": "3",
    "admitted": "2015-02-29",
    "discharged": "42064",
    "tested": "2015-03-01 07:00",
}


def usual_record(rng: np.random.Generator) -> Record:
    """Cells that every reader takes for what they are."""
    risk = rng.normal()
    day = date(2010, 1, 1) + timedelta(days=int(rng.integers(3600)))
    out = day + timedelta(days=int(rng.integers(60)))
    cells = {
        "admitted": str(day),
        "discharged": f"{out.day:02}.{out.month:02}.{out.year}",
        "tested": f"{day}T{int(rng.integers(24)):02}:30:00Z",
        "age": str(int(np.clip(60 + 12 * risk + 8 * rng.normal(), 18, 100))),
        "lactate": f"{np.clip(np.exp(0.6 + 0.5 * risk), 0.2, 20):.2f}",
        "weight": f"{70 + 12 * rng.normal():.1f}".replace(".", ","),
        "warmth": "37.0" if rng.uniform() < 0.9 else "37.00001",
        "smokes": str(rng.choice(["Yes", "No"])),
        "insured": str(rng.choice(["true", "false"])),
        "grade": str(rng.choice(["1", "2", "3"])),
        "ward": str(rng.choice(["icu", "med", "surg"])),
        "answer": str(rng.choice(["true", "false"])),
        "dose": str(rng.choice(["0", "0.5", "1"])),
        "died": str(int(risk + rng.normal() > 0.3)),
        "stage": ["I", "II", "III", "IV"][int(np.digitize(risk, [-0.8, 0, 0.8]))],
        "days": f"{min(365.0, rng.exponential(150 * np.exp(-risk / 2))):.1f}",
        "event": str(int(rng.uniform() < 0.6)),
    }
    cells["fate"] = str(int(cells["event"]) * (1 + int(risk > 0)))
    gaps = {
        "admitted": "",
        "discharged": "",
        "age": "-9",
        "lactate": "-9",
        "weight": "0",
        "grade": "",
        "dose": "-9",
    }
    return cells | {k: v for k, v in gaps.items() if rng.uniform() < 0.1}


def odd_record(rng: np.random.Generator) -> Record:
    """A usual record with one to three odd cells; one in twenty is to be refused."""
    cells = usual_record(rng)
    for name in rng.choice(list(ODD), size=int(rng.integers(1, 4)), replace=False):
        cells[str(name)] = str(rng.choice(ODD[str(name)]))
    if rng.uniform() < 0.05:
        name = str(rng.choice(list(REFUSED)))
        cells[name] = REFUSED[name]
    return cells


def _text(records: Sequence[Record]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


def _file(name: str, write: Callable[[Path, str], Any]) -> Callable[[str, Path], Any]:
    def read(text: str, folder: Path) -> Any:
        write(folder / name, text)
        return read_table(folder / name)

    return read


def _inferred(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text), infer_schema_length=None)


def _untyped(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text), infer_schema=False)


def _object(cell: str) -> Any:
    """A cell as some program might hold it, by its own looks."""
    if cell == "":
        return None
    if cell[4:5] == "-":
        return _time(cell)
    try:
        number = float(cell) if cell.strip()[:1].isdigit() or cell[:1] in "-+." else None
    except ValueError:
        return cell
    if number is None or cell != cell.strip():
        return cell
    kinds: list[Callable[[], Any]] = [lambda: Decimal(cell), lambda: number, lambda: cell]
    if number.is_integer():
        kinds += [lambda: int(number), lambda: np.int16(number)]
    return kinds[len(cell) % len(kinds)]()


def _time(cell: str) -> Any:
    """A date or time as pandas, numpy or Python holds it, by its length; else its text."""
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        return cell
    if len(cell) > 10:
        return pd.Timestamp(found) if found.second else found
    kinds = [found.date(), found, np.datetime64(cell, "s"), cell]
    return kinds[found.day % len(kinds)]


def _dated(text: str) -> pl.DataFrame:
    """Columns of dates as such, where all of their cells are."""
    frame = _untyped(text)
    for column in frame:
        spelled = column.str.strip_chars().replace("", None)
        found = spelled.str.to_date("%Y-%m-%d", strict=False)
        if found.null_count() == spelled.null_count() < len(column):
            frame = frame.with_columns(found.alias(column.name))
    return frame


def _clocked(text: str) -> pd.DataFrame:
    """The same in pandas, as times."""
    frame = _dated(text)
    dated = {c.name: c.cast(pl.Datetime("ms")).to_numpy() for c in frame if c.dtype == pl.Date}
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return table.assign(**{name: pd.Series(cells) for name, cells in dated.items()})


def _objects(text: str) -> pd.DataFrame:
    rows = list(csv.DictReader(io.StringIO(text)))
    return pd.DataFrame(
        {name: pd.Series([_object(r[name]) for r in rows], dtype=object) for name in rows[0]}
    )


def _singles(text: str) -> pl.DataFrame:
    return _inferred(text).with_columns(pl.col(pl.Float64).cast(pl.Float32))


READERS: dict[str, Callable[[str, Path], Any]] = {
    "CSV file": _file("t.csv", lambda p, t: p.write_text(t)),
    "CSV file, gzip": _file("t.csv.gz", lambda p, t: p.write_bytes(gzip.compress(t.encode()))),
    "Parquet file": _file("t.parquet", lambda p, t: _inferred(t).write_parquet(p)),
    "Parquet file of text": _file("t.parquet", lambda p, t: _untyped(t).write_parquet(p)),
    "polars": lambda t, _: _inferred(t),
    "polars, categories": lambda t, _: _untyped(t).cast(pl.Categorical),
    "polars, single precision": lambda t, _: _singles(t),
    "polars, dates": lambda t, _: _dated(t),
    "pandas, times": lambda t, _: _clocked(t),
    "Parquet file of dates": _file("t.parquet", lambda p, t: _dated(t).write_parquet(p)),
    "pandas": lambda t, _: pd.read_csv(io.StringIO(t)),
    "pandas, few words": lambda t, _: pd.read_csv(
        io.StringIO(t), keep_default_na=False, na_values=[""]
    ),
    "pandas, nullable": lambda t, _: pd.read_csv(io.StringIO(t)).convert_dtypes(),
    "pandas, categories": lambda t, _: pd.read_csv(io.StringIO(t)).astype("category"),
    "pandas, objects": lambda t, _: _objects(t),
}


@dataclass
class Tables:
    """Tables of one outcome."""

    name: str
    outcome: tuple[str, ...]
    models: tuple[str, ...]
    method: str = "proxy"
    unit: str | None = None
    balance: str | None = None
    cause: str | None = None
    origin: str | None = None
    n_units: int = N_UNITS
    readers: Sequence[str] = field(default_factory=lambda: list(READERS))

    @property
    def schema(self) -> Schema:
        """As a run on the cause, or on days since an origin, knows it."""
        if self.origin is not None:
            without_zones = [c.name for c in SCHEMA.columns if not c.is_zoned]
            return with_origin(SCHEMA.select(without_zones), self.origin)
        if self.cause is None:
            return SCHEMA
        return with_cause(SCHEMA, self.outcome[-1], self.cause)[0]

    @property
    def task(self) -> Task:
        """Of the outcome."""
        if len(self.outcome) == 2:
            return Survival.of(self.schema, *self.outcome)
        return Classification.of(SCHEMA, *self.outcome)

    @property
    def encoding(self) -> Encoding:
        """Of all columns that are no outcome."""
        columns = [c for c in self.schema.columns if c.name not in OUTCOMES and not c.gap]
        return Encoding(columns)

    def usual(self, rng: np.random.Generator, number: int) -> list[Record]:
        """A record, or a person with up to three."""
        size = int(rng.integers(1, 4)) if self.unit else 1
        name = {self.unit: f"{2 * number + 10}"} if self.unit else {}
        return [usual_record(rng) | name for _ in range(size)]

    def odd(self, rng: np.random.Generator) -> list[Record]:
        """One record of which is odd, and whose name may be a word."""
        records = self.usual(rng, int(rng.integers(N_UNITS)))
        records[0] = odd_record(rng)
        if self.unit:
            name = str(rng.choice(["x1", "007", "33.0", "35", "y\0", "1e9"]))
            records = [r | {self.unit: name} for r in records]
        return records

    def vault(self, units: Sequence[list[Record]], reader: str, folder: Path, block: int) -> Vault:
        """The records of all units, in turn."""
        frame = READERS[reader](_text([r for unit in units for r in unit]), folder)
        return self._seal(frame, Ledger.in_house(), block)

    def _seal(self, frame: Any, ledger: Ledger, block: int = BLOCK) -> Vault:
        return Vault(
            TableSealing(self.schema, self.encoding, self.task, unit=self.unit),
            frame,
            ledger,
            block=block,
        )

    def place(self, units: Sequence[list[Record]], odd: list[Record], at: int) -> int:
        """As it was put in, or by its name."""
        if self.unit is None:
            return at
        names = {identity(unit[0][self.unit]) for unit in [*units, odd]}
        ordered = sorted(names, key=lambda n: (isinstance(n, str), n))
        return ordered.index(identity(odd[0][self.unit]))

    @cached_property
    def queries(self) -> Sequence[Query]:
        """Of a run with all these models and a short search."""
        rng = np.random.default_rng(0)
        records = [r for i in range(N_ASKED) for r in self.usual(rng, i)]
        ledger = Ledger(short_plan(4.0, 1e-5, self.method))
        engine = Listening(LocalEngine(self._seal(_untyped(_text(records)), ledger)))
        models = [resolve(m, self.task) for m in self.models]
        weights = [1 / len(models)] * len(models)
        search(
            engine,
            self.encoding,
            self.task,
            Served(models, weights),
            16,
            rng,
            balance=self.balance,
            effort=0.01,
        )
        asked = some([h.query for h in engine.heard])
        asked.append(Scaled(asked[-1], 0.3))  # of a site that counts less than others
        if isinstance(self.task, Classification) and self.task.n_classes == 2:
            asked.append(validation(models, self.task, self.encoding))
        return asked


def validation(models: Sequence[Model], task: Task, encoding: Encoding) -> ScoreCounts:
    """What a site asks of its held-out records about these models, fitted on invented rows."""
    rng, marginals = np.random.default_rng(1), Marginals.flat(encoding)
    rows = encoding.design(encoding.snap(marginals.place(marginals.draw(40, rng))))
    outcomes = task.allot(np.ones(task.n_cells), 40, rng)
    fitted = [model.fit(rows[None], outcomes, encoding.numeric) for model in models]
    return ScoreCounts(fitted, np.tile(np.linspace(0.05, 0.95, 15), (len(models), 1)))


def some(queries: Sequence[Query]) -> list[Query]:
    """The first, the last and one between of each kind."""
    kinds: dict[str, list[Query]] = {}
    for query in queries:
        kinds.setdefault(query.question, []).append(query)
    return [
        asked[i]
        for asked in kinds.values()
        for i in sorted({0, len(asked) // 2, len(asked) - 1})[:MOST]
    ]


CLASS_MODELS = ("logistic", "tree", "forest", "boosting", "naive_bayes", "neighbours", "svm")


@dataclass
class InParts(Tables):
    """Tables in three parts, which pass a vault that keeps everybody."""

    readers: Sequence[str] = ("csv", "parquet")

    def vault(self, units: Sequence[list[Record]], reader: str, folder: Path, block: int) -> Vault:
        """A third of the units in each part."""
        for i, chosen in enumerate(np.array_split(np.arange(len(units)), 3)):
            table = _untyped(_text([r for k in chosen for r in units[k]]))
            path = folder / f"{i}.{reader}"
            table.write_csv(path) if reader == "csv" else table.write_parquet(path)
        sealing = TableSealing(self.schema, self.encoding, self.task, unit=self.unit)
        return Vault(
            lambda source: Stream(TableParts(source, Sealer(sealing)).passed, (), 1.0),
            Partitioned(folder),
            Ledger.in_house(),
            block=block,
        )

    def place(self, units: Sequence[list[Record]], odd: list[Record], at: int) -> int:
        """As it was put in."""
        return at


TABLES: list[Family] = [
    Tables("two classes", ("died",), CLASS_MODELS),
    Tables("two classes, persons, balanced", ("died",), ("logistic",), unit="who", balance="ward"),
    Tables("four classes", ("stage",), ("logistic", "tree")),
    Tables("four classes, direct", ("stage",), ("logistic", "tree", "naive_bayes"), "direct"),
    Tables("survival", ("days", "event"), ("cox", "survival_forest", "boosting_cox", "aft")),
    Tables("one cause of two", ("days", "fate"), ("cox",), cause="2"),
    Tables("days since admission", ("died",), ("logistic",), origin="admitted"),
    InParts("parts", ("died",), ("logistic", "tree")),
    InParts("parts, persons", ("days", "event"), ("cox",), unit="who"),
]
