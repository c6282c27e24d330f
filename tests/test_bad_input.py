"""Bad input: one clear sentence, an exit code, no record's value, nothing left on the disk."""

from __future__ import annotations

import copy
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from commands import condensing, listing, prepare, run
from helpers import DESCRIPTOR, make_table

NUMBER, NAME = "123.456789", "Zx81sentinel"  # planted in the records; no output may hold them
SURVIVAL = {
    "target": None,
    "time": "days",
    "event": "event",
    "drop": ["died", "stage", "patient"],
    "model": "cox",
}


def records() -> pl.DataFrame:
    """Records with a sentinel in every row."""
    return make_table(80).with_columns(
        sodium=pl.lit(float(NUMBER)), patient=pl.format("{}{}", pl.lit(NAME), pl.int_range(80))
    )


def change(column: str, value: Any, row: int = 5) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Another value in one row of a column."""

    def changed(table: pl.DataFrame) -> pl.DataFrame:
        cells = table[column].cast(pl.String).to_list()
        cells[row] = value
        return table.with_columns(pl.Series(column, cells, dtype=pl.String))

    return changed


def declare(column: str, **keys: Any) -> Callable[[dict[str, Any]], None]:
    """Other keys in a column's field of the schema."""

    def declared(schema: dict[str, Any]) -> None:
        next(f for f in schema["fields"] if f["name"] == column).update(keys)

    return declared


def put(name: str, content: bytes | str) -> Callable[[Path], None]:
    """A file with this content."""

    def written(folder: Path) -> None:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return written


def cut(name: str, bytes_off: int) -> Callable[[Path], None]:
    """A file without its last bytes."""

    def shortened(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-bytes_off])

    return shortened


def keep_budget(*releases: dict[str, Any]) -> Callable[[Path], None]:
    """A budget of ε = 3 that holds these releases."""
    budget = {"epsilon": 3.0, "delta": 1e-4, "releases": list(releases)}
    return put("budget.json", json.dumps(budget, indent=1) + "\n")


def as_parquet(folder: Path) -> None:
    """The records as a Parquet file, and a target that is sometimes NaN."""
    table = records().with_columns(pl.col("died").cast(pl.Float64))
    table[3, "died"] = float("nan")
    table.write_parquet(folder / "records.parquet")


def torn_parquet(folder: Path) -> None:
    """Half a Parquet file."""
    as_parquet(folder)
    cut("records.parquet", 200)(folder)


def torn_archive(folder: Path) -> None:
    """Half a compressed CSV."""
    (folder / "records.csv.gz").write_bytes(gzip.compress((folder / "records.csv").read_bytes()))
    cut("records.csv.gz", 200)(folder)


def same(x: Any) -> Any:
    """Unchanged."""
    return x


@dataclass(frozen=True, slots=True)
class Case:
    """What is wrong, and what is said of it."""

    name: str
    says: str
    code: int
    table: Callable[[pl.DataFrame], pl.DataFrame] = same
    schema: Callable[[dict[str, Any]], Any] = same
    folder: Callable[[Path], Any] = same
    flags: dict[str, Any] = field(default_factory=dict)


