"""The cohort: as many people as were counted, at no question, beside rows that do not heed it."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import condensing, prepare, run
from helpers import ENCODING, OTHERS, SCHEMA, make_condenser, make_table, make_teacher
from tincture.errors import ReleaseError, SettingError
from tincture.io.frames import to_frame
from tincture.public.schema import Schema
from tincture.public.tasks import Classification, Survival
from tincture.spine.teaching import Teacher
from tincture.tables.cohort import filled, outcomes_of
from tincture.tables.condenser import Condenser
from tincture.tables.products import Crossed
from tincture.tables.release import CondensedTable

SURVIVAL: dict[str, Any] = {"target": None, "time": "days", "event": "event", "models": ["cox"]}
SURVIVAL["drop"] = ["died", "stage", "patient"]
STAGES: dict[str, Any] = {"target": "stage", "drop": [*OTHERS["stage"], "patient"]}


def cohort_of(made: Condenser) -> pl.DataFrame:
    frame = made.cohort_frame("polars")
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_there_are_as_many_people_as_were_counted(condensed: Condenser) -> None:
    assert len(cohort_of(make_condenser().fit(make_table()))) == 600  # without noise
    # ε = 1 on one count of some: far more than five deviations of the noise.
    assert len(cohort_of(condensed)) == pytest.approx(600, abs=300)
    assert len(cohort_of(make_condenser(cohort=7).fit(make_table()))) == 7


@pytest.mark.parametrize(
    "changes", [{}, STAGES, SURVIVAL], ids=["classes", "three classes", "survival"]
)
def test_people_are_written_as_rows_are_and_have_the_real_outcomes(changes: dict[str, Any]) -> None:
    # A share of 20,000 is off by less than 0.02; the hazards of few time bins add some.
    made = make_condenser(cohort=20_000, **changes).fit(make_table())
    people, real = cohort_of(made), make_table()
    assert people.schema == made.table_.rows.schema
    for column in made.table_.schema.columns:
        cells = people[column.name].drop_nulls()
        if column.is_categorical:
            assert set(cells.to_list()) <= set(column.levels)
        else:
            low, high = column.bounds
            assert low <= float(str(cells.min())) <= float(str(cells.max())) <= high
    for name in set(made.table_.outcome.columns) - {"days"}:
        for level in real[name].unique():
            shares = [float(np.mean((t[name] == level).to_numpy())) for t in (people, real)]
            assert shares[0] == pytest.approx(shares[1], abs=0.05)


@pytest.mark.parametrize(
    "changes", [{}, STAGES, SURVIVAL], ids=["classes", "three classes", "survival"]
)
def test_rows_do_not_depend_on_how_many_people_there_are(changes: dict[str, Any]) -> None:
    none, some, usual = (
        make_condenser(cohort=n, **changes).fit(make_table()) for n in (0, 50, None)
    )
    assert none.to_frame().equals(some.to_frame())
    assert none.to_frame().equals(usual.to_frame())


def test_nothing_more_is_asked_for_a_cohort() -> None:
    def booked(cohort: int | None) -> tuple[list[str], list[Any], float]:
        ledger = make_condenser(epsilon=1.0, cohort=cohort).fit(make_table()).ledger
        return [e.question for e in ledger.entries], ledger.to_dict()["phases"], ledger.epsilon()

    assert booked(None) == booked(0) == booked(1000)


def test_a_continued_run_has_the_cohort_of_a_whole_one(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def progress(done: int, total: int) -> None:
        if done == total - 1:
            raise Killed

    whole = make_condenser().fit(make_table())
    with pytest.raises(Killed):
        make_condenser().fit(make_table(), journal=tmp_path / "j", progress=progress)
    with pytest.raises(ReleaseError, match="other settings"):
        make_condenser(cohort=3).fit(make_table(), journal=tmp_path / "j")
    again = make_condenser().fit(make_table(), journal=tmp_path / "j")
    assert cohort_of(again).equals(cohort_of(whole))


def test_a_cohort_is_saved_described_and_loaded(condensed: Condenser, tmp_path: Path) -> None:
    condensed.save(tmp_path / "out")
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    rows, people = package["resources"]
    assert (rows["path"], people["path"]) == ("condensed.csv", "cohort.csv")
    assert rows["schema"] == people["schema"]
    loaded = CondensedTable.load(tmp_path / "out")
    assert loaded.cohort is not None
    assert loaded.cohort.equals(cohort_of(condensed))
    assert loaded.fingerprint == condensed.table_.fingerprint
    without = dataclasses.replace(loaded, cohort=None)
    assert without.fingerprint != loaded.fingerprint
    for name in ("README.md", "card.html"):
        assert "cohort.csv holds many" in (tmp_path / "out" / name).read_text()


def test_no_cohort_leaves_no_trace(tmp_path: Path) -> None:
    made = make_condenser(cohort=0).fit(make_table())
    made.save(tmp_path / "out")
    assert not (tmp_path / "out" / "cohort.csv").exists()
    assert "cohort.csv" not in (tmp_path / "out" / "README.md").read_text()
    assert CondensedTable.load(tmp_path / "out").cohort is None
    with pytest.raises(ReleaseError, match="no cohort"):
        made.cohort_frame()


def test_the_direct_method_makes_none_and_refuses_to_be_asked() -> None:
    assert make_condenser(method="direct").fit(make_table()).table_.cohort is None
    with pytest.raises(SettingError, match="no teacher"):
        make_condenser(cohort=10, method="direct").job()
    with pytest.raises(SettingError, match="no teacher"):
        make_condenser(apart=True, method="direct").job()


def test_the_command_takes_a_number_of_people(tmp_path: Path) -> None:
    prepare(tmp_path)
    refused = run(*condensing(tmp_path, cohort=5, method="direct"))
    assert refused.code == 2
    assert "no teacher" in refused.err
    assert not (tmp_path / "out").exists()
    assert run(*condensing(tmp_path, cohort=5)).code == 0
    assert len((tmp_path / "out" / "cohort.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize("cohort", [-1, 1_000_001, 2.0, True, "many"])
def test_a_number_that_is_none_is_refused(cohort: Any) -> None:
    with pytest.raises(SettingError, match="cohort"):
        make_condenser(cohort=cohort).job()


def test_a_large_cohort_is_written_in_seconds(tmp_path: Path) -> None:
    def took(cohort: int) -> float:
        start = time.process_time()
        make_condenser(cohort=cohort).fit(make_table()).save(tmp_path / str(cohort))
        return time.process_time() - start

    assert took(100_000) - took(0) < 5


# 50,000 outcomes: a share is off by more than 0.015 less than once in 10^10 runs.
def test_outcomes_are_drawn_by_the_score_and_the_counts() -> None:
    rng, scores = np.random.default_rng(0), np.repeat([-2.0, 0.0, 2.0], 50_000)
    died = Classification.of(SCHEMA, "died").drawn(scores, np.ones(2), rng)
    shares = died.reshape(3, -1).mean(axis=1)
    assert shares == pytest.approx(1 / (1 + np.exp([2.0, 0.0, -2.0])), abs=0.015)

    task = Survival.of(SCHEMA, "days", "event")
    counts = np.repeat([50.0, 20.0], task.n_bins)
    drawn = task.drawn(np.zeros(50_000), counts, rng)
    again = np.bincount(task.cells(drawn), minlength=task.n_cells) / 50_000
    by_end = (
        again.reshape(2, -1).cumsum(axis=1),
        (counts / counts.sum()).reshape(2, -1).cumsum(axis=1),
    )
    assert by_end[0] == pytest.approx(by_end[1], abs=0.02)
    early = task.drawn(np.repeat([0.0, 1.0], 50_000), counts, rng).reshape(2, -1, 2)
    assert early[1, :, 1].mean() > early[0, :, 1].mean() + 0.1


def test_frames_hold_what_was_given() -> None:
    fields = [
        {"name": "level", "type": "boolean"},
        {"name": "whole", "type": "integer", "constraints": {"minimum": 0, "maximum": 9}},
        {"name": "share", "type": "number", "constraints": {"minimum": 0, "maximum": 1}},
    ]
    schema = Schema.from_dict({"fields": fields})
    values = {"level": np.array([1, -1]), "whole": np.array([2.0, math.nan])}
    frame = to_frame({**values, "share": np.array([math.nan, 0.5])}, schema)
    assert frame.rows() == [(schema["level"].levels[1], 2, None), (None, None, 0.5)]


def test_a_column_that_everyone_lacks_has_a_filled_design() -> None:
    # Without a warning, which pytest makes an error.
    design = np.array([[np.nan, 1.0, np.nan], [np.nan, np.nan, 3.0]])
    assert (filled(design) == [[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]).all()


def test_outcomes_are_even_along_all_columns_but_those_that_tell_together() -> None:
    """A tree finds an exclusive-or only where chance lets one of its columns seem to tell.

    What the teacher leaves unexplained along a column has a deviation of √(n p(1 − p)) by chance,
    here 22; evened it is a fifth of that at most.
    """
    rng = np.random.default_rng(0)
    plain = make_teacher(rng)
    points = ENCODING.snap(plain.basis.marginals.place(plain.basis.marginals.draw(2000, rng)))
    basis = Crossed.fitting(plain.basis, [(0, 1)], points)
    teacher = Teacher(basis, np.zeros(basis.size))
    brief: Any = SimpleNamespace(
        task=Classification("died", 2), counts=np.array([1000.0, 1000.0]), encoding=ENCODING
    )
    values, apart = basis.values(points), np.arange(len(points))
    left = []
    for seed in range(20):
        died = outcomes_of(points, apart, brief, teacher, np.random.default_rng(seed))[:, 0]
        left.append(values.T @ (died - 0.5) / np.maximum(np.linalg.norm(values, axis=0) / 2, 1e-9))
    spread = np.sqrt(np.square(left).mean(axis=0))
    own = np.concatenate([np.arange(b.start, b.stop) for b in basis.blocks[:2]])
    others = np.setdiff1d(np.arange(len(spread) - 1), own)
    assert np.median(spread[own]) > 0.5
    assert np.median(spread[others]) < 0.2
