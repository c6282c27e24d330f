"""Parts that several workers read: no byte changes, nothing is booked twice, nobody is quoted."""

from __future__ import annotations

import ast
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import DROPPED, condensing, listing, prepare, run
from helpers import Ask, make_condenser, make_table, value_of
from test_laws import MODULES, imports
from test_one_pass import HALF, spoiled, write
from tincture.errors import SettingError, TableError, TinctureError
from tincture.io import cluster
from tincture.io.cluster import opened
from tincture.io.parts import Partitioned
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault
from tincture.spine.questions import CellCounts
from tincture.tables.questions import MarginalCounts

distributed = pytest.importorskip("distributed", reason="an extra: tincture[cluster]")
PATIENTS = np.random.default_rng(0).permutation(np.repeat(np.arange(60), 3))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """Dask's own, with two workers that start anew where they are killed."""
    local = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )
    yield local
    with contextlib.suppress(TimeoutError):  # of a busy machine, where one was just killed
        local.close()


def by(local: Any, source: Partitioned) -> Partitioned:
    return Partitioned(source.folder, scheduler=local.scheduler_address)


# The same release in every byte from one process and from two workers, half of the records kept.
def test_workers_change_no_byte_of_a_release(tmp_path: Path) -> None:
    prepare(tmp_path)
    write(tmp_path / "parts", make_table(400).sort("died"), 7)
    settings = {"records": tmp_path / "parts", "partitioned": True, "about": HALF, "seed": 3}
    found = []
    for workers in (None, 2):
        out = tmp_path / f"out{workers}"
        flags = {**settings, "epsilon": "inf", "out": out, "workers": workers, "quiet": True}
        said = run(*condensing(tmp_path, **flags))
        assert (said.code, said.out, said.err) == (0, "", "")
        found.append(listing(out))
    assert found[0] == found[1]


def killing(local: Any, when: set[int]) -> Callable[[int, int], None]:
    """Kills a worker at once when so many parts are done."""

    def progress(done: int, total: int) -> None:
        if done in when:
            nannies = list(local.workers.values())
            os.kill(nannies[done % 2].pid, signal.SIGKILL)

    return progress


# A worker killed thrice, in the first pass and twice in the second: the same release, and no
# question more in its ledger.
@pytest.mark.slow
def test_a_killed_worker_changes_no_byte(tmp_path: Path, scheduler: Any) -> None:
    source = write(tmp_path / "parts", make_table(400).sort("died"), 8, "csv")
    plain = make_condenser(n_records=HALF, seed=3).fit(source)
    kills = killing(scheduler, {3, 9, 12})
    spread = make_condenser(n_records=HALF, seed=3).fit(by(scheduler, source), progress=kills)
    for made, name in ((plain, "plain"), (spread, "spread")):
        made.save(tmp_path / name)
    assert listing(tmp_path / "plain") == listing(tmp_path / "spread")


# At a finite ε, where coins have a key of their own: the sums of all, and what is kept at rate 1.
def test_workers_change_no_sum_of_a_private_run(tmp_path: Path, scheduler: Any) -> None:
    source = write(tmp_path / "parts", make_table(300), 5)
    job = make_condenser(n_records=300, epsilon=1.0).job()
    vaults = [Vault(job.seal, s, Ledger(job.plan())) for s in (source, by(scheduler, source))]
    query, spread = CellCounts(job.task), vaults[1]
    sums = [np.concatenate([t for t in v._totals if t is not None]) for v in vaults]
    assert np.array_equal(sums[0], sums[1])
    assert len(sums[0]) == query.size + MarginalCounts(job.encoding).size
    for name in ("points", "design", "outcomes"):
        both = [getattr(v._units.records.take(slice(None)), name).tobytes() for v in vaults]
        assert both[0] == both[1]
    answer = spread.noisy_sum(query, job.plan().mechanism(query.question))
    assert answer.noise > 0
    assert len(spread.ledger.entries) == 1