SETTINGS = [
    Case("epsilon 0", "Epsilon is 0", 2, flags={"epsilon": 0}),
    Case("epsilon below 0", "Epsilon is -1", 2, flags={"epsilon": -1}),
    Case("epsilon nan", "Epsilon is nan", 2, flags={"epsilon": "nan"}),
    Case("delta 1", "Delta is 1", 2, flags={"delta": 1}),
    Case("delta above 1", "Delta is 3", 2, flags={"delta": 3}),
    Case("delta below 0", "Delta is -0.1", 2, flags={"delta": -0.1}),
    Case("delta 0 with noise", "Delta is 0", 2, flags={"delta": 0, "epsilon": 1}),
    Case("delta nan", "Delta is nan", 2, flags={"delta": "nan"}),
    Case("rows as many as records", "no more records than the 80 rows", 4, flags={"rows": 80}),
    Case("rows beyond records", "no more records than the 500 rows", 4, flags={"rows": 500}),
    Case("no rows", "0 rows were asked for", 2, flags={"rows": 0}),
    Case("too many rows", "expected 4 to", 2, flags={"rows": 10**6}),
    Case("seed below 0", "The seed is -1", 2, flags={"seed": -1}),
    Case("unknown method", "The method 'magic' is not known", 2, flags={"method": "magic"}),
    Case("weight of nobody", "not among the models logistic", 2, flags={"weight": "tree=2"}),
    Case("weight 0", "weight must be a number above 0", 2, flags={"weight": "logistic=0"}),
    Case("weight of no number", "'logistic=a' cannot be read", 2, flags={"weight": "logistic=a"}),
    Case("weight of no model", "'=2' cannot be read", 2, flags={"weight": "=2"}),
    Case("effort 0", "The effort is 0", 2, flags={"effort": 0}),
    Case("effort nan", "The effort is nan", 2, flags={"effort": "nan"}),
    Case("no outcome", "Name a target, an outcome that is an amount", 2, flags={"target": None}),
    Case("time without event", "Name a target, an outcome", 2, flags=SURVIVAL | {"event": None}),
    Case("target and time", "no other beside it", 2, flags=SURVIVAL | {"target": "died"}),
    Case("target and outcome", "no other beside it", 2, flags={"outcome": "age"}),
    Case("target is undeclared", "The schema has no column 'fate'", 3, flags={"target": "fate"}),
    Case("target is an amount", "The target 'age' has no levels", 3, flags={"target": "age"}),
    Case("drop is undeclared", "The schema has no column 'fate'", 3, flags={"drop": "fate"}),
    Case("unit is the outcome", "both the unit and an outcome", 2, flags={"unit": "died"}),
    Case("unit is absent", "no column 'ward2' to tell persons apart", 4, flags={"unit": "ward2"}),
    Case("nothing to resume", "There is no unfinished run", 2, flags={"resume": True}),
    Case(
        "all dropped",
        "No column is left to predict from",
        2,
        flags={"drop": [f["name"] for f in DESCRIPTOR["fields"] if f["name"] != "died"]},
    ),
]
MODELS = [
    Case("unknown model", "The model 'oracle' is not known", 5, flags={"model": "oracle"}),
    Case("model of another task", "not known for survival", 5, flags=SURVIVAL | {"model": "tree"}),
    Case("no such module", "cannot be imported", 5, flags={"model": "nowhere:Thing"}),
    Case("no such factory", "cannot be imported", 5, flags={"model": "commands:Thing"}),
    Case("no module", "cannot be imported", 5, flags={"model": ":Thing"}),
    Case("factory raises", "cannot be made", 5, flags={"model": "commands:broken_factory"}),
    Case("no estimator", "has no fit method", 5, flags={"model": "commands:no_estimator"}),
    Case("fit raises", "could not be fitted", 5, flags={"model": "commands:Raises"}),
    Case("predict raises", "failed on invented rows", 5, flags={"model": "commands:RaisesLater"}),
    Case("predicts NaN", "something else than 2 finite", 5, flags={"model": "commands:Nan"}),
]
SCHEMAS = [
    Case("absent schema", "no such file", 3, flags={"schema": "absent.json"}),
    Case("schema is a folder", "is a directory", 3, flags={"schema": "."}),
    Case("schema is no JSON", "is not valid JSON", 3, folder=put("schema.json", "{fields: ")),
    Case("schema is no text", "not UTF-8", 3, folder=put("schema.json", b"\xff\xfe\x00")),
    Case("schema is a list", "is not a Table Schema", 3, folder=put("schema.json", "[1, 2]")),
    Case("schema is empty", "is not valid JSON", 3, folder=put("schema.json", "")),
    Case(
        "bounds reversed",
        "column 'age': the minimum must be below the maximum",
        3,
        schema=declare("age", constraints={"minimum": 100, "maximum": 18}),
    ),
    Case(
        "bounds to be filled in",
        "Column 'age' has no public bounds or levels",
        3,
        schema=declare("age", constraints={"minimum": None, "maximum": None}),
    ),
    Case(
        "levels to be filled in",
        "Column 'ward' has no public bounds or levels",
        3,
        schema=declare("ward", categories=None),
    ),
    Case(
        "not reviewed",
        '"tincture:reviewed": false',
        3,
        schema=lambda schema: schema.update({"tincture:reviewed": False}),
    ),
    Case(
        "two columns of one name",
        "lists 'age' twice",
        3,
        schema=lambda schema: schema["fields"].append(schema["fields"][0]),
    ),
    Case(
        "event with other levels",
        "name the one that is the event by --cause",
        3,
        schema=declare("event", categories=[0, 1, 2]),
        flags=SURVIVAL,
    ),
]
TABLES = [
    Case("a column renamed", "no column 'age'", 4, table=lambda t: t.rename({"age": "Age"})),
    Case("target absent", "no column 'died'", 4, table=lambda t: t.drop("died")),
    Case("one class", "has one class only", 4, table=lambda t: t.with_columns(died=pl.lit(1))),
    Case("target missing", "'died' is required", 4, table=change("died", None)),
    Case("target is text", "'died' holds a level", 4, table=change("died", NAME)),
    Case("target is NaN", "'died' ", 4, folder=as_parquet, flags={"records": "records.parquet"}),
    Case("an unlisted level", "'ward' holds a level", 4, table=change("ward", NAME)),
    Case("an infinite value", "holds infinite values", 4, table=change("lactate", "inf")),
    Case("text in numbers", "text that is not a number", 4, table=change("lactate", NAME)),
    Case("3 records", "no more records than the 16", 4, table=lambda t: t.head(3)),
    Case("no record", "holds no record", 4, table=lambda t: t.head(0)),
    Case("negative time", "holds negative", 4, table=change("days", "-5"), flags=SURVIVAL),
    Case("time missing", "is missing", 4, table=change("days", None), flags=SURVIVAL),
    Case("infinite time", "infinite", 4, table=change("days", "inf"), flags=SURVIVAL),
    Case("event of 2", "'event' holds a level", 4, table=change("event", "2"), flags=SURVIVAL),
    Case("event missing", "is missing", 4, table=change("event", None), flags=SURVIVAL),
    Case(
        "no event",
        "0 in every record",
        4,
        table=lambda t: t.with_columns(event=pl.lit(0)),
        flags=SURVIVAL,
    ),
    Case(
        "nobody",
        "some records have none",
        4,
        table=change("patient", None),
        flags={"unit": "patient", "drop": ["days", "event", "stage"]},
    ),
    Case("an empty file", "is empty", 4, folder=put("records.csv", "")),
    Case("blank lines", "is empty", 4, folder=put("records.csv", "\n\n \n")),
    Case("no text", "is no UTF-8 text", 4, folder=put("records.csv", b"\x00\xff\xfe\n" * 99)),
    Case("a header alone", "holds no record", 4, folder=put("records.csv", "age,died")),
    Case("a torn CSV", "ends in the middle of a record", 4, folder=cut("records.csv", 30)),
    Case("a ragged CSV", "cannot be read", 4, folder=put("records.csv", f"a,b\n1,{NAME},3\n")),
    Case("an absent file", "does not exist", 4, flags={"records": "absent.csv"}),
    Case("a folder", "is a directory", 4, flags={"records": "."}),
    Case(
        "a torn Parquet file",
        "cannot be read",
        4,
        folder=torn_parquet,
        flags={"records": "records.parquet"},
    ),
    Case(
        "a torn archive",
        "cannot be read",
        4,
        folder=torn_archive,
        flags={"records": "records.csv.gz"},
    ),
    Case(
        "a CSV called Parquet",
        "cannot be read",
        4,
        folder=put("records.parquet", f"age,died\n{NAME},1\n"),
        flags={"records": "records.parquet"},
    ),
]
PLACES = [
    Case("out exists", "exists already", 8, folder=lambda f: (f / "out").mkdir()),
    Case("out is a file", "exists already", 8, folder=put("out", NAME)),
    Case("no parent", "does not exist; create it first", 8, flags={"out": "absent/out"}),
    Case("no budget", "does not exist; create it", 6, flags={"budget": "absent.json"}),
    Case(
        "a budget that is none",
        "is not readable",
        6,
        folder=put("budget.json", "{}"),
        flags={"budget": "budget.json"},
    ),
    Case(
        "a budget of brackets",
        "is not readable",
        6,
        folder=put("budget.json", "[" * 100_000),
        flags={"budget": "budget.json"},
    ),
    Case(
        "a budget that is spent",
        "ε = 0.5, δ = 9.9e-05 is left",
        6,
        folder=keep_budget({"run": "a", "epsilon": 2.5, "delta": 1e-6, "note": "first"}),
        flags={"budget": "budget.json", "epsilon": 1},
    ),
    Case(
        "a budget and no noise",
        "needs ε = inf",
        6,
        folder=keep_budget(),
        flags={"budget": "budget.json", "epsilon": "inf"},
    ),
]
CASES = [*SETTINGS, *MODELS, *SCHEMAS, *TABLES, *PLACES]


