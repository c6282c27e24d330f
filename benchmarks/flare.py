"""Three sites, a server and a lead on one machine over NVIDIA FLARE: cost, and what is refused.

    pip install 'tincture[federated]'
    python benchmarks/flare.py --results benchmarks/flare.jsonl

Kits are provisioned for localhost, so that all of it, mutual TLS too, is as between machines. The
SUPPORT2 records of the demonstration are dealt to the sites. FLARE listens on all interfaces; keep
the machine to itself, such as by a network namespace.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tincture.demo import support2
from tincture.federation.books import told_of_books
from tincture.federation.consortium import Consortium
from tincture.flare.kit import EXECUTOR
from tincture.flare.session import job_of
from tincture.io.files import write_folder
from tincture.privacy.journal import read_journal

NAMES = ("north", "south", "east")
LEAD = "lead@server.example"
SENTINEL = 141.4213562  # an amount that one record of each site has in a column
PROJECT = """
api_version: 3
name: hospitals
participants:
  - {name: localhost, type: server, org: server, fed_learn_port: 8102, admin_port: 8103}
  - {name: north, type: client, org: north}
  - {name: south, type: client, org: south}
  - {name: east, type: client, org: east}
  - {name: lead@server.example, type: admin, org: server, role: lead}
builders:
  - path: nvflare.lighter.impl.workspace.WorkspaceBuilder
    args: {template_file: master_template.yml}
  - path: nvflare.lighter.impl.static_file.StaticFileBuilder
    args: {config_folder: config}
  - path: nvflare.lighter.impl.cert.CertBuilder
  - path: nvflare.lighter.impl.signature.SignatureBuilder
"""


class Stage:
    """A folder with kits, records and a consortium; processes by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "project.yml").write_text(PROJECT)
        nvflare = Path(sys.executable).parent / "nvflare"
        provision = [nvflare, "provision", "-p", folder / "project.yml", "-w", folder / "w"]
        subprocess.run(provision, check=True, capture_output=True)
        self.kits = folder / "w/hospitals/prod_00"

    def tincture(self, *args: object) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        command = [sys.executable, "-m", "tincture", *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder)

    def serve(self, name: str, *args: object) -> None:
        """One command in the background, until it is registered or listens."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as file:
            command = [sys.executable, "-m", "tincture", *map(str, args)]
            self._running[name] = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, cwd=self.folder
            )
        until(lambda: re.search("registered client|Server started", log.read_text()) is not None)

    def sites(self) -> None:
        """Serve all sites, with the books that they have."""
        for name in NAMES:
            rest = ["--kit", self.kits / name, "--books", f"books-{name}"]
            if (self.folder / f"books-{name}/journal.jsonl").exists():
                rest.append("--resume")
            self.serve(name, "site", "serve", "consortium.json", f"{name}.csv", *rest)

    def end(self, *names: str) -> None:
        """Stop these, or all."""
        for name in names or tuple(self._running):
            process = self._running.pop(name)
            process.terminate()
            process.wait(60)

    def again(self) -> None:
        """The server once more, when all sites have found it and let go of its last job."""
        self._running.pop("server").wait(60)
        self.serve("server", "consortium", "serve", "--kit", self.kits / "localhost")
        log = self.folder / "server.log"
        until(lambda: all(f"Re-activate the client: {n}" in log.read_text() for n in NAMES), 300)
        until(lambda: not any(of_job for name in NAMES for _, of_job in processes(self, name)), 300)

    def anew(self) -> None:
        """Server and sites without books, runs or a release."""
        self.end()
        for folder in (self.kits / "localhost/runs", *self.folder.glob("books-*")):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.folder / "killed", ignore_errors=True)
        self.serve("server", "consortium", "serve", "--kit", self.kits / "localhost")
        self.sites()

    def condense(self, out: str, *more: object) -> tuple[float, str]:
        """As the lead; seconds, and what was said wrong."""
        began = time.monotonic()
        kit = ["--kit", self.kits / LEAD]
        said = self.tincture(
            *("condense", "--consortium", "consortium.json", *kit, "--out", out, *more)
        )
        return time.monotonic() - began, said.stderr

    def log(self, name: str) -> str:
        """All that a site's jobs wrote."""
        return "".join(p.read_text() for p in sorted((self.kits / name).glob("*-*/log.txt")))


