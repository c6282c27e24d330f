"""Attacks on stays find what was leaked on purpose, and nothing where nothing is.

Generators have fixed seeds; the noise has none, and where a test depends on it the rate of false
alarms is stated.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from commands import run
from series_helpers import LAYOUT, make_stays, records, stays_condenser
from test_audit_release import assert_sound
from tincture.audit.attacks import Scene, by_references, by_statistic
from tincture.audit.audit import attack
from tincture.audit.findings import Audit
from tincture.audit.told import from_file, to_file, told
from tincture.errors import SettingError, TableError
from tincture.spine.job import Found, Tell
from tincture.stays.description import Description, likelihood
from tincture.stays.job import StaysJob
from tincture.stays.release import CondensedSeries
from tincture.stays.target import StaysTarget, audit_stays

TRAINING, HELD_OUT = make_stays(), make_stays(seed=1)
LOOKS = ["attacked members", "attacked others"]


def release_of(stays: tuple[pl.DataFrame, pl.DataFrame], epsilon: float) -> CondensedSeries:
    condenser = stays_condenser(n_rows=40, epsilon=epsilon)
    return condenser.fit(*stays).table_


@pytest.fixture(scope="module")
def release() -> CondensedSeries:
    return release_of(TRAINING, 2.0)  # at 1 noise hides the one variable in 1 release of 10


def attacked(release: CondensedSeries, **changes: Any) -> Audit:
    settings: dict[str, Any] = {"held_out_events": HELD_OUT[0], "canaries": 50} | changes
    return audit_stays(release, *TRAINING, HELD_OUT[1], **settings)


@pytest.fixture(scope="module")
def audited(release: CondensedSeries) -> Audit:
    return attacked(release, canaries=200)


def copied(release: CondensedSeries, n: int = 60) -> CondensedSeries:
    """A release that hands on real stays."""
    events, outcomes = TRAINING
    kept = outcomes.head(n)
    return replace(release, events=events.join(kept, on="stay_id", how="semi"), outcomes=kept)


def test_a_private_release_of_stays_is_found_sound(audited: Audit) -> None:
    assert_sound(audited)
    assert audited.membership[0].name == "closest stay"


def test_stays_that_were_copied_are_found(release: CondensedSeries) -> None:
    found = attacked(copied(release))
    assert found.membership[0].area.low > 0.55
    assert found.closeness.equal_to_training == found.closeness.rows == 60
    assert found.closeness.equal_to_held_out == 0
    assert found.closeness.nearer_to_training.low > 0.9
    assert found.closeness.nearest_row == 0.0 < found.closeness.nearest_held_out


def test_copies_that_were_blurred_a_little_are_found(release: CondensedSeries) -> None:
    copies = copied(release)
    rng = np.random.default_rng(0)
    noise = pl.Series(rng.normal(0, 0.02, copies.events.height))
    blurred = replace(copies, events=copies.events.with_columns(pl.col("value") + noise))
    found = attacked(blurred)
    assert found.membership[0].area.low > 0.55
    assert found.closeness.equal_to_training == 0
    assert found.closeness.nearer_to_training.low > 0.9


class Copying(StaysJob):
    """A method that hands out real stays."""

    def search(self, engine: Any, rng: np.random.Generator, tell: Tell) -> Found:
        real = engine._vault._units.records
        some = rng.choice(len(real), 150, replace=False)
        return Found(real.points[some], real.outcomes[some], {"prevalence": 0.5})


class CopyingTarget(StaysTarget):
    def job(self, seed: int) -> Copying:
        return Copying(**vars(super().job(seed)))


def test_the_likelihood_ratio_finds_the_members_of_a_method_that_copies(
    release: CondensedSeries,
) -> None:
    target = CopyingTarget(copied(release, 150))
    audited = attack(target, TRAINING, HELD_OUT, canaries=50, references=8)
    found = {a.name: a.area for a in audited.membership}
    assert found["likelihood ratio, closest"].low > 0.6


def test_a_model_that_learned_by_heart_betrays_whom_it_learned_of(
    rng: np.random.Generator,
) -> None:
    members, others = (
        np.column_stack([rng.normal(size=(100, 80)), rng.permutation(100) % 2]) for _ in "mo"
    )
    everybody = np.concatenate([members, others])
    scene = Scene(members, members, others)
    assert by_statistic("loss", likelihood, scene, rng).area.low > 0.55
    made = by_references(scene, lambda places, _: everybody[places], 8, rng,
                         lambda done, total: None, {"ratio": likelihood})  # fmt: skip
    assert made[0].area.low > 0.55


@pytest.mark.slow
def test_reference_releases_of_stays_are_made_of_halves(release: CondensedSeries) -> None:
    # Without leaks the area lies within twice its 95% interval of ½ in 99.99% of runs.
    seen: list[tuple[int, int]] = []
    found = attacked(release, references=4, progress=lambda done, total: seen.append((done, total)))
    for one in found.membership[-2:]:
        assert one.name.startswith("likelihood ratio")
        assert abs(one.area.value - 0.5) < one.area.high - one.area.low
    assert seen == [(i, 4) for i in range(5)]


def test_the_loss_of_a_model_is_that_of_each_outcome(rng: np.random.Generator) -> None:
    invented = np.column_stack([rng.normal(size=(200, 3)), np.arange(200) % 2])
    invented[:, 0] += 2 * invented[:, -1]
    sure = np.array([[3.0, 0, 0, 1], [3, 0, 0, 0], [-1, 0, 0, 0]])
    right, wrong, also_right = likelihood(invented, sure)
    assert wrong < -1 < min(right, also_right) <= max(right, also_right) < 0
    np.testing.assert_allclose(np.exp(right) + np.exp(wrong), 1.0)


def test_a_description_holds_what_was_invented_and_the_outcome() -> None:
    real, invented = records(60), records(20, seed=4)
    grid, statics = (part.copy() for part in LAYOUT.parts(invented.points))
    grid[:, :, 1] = np.nan
    statics[:, 2:] = [0.0, 0.0, 1.0]
    invented = replace(invented, points=LAYOUT.points(grid, statics.astype(float)))
    describe = Description.of(LAYOUT, real, invented)
    values = describe(real)
    assert values.shape == (60, 2 * (2 + 1 + 4) + 2 + 1)  # two variables, age or none, outcome
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(values[:, -1], real.outcomes[:, 0])
    np.testing.assert_allclose(describe(real.take(slice(5, 6)))[0], values[5])


def test_an_audit_of_stays_is_marked_in_house_and_says_what_it_saw(
    release: CondensedSeries, audited: Audit, tmp_path: Path
) -> None:
    found = json.loads(json.dumps(to_file(audited), allow_nan=False))
    assert "do not release" in found["notice"]
    assert (found["holds"], found["looks"]) == ("stays", LOOKS)
    assert {f["attack"] for f in found["findings"]} >= {"closest stay", "stays"}
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(found))
    assert repr(from_file(path, release)) == repr(told(audited))
    assert release.fingerprint != release_of(TRAINING, math.inf).fingerprint


def test_wrong_settings_are_refused_before_a_stay_is_seen(release: CondensedSeries) -> None:
    wrong: list[tuple[dict[str, Any], str]]
    wrong = [({"references": 3}, "references were asked"), ({"canaries": 3}, "canaries were asked")]
    for changes, message in wrong:
        with pytest.raises(SettingError, match=message):
            audit_stays(release, None, None, None, **changes)


def test_stays_on_both_sides_and_too_few_are_refused(release: CondensedSeries) -> None:
    events, outcomes = TRAINING
    with pytest.raises(TableError, match="among those condensed"):
        audit_stays(release, events, outcomes.head(200), outcomes.tail(150), canaries=50)
    with pytest.raises(TableError, match="at least 20 stays"):
        audit_stays(release, events, outcomes.head(200), outcomes.tail(19), canaries=50)


@pytest.fixture
def files(release: CondensedSeries, tmp_path: Path) -> list[Any]:
    """Arguments of the command, for tables that lie in a folder."""
    release.save(tmp_path / "out")
    for name, (events, outcomes) in (("train", TRAINING), ("other", HELD_OUT)):
        events.write_parquet(tmp_path / f"{name}.parquet")
        outcomes.write_csv(tmp_path / f"{name}.csv")
    args = ["audit-series", tmp_path / "out", tmp_path / "train.parquet"]
    args += ["--records", tmp_path / "train.csv", "--held-out", tmp_path / "other.csv"]
    return [*args, "--held-out-events", tmp_path / "other.parquet", "--canaries", 50]


def test_the_command_writes_its_looks_beside_the_release(files: list[Any], tmp_path: Path) -> None:
    said = run(*files, "--out", tmp_path / "audit.json")
    assert (said.code, said.err) == (0, "")
    assert "computed from real records — do not release" in said.out
    assert "passed: no unit adds more than the clip" in said.out
    assert "do not release" in json.loads((tmp_path / "audit.json").read_text())["notice"]
    again = json.loads(run(*files, "--json").out)
    assert again["is_sound"] is True
    assert "do not release" in again["notice"]
    looks = (tmp_path / "out.in-house.jsonl").read_text().splitlines()
    assert [json.loads(line)["look"] for line in looks] == LOOKS * 2
    assert not list((tmp_path / "out").glob("*in-house*"))


def test_wrong_input_is_one_sentence_without_a_value(files: list[Any], tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text((tmp_path / "other.csv").read_text().replace(",f,", ",Zx81,"))
    wrong = {
        "--held-out": [
            (tmp_path / "train.csv", "holds the same records"),
            (tmp_path / "bad.csv", "sex"),
            (tmp_path / "absent.csv", "absent.csv"),
        ],
        "--held-out-events": [(tmp_path / "none.parquet", "do not exist")],
    }
    for option, cases in wrong.items():
        for path, sentence in cases:
            given = list(files)
            given[given.index(option) + 1] = path
            said = run(*given, "--out", tmp_path / "audit.json")
            assert said.code in range(2, 10)
            assert said.out == ""
            assert sentence in said.err
            assert "Zx81" not in said.err
            assert len(said.err.splitlines()) == 1
    files[1] = tmp_path
    assert "is not a release: datapackage.json is absent" in run(*files).err
    assert not (tmp_path / "audit.json").exists()