def assert_one_sentence(err: str) -> None:
    """One line for a person, with no record's value and no code."""
    assert err.startswith("tincture: ")
    assert err.count("\n") == 1
    for word in ("Traceback", NUMBER, NUMBER[:7], NAME, "/src/"):
        assert word not in err


def set_up(folder: Path, case: Case) -> list[str]:
    """Write the files of a case; its arguments."""
    schema = copy.deepcopy(DESCRIPTOR)
    case.schema(schema)
    prepare(folder, case.table(records()), schema)
    case.folder(folder)
    files = {"records", "schema", "out", "budget"}
    flags = {k: folder / v if k in files else v for k, v in case.flags.items()}
    return condensing(folder, **flags)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_one_sentence_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    args = set_up(tmp_path, case)
    before = listing(tmp_path)
    said = run(*args)
    assert (said.code, said.out) == (case.code, "")
    assert case.says in said.err
    assert_one_sentence(said.err)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("missing", ["schema", "epsilon", "delta", "out", "records"])
def test_a_missing_flag_is_named(missing: str, tmp_path: Path) -> None:
    prepare(tmp_path, records())
    before = listing(tmp_path)
    args = condensing(tmp_path, **({} if missing == "records" else {missing: None}))
    said = run(*[a for a in args if missing != "records" or not a.endswith("records.csv")])
    assert (said.code, said.out) == (2, "")
    assert missing in said.err.splitlines()[-1]
    assert "Traceback" not in said.err
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("flag", "value"), [("epsilon", "one"), ("rows", "many"), ("seed", "1.5"), ("delta", "")]
)
def test_a_flag_that_is_no_number_is_named(flag: str, value: str, tmp_path: Path) -> None:
    prepare(tmp_path, records())
    said = run(*condensing(tmp_path, **{flag: value}))
    assert (said.code, said.out) == (2, "")
    assert f"--{flag}" in said.err.splitlines()[-1]
    assert "Traceback" not in said.err


