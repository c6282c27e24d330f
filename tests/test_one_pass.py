"""Records in parts are read once: all are counted as they pass, and a sample answers the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import DROPPED, condensing, listing, prepare, run
from helpers import ENCODING, SCHEMA, Ask, ShortJob, make_condenser, make_table, plan_of, value_of
from tincture.errors import QueryFailed, SettingError, TableError
from tincture.io.parts import Partitioned
from tincture.privacy.accounting import Mechanism
from tincture.privacy.kept import Kept
from tincture.privacy.ledger import Ledger
from tincture.privacy.noise import poisson_sample
from tincture.privacy.query import Query, Records
from tincture.privacy.stream import Stream, in_turn
from tincture.privacy.vault import Vault
from tincture.public.tasks import Classification
from tincture.spine.questions import CellCounts
from tincture.tables.questions import MarginalCounts
from tincture.tables.sealing import TableSealing

HALF = 2_000_000  # records said, of which every second is kept
ONES = Ask(lambda r: np.ones((len(r), 1)))
DIED = Ask(lambda r: r.outcomes)
SEALING = TableSealing(SCHEMA, ENCODING, Classification("died", 2))


def write(folder: Path, table: pl.DataFrame, n_parts: int, suffix: str = "parquet") -> Partitioned:
    """The table in parts that follow each other."""
    folder.mkdir()
    size = -(-len(table) // n_parts)
    for i, part in enumerate(table.iter_slices(size)):
        path = folder / f"part-{i:03}.{suffix}"
        part.write_parquet(path) if suffix == "parquet" else part.write_csv(path)
    return Partitioned(folder)


def streamed(
    table: pl.DataFrame,
    ledger: Ledger,
    opening: Sequence[Query],
    rate: float,
    *,
    n_parts: int = 3,
    key: bytes | None = None,
) -> Vault:
    """A vault that a table passed."""

    def seal(_: object) -> Stream:
        parts = [SEALING(part) for part in table.iter_slices(-(-len(table) // n_parts))]
        return Stream(in_turn(parts), tuple(opening), rate)

    return Vault(seal, None, ledger, key=key)


def of_many(noise: float = 0.0, rate: float = 1.0) -> Ledger:
    return Ledger(plan_of(noise, rate))


# One Parquet file and forty of CSV: the same release in every byte, half the records being kept.
# Records are in the order of their outcome, so that most parts hold one class.
def test_parts_change_no_byte_of_a_release(tmp_path: Path) -> None:
    found = []
    for n_parts, suffix in ((1, "parquet"), (40, "csv")):
        source = write(tmp_path / suffix, make_table(400).sort("died"), n_parts, suffix)
        make_condenser(n_records=HALF, seed=3).fit(source).save(tmp_path / f"out{n_parts}")
        found.append(listing(tmp_path / f"out{n_parts}"))
    assert found[0] == found[1]


# Persons with several records, which lie apart: the same sums over all of them, and over a sample.
def test_parts_change_no_sum_over_persons(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    who = [rng.permutation(np.repeat(np.arange(i, i + 12), 3)) for i in range(0, 60, 12)]
    table = make_table(180).with_columns(patient=pl.Series(np.concatenate(who)))
    job = make_condenser(n_records=HALF, unit="patient", drop=DROPPED[:3]).job()
    asked = [
        *(CellCounts(job.task), MarginalCounts(job.encoding)),
        Ask(lambda r: r.points[:, :3], size=3, question="rank products"),
    ]
    found = []
    for n_parts in (1, 5):
        source = write(tmp_path / f"{n_parts}", table, n_parts)
        vault = Vault(job.seal, source, Ledger(job.plan()), key=b"known")
        found.append([value_of(vault.noisy_sum(q, Mechanism(0.0))).tolist() for q in asked])
    assert found[0] == found[1]
    assert sum(found[0][0]) == pytest.approx(60, abs=0.01)


# Where all are kept, a release of the parts differs from one of the table by its settings alone.
def test_where_all_are_kept_the_rows_are_those_of_the_whole_table(tmp_path: Path) -> None:
    table = make_table(300)
    whole = make_condenser().fit(table)
    parts = make_condenser(n_records=300).fit(write(tmp_path / "parts", table, 4))
    assert parts.to_frame().equals(whole.to_frame())
    assert parts.table_.settings == {**whole.table_.settings, "n_records": 300}


def test_what_opens_is_asked_of_all_and_the_rest_of_a_sample() -> None:
    table = make_table(2000)
    vault = streamed(table, of_many(), [DIED], 0.5)
    died = value_of(vault.noisy_sum(DIED, Mechanism(0.0)))[0]
    assert died == pytest.approx(table["died"].sum(), abs=0.01)
    # Of 2000 coins, five deviations: a false alarm in 1.7 million runs.
    units = value_of(vault.noisy_sum(ONES, Mechanism(0.0)))[0]
    assert units == value_of(vault.noisy_sum(ONES, Mechanism(0.0)))[0]  # the same sample
    assert units != 2000
    assert abs(units - 2000) < 5 * 2 * math.sqrt(2000 / 4)


def test_a_share_is_of_all_units_and_never_credited() -> None:
    seen: list[int] = []

    def count(records: Records) -> np.ndarray:
        seen.append(len(records))
        return np.ones((len(records), 1))

    vault = streamed(make_table(4000), of_many(2.0), [], 0.5)
    answer = vault.noisy_sum(Ask(count), Mechanism(2.0), share=0.1)
    assert 280 < sum(seen) < 520  # 400 expected, 6 deviations
    assert answer.noise == pytest.approx(2.0 / 0.1)
    assert vault.noisy_sum(Ask(count), Mechanism(2.0)).noise == pytest.approx(2.0 / 0.5)
    assert {e.mechanism for e in vault.ledger.entries} == {Mechanism(2.0)}


# A sampling rate that the accounting credits must not meet a sum over everybody.
def test_a_question_with_a_credited_rate_is_asked_of_a_sample() -> None:
    vault = streamed(make_table(2000), of_many(0.0, 0.5), [ONES], 0.5)
    units = {value_of(vault.noisy_sum(ONES, Mechanism(0.0, 0.5)))[0] for _ in range(5)}
    assert len(units) > 1
    assert {u % 4 for u in np.rint(list(units))} == {0}  # in steps of 1 / (0.5 · 0.5)


def test_a_question_that_fails_while_all_pass_is_told_when_it_is_asked() -> None:
    def betray(records: Records) -> np.ndarray:
        raise RuntimeError(f"Zx81sentinel {records.outcomes[0]}")

    query = Ask(betray)
    vault = streamed(make_table(100), of_many(), [query], 1.0)
    assert not vault.ledger.entries
    with pytest.raises(QueryFailed) as caught:
        vault.noisy_sum(query, Mechanism(0.0))
    assert caught.value.__context__ is None
    assert "sentinel" not in str(caught.value)
    assert len(vault.ledger.entries) == 1


def test_a_run_that_promises_something_takes_no_key() -> None:
    with pytest.raises(ValueError, match="from the system"):
        streamed(make_table(50), of_many(2.0), [], 0.5, key=b"known")


def test_two_private_runs_keep_other_units() -> None:
    vaults = [streamed(make_table(2000), of_many(), [], 0.5) for _ in range(2)]
    sums = [value_of(v.noisy_sum(Ask(lambda r: r.points[:, :1]), Mechanism(0.0))) for v in vaults]
    assert sums[0] != sums[1]


# Coins follow from the number alone, so that parts, and parts read again, fall alike; 40,000 of
# them at 0.3 lie within five deviations of what is expected, as do pairs of neighbours.
def test_a_coin_follows_from_its_number() -> None:
    whole = poisson_sample(40_000, 0.3, b"key")
    for cut in (1, 4095, 4096, 4097, 30_000):
        parts = poisson_sample(cut, 0.3, b"key"), poisson_sample(40_000 - cut, 0.3, b"key", cut)
        assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(poisson_sample(40_000, 0.3, b"other"), whole)
    assert abs(whole.sum() - 12_000) < 5 * math.sqrt(40_000 * 0.3 * 0.7)
    both = (whole[1:] & whole[:-1]).sum()
    assert abs(both - 3_600) < 5 * math.sqrt(40_000 * 0.09 * 0.91 * 1.6)


# What is kept comes back to the last bit: -0, NaN, numbers and flags, whole pieces or some places.
def test_records_are_kept_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    kept, pieces = Kept(), []
    for n in (7, 0, 1, 40):
        points = rng.normal(size=(n, 5)).astype(np.float32)
        points[:, 1], points[:, 2] = rng.integers(2, size=n), -0.0
        design = np.where(rng.uniform(size=(n, 3)) < 0.3, np.nan, points[:, :3])
        design[:, 2] = 1.0
        pieces.append(Records(points, design.astype(np.float32), rng.normal(size=(n, 2))))
        kept.add(pieces[-1])
    whole = Records.joined(pieces)
    for rows in (np.arange(48), np.array([0, 3, 6, 7, 8, 47]), np.array([20])):
        found, meant = kept.take(rows), whole.take(rows)
        for name in ("points", "design", "outcomes"):
            assert getattr(found, name).tobytes() == getattr(meant, name).tobytes()
            assert getattr(found, name).shape == getattr(meant, name).shape


def test_persons_in_two_parts_are_refused(tmp_path: Path) -> None:
    table = make_table(600).with_columns(patient=pl.Series([f"Zx81_{i % 300}" for i in range(600)]))
    made = make_condenser(n_records=600, unit="patient", drop=DROPPED[:3])
    with pytest.raises(TableError, match="have records in two parts") as caught:
        made.fit(write(tmp_path / "parts", table, 2))
    assert "Zx81_" not in str(caught.value)
    made.fit(write(tmp_path / "whole", table, 1))


def spoiled(**columns: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The last records otherwise."""
    late = pl.int_range(pl.len()) > 150
    return lambda t: t.with_columns(
        pl.when(late).then(new).otherwise(pl.col(name)).alias(name) for name, new in columns.items()
    )


