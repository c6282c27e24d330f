"""Flags in, one call, files out: help, exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from commands import Said, condensing, listing, prepare, run
from helpers import FEATURES, make_table
from tincture.tables.bench import LOOKS
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable
from tincture.version import __version__

COMMANDS = [
    [],
    ["condense"],
    ["evaluate"],
    ["evaluate-series"],
    ["report"],
    ["demo"],
    ["schema"],
    ["schema", "draft"],
    ["budget"],
    ["budget", "create"],
    ["budget", "show"],
    ["consortium", "draft"],
    ["consortium", "check"],
    ["site", "check"],
    ["site", "show"],
]
CONTRACT = {
    "condense": "schema target model rows epsilon delta seed out time event unit method budget "
    "resume quiet json drop case",
    "condense-series": "schema target case rows epsilon delta out",
    "evaluate": "train test by at schema report quiet json",
    "evaluate-series": "train test test-events network runs report seed quiet json",
    "report": "out",
    "demo": "out epsilon seed quiet json",
    "schema draft": "from-data out",
    "budget create": "epsilon delta",
    "budget show": "json",
    "consortium draft": "schema target epsilon delta sites trust model rows seed out",
    "consortium check": "json",
    "site show": "json",
}


LARGEST = 10_000  # bytes a file may have: a journal has 6,600, the card of a release 14,000
FINISHED = ["budget.json", "heldout.csv", "out", "records.csv", "schema.json"]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release of the records beside it."""
    prepare(tmp_path, make_table(120))
    assert run(*condensing(tmp_path, quiet=True)).code == 0
    return tmp_path / "out"


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str], flag: str) -> None:
    said = run(*command, flag)
    assert (said.code, said.err) == (0, "")
    _, _, example = said.out.partition("Example:\n")
    assert example.lstrip().startswith(" ".join(["tincture", *command]))


@pytest.mark.parametrize("command", CONTRACT)
def test_the_flags_that_scripts_rely_on_are_there(command: str) -> None:
    said = run(*command.split(), "-h")
    assert {f"--{flag}" for flag in CONTRACT[command].split()} <= set(said.out.split())


def test_the_version_is_printed() -> None:
    said = run("--version")
    assert (said.code, said.out, said.err) == (0, f"tincture {__version__}\n", "")


@pytest.mark.parametrize("args", [["nonsense"], ["condense", "--nonsense"], ["condense"]])
def test_wrong_flags_exit_with_two(args: list[str]) -> None:
    said = run(*args)
    assert (said.code, said.out) == (2, "")
    assert "Error: " in said.err


def test_condense_writes_a_release_and_nothing_else(tmp_path: Path) -> None:
    prepare(tmp_path)
    said = run(*condensing(tmp_path, epsilon="inf"))
    assert (said.code, said.err) == (0, "")
    assert f"16 invented rows in {tmp_path / 'out'}/condensed.csv" in said.out
    assert "NO PRIVACY PROMISE" in said.out
    files = [
        "README.md",
        "card.html",
        "cohort.csv",
        "condensed.csv",
        "croissant.json",
        "datapackage.json",
        "deployment.yaml",
        "healthdcat-ap.jsonld",
        "ledger.json",
        *("load.R", "load.do", "load.py", "load.sps"),
    ]
    assert sorted(listing(tmp_path)) == sorted(
        ["heldout.csv", "out", "records.csv", "schema.json", *(f"out/{f}" for f in files)]
    )
    assert len(CondensedTable.load(tmp_path / "out")) == 16


def test_parquet_and_csv_records_give_the_same_rows(tmp_path: Path) -> None:
    prepare(tmp_path)
    make_table(80).write_parquet(tmp_path / "records.parquet")
    for suffix in ("csv", "parquet"):
        flags = {
            "records": tmp_path / f"records.{suffix}",
            "out": tmp_path / suffix,
            "epsilon": "inf",
        }
        assert run(*condensing(tmp_path, **flags)).code == 0
    written = [(tmp_path / s / "condensed.csv").read_bytes() for s in ("csv", "parquet")]
    assert written[0] == written[1]


def test_json_is_all_that_json_prints(tmp_path: Path) -> None:
    prepare(tmp_path)
    said = run(*condensing(tmp_path, json=True, epsilon=1))
    told = json.loads(said.out)
    assert (said.code, said.err, told["rows"]) == (0, "", 16)
    assert told["release"] == str(tmp_path / "out")
    assert told["epsilon_spent"] <= told["epsilon"] == 1.0
    written = json.loads((tmp_path / "out" / "ledger.json").read_text())
    assert {k: told[k] for k in written} == written


