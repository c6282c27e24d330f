"""One primitive: clipped, summed exactly, noised, booked; and nothing else leaves the vault."""

from __future__ import annotations

import math
import traceback
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers import Ask, make_table, make_vault, plan_of, too_long, value_of
from tincture.errors import BudgetError, QueryFailed, TableError
from tincture.privacy.accounting import Mechanism
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records
from tincture.privacy.vault import GRID, VALUES, Vault, lattice_sum

ANYTHING = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats() | st.sampled_from([0.0, 1e308, -1e308, np.nan, np.inf, 1.0, 1e-320]),
)
CLIPS = st.sampled_from([1e-6, 0.3, 1.0, 7.0, 1e6])


def quiet(rate: float = 1.0) -> Ledger:
    return Ledger(plan_of(0.0, rate))


def one_each(n: int) -> np.ndarray:
    return np.ones(n, dtype=np.int64)


def steps(vectors: np.ndarray, lengths: np.ndarray, clip: float) -> list[int]:
    return [int(v) for v in lattice_sum(vectors, lengths, clip)]


@given(ANYTHING, CLIPS)
def test_no_unit_contributes_more_than_the_clip(vectors: np.ndarray, clip: float) -> None:
    for i in range(len(vectors)):
        assert not too_long(steps(vectors[i : i + 1], one_each(1), clip))


@given(ANYTHING, CLIPS)
def test_a_person_with_many_records_contributes_no_more(vectors: np.ndarray, clip: float) -> None:
    assert not too_long(steps(vectors, np.array([len(vectors)]), clip))


@given(ANYTHING, CLIPS, st.data())
def test_removing_a_unit_changes_the_sum_by_one_clip_at_most(
    vectors: np.ndarray, clip: float, data: st.DataObject
) -> None:
    n = len(vectors)
    cuts = data.draw(st.lists(st.integers(1, n), unique=True).map(sorted))
    starts = np.array([0, *[c for c in cuts if c < n]])
    lengths = np.diff([*starts, n])
    gone = data.draw(st.integers(0, len(lengths) - 1))
    keep = np.repeat(np.arange(len(lengths)) != gone, lengths)
    whole = steps(vectors, lengths, clip)
    rest = steps(vectors[keep], np.delete(lengths, gone), clip)
    assert not too_long([a - b for a, b in zip(whole, rest, strict=True)])


@given(ANYTHING, CLIPS, st.randoms())
def test_the_sum_is_exact_and_forgets_the_order(
    vectors: np.ndarray, clip: float, random: Any
) -> None:
    order = list(range(len(vectors)))
    random.shuffle(order)
    whole = steps(vectors, one_each(len(vectors)), clip)
    assert whole == steps(vectors[order], one_each(len(vectors)), clip)
    single = [steps(v[None], one_each(1), clip) for v in vectors]
    assert whole == [sum(column) for column in zip(*single, strict=True)]


def test_a_vector_inside_the_clip_is_kept() -> None:
    vectors = np.array([[0.3, -0.4], [0.1, 0.0]])
    total = lattice_sum(vectors, one_each(2), 1.0) / GRID
    np.testing.assert_allclose(total, [0.4, -0.4], atol=2 / GRID)


def test_a_long_vector_is_shrunk_and_keeps_its_direction() -> None:
    total = lattice_sum(np.array([[30.0, -40.0]]), one_each(1), 2.0) * 2 / GRID
    np.testing.assert_allclose(total, [1.2, -1.6], atol=1e-5)


def test_what_is_not_finite_counts_as_0() -> None:
    vectors = np.array([[np.nan, 0.5], [np.inf, 0.25], [-np.inf, -0.5]])
    assert steps(vectors, one_each(3), 1.0) == steps(
        np.nan_to_num(vectors, posinf=0, neginf=0), one_each(3), 1.0
    )


def test_a_person_contributes_the_mean_of_the_records() -> None:
    table = pl.concat([make_table(4).with_columns(patient=pl.lit("a")), make_table(1, 9)])
    table = table.with_columns(died=pl.Series([1, 1, 1, 0, 0]))
    vault = make_vault(quiet(), table=table, unit="patient")
    answer = vault.noisy_sum(Ask(lambda r: r.outcomes), Mechanism(0.0))
    np.testing.assert_allclose(value_of(answer), [0.75], atol=1e-5)


def test_the_answer_is_the_sum_over_all_records_whatever_the_blocks() -> None:
    seen: list[int] = []

    def died(records: Records) -> np.ndarray:
        seen.append(len(records))
        return records.outcomes

    answer = make_vault(quiet(), 100, block=7).noisy_sum(Ask(died), Mechanism(0.0))
    np.testing.assert_allclose(
        value_of(answer), make_table(100)["died"].to_numpy().sum(), atol=1e-3
    )
    assert sum(seen) == 100
    assert len(seen) > 10