# Bad parts end in one sentence, before anything is spent or written.
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (spoiled(ward=pl.lit("Zx81sentinel")), "In the part part-003.csv: Column 'ward' holds a l"),
        (spoiled(died=pl.lit(None)), "In the part part-003.csv: Column 'died' is required"),
        (lambda t: t.with_columns(died=pl.lit(1)), "has one class only"),
        (lambda t: t.drop("age"), "In the part part-000.csv: The table has no column 'age'"),
        (lambda t: t.tail(16), "no more records than the 16 rows"),
    ],
)
def test_a_bad_part_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame], sentence: str
) -> None:
    prepare(tmp_path)
    write(tmp_path / "parts", change(make_table(200)), 4, "csv")
    said = run(*condensing(tmp_path, records=tmp_path / "parts", partitioned=True, about=200))
    assert sentence in said.err
    assert "sentinel" not in said.err
    assert said.code == 4
    assert not (tmp_path / "out").exists()
    assert {p.name for p in tmp_path.iterdir()} == {
        *("parts", "records.csv", "heldout.csv", "schema.json")
    }


class FewJob(ShortJob):
    """Keeps few."""

    sample = 50


# Memory holds what was said, not what comes.
def test_many_more_records_than_said_are_refused(tmp_path: Path) -> None:
    job = FewJob(**vars(make_condenser(n_records=20).job()))
    for n, is_refused in ((100, False), (101, True)):
        source = write(tmp_path / f"{n}", make_table(n), 4)
        with pytest.raises(TableError, match="twice") if is_refused else nullcontext():
            Vault(job.seal, source, Ledger(job.plan()))


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "holds no Parquet or CSV file"),
        (["a.csv", "b.parquet"], "parts of one format"),
        (["a.parquet"], "cannot be read"),
        (["README.txt"], "holds no Parquet or CSV file"),
    ],
)
def test_a_folder_that_is_no_table_is_refused(
    tmp_path: Path, names: list[str], sentence: str
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"PAR1 not really")
    with pytest.raises(TableError, match=sentence):
        make_condenser(n_records=10).fit(Partitioned(tmp_path))


