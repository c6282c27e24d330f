"""How far the columns of a table are from those of invented records."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import ENCODING, make_teacher
from tincture.tables.realism import LOST, Realism, tempered


def designs(n: int, seed: int = 0) -> np.ndarray:
    """Invented records as models see them."""
    rng = np.random.default_rng(seed)
    marginals = make_teacher(rng, 1.0).basis.marginals
    return ENCODING.design(ENCODING.snap(marginals.place(marginals.draw(n, rng))))


RECORDS = designs(4000)
REALISM = Realism(ENCODING, RECORDS)


def test_the_records_themselves_are_at_distance_zero_and_a_sample_of_them_near() -> None:
    assert REALISM.losses(RECORDS[None])[0] == pytest.approx(0.0, abs=1e-12)
    rng = np.random.default_rng(1)
    samples = np.stack([RECORDS[rng.choice(4000, 100)] for _ in range(20)])
    assert REALISM.losses(samples).mean() < 0.05


def test_a_column_that_is_constant_or_empty_or_shifted_is_far() -> None:
    rng = np.random.default_rng(2)
    sample = RECORDS[rng.choice(4000, 100)]
    constant, empty, shifted = sample.copy(), sample.copy(), sample.copy()
    constant[:, 0] = np.nanmax(sample[:, 0])
    empty[:60, 0] = np.nan
    shifted[:, 0] += 0.5
    own, *others = REALISM.losses(np.stack([sample, constant, empty, shifted]))
    assert min(others) > 5 * own


def test_a_level_that_no_row_has_counts_by_its_share_of_the_records() -> None:
    ward = ENCODING.design_slices[3]
    rarest = ward.start + int(np.argmin(RECORDS[:, ward].mean(axis=0)))
    kept = RECORDS[RECORDS[:, rarest] == 0]
    one = kept.copy()
    one[0, ward] = np.eye(ENCODING.design_width)[rarest, ward]
    lost, found = REALISM.losses(np.stack([kept, one]))
    assert lost - found == pytest.approx(LOST * RECORDS[:, rarest].mean(), abs=0.001)


def test_columns_count_alike_however_many_levels_they_have() -> None:
    ward = ENCODING.design_slices[3]
    assert REALISM.weights.sum() == pytest.approx(1.0)
    assert REALISM.weights[ward].sum() == pytest.approx(REALISM.weights[0])


def test_tables_are_measured_one_by_one() -> None:
    rng = np.random.default_rng(3)
    samples = np.stack([RECORDS[rng.choice(4000, 30)] for _ in range(4)])
    alone = [REALISM.losses(s[None])[0] for s in samples]
    np.testing.assert_allclose(REALISM.losses(samples), alone, rtol=1e-12)


def test_an_empty_table_column_is_a_finite_distance_away() -> None:
    empty = np.full((1, 10, ENCODING.design_width), np.nan)
    assert np.isfinite(REALISM.losses(empty)).all()


def test_tempered_errors_grow_without_a_kink() -> None:
    errors = np.array([0.0, 0.5, 1.0, 4.0, 1e6])
    assert tempered(errors).tolist() == [0.0, 0.5, 1.0, 3.0, 1999.0]
    step = 1e-6
    slopes = (tempered(1.0 + step * np.array([-1.0, 1.0])) - 1.0) / step
    assert np.abs(slopes) == pytest.approx([1.0, 1.0], abs=1e-5)