def test_a_question_of_many_values_sees_few_records_at_once() -> None:
    # Found: products of 300 columns took 3 GB.
    seen: list[int] = []

    def nothing(records: Records) -> np.ndarray:
        seen.append(len(records))
        return np.zeros((len(records), VALUES // 2))

    make_vault(quiet(), 5).noisy_sum(Ask(nothing, size=VALUES // 2), Mechanism(0.0))
    assert seen == [1, 2, 2] or seen == [2, 2, 1]


def test_a_question_of_no_value_has_an_empty_answer() -> None:
    query = Ask(lambda records: np.zeros((len(records), 0)), size=0)
    assert value_of(make_vault(quiet(), 5).noisy_sum(query, Mechanism(0.0))).shape == (0,)


def test_records_of_one_person_lie_in_one_block() -> None:
    table = make_table(60).with_columns(patient=pl.Series([f"p{i % 12}" for i in range(60)]))
    vault = make_vault(quiet(), table=table, unit="patient", block=7)
    for records, lengths in vault._sampled_blocks(1.0):
        assert lengths.sum() == len(records)
        assert set(lengths) == {5}


SENTINEL = "Zx81sentinel"


def betray(records: Records) -> np.ndarray:
    raise RuntimeError(f"{SENTINEL} {records.outcomes[0]}")


def test_a_failing_query_leaves_without_values_or_cause() -> None:
    with pytest.raises(QueryFailed) as caught:
        make_vault(quiet()).noisy_sum(Ask(betray), Mechanism(0.0))
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert SENTINEL not in "".join(traceback.format_exception(error))
    assert SENTINEL not in repr(error)


def test_a_failed_question_is_spent() -> None:
    ledger = Ledger(plan_of(2.0, count=1))
    with pytest.raises(QueryFailed):
        make_vault(ledger).noisy_sum(Ask(betray), Mechanism(2.0))
    assert len(ledger.entries) == 1


@pytest.mark.parametrize("width", [1, 2, 4])
def test_an_answer_of_another_width_is_refused(width: int) -> None:
    # One column broadcast over several values would outgrow the clip.
    with pytest.raises(QueryFailed):
        make_vault(quiet()).noisy_sum(
            Ask(lambda r: np.ones((len(r), width)), size=3), Mechanism(0.0)
        )


@pytest.mark.parametrize("extra", [-1, 1])
def test_an_answer_of_another_length_is_refused(extra: int) -> None:
    with pytest.raises(QueryFailed):
        make_vault(quiet()).noisy_sum(Ask(lambda r: np.ones((len(r) + extra, 1))), Mechanism(0.0))


def test_half_a_sample_is_scaled_to_the_whole() -> None:
    ledger = quiet(0.5)
    vault = make_vault(ledger, 2000)
    ones = Ask(lambda r: np.ones((len(r), 1)))
    totals = [value_of(vault.noisy_sum(ones, Mechanism(0.0, 0.5)))[0] for _ in range(50)]
    # Mean of 50 × 2000 draws; 5 standard deviations are a false alarm in 2 million runs.
    assert abs(np.mean(totals) - 2000) < 5 * np.sqrt(2000 / 50)
    assert len(set(totals)) > 1


def test_a_share_of_the_units_saves_time_and_no_privacy() -> None:
    seen: list[int] = []

    def count(records: Records) -> np.ndarray:
        seen.append(len(records))
        return np.ones((len(records), 1))

    ledger = Ledger(plan_of(2.0, 0.5))
    answer = make_vault(ledger, 2000).noisy_sum(Ask(count), Mechanism(2.0, 0.5), share=0.2)
    assert 100 < sum(seen) < 300  # 200 expected, 7 standard deviations
    assert answer.noise == pytest.approx(2.0 / 0.1)
    assert abs(value_of(answer)[0] - 2000) < 10 * 100 + 10 * answer.noise
    assert [e.mechanism for e in ledger.entries] == [Mechanism(2.0, 0.5)]


def test_a_sample_may_be_empty() -> None:
    def strict(records: Records) -> np.ndarray:
        assert len(records) > 0
        return np.ones((len(records), 1))

    answer = make_vault(quiet(1e-12), 50).noisy_sum(Ask(strict), Mechanism(0.0, 1e-12))
    assert value_of(answer).tolist() == [0.0]


def test_the_vault_of_a_release_discloses_nothing() -> None:
    with pytest.raises(BudgetError, match="shows no record"):
        make_vault(quiet()).disclose("curiosity")


def test_an_in_house_look_is_booked_as_infinitely_costly() -> None:
    ledger = Ledger.in_house()
    records = make_vault(ledger, 50).disclose("ceiling")
    assert len(records) == 50
    assert ledger.epsilon() == math.inf
    assert [e.question for e in ledger.entries] == ["ceiling"]


def test_an_in_house_ledger_answers_no_question() -> None:
    with pytest.raises(BudgetError):
        make_vault(Ledger.in_house()).noisy_sum(Ask(), Mechanism(0.0))


def test_the_vault_refuses_a_table_that_disagrees_with_its_schema() -> None:
    with pytest.raises(TableError, match="no column 'ward'"):
        make_vault(quiet(), table=make_table(20).drop("ward"))
    with pytest.raises(TableError, match="tell persons apart"):
        make_vault(quiet(), table=make_table(20).drop("patient"), unit="patient")


def test_a_vault_shows_no_record_in_its_representation() -> None:
    vault = make_vault(quiet(), 20)
    assert "array" not in repr(vault)
    assert isinstance(vault, Vault)