def test_parts_and_their_number_go_together(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="give both or neither"):
        make_condenser().fit(Partitioned(tmp_path))
    with pytest.raises(SettingError, match="give both or neither"):
        make_condenser(n_records=100).fit(make_table(100))
    with pytest.raises(SettingError, match="is 0; expected a whole number"):
        make_condenser(n_records=0).fit(Partitioned(tmp_path))
    with pytest.raises(TableError, match="is no folder"):
        make_condenser(n_records=10).fit(Partitioned(tmp_path / "absent"))


# The command line: a private release of parts books what one of a table does, at rate 1.
def test_a_private_release_of_parts_books_no_less(tmp_path: Path) -> None:
    prepare(tmp_path)
    write(tmp_path / "parts", make_table(400), 5)
    said = run(
        *condensing(tmp_path, records=tmp_path / "parts", partitioned=True, about=HALF, json=True)
    )
    assert said.code == 0, said.err
    assert '"sampling_rate": 0' not in said.out
    assert '"epsilon_spent": 0.99' in said.out or '"epsilon_spent": 1' in said.out


# A run that continues reads the parts again, and asks nothing twice.
def test_a_run_of_parts_is_resumed(tmp_path: Path) -> None:
    source, journal = write(tmp_path / "parts", make_table(300), 3), tmp_path / "run" / "journal"
    made = [make_condenser(n_records=HALF, epsilon=1.0, cohort=0) for _ in range(2)]
    first = made[0].fit(source, journal=journal).to_frame()
    before = journal.read_bytes()
    assert made[1].fit(source, journal=journal).to_frame().equals(first)
    assert journal.read_bytes() == before


# What writers leave beside the parts is no part: a copy would count its records twice.
def test_hidden_files_and_folders_are_no_parts(tmp_path: Path) -> None:
    source = write(tmp_path / "parts", make_table(60), 2)
    listed = source.parts
    for name in ("_temporary", ".ipynb_checkpoints"):
        write(tmp_path / "parts" / name, make_table(60), 1)
    (tmp_path / "parts" / "._part-000.csv").write_bytes(b"no table")
    assert source.parts == listed


def test_links_among_the_parts_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "parts", make_table(60), 2)
    (tmp_path / "parts" / "again.parquet").symlink_to("part-000.parquet")
    with pytest.raises(TableError, match="links"):
        _ = source.parts


def test_parts_without_a_record_are_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "parts", make_table(60), 2)
    for path in source.parts:
        make_table(60).clear().write_parquet(path)
    with pytest.raises(TableError, match="no record"):
        Vault(make_condenser(n_records=60).job().seal, source, of_many())


# A number far above the truth leaves a small sample, which is said before rows are made of it.
def test_a_number_far_too_large_is_told(tmp_path: Path) -> None:
    source, told = write(tmp_path / "parts", make_table(400), 3), list[str]()
    for about in (400, 4000):
        made = make_condenser(n_records=about, epsilon=1.0, cohort=0)
        made.fit(source, notice=told.append)
    assert sum("Far fewer were counted" in sentence for sentence in told) == 1