def until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    """Look five times a second."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)


def prepared(stage: Stage, effort: float, trust: str) -> list[str]:
    """Write records, keys if there are any, and consortium; the settings as flags."""
    records, _, schema = support2(0)
    (stage.folder / "schema.json").write_text(json.dumps(schema.to_dict()))
    dealt = np.random.default_rng(0).permutation(len(records)) % len(NAMES)
    for i, name in enumerate(NAMES):
        own = records.filter(pl.Series(dealt == i))
        marked = pl.when(pl.int_range(pl.len()) == 0).then(SENTINEL).otherwise(pl.col("sod"))
        own.with_columns(sod=marked).write_csv(stage.folder / f"{name}.csv")
    records.write_csv(stage.folder / "all.csv")
    settings = ["--schema", "schema.json", "--target", "hospdead", "--model", "logistic"]
    settings += ["--model", "tree", "--rows", "100", "--epsilon", "1", "--delta", "1e-5"]
    settings += ["--effort", str(effort)]
    drafted = ["--sites", ",".join(NAMES), "--out", "consortium.json", "--trust", trust]
    for name in NAMES if trust != "nobody" else ():
        made = stage.tincture("site", "key", f"books-{name}")
        drafted += ["--key", f"{name}={made.stdout.strip()}"]
    said = stage.tincture("consortium", "draft", *settings, *drafted)
    assert not said.returncode, said.stderr
    return settings


def seen(text: str) -> int:
    """Bytes of questions and answers that a site's log tells of."""
    sizes = re.findall(r"(?:getTask: ask|SubmitUpdate to: server\.) size: [^(]*\((\d+) Bytes", text)
    return sum(map(int, sizes))


def moments(text: str, words: str) -> list[float]:
    """When a log says so, in seconds."""
    found = re.findall(rf"^(\S+ \S+),(\d+) .*{words}", text, flags=re.M)
    return [datetime.fromisoformat(at).timestamp() + int(ms) / 1000 for at, ms in found]


def per_question(stage: Stage) -> list[float]:
    """Seconds from when a question is put until its last answer is sent."""
    asked = moments((stage.folder / "server.log").read_text(), "scheduled task ask")
    sent = [moments(stage.log(name), "SubmitUpdate") for name in NAMES]
    return [max(times) - at for at, times in zip(asked, zip(*sent, strict=True), strict=True)]


def refused(stage: Stage, change: Callable[[dict[str, bytes]], None]) -> str:
    """What becomes of a job that is changed so."""
    from nvflare.fuel.flare_api.flare_api import new_secure_session

    files = job_of(Consortium.load(stage.folder / "consortium.json"), True)
    change(files)
    session = new_secure_session(LEAD, str(stage.kits / LEAD))
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder) / "strange", files)
        try:
            number = session.submit_job(str(Path(folder) / "strange"))
            session.monitor_job(number, timeout=120)
            return str(session.get_job_meta(number)["status"])
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:160]
        finally:
            session.close()


def with_code(files: dict[str, bytes]) -> None:
    """Code of its own."""
    files["app/custom/mine.py"] = b"print('here')\n"


def with_another_class(files: dict[str, bytes]) -> None:
    """A class of FLARE that is not listed at the sites."""
    name = "app/config/config_fed_client.json"
    other = b"nvflare.app_common.np.np_trainer.NPTrainer"
    files[name] = files[name].replace(EXECUTOR.encode(), other)


