"""Pairs of sets of stays that differ by one stay, in every format; see `differential`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from differential import N_ASKED, N_UNITS, Family, some
from series_helpers import read_stays
from tincture.audit.rehearsal import Listening
from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Query
from tincture.privacy.vault import BLOCK, Vault
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.stays.method import search, usual_plan
from tincture.stays.sealing import StaysSealing

Event = tuple[float, str, str]  # hour, variable, value as text
HOURS = 24.0
SETTINGS: dict[str, Any] = {"hours": HOURS, "bin_hours": 4.0}
VARIABLES: list[dict[str, Any]] = [
    {"name": "hr", "constraints": {"minimum": 0, "maximum": 300}},
    {
        "name": "lactate",
        "constraints": {"minimum": 0.1, "maximum": 32},
        "tincture:limits": True,
        "missingValues": ["", "999"],
    },
    {"name": "k", "constraints": {"minimum": 1, "maximum": 10}},
    {"name": "vent", "type": "integer", "categories": [0, 1]},
]
USUAL: dict[str, Callable[[np.random.Generator, float], str]] = {
    "hr": lambda g, sick: f"{85 + 12 * sick + 9 * g.normal():.0f}",
    "lactate": lambda g, sick: f"{max(0.2, 1.6 + 0.7 * sick + 0.4 * g.normal()):.1f}",
    "k": lambda g, sick: f"{4.1 + 0.4 * g.normal():.2f}",
    "vent": lambda g, sick: "1",
}
ODD: dict[str, list[str]] = {
    "hr": ["-9", "-9.0", " 80", "80.0", "8e1", "NA", "", "1000", "nan", "true"],
    "lactate": ["<1.0", ">4", "999", "999.0", "-9", ".5", "+2", ""],
    "k": ["-9.00", "4", "04.1", "NA", "1e1"],
    "vent": ["0", "1.0", "true", "-9", "FALSE"],
}
REFUSED = {"hr": "HEMOLYZED", "k": "4,1", "lactate": "1;2"}


@dataclass(frozen=True)
class Stay:
    """One stay as a hospital might write it: statics are the cells of age and sex, as text."""

    name: str
    statics: dict[str, str]
    died: str
    start: datetime
    events: list[Event] = field(default_factory=list)


def usual_stay(rng: np.random.Generator, number: int) -> Stay:
    """Some fourteen values, some of them at one moment."""
    sick = float(rng.normal())
    hours = np.round(rng.uniform(0, HOURS * 1.05, 14) * 4) / 4
    names = rng.choice(list(USUAL), 14)
    events = [
        (float(h), str(n), USUAL[str(n)](rng, sick)) for h, n in zip(hours, names, strict=True)
    ]
    return Stay(
        str(200001 + 3 * number),
        {
            "age": f"{np.clip(62 + 12 * rng.normal(), 18, 95):.0f}",
            "sex": str(rng.choice(["F", "M"])),
        },
        str(int(sick + rng.normal() > 0.8)),
        datetime(2150, 3, 1) + timedelta(minutes=int(rng.integers(0, 500_000))),
        events,
    )


def odd_stay(rng: np.random.Generator, names: Sequence[str]) -> Stay:
    """One to four events with odd values, an odd name, or nothing at all."""
    stay = usual_stay(rng, 0)
    events = list(stay.events)
    for _ in range(int(rng.integers(1, 5))):
        name = str(rng.choice(list(ODD)))
        events.append((float(rng.choice([0, 3.99, 24, 12.5])), name, str(rng.choice(ODD[name]))))
    if rng.uniform() < 0.05:
        name = str(rng.choice(list(REFUSED)))
        events.append((1.0, name, REFUSED[name]))
    if rng.uniform() < 0.1:
        events = []
    statics = stay.statics | {"age": str(rng.choice(["", "-9", "-9.0", "64", "64.0", " 7e1"]))}
    return Stay(str(rng.choice(list(names))), statics, stay.died, stay.start, events)


def _schema(fields: Sequence[dict[str, Any]], missing: Sequence[str]) -> Schema:
    return Schema.from_dict({"fields": list(fields), "missingValues": list(missing)})


def _fields(prefix: str = "", target: str = "died", kind: str = "integer") -> list[dict[str, Any]]:
    variables = [
        {"type": "number", "role": "variable"} | v | {"name": prefix + v["name"]} for v in VARIABLES
    ]
    levels = {"categories": [0, 1]} if kind == "integer" else {}
    return [
        *variables,
        {
            "name": "age",
            "type": "integer",
            "role": "static",
            "constraints": {"minimum": 15, "maximum": 100},
        },
        {"name": "sex", "type": "string", "role": "static", "categories": ["F", "M"]},
        {"name": target, "type": kind, **levels},
    ]


MISSING = ["", "NA", "-9"]
SCHEMA = _schema(_fields(), MISSING)
DATED = _schema(
    [*_fields(), {"name": "start", "type": "datetime", "format": "%d.%m.%Y %H:%M"}], MISSING
)
MEDS = _schema(_fields("LAB//", "boolean_value", "boolean"), MISSING)
Tables = tuple[Any, Any]  # events and outcomes, as read_stays takes them


def _frames(
    stays: Sequence[Stay], rng: np.random.Generator, times: Callable[[Stay, float], str]
) -> tuple[str, str]:
    """Events in any order, and outcomes, as CSV."""
    rows = [(s.name, times(s, h), v, x) for s in stays for h, v, x in s.events]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    events = "stay_id,hour,variable,value\n" + "".join(_line(*r) + "\n" for r in rows)
    outcomes = "stay_id,age,sex,start,died\n" + "".join(
        f"{s.name},{s.statics['age']},{s.statics['sex']},{s.start:%d.%m.%Y %H:%M},{s.died}\n"
        for s in stays
    )
    return events, outcomes


def _line(*cells: str) -> str:
    """Cells of a CSV, in quotes where one holds a comma."""
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells)


def _typed(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text), infer_schema_length=None)


def _untyped(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text), infer_schema=False)


def _files(text: str, path: Path) -> Path:
    path.write_text(text)
    return path


def _parquet(frame: pl.DataFrame, path: Path, parts: int = 1) -> Path:
    if parts == 1:
        frame.write_parquet(path)
        return path
    path = path.with_suffix("")
    path.mkdir()
    for i in range(parts):
        frame[i::parts].write_parquet(path / f"{i}.parquet")
    return path


LONG: dict[str, Callable[[str, str, Path], Tables]] = {
    "CSV files": lambda e, o, d: (_files(e, d / "e.csv"), _files(o, d / "o.csv")),
    "Parquet files": lambda e, o, d: (
        _parquet(_typed(e), d / "e.parquet"),
        _parquet(_typed(o), d / "o.parquet"),
    ),
    "Parquet files of text": lambda e, o, d: (
        _parquet(_untyped(e), d / "e.parquet"),
        _parquet(_untyped(o), d / "o.parquet"),
    ),
    "Parquet in three parts": lambda e, o, d: (
        _parquet(_typed(e), d / "e.parquet", 3),
        _parquet(_typed(o), d / "o.parquet"),
    ),
    "polars": lambda e, o, d: (_typed(e), _typed(o)),
    "pandas": lambda e, o, d: (
        pd.read_csv(io.StringIO(e), low_memory=False),
        pd.read_csv(io.StringIO(o)),
    ),
    "pandas, categories": lambda e, o, d: (
        pd.read_csv(io.StringIO(e), dtype=str).astype("category"),
        pd.read_csv(io.StringIO(o)).astype("category"),
    ),
}


@dataclass
class Long:
    """Long tables of events, by hours or by dates."""

    name: str = "stays, hours"
    schema: Schema = field(default_factory=lambda: SCHEMA)
    readers: Sequence[str] = field(default_factory=lambda: list(LONG))
    names: Sequence[str] = ("x1", "9", "12.0", "0003", "y\0")
    target: str = "died"
    stay: str = "stay_id"
    is_dated: bool = False
    n_units: int = N_UNITS

    def usual(self, rng: np.random.Generator, number: int) -> Stay:
        """A stay that every reader takes for what it is."""
        return usual_stay(rng, number)

    def odd(self, rng: np.random.Generator) -> Stay:
        """The added stay."""
        return odd_stay(rng, self.names)

    def place(self, units: Sequence[Stay], odd: Stay, at: int) -> int:
        """As it was put in."""
        return at

    def tables(self, units: Sequence[Stay], reader: str, folder: Path) -> Tables:
        """Events and outcomes."""
        rng = np.random.default_rng(len(units))
        events, outcomes = _frames(units, rng, self._time)
        return LONG[reader](events, outcomes, folder)

    def _time(self, stay: Stay, hour: float) -> str:
        if not self.is_dated:
            return f"{hour:g}"
        moment = stay.start + timedelta(hours=hour)
        return f"{moment:%Y-%m-%d %H:%M}" if hour % 1 else f"{moment:%Y-%m-%dT%H:%M:%S}"

    def vault(self, units: Sequence[Stay], reader: str, folder: Path, block: int) -> Vault:
        """Read and seal."""
        return self._seal(self.tables(units, reader, folder), Ledger.in_house(), block)

    def _seal(self, tables: Tables, ledger: Ledger, block: int = BLOCK) -> Vault:
        events, outcomes = tables
        unit = "datetime" if self.is_dated else None
        stays, _ = read_stays(
            events,
            outcomes,
            self.schema,
            target=self.target,
            stay=self.stay,
            time_unit=unit,
            **SETTINGS,
        )
        self.layout = stays.layout
        task = Classification.of(self.schema, self.target)
        return Vault(StaysSealing(self.schema, task), stays, ledger, block=block)

    @cached_property
    def queries(self) -> Sequence[Query]:
        """Of a run without matching."""
        rng = np.random.default_rng(0)
        units = [self.usual(rng, i) for i in range(N_ASKED)]
        with tempfile.TemporaryDirectory() as folder:
            tables = self.tables(units, self.readers[0], Path(folder))
            vault = self._seal(tables, Ledger(usual_plan(4.0, 1e-5)))
        engine = Listening(LocalEngine(vault))
        task = Classification.of(self.schema, self.target)
        search(engine, self.layout, task, 12, rng)
        return some([h.query for h in engine.heard])


@dataclass
class Meds(Long):
    """MEDS: Parquet by split, static columns as events without a time."""

    name: str = "stays, MEDS"
    schema: Schema = field(default_factory=lambda: MEDS)
    readers: Sequence[str] = ("root", "data", "one file")
    names: Sequence[str] = ("9", "100")
    target: str = "boolean_value"
    stay: str = "subject_id"
    is_dated: bool = True

    def odd(self, rng: np.random.Generator) -> Stay:
        """Its values are numbers, as MEDS has no others."""
        stay = odd_stay(rng, self.names)
        events = [(h, n, v) for h, n, v in stay.events if _number(v) is not None]
        statics = stay.statics | {"age": "-9" if "-9" in stay.statics["age"] else "64"}
        return Stay(stay.name, statics, stay.died, stay.start, events)

    def tables(self, units: Sequence[Stay], reader: str, folder: Path) -> Tables:
        """A data set with metadata, and labels."""
        frame = pl.DataFrame(list(self._rows(units)), schema=MEDS_TYPES, orient="row")
        frame = frame.sample(fraction=1.0, shuffle=True, seed=len(units))
        parts = {"root": folder / "set", "data": folder / "set", "one file": folder}
        path = parts[reader]
        for split, rows in (("train", frame[::2]), ("held_out", frame[1::2])):
            (path / "data" / split).mkdir(parents=True)
            rows.write_parquet(path / "data" / split / "0.parquet")
        (path / "metadata").mkdir()
        pl.DataFrame({"code": ["LAB//hr"]}).write_parquet(path / "metadata" / "codes.parquet")
        ends = [s.start + timedelta(hours=HOURS) for s in units]
        labels = pl.DataFrame(
            {
                "subject_id": [int(s.name) for s in units],
                "prediction_time": pl.Series(ends, dtype=pl.Datetime("us")),
                "boolean_value": [s.died == "1" for s in units],
            }
        )
        if reader == "one file":
            frame.write_parquet(folder / "all.parquet")
            return folder / "all.parquet", labels
        return path / ("data" if reader == "data" else ""), labels

    def _rows(self, units: Sequence[Stay]) -> Iterator[tuple[Any, ...]]:
        for stay in units:
            yield int(stay.name), None, f"sex//{stay.statics['sex']}", None
            yield int(stay.name), None, "age", _number(stay.statics["age"])
            for hour, variable, value in stay.events:
                number = 1.0 if value == "true" else _number(value)
                yield int(stay.name), stay.start + timedelta(hours=hour), f"LAB//{variable}", number


MEDS_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "subject_id": pl.Int64,
    "time": pl.Datetime("us"),
    "code": pl.String,
    "numeric_value": pl.Float32,
}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass
class Folder(Long):
    """A folder with a text for each stay, as PhysioNet-2012 or mimic3-benchmarks lay it out."""

    readers: Sequence[str] = ("folder",)
    n_units: int = 12  # files, which take long to open

    def usual(self, rng: np.random.Generator, number: int) -> Stay:
        """With one value of a variable at a time, as a wide table has it; both outcomes occur."""
        stay = _once(usual_stay(rng, number))
        return replace(stay, died=str(number)) if number < 2 else stay

    def odd(self, rng: np.random.Generator) -> Stay:
        """Odd values by the same rule."""
        stay = odd_stay(rng, self.names)
        stay.statics["age"] = "-1" if stay.statics["age"].startswith("-") else "64"
        return _once(stay)


def _once(stay: Stay) -> Stay:
    """Each variable once at a time."""
    kept = {(h, v): x for h, v, x in stay.events if h < 100}
    events = [(h, v, x) for (h, v), x in sorted(kept.items())]
    return Stay(stay.name, stay.statics, stay.died, stay.start, events)


class Physionet(Folder):
    """Records of Time, Parameter, Value, and outcomes beside them."""

    def tables(self, units: Sequence[Stay], reader: str, folder: Path) -> Tables:
        """A text a stay, and Outcomes-a.txt."""
        (folder / "set").mkdir()
        lines = ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"]
        for stay in units:
            rows = [f"00:00,RecordID,{stay.name}", f"00:00,Age,{stay.statics['age']}"]
            rows += [f"00:00,Gender,{int(stay.statics['sex'] == 'M')}"]
            rows += [
                _line(f"{int(h):02d}:{round(h % 1 * 60):02d}", v, x) for h, v, x in stay.events
            ]
            text = "Time,Parameter,Value\n" + "\n".join(rows) + "\n"
            (folder / "set" / f"{stay.name}.txt").write_text(text)
            lines.append(f"{stay.name},1,1,1,-1,{stay.died}")
        return folder / "set", _files("\n".join(lines) + "\n", folder / "Outcomes-a.txt")


class Benchmark(Folder):
    """A wide text a stay, and listfile.csv."""

    def tables(self, units: Sequence[Stay], reader: str, folder: Path) -> Tables:
        """One column a variable."""
        lines = ["stay,y_true"]
        for stay in units:
            lines.append(f"{stay.name},{stay.died}")
            hours = sorted({h for h, _, _ in stay.events})
            cells = {(h, v): x for h, v, x in stay.events}
            rows = [
                _line(f"{h:g}", *(cells.get((h, v["name"]), "") for v in VARIABLES)) for h in hours
            ]
            names = ",".join(v["name"] for v in VARIABLES)
            (folder / stay.name).write_text(f"Hours,{names}\n" + "\n".join(rows) + "\n")
        _files("\n".join(lines) + "\n", folder / "listfile.csv")
        return folder, None


class Layouts(Folder):
    """The same stays in wide tables and in the layouts of databases."""

    name: str = "stays, wide tables and databases"
    readers: Sequence[str] = ("CSV", "Parquet", "pandas", "eICU", "MIMIC-IV", "YAIB", "OMOP")
    names: Sequence[str] = ("x1", "9", "12.0", "0003")

    def vault(self, units: Sequence[Stay], reader: str, folder: Path, block: int) -> Vault:
        """Stays are named by another column in each database."""
        self.stay = {"eICU": "patientunitstayid", "OMOP": "visit_occurrence_id"}.get(
            reader, "stay_id"
        )
        return super().vault(units, reader, folder, block)

    def tables(self, units: Sequence[Stay], reader: str, folder: Path) -> Tables:
        """A file or frame and outcomes, or a folder."""
        if reader in DATABASES:
            (folder / "set").mkdir()
            for name, text in DATABASES[reader](units).items():
                if name == "dyn":
                    _parquet(_untyped(text), folder / "set" / "dyn.parquet")
                else:
                    _files(text, folder / "set" / f"{name}.csv")
            return folder / "set", None
        events = _wide("stay_id,hour", units, lambda s, h: f"{s.name},{h:g}")
        return LONG[{"CSV": "CSV files", "Parquet": "Parquet files"}.get(reader, reader)](
            events, _lines("stay_id,age,sex,died", units, _people), folder
        )


def _wide(
    head: str,
    units: Sequence[Stay],
    row: Callable[[Stay, float], str],
    names: Sequence[str] = tuple(USUAL),
) -> str:
    """One row a stay and time, one column a variable."""
    lines = [",".join([head, *names])]
    for stay in units:
        cells = {(h, v): x for h, v, x in stay.events}
        for hour in sorted({h for h, v, _ in stay.events if v in names}):
            lines.append(
                _line(*row(stay, hour).split(","), *(cells.get((hour, v), "") for v in names))
            )
    return "\n".join(lines) + "\n"


def _long(
    head: str,
    units: Sequence[Stay],
    row: Callable[[Stay, Event], Sequence[str]],
    names: Sequence[str] = tuple(USUAL),
) -> str:
    lines = [_line(*row(s, event)) for s in units for event in s.events if event[1] in names]
    return "\n".join([head, *lines]) + "\n"


def _lines(head: str, units: Sequence[Stay], row: Callable[[Stay], str]) -> str:
    return "\n".join([head, *map(row, units)]) + "\n"


def _people(stay: Stay) -> str:
    return f"{stay.name},{stay.statics['age']},{stay.statics['sex']},{stay.died}"


def _at(stay: Stay, hour: float) -> str:
    return f"{stay.start + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}"


def _eicu(units: Sequence[Stay]) -> dict[str, str]:
    whose = "patientunitstayid"
    return {
        "patient": _lines(f"{whose},age,sex,died", units, _people),
        "vitalPeriodic": _wide(
            f"{whose},observationoffset", units, lambda s, h: f"{s.name},{60 * h:g}", ("hr", "vent")
        ),
        "lab": _long(
            f"{whose},labresultoffset,labname,labresult",
            units,
            lambda s, e: (s.name, f"{60 * e[0]:g}", e[1], e[2]),
            ("lactate", "k"),
        ),
    }


def _mimic(units: Sequence[Stay]) -> dict[str, str]:
    def row(stay: Stay, event: Event) -> Sequence[str]:
        return f"adm {stay.name}", stay.name, _at(stay, event[0]), event[1], event[2]

    return {
        "icustays": _lines(
            "stay_id,hadm_id,subject_id,intime",
            units,
            lambda s: f"{s.name},adm {s.name},p{s.name},{_at(s, 0)}",
        ),
        "admissions": _lines("hadm_id,died", units, lambda s: f"adm {s.name},{s.died}"),
        "patients": _lines("subject_id,age,sex,x", units, lambda s: f"p{_people(s)}"),
        "chartevents": _long("x,stay_id,charttime,itemid,valuenum", units, row, ("hr", "vent")),
        "labevents": _long("hadm_id,x,charttime,itemid,valuenum", units, row, ("lactate", "k")),
    }


def _yaib(units: Sequence[Stay]) -> dict[str, str]:
    return {
        "dyn": _wide("stay_id,time", units, lambda s, h: f"{s.name},PT{h:g}H"),
        "sta": _lines("stay_id,age,sex,x", units, _people),
        "outc": _lines("stay_id,died", units, lambda s: f"{s.name},{s.died}"),
    }


def _omop(units: Sequence[Stay]) -> dict[str, str]:
    signs = {"<": "4171756", ">": "4172704"}

    def row(stay: Stay, event: Event) -> Sequence[str]:
        hour, name, value = event
        sign = signs.get(value[:1], "")
        return stay.name, _at(stay, hour), name, value[bool(sign) :], sign

    measured = "measurement_datetime,measurement_concept_id,value_as_number,operator_concept_id"
    return {
        "visit_occurrence": _lines(
            "visit_occurrence_id,person_id,visit_start_datetime",
            units,
            lambda s: f"{s.name},p{s.name},{_at(s, 0)}",
        ),
        "person": _lines("person_id,age,sex,died", units, lambda s: f"p{_people(s)}"),
        "measurement": _long(f"visit_occurrence_id,{measured}", units, row),
    }


DATABASES = {"eICU": _eicu, "MIMIC-IV": _mimic, "YAIB": _yaib, "OMOP": _omop}
STATIC = ("age", "sex", "died")
PHYSIONET = _schema(
    [
        *(f for f in _fields() if f["name"] not in STATIC),
        _fields()[len(VARIABLES)],
        {"name": "gender", "type": "string", "role": "static", "categories": ["female", "male"]},
        {"name": "in_hospital_death", "type": "integer", "categories": [0, 1]},
    ],
    MISSING,
)
BENCHMARK = _schema(
    [
        *(f for f in _fields() if f["name"] not in STATIC),
        {"name": "y_true", "type": "integer", "categories": [0, 1]},
    ],
    MISSING,
)
STAYS: list[Family] = [
    Long(),
    Long("stays, dates", DATED, is_dated=True),
    Meds(),
    Physionet(
        "stays, PhysioNet-2012",
        PHYSIONET,
        names=("100001", "999999"),
        target="in_hospital_death",
    ),
    Benchmark(
        "stays, mimic3-benchmarks",
        BENCHMARK,
        names=("1_episode1_timeseries.csv", "z_episode2_timeseries.csv"),
        target="y_true",
    ),
    Layouts("stays, wide tables and databases", SCHEMA, Layouts.readers, Layouts.names),
]
