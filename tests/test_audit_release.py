"""Attacks find what was leaked on purpose, and nothing where nothing is.

Where a test depends on chance, its generator has a fixed seed, and its threshold is stated.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Said, run
from helpers import SCHEMA, make_table
from tincture.audit.disclosure import closeness_of, inferred, proportion
from tincture.audit.findings import Audit
from tincture.audit.membership import (
    closeness,
    density_ratio,
    halves,
    hit_rate,
    judged,
    likelihood_ratio,
    nearest,
)
from tincture.audit.told import from_file, to_file, told
from tincture.errors import ReleaseError, SettingError, TableError
from tincture.public.encoding import Encoding
from tincture.tables.condenser import Condenser
from tincture.tables.target import audit

WIDTH = 5


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(size=(n, WIDTH))


def test_nearest_is_the_nearest_by_hand(rng: np.random.Generator) -> None:
    a, b = drawn(rng, 40), drawn(rng, 30)
    by_hand = [min(np.abs(x - y).sum() for y in b) for x in a]
    assert nearest(a, b) == pytest.approx(by_hand)
    assert closeness(b, a) == pytest.approx([-d for d in by_hand])


def test_members_that_were_copied_are_found(rng: np.random.Generator) -> None:
    members, others, reference = (drawn(rng, n) for n in (300, 2000, 2000))
    rows = members[:100] + rng.normal(0, 1e-3, (100, WIDTH))
    attack = judged("copies", closeness(rows, members), closeness(rows, others), rng)
    assert attack.area.low > 0.55
    assert attack.hits[1].value == pytest.approx(1 / 3, abs=0.05)
    assert attack.hits[1].low <= attack.hits[1].value <= attack.hits[1].high
    for kernel in (True, False):
        ratio = [density_ratio(rows, reference, t, kernel=kernel) for t in (members, others)]
        assert np.isfinite(np.concatenate(ratio)).all()
    inside, outside = (density_ratio(rows, reference, t, kernel=True) for t in (members, others))
    assert judged("kernels", inside, outside, rng).area.low > 0.5


def test_rows_that_know_no_member_betray_none(rng: np.random.Generator) -> None:
    # 60 attacks; each interval misses ½ in 5%, 12 or more of 60 by chance in 4e-5 of the tests.
    missed = 0
    for _ in range(20):
        rows, members, others, reference = (drawn(rng, n) for n in (50, 300, 300, 300))
        pairs = [[closeness(rows, t) for t in (members, others)]] + [
            [density_ratio(rows, reference, t, kernel=kernel) for t in (members, others)]
            for kernel in (True, False)
        ]
        areas = [judged("none", inside, outside, rng).area for inside, outside in pairs]
        missed += sum(not a.low <= 0.5 <= a.high for a in areas)
    assert missed < 12


def test_too_few_others_tell_no_small_rate(rng: np.random.Generator) -> None:
    scores = rng.normal(size=500)
    assert np.isnan(hit_rate(scores, scores, 0.001, rng).value)
    assert hit_rate(scores, scores, 0.01, rng).value <= 0.01
    assert hit_rate(scores + 100, scores, 0.01, rng).value == 1.0


def test_every_record_is_in_half_of_the_references(rng: np.random.Generator) -> None:
    inside = halves(31, 8, rng)
    assert inside.shape == (8, 31)
    assert (inside.sum(axis=0) == 4).all()


def test_the_likelihood_ratio_finds_members_by_their_references(rng: np.random.Generator) -> None:
    included, member = halves(400, 16, rng), np.arange(400) < 200
    base = rng.normal(0, 5, 400)  # easy and hard records, which a fixed threshold would mix up
    references = base + 2.0 * included + rng.normal(size=included.shape)
    seen = base + 2.0 * member + rng.normal(size=400)
    ratio = likelihood_ratio(seen, references, included)
    plain = judged("plain", seen[member], seen[~member], rng).area.value
    found = judged("ratio", ratio[member], ratio[~member], rng).area
    assert found.low > 0.85 > 0.7 > plain


def test_copies_are_seen_to_lie_too_close(rng: np.random.Generator) -> None:
    training, held_out = drawn(rng, 400), drawn(rng, 400)
    copied = closeness_of(training[:60], training, held_out, rng)
    assert (copied.equal_to_training, copied.equal_to_held_out) == (60, 0)
    assert copied.nearer_to_training.low > 0.9
    assert copied.very_near.value == 1.0
    assert copied.nearest_row == 0.0 < copied.nearest_held_out
    fresh = closeness_of(np.repeat(drawn(rng, 60), 2, axis=0), training, held_out, rng)
    assert fresh.rows == 60  # copies of a row are one row
    assert fresh.equal_to_training == 0
    assert fresh.nearer_to_training.low < 0.5 < fresh.nearer_to_training.high


def test_a_share_has_the_exact_interval() -> None:
    assert proportion(0, 100).high == pytest.approx(1 - 0.025**0.01)
    assert np.isnan(proportion(0, 0).value)


def test_an_attribute_is_told_from_rows_that_hold_it(rng: np.random.Generator) -> None:
    encoding = Encoding([SCHEMA[n] for n in ("age", "sodium", "diabetes")])
    points = encoding.snap(rng.uniform(size=(900, encoding.width)))
    training, held_out = points[:300], points[300:]
    betrayed = inferred("diabetes", encoding, training, training, held_out)
    assert betrayed.members.low > 0.7
    assert betrayed.lead.low > 0.2
    assert betrayed.baseline < 0.5
    amount = inferred("age", encoding, held_out[:300], training, held_out[300:])
    assert amount.lead.low < 0 < amount.lead.high
    with pytest.raises(SettingError, match="no column 'fate'"):
        inferred("fate", encoding, training, training, held_out)


@pytest.fixture(scope="module")
def audited(condensed: Condenser) -> Audit:
    return audit(
        condensed.table_,
        make_table(),
        make_table(400, seed=1),
        sensitive=["ward", "age"],
        canaries=200,
    )


def assert_sound(audited: Audit) -> None:
    """Areas lie in their 95% intervals of ½ widened to 99.99%."""
    assert audited.is_sound
    for attack in audited.membership:
        half = (attack.area.high - attack.area.low) / 2
        assert abs(attack.area.value - 0.5) < 2 * half
    assert audited.closeness.equal_to_training == 0


def test_a_private_release_is_found_sound(audited: Audit) -> None:
    assert_sound(audited)
    assert [i.column for i in audited.inference] == ["ward", "age"]


def test_an_audit_is_marked_in_house_and_says_what_it_saw(audited: Audit) -> None:
    found = json.loads(json.dumps(audited.to_dict(), allow_nan=False))
    assert "do not release" in found["notice"]
    assert found["looks"] == ["attacked members", "attacked others"]
    assert found["one_run"]["holds"] is True
    assert {c["passed"] for c in found["vault"]} == {True}
    # Fewer than a thousand others say nothing of 0.1% false alarms.
    assert found["membership"][0]["hits"][0]["value"] is None


@pytest.mark.slow
def test_reference_releases_are_made_of_halves(condensed: Condenser) -> None:
    seen: list[tuple[int, int]] = []
    found = audit(
        condensed.table_,
        make_table(),
        make_table(400, seed=1),
        references=4,
        canaries=50,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [a.name for a in found.membership][-1] == "likelihood ratio"
    assert seen == [(i, 4) for i in range(5)]


def test_wrong_settings_are_refused_before_a_record_is_seen(condensed: Condenser) -> None:
    table = condensed.table_
    for references in (-2, 3, 10**20):  # found: the last went on for ever
        with pytest.raises(SettingError, match="references were asked for"):
            audit(table, None, None, references=references)
    with pytest.raises(SettingError, match="no column 'fate'"):
        audit(table, None, None, sensitive=["fate"])
    with pytest.raises(SettingError, match="canaries"):
        audit(table, None, None, canaries=3)
    few = make_table(19)
    with pytest.raises(TableError, match="at least 20"):
        audit(table, few, make_table(50, seed=1), canaries=50)


def test_the_command_writes_its_looks_beside_the_release(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    make_table(200).write_csv(tmp_path / "train.csv")
    make_table(200, seed=1).write_parquet(tmp_path / "other.parquet")
    args = ["audit", tmp_path / "out", "--records", tmp_path / "train.csv"]
    args += ["--held-out", tmp_path / "other.parquet", "--canaries", 50, "--sensitive", "ward"]
    said = run(*args)
    assert (said.code, said.err) == (0, "")
    assert "do not release" in said.out
    assert "passed: no unit adds more than the clip" in said.out
    assert json.loads(run(*args, "--json").out)["is_sound"] is True
    looks = (tmp_path / "out.in-house.jsonl").read_text().splitlines()
    assert [json.loads(line)["look"] for line in looks] == [
        "attacked members",
        "attacked others",
    ] * 2
    assert not list((tmp_path / "out").glob("*in-house*"))


def test_an_audit_is_shown_on_the_page_of_its_own_release_only(
    condensed: Condenser, audited: Audit, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    for name, seed in (("train", 0), ("test", 1)):
        make_table(200, seed=seed).write_csv(tmp_path / f"{name}.csv")
    whole = json.dumps(to_file(audited))
    (tmp_path / "audit.json").write_text(whole)
    args = ["evaluate", tmp_path / "out", "--train", tmp_path / "train.csv"]
    args += ["--test", tmp_path / "test.csv", "--quiet", "--audit", tmp_path / "audit.json"]
    assert "add --report" in run(*args).err
    page = tmp_path / "page.html"
    assert run(*args, "--report", page) == Said(0, "", "")
    text = page.read_text()
    area = audited.membership[0].area
    for shown in ("closest row", f"{area.value:.3f}", "ward inferred", "passed: noise is as large"):
        assert shown in text
    other = tmp_path / "other.html"
    for wrong, sentence in [
        (whole.replace(audited.release, "0" * 64), "an audit of another release"),
        (whole.replace('"chance": 0.5', '"chance": "half"'), "absent or no audit"),
        (whole.replace('"findings"', '"found"'), "absent or no audit"),
        ("[]", "absent or no audit"),
    ]:
        (tmp_path / "audit.json").write_text(wrong)
        said = run(*args, "--report", other)
        assert (said.code, sentence in said.err, other.exists()) == (8, True, False)


def test_findings_are_the_same_on_a_page_as_in_the_file(
    condensed: Condenser, audited: Audit, tmp_path: Path
) -> None:
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(to_file(audited), allow_nan=False))
    assert repr(from_file(path, condensed.table_)) == repr(told(audited))  # NaN is no NaN
    path.write_text("[" * 100_000)
    with pytest.raises(ReleaseError, match="absent or no audit"):
        from_file(path, condensed.table_)


def test_a_failed_audit_quotes_no_record(condensed: Condenser, tmp_path: Path) -> None:
    condensed.save(tmp_path / "out")
    bad = make_table(60).with_columns(ward=pl.lit("Zx81sentinel"))
    bad.write_csv(tmp_path / "bad.csv")
    said = run("audit", tmp_path / "out", "--records", tmp_path / "bad.csv",
               "--held-out", tmp_path / "bad.csv", "--canaries", 50)  # fmt: skip
    assert said.code == 4
    assert "Zx81sentinel" not in said.out + said.err
