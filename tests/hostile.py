"""A coordinator that means harm: messages that are almost questions; and a site that is killed.

As a script it serves sites in forks of itself: of lines of JSON, ``{"books", "delay"}``, each lets
a site with these books answer a run's questions, kills it after so many seconds, and is answered
with what had left the site until then.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from helpers import ShortJob, make_table
from sites import NAMES, QUESTIONS, consortium_of, job_of, question, residuals
from tincture.federation.question import MARK, Question
from tincture.federation.site import Site, opened
from tincture.flare.carrying import SENT, SHARE, STATE, reply_of
from tincture.spine.questions import CellCounts
from tincture.tables.questions import MarginalCounts

ALONE = {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
ODD: list[Any] = [None, True, -1, 0, 2**70, 1e308, "", "north", [], {}, [[]], float("nan"), "\0"]


# Almost questions -----------------------------------------------------------------------------


@cache
def usual() -> tuple[Question, ...]:
    """One of each kind that a run on classes asks."""
    asked = (make(job_of()) for outcome, make in QUESTIONS.values() if outcome == "classes")
    kinds = {query.question: query for query in asked}
    return tuple(question(query) for query in kinds.values())


def message(rng: np.random.Generator) -> bytes:
    """A question with something wrong: bytes, a line of its header, or its arrays."""
    every = usual()
    asked = replace(every[rng.integers(len(every))], number=int(rng.integers(4)))
    match rng.integers(4):
        case 0:
            return _torn(asked.packed(), rng)
        case 1:
            return _relabelled(asked.packed(), rng)
        case 2:
            return _reshaped(asked, rng).packed()
    other = every[rng.integers(len(every))].recipe  # arrays of one kind for another
    return replace(asked, recipe=asked.recipe._replace(arrays=dict(other.arrays))).packed()


def _torn(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes cut out, put in, or turned."""
    at, cut = int(rng.integers(len(content))), int(rng.integers(40))
    return content[:at] + rng.bytes(int(rng.integers(40))) + content[at + cut :]


def _relabelled(content: bytes, rng: np.random.Generator) -> bytes:
    """Another value of a key of the header, at whatever depth, or one key more or less."""
    start = len(MARK) + 8
    size = int.from_bytes(content[len(MARK) : start], "big")
    header = json.loads(content[start : start + size])
    place = header
    while True:
        key = str(rng.choice(list(place)))
        if isinstance(place[key], dict) and place[key] and rng.uniform() < 0.7:
            place = place[key]
        else:
            break
    match rng.integers(3):
        case 0:
            del place[key]
        case 1:
            place["more"] = 1
        case _:
            place[key] = ODD[rng.integers(len(ODD))]
    text = json.dumps(header, sort_keys=True).encode()
    return MARK + len(text).to_bytes(8, "big") + text + content[start + size :]


def _reshaped(asked: Question, rng: np.random.Generator) -> Question:
    """An array of another shape, type, size or content."""
    arrays = dict(asked.recipe.arrays)
    if not arrays:
        return replace(asked, recipe=asked.recipe._replace(arrays={"a": np.zeros(3)}))
    name = str(rng.choice(list(arrays)))
    array = arrays[name]
    odd = rng.choice([-1e300, -1.0, 0.0, 1e-300, 7.5, 1e18])
    matters = [
        array[..., None],
        array[:0],
        array.reshape(-1)[:1],
        np.concatenate([array, array]),
        np.full(array.shape, np.nan),
        np.full(array.shape, odd),
        rng.permutation(array),
        -array,
        array.astype(np.int64 if array.dtype.kind == "f" else np.float64),
    ]
    arrays[name] = matters[rng.integers(len(matters))]
    return replace(asked, recipe=asked.recipe._replace(arrays=arrays))


# A site that is killed ------------------------------------------------------------------------


@cache
def run_of_questions() -> tuple[bytes, ...]:
    """As many questions as the plan of a short run holds of these kinds."""
    job = job_of()
    queries = [CellCounts(job.task), MarginalCounts(job.encoding), *[residuals(job)] * 5]
    return tuple(question(query, i).packed() for i, query in enumerate(queries))


class Tried(ShortJob):
    """Whose models were tried before; that takes longer than all questions."""

    def rehearse(self) -> None:
        """Nothing."""


def site_at(books: Path) -> contextlib.AbstractContextManager[Site]:
    """A site with these books."""
    job = Tried(**vars(job_of()))
    return opened(NAMES[0], consortium_of(), job, make_table(100), books=books)


def _serve() -> None:
    """One fork a job."""
    run_of_questions()
    job_of().plan()
    for line in sys.stdin:
        told = json.loads(line)
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            _answer(Path(told["books"]), writing)
        os.close(writing)
        if told["delay"] is not None:
            time.sleep(told["delay"])
            os.kill(process, signal.SIGKILL)
        with open(reading) as pipe:
            sent = pipe.read().split("\n")[:-1]
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        sys.stdout.write(json.dumps({"sent": sent, "code": code}) + "\n")
        sys.stdout.flush()


def _answer(books: Path, pipe: int) -> None:
    with site_at(books) as site:
        for content in run_of_questions():
            reply = reply_of(site, content)
            told = reply[SHARE].hex() if reply[STATE] == SENT else reply[STATE]
            os.write(pipe, f"{told}\n".encode())
    os._exit(0)


class Killing:
    """Sites in forks of one process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, books: Path, delay: float | None = None) -> tuple[list[str], int]:
        """What a site with these books sent until it ended, or was killed; and how it ended."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"books": str(books), "delay": delay}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return told["sent"], told["code"]

    def longest(self, folder: Path) -> float:
        """Seconds that a whole run takes; the first of two waits until all is imported."""
        for name in ("first", "second"):
            began = time.monotonic()
            sent, code = self.run(folder / name)
            assert (len(sent), code) == (len(run_of_questions()), 0)
        return time.monotonic() - began

    def survives(self, books: Path, delays: list[float]) -> tuple[int, int]:
        """Kill a site at these moments, then let it end; kills that hit it, and shares lost."""
        first: dict[int, str] = {}
        hits = 0
        for delay in [*delays, None]:
            sent, code = self.run(books, delay)
            hits += code == -signal.SIGKILL
            for number, reply in enumerate(sent):  # for ever the same bytes, or lost
                assert first.setdefault(number, reply) == reply
            with site_at(books) as site:
                assert len(site.ledger.entries) >= sum(r != "lost" for r in first.values())
                for number, reply in first.items():
                    again = reply_of(site, run_of_questions()[number])
                    assert again.get(SHARE, b"").hex() == (reply if reply != "lost" else "")
        assert len(first) == len(run_of_questions())
        assert "refused" not in first.values()
        return hits, list(first.values()).count("lost")


@contextlib.contextmanager
def killing() -> Iterator[Killing]:
    """A process that serves sites."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | ALONE,
        text=True,
    ) as process:
        yield Killing(process)
        assert process.stdin
        process.stdin.close()


if __name__ == "__main__":
    _serve()