def test_quiet_says_nothing(release: Path) -> None:
    records = release.parent / "records.csv"
    budget = release.parent / "budget.json"
    again = condensing(release.parent, out=release.parent / "again", quiet=True)
    others = release.parent / "heldout.csv"
    for args in (
        again,
        ["evaluate", release, "--train", records, "--test", others, "--quiet"],
        ["budget", "create", budget, "--epsilon", 3, "--delta", 1e-4],
        ["schema", "draft", records, "--out", release.parent / "draft.json"],
    ):
        said = run(*args)
        assert (said.code, said.out, said.err) == (0, "", "")


def test_every_flag_of_condense_reaches_the_release(tmp_path: Path) -> None:
    prepare(tmp_path)
    flags = {
        "target": None,
        "time": "days",
        "event": "event",
        "case": "0",
        "drop": ["died", "stage"],
        "unit": "patient",
        "model": ["cox"],
        "rows": 12,
        "method": "direct",
        "weight": ["cox=2"],
        "balance": "ward",
        "effort": 0.5,
        "seed": 7,
        "epsilon": 2,
        "delta": 1e-6,
    }
    assert run(*condensing(tmp_path, **flags)).code == 0
    made = CondensedTable.load(tmp_path / "out")
    settings = {
        "n_rows": 12,
        "method": "direct",
        "weights": {"cox": 2.0},
        "balance": "ward",
        "effort": 0.5,
        "seed": 7,
        "unit": "patient",
    }
    assert {name: made.settings[name] for name in settings} == settings
    assert made.task == {"kind": "survival", "time": "days", "event": "event", "case": 0}
    assert (made.models, made.rows.columns) == (("cox",), [*FEATURES, "days", "event"])
    assert (made.ledger.plan.epsilon, made.ledger.plan.delta) == (2.0, 1e-6)
    assert "one person (patient)" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("more", [{}, {"json": True}, {"quiet": True}], ids=["", "json", "quiet"])
