"""Inputs for the fuzzer: schema files, tables and command lines with something wrong."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from helpers import DESCRIPTOR, make_table

T = TypeVar("T")

NUMBER, NAME = "123.456789", "Zx81sentinel"
JUNK: list[Any] = [
    *(None, "", " ", "nan", "inf", "-inf", "0", "-1", "1e400", "1_000", "0x10", "٣", "é", "🫀"),
    "9" * 20,
    *(True, False, 0, -1, 3, 0.5, 1e308, 5e-324, -0.0, 10**30, 2**63, float("nan"), float("inf")),
    *([], {}, [[]], {"a": 1}, ["a", "a"], "x" * 3000, "a\nb", "a\x00b", "\ufeffage", "\t"),
    *('"', "--", "..", "/"),
]  # fmt: skip
MORE = ["--json", "--quiet", "--resume", "--method=direct", "--weight=logistic=2", "--effort=0"]
MORE += ["--balance=ward", "--complete", "--seed=-1", "--help", "--version", "--nonsense"]
MORE += [
    "--origin=day",
    "--origin=age",
    "--references=2",
    "--references=3",
    "--sensitive=age",
    "--at=nan",
    "--model=cox",
]
LOOKS = [[], ["--by=ward"], ["--by=age:40,60", "--by=patient"], ["--report=page.html"], ["--at=3"]]
LOOKS += [["--report=page.html", "--audit=audit.json"], ["--model=naive_bayes"]]
ATTACKS = [["--canaries=20"], ["--canaries=20", "--sensitive=ward", "--out=told.json"]]
ATTACKS += [["--canaries=20", "--json", "--sensitive=age"]]
DAYS = ["2015-03-01", "01.03.2015", "2015-02-30", "2015-03-01T07:00Z", "42064", "", "today"]
TEXTS = [j for j in JUNK if isinstance(j, str) and "\x00" not in j]


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of them."""
    return options[int(rng.integers(len(options)))]


def spoil(rng: np.random.Generator, tree: Any) -> Any:
    """A tree of JSON with something changed, taken out or put in at a random place."""
    tree = copy.deepcopy(tree)
    place = tree
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return tree
        key = pick(rng, keys)
        if isinstance(place[key], dict | list) and place[key] and rng.uniform() < 0.85:
            place = place[key]
            continue
        kind = rng.integers(4)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        elif kind == 1:
            place[pick(rng, TEXTS)] = place[key]
        else:
            place[key] = copy.deepcopy(pick(rng, JUNK))
        return tree


def spoil_bytes(rng: np.random.Generator, content: bytes) -> bytes:
    """The same with bytes cut off, changed, doubled or put in."""
    at, other = sorted(int(x) for x in rng.integers(0, len(content) + 1, 2))
    strange = pick(
        rng, [b"\x00", b"\xff\xfe", b'"', b",", b"\r", b"\n\n", b"\xef\xbb\xbf", b";", b"\t"]
    )
    return pick(
        rng,
        [
            content[:at],
            content[at:],
            content[:at] + strange + content[at:],
            content[:at] + content[other:],
            content[:at] + content[at:other] * 2 + content[other:],
            content.replace(b"\n", b"\r\n"),
            content.replace(b",", pick(rng, [b";", b"\t", b", "])),
            b"",
        ],
    )


def table(rng: np.random.Generator) -> pl.DataFrame:
    """Records with sentinels, and often something wrong with a column."""
    frame = make_table(int(pick(rng, [3, 60, 80]))).with_columns(
        sodium=pl.lit(float(NUMBER)),
        patient=pl.format("{}{}", pl.lit(NAME), pl.int_range(pl.len())),
    )
    for _ in range(int(rng.integers(3))):
        name = pick(rng, frame.columns)
        cells = frame[name].cast(pl.String).to_list()
        cells[int(rng.integers(len(cells)))] = pick(rng, [*TEXTS, None, NAME])
        wrong: list[Any] = [
            pl.Series(name, cells),
            pl.lit(None).alias(name),
            pl.lit(pick(rng, TEXTS)).alias(name),
            pl.lit(0).alias(name),
            pl.lit(float("inf")).alias(name),
            pl.col(name).cast(pl.String).alias(name),
            pl.col(name).cast(pl.String).alias(pick(rng, TEXTS) or "empty"),
        ]
        frame = frame.with_columns(pick(rng, wrong))
    if rng.uniform() < 0.1 and frame.width > 2:
        frame = frame.drop(pick(rng, frame.columns))
    return frame


def odd_types(rng: np.random.Generator, frame: pl.DataFrame) -> pl.DataFrame:
    """A column of a type that only Parquet knows."""
    name = pick(rng, frame.columns)
    odd: list[Any] = [
        pl.lit("2020-01-01").str.to_date().alias(name),
        pl.concat_list(pl.lit(1), pl.lit(2)).alias(name),
        pl.struct(a=pl.lit(NAME)).alias(name),
        pl.col(name).cast(pl.String).cast(pl.Categorical).alias(name),
        pl.lit(b"\xff\x00").alias(name),
        pl.lit(2**63 - 1).alias(name),
        pl.lit(float("nan")).alias(name),
        pl.lit("1.50").cast(pl.Decimal(10, 2)).alias(name),
        pl.lit(True).alias(name),
        pl.lit(5).cast(pl.Duration).alias(name),
    ]
    return frame.with_columns(pick(rng, odd))