def processes(stage: Stage, name: str) -> Iterator[tuple[int, bool]]:
    """Of a kit: each one's number, and whether it is that of a job."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(stage.kits / name).encode() in words:
            of_job = any(b"worker_process" in word or b"runner_process" in word for word in words)
            yield int(status.parent.name), of_job


def killed(stage: Stage, name: str, questions: int) -> bool:
    """SIGKILL to a site's job, once it has booked so many questions."""
    books = stage.folder / f"books-{name}/journal.jsonl"
    until(lambda: books.exists() and books.read_bytes().count(b'"booked"') >= questions, 300)
    jobs = [number for number, of_job in processes(stage, name) if of_job]
    for number in jobs:
        os.kill(number, signal.SIGKILL)
    return bool(jobs)


def cost(stage: Stage, settings: list[str]) -> dict[str, Any]:
    """One whole run, beside one machine's, with what travelled."""
    began = time.monotonic()
    said = stage.tincture("condense", "all.csv", *settings, "--out", "one", "--quiet")
    alone = time.monotonic() - began
    assert not said.returncode, said.stderr
    stage.sites()
    seconds, wrong = stage.condense("together")
    assert not wrong, wrong
    told = [told_of_books(stage.folder / f"books-{name}") for name in NAMES]
    journal = next((stage.kits / "localhost/runs").glob("*/journal.jsonl"))
    return {
        "alone_seconds": round(alone, 1),
        "together_seconds": round(seconds, 1),
        "questions": len(told[0]["questions"]),
        "seconds_a_question": round(statistics.mean(per_question(stage)), 2),
        "bytes_a_site": [seen(stage.log(name)) for name in NAMES],
        "journal_bytes": journal.stat().st_size,
        "epsilon_alone": [books.get("epsilon_alone") for books in told],
    }


def held(stage: Stage) -> dict[str, Any]:
    """What is refused, and whether a record's amount lies anywhere in the engine's folders."""
    found = [p for p in stage.kits.rglob("*") if p.is_file() and b"141.4213" in p.read_bytes()]
    code = refused(stage, with_code)
    other = refused(stage, with_another_class)
    return {"with_code": code, "another_class": other, "sentinels_found": len(found)}


def resumed(stage: Stage) -> dict[str, Any]:
    """Kill a site's job in the middle of a run of another consortium, and continue."""
    stage.end(*NAMES)
    shutil.rmtree(stage.kits / "localhost/runs")
    for name in NAMES:
        shutil.rmtree(stage.folder / f"books-{name}")
    stage.sites()
    command = [sys.executable, "-m", "tincture", "condense", "--consortium", "consortium.json"]
    command += ["--kit", str(stage.kits / LEAD), "--out", "cut"]
    cut = subprocess.Popen(command, cwd=stage.folder, stderr=subprocess.PIPE)
    was_killed = killed(stage, "south", 4)
    began = time.monotonic()
    said = (cut.communicate()[1] or b"").decode()
    noticed = time.monotonic() - began
    stage.end(*NAMES)
    stage.sites()
    seconds, wrong = stage.condense("cut", "--resume")
    told = [told_of_books(stage.folder / f"books-{name}") for name in NAMES]
    return {
        "killed": was_killed,
        "said": said.strip(),
        "noticed_seconds": round(noticed, 1),
        "resumed_seconds": round(seconds, 1),
        "wrong": wrong,
        "epsilon_spent": [round(books["epsilon_spent"], 4) for books in told],
        "lost": [sum(not q["is_kept"] for q in books["questions"]) for books in told],
    }