# Persons with several records, which lie apart within a part.
def test_workers_change_no_sum_over_persons(tmp_path: Path, scheduler: Any) -> None:
    table = make_table(180).with_columns(patient=pl.Series(PATIENTS)).sort(pl.col("patient") // 12)
    source = write(tmp_path / "parts", table, 5)
    job = make_condenser(n_records=HALF, unit="patient", drop=DROPPED[:3]).job()
    asked = [
        *(CellCounts(job.task), MarginalCounts(job.encoding)),
        Ask(lambda r: r.points[:, :3], size=3, question="rank products"),
    ]
    found = []
    for parts in (source, by(scheduler, source)):
        vault = Vault(job.seal, parts, Ledger(job.plan()), key=b"known")
        found.append([value_of(vault.noisy_sum(q, Mechanism(0.0))).tolist() for q in asked])
    assert found[0] == found[1]


def test_persons_in_parts_of_two_workers_are_refused(tmp_path: Path, scheduler: Any) -> None:
    table = make_table(600).with_columns(patient=pl.Series([f"Zx81_{i % 300}" for i in range(600)]))
    made = make_condenser(n_records=600, unit="patient", drop=DROPPED[:3])
    with pytest.raises(TableError, match="have records in two parts") as caught:
        made.fit(by(scheduler, write(tmp_path / "parts", table, 2)))
    assert "Zx81_" not in str(caught.value)


# Each bad part ends in the sentence that it ends in without workers.
@pytest.mark.parametrize(
    "change",
    [
        spoiled(ward=pl.lit("Zx81sentinel")),
        lambda t: t.with_columns(died=pl.lit(1)),
        lambda t: t.drop("age"),
        lambda t: t.tail(16),
    ],
)
def test_a_bad_part_ends_in_the_same_sentence(
    tmp_path: Path, scheduler: Any, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    source = write(tmp_path / "parts", change(make_table(200)), 4, "csv")
    assert said(by(scheduler, source)) == said(source)


def test_a_damaged_file_ends_in_the_same_sentence(tmp_path: Path, scheduler: Any) -> None:
    source = write(tmp_path / "parts", make_table(200), 4)
    path = source.parts[2]
    path.write_bytes(path.read_bytes()[:-9])
    assert "cannot be read" in said(source)
    assert said(by(scheduler, source)) == said(source)


def test_parts_without_a_record_end_in_the_same_sentence(tmp_path: Path, scheduler: Any) -> None:
    source = write(tmp_path / "parts", make_table(60), 2)
    for path in source.parts:
        make_table(60).clear().write_parquet(path)
    assert said(by(scheduler, source)) == said(source)


def said(source: Partitioned) -> str:
    """Why a folder is refused."""
    with pytest.raises(TableError) as caught:
        make_condenser(n_records=200).fit(source)
    assert "sentinel" not in str(caught.value)
    assert caught.value.__context__ is None
    return str(caught.value)


def test_many_more_records_than_said_are_refused(tmp_path: Path, scheduler: Any) -> None:
    source = by(scheduler, write(tmp_path / "parts", make_table(300), 3))
    job = make_condenser(n_records=10).job()
    object.__setattr__(job, "sample", 50)
    with pytest.raises(TableError, match="twice"):
        Vault(job.seal, source, Ledger(job.plan()))


def fails(item: str) -> None:
    """As a library might."""
    raise SystemExit(f"cell {item}")


def dies(item: str) -> None:
    """As under a lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def wrong(item: str) -> None:
    """A sentence of ours."""
    raise SettingError("So it is.")


# What fails on a worker stays there, but for sentences of our own.
@pytest.mark.parametrize(
    ("task", "kind", "sentence"),
    [
        (fails, TinctureError, "why stays there"),
        (wrong, SettingError, "So it is"),
        pytest.param(dies, TableError, "workers were lost", marks=pytest.mark.slow),
    ],
)
def test_a_failed_task_quotes_nothing(
    scheduler: Any, task: Callable[[str], None], kind: type[TinctureError], sentence: str
) -> None:
    with (
        opened(None, scheduler.scheduler_address) as workers,
        pytest.raises(kind, match=sentence) as caught,
    ):
        list(workers.each(task, ["Zx81sentinel"]))
    assert "sentinel" not in str(caught.value)
    assert caught.value.__context__ is None


def test_workers_of_another_version_are_refused() -> None:
    with pytest.raises(SettingError, match=r"has Tincture 0\.0\.0"):
        cluster._value(cluster.Result("0.0.0", 1))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"workers": 0, "partitioned": True}, "from 1 to 1,000"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1", "partitioned": True}, "Give either"),
        ({"scheduler": "Zx81", "partitioned": True}, "No worker can be had"),
        ({"workers": 2}, "add --partitioned"),
    ],
)
def test_workers_that_cannot_be_had(tmp_path: Path, settings: Any, sentence: str) -> None:
    prepare(tmp_path)
    write(tmp_path / "parts", make_table(200), 2)
    about = 200 if settings.get("partitioned") else None
    said = run(*condensing(tmp_path, records=tmp_path / "parts", about=about, **settings))
    assert (said.code, sentence in said.err) == (2, True), said.err
    assert not (tmp_path / "out").exists()


def test_a_scheduler_that_does_not_answer_or_has_no_worker_is_told() -> None:
    with distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as local:
        for address in ("tcp://127.0.0.1:1", local.scheduler_address):
            with (
                pytest.raises(SettingError, match="No worker can be had"),
                opened(None, address, patience=1),
            ):
                pass


def test_one_module_alone_opens_dask() -> None:
    named = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ("distributed", "dask")
    }
    imported = {n for n, tree in MODULES.items() if {"dask", "distributed"} & set(imports(tree))}
    assert named | imported == {"io.cluster"}