def dated(rng: np.random.Generator) -> Any:
    """A field of dates, often with something wrong."""
    bounds = {"minimum": "2010-01-01", "maximum": "2020-12-31"}
    field = {"name": "day", "type": "date", "format": "%d.%m.%Y", "constraints": bounds}
    return spoil(rng, {**field, "tincture:days": {"minimum": 0, "maximum": 9}})


def write_inputs(rng: np.random.Generator, folder: Path, release: Path) -> str:
    """A schema, a table, a budget, a copy of a release and its audit; the table's name."""
    described: Any = DESCRIPTOR
    for _ in range(int(pick(rng, [0, 0, 1, 1, 2, 3]))):
        described = spoil(rng, described)
    name = pick(rng, ["records.csv"] * 3 + ["records.parquet", "records.tsv", "records"])
    frame = table(rng) if rng.uniform() < 0.7 else make_table(60)
    if rng.uniform() < 0.2 and isinstance(described.get("fields"), list):
        described = described | {"fields": [*described["fields"], dated(rng)]}
        day = pl.lit(pick(rng, DAYS)).alias("day")
        frame = frame.with_columns(pick(rng, [day, day.str.to_date(strict=False)]))
    schema = json.dumps(described).encode()
    (folder / "schema.json").write_bytes(
        spoil_bytes(rng, schema) if rng.uniform() < 0.1 else schema
    )
    with contextlib.suppress(pl.exceptions.PolarsError):
        frame = odd_types(rng, frame) if name.endswith("parquet") else frame
    if name.endswith("parquet"):
        frame.write_parquet(folder / name)
    else:
        frame.write_csv(folder / name)
    make_table(60, seed=1).write_csv(folder / "heldout.csv")
    if rng.uniform() < 0.15:
        (folder / name).write_bytes(spoil_bytes(rng, (folder / name).read_bytes()))
    budget = b'{"epsilon": 3, "delta": 1e-4}'
    (folder / "budget.json").write_bytes(
        spoil_bytes(rng, budget) if rng.uniform() < 0.3 else budget
    )
    audit = (release.parent / "audit.json").read_bytes()
    if rng.uniform() < 0.5:
        audit = json.dumps(spoil(rng, json.loads(audit))).encode()
    (folder / "audit.json").write_bytes(spoil_bytes(rng, audit) if rng.uniform() < 0.1 else audit)
    copied = Path(shutil.copytree(release, folder / "release"))
    if rng.uniform() < 0.5:
        spoil_release(rng, copied)
    return str(name)


def spoil_release(rng: np.random.Generator, release: Path) -> None:
    """Change one of its files, as text or as JSON."""
    path = release / str(
        pick(rng, ["condensed.csv", "cohort.csv", "datapackage.json", "ledger.json"])
    )
    if path.suffix == ".json" and rng.uniform() < 0.7:
        path.write_text(json.dumps(spoil(rng, json.loads(path.read_text()))))
    else:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))


def command(rng: np.random.Generator, records: str) -> list[str]:
    """A command line that fits the inputs."""
    dropped = [f"--drop={n}" for n in ("days", "event", "stage", "patient")]
    release = pick(rng, ["release"] * 6 + [".", "absent"])
    two = [(records, "heldout.csv"), ("heldout.csv", records), (records, records)]
    first, second = pick(rng, two)
    usual = ["--schema=schema.json", "--epsilon=1", "--delta=1e-5", "--out=out", "--rows=16"]
    usual += ["--model=logistic", *dropped]
    survival = ["--time=days", "--event=event", "--model=cox", "--drop=died", *dropped[2:]]
    lines = [
        ["condense", records, *usual, "--target=died"],
        ["condense", records, *usual, "--target=died", "--budget=budget.json"],
        ["condense", records, *usual[:5], *survival],
        ["condense", records, *usual[:-2], "--target=stage", "--drop=died", "--unit=patient"],
        ["schema", "draft", records, *pick(rng, [[], ["--from-data"], ["--out=draft.json"]])],
        ["budget", "show", pick(rng, ["budget.json", "schema.json", records, "."])],
        ["budget", "create", "new.json", "--epsilon=1", "--delta=1e-5"],
        ["evaluate", release, f"--train={first}", f"--test={second}", *pick(rng, LOOKS)],
        ["audit", release, f"--records={first}", f"--held-out={second}", *pick(rng, ATTACKS)],
        ["report", release, "--out=card.html"],
    ]
    return list(pick(rng, [*lines[:4], *lines]))


def changed(rng: np.random.Generator, args: list[str]) -> list[str]:
    """A command line, often with a flag too many, too few or of another value."""
    for _ in range(int(pick(rng, [0, 0, 1, 1, 2]))):
        at = int(rng.integers(len(args)))
        junk = pick(rng, TEXTS)
        name, equals, _ = args[at].partition("=")
        changes = [
            args[:at] + args[at + 1 :],
            [*args[:at], junk, *args[at:]],
            [*args[:at], f"{name}{equals}{junk}" if equals else junk, *args[at + 1 :]],
            [*args, args[at]],
            [*args, pick(rng, MORE)],
        ]
        args = pick(rng, changes)
    return args
