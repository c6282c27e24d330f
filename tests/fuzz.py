"""Broken schema files, tables, stays and command lines, each run in a process of its own.

    python tests/fuzz.py --inputs 20000 --seed 0

Every input must end within 10 s of work, in success or in one clear sentence: no traceback, no
internal error, no value of a record in any output, no output left by what failed. One input in
twenty runs in a fresh interpreter, the others in a fork of one that has imported and compiled all
it needs. Input i of a seed is the same on every machine.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import commands
import tincture.cli
import tincture.io.draft
import tincture.report.in_house
import tincture.stays.condenser
import tincture.stays.method
import tincture.tables.bench
import tincture.tables.condenser
import tincture.tables.job
import tincture.tables.proxy
import tincture.tables.target
from fuzz_inputs import NAME, NUMBER, changed, command, write_inputs
from fuzz_stays import write_stays
from helpers import FEATURES, SCHEMA, make_table
from tincture.models.portfolio import resolve
from tincture.public.encoding import Encoding
from tincture.public.tasks import Classification, Survival, Task
from tincture.tables.method import usual_plan
from tincture.tables.trial import rehearse

SECONDS = 20  # of work; a busy machine takes longer
PATIENCE = 60.0  # seconds after which even one that waits is ended; more on a crowded machine
FRESH = 20  # one input in so many runs in an interpreter of its own
OUTPUTS = ("out", "card.html", "page.html", "draft.json", "new.json", "told.json")


@dataclass(frozen=True, slots=True)
class Way:
    """How a command is run: in a fork, or in an interpreter of its own."""

    main: Callable[[], None] = tincture.cli.main
    interpreter: Sequence[str] = (sys.executable, "-m", "tincture")
    seconds: int = SECONDS


USUAL = Way()


@dataclass(frozen=True, slots=True)
class Ended:
    """How an input ended; ``fault`` says what was wrong with that, or nothing."""

    number: int
    args: tuple[str, ...]
    code: int
    seconds: float
    said: str
    fault: str


def child(seed: int, number: int, folder: Path, told: int, release: Path, way: Way) -> None:
    """Write the inputs and run the command, in a process of its own that does not return."""
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (way.seconds, way.seconds))
    code = 0
    try:
        rng = np.random.default_rng([seed, number])
        if rng.uniform() < 0.15:
            usual = write_stays(rng, folder)
        else:
            usual = command(rng, write_inputs(rng, folder, release))
        args = changed(rng, usual)
        os.write(told, json.dumps({"args": args, "inputs": sorted(files(folder))}).encode())
        for stream, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder.with_suffix(f".{name}"), os.O_CREAT | os.O_WRONLY), stream)
        if number % FRESH == 0:
            os.execv(way.interpreter[0], [*way.interpreter, *quick(args)])
        sys.argv = ["tincture", *quick(args)]
        way.main()
    except SystemExit as end:
        code = ended_with(end.code)
    except BaseException as error:  # of the fuzzer, or let through
        sys.stderr.write(f"Traceback of the fuzzer: {type(error).__name__} {error}")
        code = 99
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def ended_with(code: Any) -> int:
    """The exit code of a ``SystemExit``, as an interpreter gives it; words go to its errors."""
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1


def quick(args: list[str]) -> list[str]:
    """The same with a short search: what is tested is what goes in and comes out."""
    if args[:1] != ["condense"] or "--help" in args:
        return args
    has_model = any(a.startswith("--model") for a in args)
    return [args[0], "--effort=0.002", *([] if has_model else ["--model=logistic"]), *args[1:]]


def attempt(
    seed: int, number: int, release: Path, patience: float = PATIENCE, way: Way = USUAL
) -> Ended:
    """Run one input."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "here"
        folder.mkdir()
        reading, writing = os.pipe()
        began = time.monotonic()
        process = os.fork()
        if process == 0:
            child(seed, number, folder, writing, release, way)
        os.close(writing)
        status = waited(process, began + patience)
        told = json.loads(os.read(reading, 10**6) or b'{"args": [], "inputs": []}')
        os.close(reading)
        seconds = time.monotonic() - began
        code, args = os.waitstatus_to_exitcode(status), told["args"]
        out, err = (read(folder.with_suffix(f".{s}")) for s in ("stdout", "stderr"))
        fault = judged(args, code, out, err, made(folder, told["inputs"]))
        if code and not fault and any((folder / n).exists() for n in OUTPUTS):
            fault = "an output of what failed"
        return Ended(number, tuple(args), code, seconds, out + err, fault)


def files(folder: Path) -> set[str]:
    """Every file below, hidden ones too."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def waited(process: int, until: float) -> int:
    """The process's end, which is a kill after the time allowed."""
    while time.monotonic() < until:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return status
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    return os.waitpid(process, 0)[1]


