"""Run the command line in forks of one process that has imported it, and kill them when told.

Reads jobs as lines of JSON, ``{"args", "folder", "delay", "event"}``, and answers each with
``{"code", "seconds", "events", "err"}``. ``delay`` kills after that many seconds, ``event`` right
before the n-th change of a file or folder below ``folder``.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import sys
import time
from typing import Any

import numpy as np

import tincture.io
import tincture.privacy
import tincture.report
import tincture.spine
import tincture.tables
from helpers import make_condenser
from tincture.audit.rehearsal import rehearsed
from tincture.cli import main
from tincture.tables.canaries import canaries
from tincture.tables.method import usual_plan

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR


def child(job: dict[str, Any], pipe: int) -> None:
    """Run the command; report the changes it made and what it said."""
    seen = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in CHANGES and not (event == "open" and args[2] & WRITING):
            return
        if isinstance(args[0], str | os.PathLike) and str(args[0]).startswith(job["folder"]):
            seen += 1
            if seen == job.get("event"):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    said = os.memfd_create("said")
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["tincture", *job["args"]]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    sys.stdout.flush()
    sys.stderr.flush()
    err = os.pread(said, 10**6, 0).decode()
    os.write(pipe, json.dumps({"events": seen, "err": err}).encode())
    os._exit(code)


def prepare() -> None:
    """Import, compile and calibrate what every run needs; nothing here uses a thread pool."""
    for room in (tincture.io, tincture.privacy, tincture.report, tincture.spine, tincture.tables):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    usual_plan(1.0, 1e-5, "proxy")
    job, rng = make_condenser(epsilon=1.0).job(), np.random.default_rng(0)
    job.rehearse()
    rehearsed(job, canaries(job, 100, rng), rng)


def serve() -> None:
    """One child a job."""
    prepare()
    for line in sys.stdin:
        job = json.loads(line)
        reading, writing = os.pipe()
        start = time.monotonic()
        process = os.fork()
        if process == 0:
            child(job, writing)
        os.close(writing)
        if job.get("delay") is not None:
            time.sleep(job["delay"])
            os.kill(process, signal.SIGKILL)
        told = os.read(reading, 10**6)
        os.close(reading)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        answer = {"code": code, "seconds": time.monotonic() - start, "events": 0, "err": ""}
        sys.stdout.write(json.dumps(answer | json.loads(told or b"{}")) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