def booked(stage: Stage) -> dict[str, Any]:
    """Whether all that the server knows is the sum of shares that every site kept after booking."""
    path = next((stage.kits / "localhost/runs").glob("*/journal.jsonl"), None)
    answers, entry = {}, -1
    for line in read_journal(path) if path else []:
        entry += "booked" in line
        if "answer" in line:
            answers[entry] = line["answer"]
    shares, n_booked = [], []
    for name in NAMES:
        lines, kept, number = read_journal(stage.folder / f"books-{name}/journal.jsonl"), {}, -1
        paid = set()
        for line in lines:
            number = line.get("question", number)
            if "booked" in line:
                paid.add(number)
            elif "share" in line:
                assert line["of"] in paid  # nothing is kept, and so sent, that was not booked
                kept[line["of"]] = np.frombuffer(base64.b64decode(line["share"]), "<u8")
        shares.append(kept)
        n_booked.append(len(paid))
    for number, answer in answers.items():
        total = np.sum([kept[number] for kept in shares], axis=0, dtype=np.uint64).view(np.int64)
        steps = np.array(answer) / np.abs(answer).max()
        np.testing.assert_allclose(total / np.abs(total).max(), steps, rtol=1e-12)
    return {"answered": len(answers), "booked": n_booked}


def server_kills(stage: Stage, most: int, rng: np.random.Generator) -> dict[str, Any]:
    """SIGKILL to the server and its job at random moments, in one whole run after the other."""
    began, seen, runs = time.monotonic(), list[dict[str, Any]](), list[dict[str, Any]]()
    while len(seen) < most:
        stage.anew()
        while not whole(stage, most - len(seen), rng):
            seen.append(booked(stage))
            print(len(seen), seen[-1], flush=True)
            stage.again()
        told = [told_of_books(stage.folder / f"books-{name}") for name in NAMES]
        lost = [sum(not q["is_kept"] for q in books["questions"]) for books in told]
        spent = [round(books["epsilon_spent"], 4) for books in told]
        runs.append({**booked(stage), "lost": lost, "epsilon_spent": spent})
        print(runs[-1], flush=True)
    took = round(time.monotonic() - began)
    return {"kills": len(seen), "seconds": took, "seen": seen, "runs": runs}


def whole(stage: Stage, left: int, rng: np.random.Generator) -> bool:
    """Condense, or go on, and kill the server some questions later; False if it was killed."""
    journals = stage.kits / "localhost/runs"
    more = ["--resume"] if any(journals.glob("*/journal.jsonl")) else []
    command = [sys.executable, "-m", "tincture", "condense", "--consortium", "consortium.json"]
    command += ["--kit", str(stage.kits / LEAD), "--out", "killed", *more]

    def n_booked() -> int:
        return sum(p.read_bytes().count(b'"booked"') for p in journals.glob("*/journal.jsonl"))

    lead = subprocess.Popen(command, cwd=stage.folder)
    until(lambda: any(of_job for _, of_job in processes(stage, "localhost")), 300)
    if left > 0:
        enough = n_booked() + int(rng.integers(5))
        until(lambda: n_booked() >= enough or lead.poll() is not None, 300)
        time.sleep(rng.uniform(0, 3))
        if lead.poll() is None:
            for number, _ in processes(stage, "localhost"):
                os.kill(number, signal.SIGKILL)
            lead.kill()
            lead.wait()
            return False
    assert not lead.wait(900)
    return True


def main() -> None:
    """All of it, a line of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--effort", type=float, default=0.1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--trust", default="nobody")
    parser.add_argument("--kills", type=int, help="only kill the server, so often")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of kills")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        stage = Stage(folder.absolute())
        try:
            settings = prepared(stage, options.effort, options.trust)
            result = {"effort": options.effort, "trust": options.trust}
            if options.kills:
                rng = np.random.default_rng(options.seed)
                result["server_kills"] = server_kills(stage, options.kills, rng)
            else:
                stage.serve("server", "consortium", "serve", "--kit", stage.kits / "localhost")
                result |= cost(stage, settings)
                if options.trust == "nobody":  # else a key would go with the books
                    result |= {**held(stage), "resumed": resumed(stage)}
        finally:
            stage.end()
    with open(options.results, "a") as file:
        file.write(json.dumps(result) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