def read(path: Path) -> str:
    """A file's text, or nothing."""
    return path.read_text(errors="replace") if path.exists() else ""


def made(folder: Path, inputs: list[str]) -> str:
    """All that a command has written; Parquet as text."""
    names = files(folder) - (set(inputs) - {"budget.json"}) - {"page.html"}  # in-house
    paths = [folder / n for n in sorted(names)]
    tables = [p for p in paths if p.suffix == ".parquet"]
    if tables and os.fork() == 0:  # whoever has used the table library's threads cannot be forked
        for path in tables:
            pl.read_parquet(path).write_csv(path.with_suffix(".text"))
        os._exit(0)
    if tables and os.wait()[1]:
        return "Traceback: a table cannot be read"
    texts = [p.with_suffix(".text") if p in tables else p for p in paths]
    return "".join(read(p) for p in texts)


def judged(args: list[str], code: int, out: str, err: str, written: str) -> str:
    """What is wrong with how an input ended, or nothing."""
    shows_records = "--from-data" in args  # whose purpose is to propose levels from records
    lines, told = err.splitlines(), out + err + written
    is_sentence = len(lines) == 1 and lines[0].startswith("tincture: ")
    is_usage = code == 2 and err.startswith("Usage:")  # of a flag, or of commands
    checks = {
        "hang": code in (-signal.SIGKILL, -signal.SIGXCPU),
        "crash": code < 0,
        "traceback": "Traceback" in told,
        "internal error": code == 70,
        "words on standard error": code == 0 and bool(err),
        "no clear sentence": code > 0 and not (is_sentence or is_usage or out.startswith("Usage")),
        "a record's value": not shows_records and (NUMBER in told or NAME in told),
    }
    return next((name for name, is_so in checks.items() if is_so), "")


def prepare(home: Path) -> Path:
    """Load and calibrate what all inputs need, and make a release for them."""
    for method in ("proxy", "direct"):
        usual_plan(1.0, 1e-5, method)
    tincture.stays.method.usual_plan(4.0, 1e-5)
    encoding = Encoding([SCHEMA[n] for n in FEATURES])
    tasks: list[Task]
    tasks = [Classification.of(SCHEMA, "died"), Survival.of(SCHEMA, "days", "event")]
    for task, model in zip(tasks, ("logistic", "cox"), strict=True):
        rehearse([resolve(model, task)], task, encoding, 16)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        sys.argv = ["tincture", "--version"]
        tincture.cli.main()
    made = released(home)
    for name in json.loads((home / "modules.json").read_text()):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    return made


def released(home: Path) -> Path:
    """A release and an audit of it, made by a fork, which tells what it has imported for them."""
    release, records, others = (home / n for n in ("out", "records.csv", "heldout.csv"))
    lines: list[list[Any]] = [
        [*commands.condensing(home, epsilon=1)],
        ["audit", release, "--records", records, "--held-out", others, "--canaries=20"],
        ["evaluate", release, "--train", records, "--test", others, "--by=ward"],
        ["report", release, "--out", home / "card.html"],
        ["schema", "draft", records],
    ]
    lines[1] += ["--out", home / "audit.json"]
    lines[2] += ["--report", home / "page.html"]
    if os.fork() == 0:
        commands.prepare(home, make_table(60))
        codes = [commands.run(*line).code for line in lines]
        (home / "modules.json").write_text(json.dumps(sorted(sys.modules)))
        os._exit(max(codes))
    if os.wait()[1]:
        raise RuntimeError("the release for the inputs could not be made")
    return release


def run_all(seed: int, numbers: range, patience: float) -> Iterator[Ended]:
    """Run inputs one after the other."""
    with tempfile.TemporaryDirectory() as home:
        release = prepare(Path(home))
        for number in numbers:
            yield attempt(seed, number, release, patience)


def start() -> None:
    """Run as a program; faults go to standard output, and make it end with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=PATIENCE)
    options = parser.parse_args()
    codes: Counter[int] = Counter()
    faults, slowest = 0, 0.0
    numbers = range(options.first, options.first + options.inputs)
    for ended in run_all(options.seed, numbers, options.patience):
        codes[ended.code] += 1
        slowest = max(slowest, ended.seconds)
        if ended.fault:
            faults += 1
            said = f"{ended.code} {ended.said[:400]!r}"
            sys.stdout.write(f"{ended.number}: {ended.fault}: {list(ended.args)} → {said}\n")
            sys.stdout.flush()
    codes_seen = dict(sorted(codes.items()))
    sys.stdout.write(
        f"{options.inputs} inputs, {faults} faults, slowest {slowest:.1f} s; "
        f"exit codes {codes_seen}\n"
    )
    sys.exit(faults > 0)


if __name__ == "__main__":
    start()
