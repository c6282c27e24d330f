"""A few broken inputs of every kind; `python tests/fuzz.py --inputs 20000` tries more.

The fuzzer forks, so it runs in a process of its own that has not used a thread pool.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import fuzz
from commands import condensing, prepare, run
from fuzz_inputs import NAME, NUMBER
from helpers import make_table
from tincture.tables.condenser import Condenser

HERE = Path(__file__).parent


@pytest.mark.slow
def test_broken_inputs_end_in_success_or_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzz.py"), "--inputs", "25", "--seed", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "25 inputs, 0 faults" in done.stdout


SENTENCE = "tincture: The table is empty.\n"


@pytest.mark.parametrize(
    ("code", "out", "err", "written", "fault"),
    [
        (0, "fine\n", "", "", ""),
        (4, "", SENTENCE, "", ""),
        (2, "", "Usage: tincture\nError: No such option.\n", "", ""),
        (2, "", "Usage: tincture schema [OPTIONS] COMMAND\n", "", ""),
        (-9, "", "", "", "hang"),
        (-11, "", "", "", "crash"),
        (1, "", "Traceback (most recent call last)", "", "traceback"),
        (70, "", "tincture: an internal error\n", "", "internal error"),
        (0, "", "x.py:3: RuntimeWarning\n", "", "words on standard error"),
        (4, "", SENTENCE * 2, "", "no clear sentence"),
        (4, "", "", "", "no clear sentence"),
        (4, "", f"tincture: {NAME}7 is bad.\n", "", "a record's value"),
        (0, "", "", f"journal {NUMBER}", "a record's value"),
    ],
)
def test_the_fuzzer_sees_what_is_wrong(
    code: int, out: str, err: str, written: str, fault: str
) -> None:
    assert fuzz.judged([], code, out, err, written) == fault


PLANT = """
import json, os, sys, time
from pathlib import Path
import fuzz
found = {{}}
for body in json.loads({bodies!r}):
    again = [sys.executable, "-c", "import os, sys, time\\n" + body]
    way = fuzz.Way(lambda: exec(body, globals()), again, seconds=1)
    ends = [fuzz.attempt(0, n, Path({release!r}), 4, way) for n in (2, fuzz.FRESH)]
    found[body] = [end.fault for end in ends]
print(json.dumps(found))
"""
PLANTED = {
    "raise ValueError": "traceback",
    "while True: pass": "hang",
    "time.sleep(60)": "hang",
    "os.abort()": "crash",
    "sys.exit(70)": "internal error",
    f"print('{NAME}3')": "a record's value",
    f"open('new.csv', 'w').write('{NUMBER}')": "a record's value",
    "sys.exit('tincture: one\\ntincture: two')": "no clear sentence",
    "os.mkdir('out'); sys.exit('tincture: no.')": "an output of what failed",
    "print('fine')": "",
}


@pytest.fixture(scope="module")
def found(condensed: Condenser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the fuzzer says of every planted fault, from one process."""
    folder = tmp_path_factory.mktemp("planted")
    condensed.save(folder / "out")
    (folder / "audit.json").write_text('{"findings": []}')
    code = PLANT.format(bodies=json.dumps(list(PLANTED)), release=str(folder / "out"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=HERE, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("body", PLANTED)
def test_a_planted_fault_is_seen_in_a_fork_and_in_a_fresh_process(
    body: str, found: dict[str, list[str]]
) -> None:
    assert found[body] == [PLANTED[body]] * 2


def test_a_draft_that_is_asked_for_levels_may_show_them() -> None:
    assert fuzz.judged(["schema", "draft", "--from-data"], 0, NAME, "", "") == ""
    assert fuzz.judged(["schema", "draft"], 0, NAME, "", "") == "a record's value"


def audit_of(folder: Path) -> list[object]:
    table = folder / "records.csv"
    args = ["audit", folder / "out", "--records", table, "--canaries", 20]
    return [*args, "--held-out", folder / "heldout.csv"]


@pytest.mark.parametrize(
    ("name", "at", "wrong"),
    [
        ("ledger.json", ["delta"], [1e-5]),
        ("ledger.json", ["delta"], 2),
        ("ledger.json", ["epsilon"], 10**400),
        ("ledger.json", ["phases", 0, "planned"], 10**30),
        ("ledger.json", ["phases", 0, "planned"], "1"),
        ("ledger.json", ["phases", 0, "sampling_rate"], {}),
        ("ledger.json", ["entries", 0, "clip"], None),
        ("datapackage.json", ["tincture", "task"], ["died"]),
        ("datapackage.json", ["tincture", "task"], {"kind": "classification"}),
        ("datapackage.json", ["tincture", "task", "kind"], "guess"),
        ("datapackage.json", ["tincture", "task", "target"], "heart"),
        ("datapackage.json", ["tincture", "settings"], {"n_rows": 16}),
        ("datapackage.json", ["tincture", "settings"], "none"),
        ("datapackage.json", ["tincture", "settings", "n_rows"], None),
    ],
)
def test_a_release_damaged_in_one_place_is_one_sentence(
    name: str, at: list[Any], wrong: Any, condensed: Condenser, tmp_path: Path
) -> None:
    # Found: a list for δ, a task without its target, which were internal errors.
    prepare(tmp_path)
    release = tmp_path / "out"
    condensed.save(release)
    content = json.loads((release / name).read_text())
    place = content
    for key in at[:-1]:
        place = place[key]
    place[at[-1]] = wrong
    (release / name).write_text(json.dumps(content))
    said = run(*audit_of(tmp_path))
    assert (said.code, said.out) == (8, "")
    assert said.err.startswith("tincture: ")
    assert said.err.count("\n") == 1


def test_cells_of_a_strange_type_are_one_sentence(tmp_path: Path) -> None:
    # Found: lengths of time, which have no text.
    folder = tmp_path
    prepare(folder)
    table = make_table(60).with_columns(ward=pl.lit(5).cast(pl.Duration))
    table.write_parquet(folder / "strange.parquet")
    said = run(*condensing(folder, records=folder / "strange.parquet", out=folder / "new"))
    assert (said.code, said.out) == (4, "")
    assert "holds cells of type Duration" in said.err
    assert said.err.startswith("tincture: ")
    assert said.err.count("\n") == 1


def test_a_release_without_a_name_is_refused(tmp_path: Path) -> None:
    # Found: a release that should become the root of all folders.
    prepare(tmp_path)
    said = run(*condensing(tmp_path, out="/"))
    assert (said.code, said.err.count("\n")) == (8, 1)
    assert "no name of a release" in said.err


def test_a_seed_below_zero_is_refused(tmp_path: Path) -> None:
    # Found: an audit whose seed was -1.
    said = run(*audit_of(tmp_path), "--seed", -1)
    assert said.code == 2
    assert "--seed" in said.err