def test_progress_goes_to_standard_error_of_a_terminal(
    tmp_path: Path, more: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    prepare(tmp_path)
    said = run(*condensing(tmp_path, **more))
    assert said.code == 0
    assert "Condensing" not in said.out
    assert ("Condensing to 16 rows" in said.err) == (not more)
    assert more == {} or said.err == ""


@pytest.mark.slow
def test_a_terminal_without_greek_letters_stops_no_run(tmp_path: Path) -> None:
    prepare(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tincture", *condensing(tmp_path, epsilon=1)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"differential privacy" in done.stdout


def test_evaluate_prints_a_table_marked_in_house(release: Path) -> None:
    records = release.parent / "records.csv"
    args = ["evaluate", release, "--train", records, "--test", release.parent / "heldout.csv"]
    said = run(*args, "--by", "ward", "--by", "age:50")
    assert (said.code, said.err) == (0, "")
    assert "do not release" in said.out
    assert "ward = icu" in said.out
    told = json.loads(run(*args, "--json").out)
    assert "do not release" in told["notice"]
    assert {s["trained_on"] for s in told["scores"]} == {
        "condensed",
        "cohort",
        "all real records",
        "random real rows",
    }


def test_evaluate_writes_its_looks_beside_the_release_and_nothing_else(release: Path) -> None:
    records = release.parent / "records.csv"
    args = ["--train", records, "--test", release.parent / "heldout.csv"]
    before = listing(release.parent)
    for _ in range(2):
        assert run("evaluate", release, *args).code == 0
    after = listing(release.parent)
    looks = [json.loads(line) for line in after.pop("out.in-house.jsonl").splitlines()]
    taken = ["train-on-real ceiling", "held-out scores", *LOOKS["classification"]]
    assert [look["look"] for look in looks] == taken * 2
    assert {look["epsilon"] for look in looks} == {"inf"}
    assert after == before


def test_a_figure_that_does_not_exist_is_null_in_json(release: Path) -> None:
    records = release.parent / "records.csv"
    table = make_table(120).with_columns(
        died=pl.when(pl.col("ward") == "icu").then(0).otherwise(pl.col("died"))
    )
    table.write_csv(release.parent / "test.csv")
    args = ["--train", records, "--test", release.parent / "test.csv", "--by", "ward", "--json"]
    said = run("evaluate", release, *args)
    figures = [
        s["figure"]["value"]
        for s in json.loads(said.out, parse_constant=pytest.fail)["scores"]
        if s["group"] == "ward = icu" and s["metric"] == "AUROC"
    ]
    assert figures == [None] * 2 * 4


def test_a_budget_is_created_kept_and_shown(tmp_path: Path) -> None:
    prepare(tmp_path)
    budget = tmp_path / "budget.json"
    assert run("budget", "create", budget, "--epsilon", 3, "--delta", 1e-4).code == 0
    assert run(*condensing(tmp_path, epsilon=2, budget=budget)).code == 0
    told = json.loads(run("budget", "show", budget, "--json").out)
    assert [r["epsilon"] for r in told["releases"]] == [2.0]
    assert told["left"] == {"epsilon": 1.0, "delta": pytest.approx(9e-5)}
    shown = run("budget", "show", budget)
    assert (shown.code, shown.err) == (0, "")
    assert "out.unfinished" in shown.out
    refused = run(*condensing(tmp_path, epsilon=2, budget=budget, out=tmp_path / "second"))
    assert (refused.code, refused.out) == (6, "")
    assert json.loads(run("budget", "show", budget, "--json").out) == told
    assert sorted(p.name for p in tmp_path.iterdir()) == FINISHED


def failing(error: BaseException) -> Said:
    """What the command line says when a command ends so."""

    def command(**settings: object) -> None:
        raise error

    return run(command=command)


def test_an_error_of_ours_is_told_by_its_kind_alone() -> None:
    said = failing(KeyError("Zx81sentinel"))
    assert (said.code, said.out) == (70, "")
    assert said.err.startswith("tincture: an internal error of kind KeyError occurred")
    assert said.err.count("\n") == 1
    assert "Zx81sentinel" not in said.err


def test_an_error_of_the_system_is_told_in_its_words() -> None:
    said = failing(OSError(28, os.strerror(28)))
    told = "tincture: No space left on device; the run was not finished.\n"
    assert (said.code, said.out, said.err) == (74, "", told)


def test_a_release_that_the_disk_refused_is_written_by_resuming(
    condensed: Condenser, tmp_path: Path
) -> None:
    # No file may be larger than the journal will be: too little for the page of the data card. The
    # fixture has compiled all kernels, of which none is written to the disk now.
    assert len(condensed.table_) == 16
    prepare(tmp_path)
    budget = tmp_path / "budget.json"
    assert run("budget", "create", budget, "--epsilon", 1, "--delta", 1e-5).code == 0
    flags = {"epsilon": 1, "budget": budget}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, limits[1]))
    try:
        said = run(*condensing(tmp_path, **flags))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (said.code, said.err.count("\n")) == (8, 1)
    assert said.err.endswith("out: File too large.\n")
    assert {"out.unfinished", "out"} & {p.name for p in tmp_path.iterdir()} == {"out.unfinished"}
    again = run(*condensing(tmp_path, **flags))
    assert (again.code, "--resume" in again.err) == (2, True)
    assert run(*condensing(tmp_path, **flags, resume=True)).code == 0
    assert len(json.loads(budget.read_text())["releases"]) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == FINISHED


@pytest.mark.parametrize(("more", "code"), [(0, 0), (1, 8)], ids=["its own", "another's"])
def test_resuming_a_run_that_was_killed_after_its_release_tidies_up(
    more: int, code: int, release: Path
) -> None:
    unfinished = release.with_name("out.unfinished")
    unfinished.mkdir()
    entries = CondensedTable.load(release).ledger.entries
    booked = [json.dumps({"booked": entry.to_dict()}) + "\n" for entry in entries]
    (unfinished / "journal.jsonl").write_text("".join(booked + booked[:more]))
    before = listing(release)
    said = run(*condensing(release.parent, resume=True))
    assert said.code == code
    assert ("16 invented rows" in said.out) == (code == 0)
    assert ("out exists already" in said.err) == (code != 0)
    assert unfinished.exists() == (code != 0)
    assert listing(release) == before


def test_an_interrupt_exits_with_130() -> None:
    said = failing(KeyboardInterrupt())
    assert (said.code, said.out, said.err) == (130, "", "tincture: stopped.\n")


# Six held-out records with one case have no interval of the AUROC: it is told without one.
def test_an_evaluation_on_a_handful_of_records_prints_no_nan(release: Path) -> None:
    table, home = make_table(60, seed=1), release.parent
    few = pl.concat([table.filter(pl.col("died") == v).head(n) for v, n in ((0, 5), (1, 1))])
    few.write_csv(home / "few.csv")
    files = ["--train", home / "records.csv", "--test", home / "few.csv"]
    said = run("evaluate", release, *files, "--report", home / "report.html")
    assert (said.code, said.err) == (0, "")
    assert "has too few held-out records for an interval" in said.out
    for text in (said.out, (home / "report.html").read_text()):
        assert not re.search(r"\bnan\b", text)