def test_an_unfinished_run_is_not_begun_anew(tmp_path: Path) -> None:
    prepare(tmp_path, records())
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / "journal.jsonl").write_text('{"settings": "x", "run": "y"}\n')
    before = listing(tmp_path)
    for resume, hint in ((False, "add --resume"), (True, "has other settings")):
        said = run(*condensing(tmp_path, resume=resume))
        assert said.code in (2, 8)
        assert hint in said.err
        assert_one_sentence(said.err)
        assert listing(tmp_path) == before


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release of the records beside it."""
    folder = tmp_path_factory.mktemp("made")
    prepare(folder, records())
    assert run(*condensing(folder)).code == 0
    return folder


@pytest.fixture
def release(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


EVALUATIONS = {
    "absent release": ({"release": "absent"}, "is not a release", 8),
    "absent train": ({"train": "absent.csv"}, "does not exist", 4),
    "training records twice": ({"test": "records.csv"}, "was not made of", 4),
    "absent test": ({"test": "absent.csv"}, "does not exist", 4),
    "empty test": ({"test": "empty.csv"}, "is empty", 4),
    "one class": ({"test": "one_class.csv"}, "has one class only", 4),
    "unlisted level": ({"test": "level.csv"}, "holds a level that", 4),
    "no such group": ({"by": "fate"}, "no feature 'fate'", 2),
    "outcome as group": ({"by": "died"}, "no feature 'died'", 2),
    "amount without cuts": ({"by": "age"}, "need cut points", 2),
    "levels with cuts": ({"by": "ward:1,2"}, "need no cut points", 2),
    "cuts of words": ({"by": "age:old"}, "must be numbers", 2),
    "cuts of nan": ({"by": "age:nan"}, "must be numbers", 2),
    "an empty cut": ({"by": "age:40,,60"}, "must be numbers", 2),
    "unknown model": ({"model": "oracle"}, "is not known", 5),
    "a model that quotes": ({"model": "commands:Quotes"}, "failed (RuntimeError)", 5),
    "a model of NaN": ({"model": "commands:Nan"}, "failed (not a finite number)", 5),
}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_a_bad_evaluation_is_one_sentence_and_leaves_nothing(name: str, release: Path) -> None:
    folder = release.parent
    put("empty.csv", "")(folder)
    records().with_columns(died=pl.lit(0)).write_csv(folder / "one_class.csv")
    change("ward", NAME)(records()).write_csv(folder / "level.csv")
    changes, says, code = EVALUATIONS[name]
    files = {"train": "records.csv", "test": "heldout.csv", "release": "out"} | changes
    flags = {k: files[k] for k in ("by", "model") if k in files}
    args = [folder / files["release"], "--train", folder / files["train"]]
    args += [
        "--test",
        folder / files["test"],
        *(x for k, v in flags.items() for x in (f"--{k}", v)),
    ]
    before = listing(folder)
    said = run("evaluate", *args)
    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert_one_sentence(said.err)
    after = listing(folder)
    looked = after.pop("out.in-house.jsonl", b"")  # a look that was taken stays booked
    assert bool(looked) == name.startswith("a model")
    assert after == before


@pytest.mark.parametrize("name", ["condensed.csv", "cohort.csv", "datapackage.json", "ledger.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff\x00"])
def test_a_damaged_release_is_one_sentence(name: str, content: bytes | None, release: Path) -> None:
    if content is None:
        (release / name).unlink()
    else:
        (release / name).write_bytes(content)
    table = release.parent / "records.csv"
    said = run("evaluate", release, "--train", table, "--test", release.parent / "heldout.csv")
    assert (said.code, said.out) == (8, "")
    assert_one_sentence(said.err)


OTHERS = {
    "draft of nothing": (["schema", "draft", "absent.csv"], 4),
    "draft of an empty file": (["schema", "draft", "empty.csv"], 4),
    "draft over a file": (["schema", "draft", "records.csv", "--out", "schema.json"], 8),
    "draft into nowhere": (["schema", "draft", "records.csv", "--out", "absent/s.json"], 8),
    "show no budget": (["budget", "show", "absent.json"], 6),
    "show something else": (["budget", "show", "records.csv"], 6),
    "create over a file": (["budget", "create", "schema.json", "--epsilon=1", "--delta=0.1"], 8),
    "create without end": (["budget", "create", "b.json", "--epsilon=inf", "--delta=0.1"], 6),
    "create with nothing": (["budget", "create", "b.json", "--epsilon=1", "--delta=0"], 6),
    "create nowhere": (["budget", "create", "absent/b.json", "--epsilon=1", "--delta=0.1"], 6),
    "demo over a file": (["demo", "--out", "schema.json"], 8),
    "demo without privacy left": (["demo", "--epsilon", "0", "--out", "new"], 2),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_commands_fail_in_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path, records())
    put("empty.csv", "")(tmp_path)
    monkeypatch.chdir(tmp_path)
    args, code = OTHERS[name]
    before = listing(tmp_path)
    said = run(*args)
    assert (said.code, said.out) == (code, "")
    assert_one_sentence(said.err)
    assert listing(tmp_path) == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one class", "predicts NaN", "no budget"])
def test_a_process_of_its_own_fails_alike(name: str, tmp_path: Path) -> None:
    case = next(c for c in CASES if c.name == name)
    args = set_up(tmp_path, case)
    before = listing(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tincture", *args],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        check=False,
    )
    assert (done.returncode, done.stdout) == (case.code, b"")
    assert_one_sentence(done.stderr.decode())
    assert listing(tmp_path) == before


def test_sentinels_are_in_every_file_of_records(tmp_path: Path) -> None:
    prepare(tmp_path, records())
    text = (tmp_path / "records.csv").read_text()
    assert text.count(NUMBER) == text.count(NAME) == 80
    assert json.loads((tmp_path / "schema.json").read_text()) == DESCRIPTOR
