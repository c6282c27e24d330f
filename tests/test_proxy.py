"""Released histograms: valid shares from any noisy counts, and quantiles that go both ways."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from strategies import encodings, released_marginals
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.tables.cells import cell_codes, cell_widths
from tincture.tables.histograms import FLOOR
from tincture.tables.marginals import Marginals


@given(encodings(), st.floats(-1e3, 1e6), st.data())
def test_any_noisy_counts_give_shares(
    encoding: Encoding, total: float, data: st.DataObject
) -> None:
    widths = cell_widths(encoding)
    counts = data.draw(arrays(np.float64, sum(widths), elements=st.floats(-1e6, 1e6)))
    marginals = Marginals.of_counts(encoding, counts, total)
    assert [len(share) for share in marginals.shares] == widths
    for column, share in zip(encoding.columns, marginals.shares, strict=True):
        present = share if column.is_categorical and column.required else share[:-1]
        assert (present >= FLOOR * (1 - share[-1]) / len(share) * (1 - 1e-9)).all()
        assert present.sum() >= FLOOR / 2  # a value is always reachable, if not that none is there
        assert share[-1] >= 0
        np.testing.assert_allclose(share.sum(), 1.0)


def test_exact_counts_come_back_as_shares() -> None:
    encoding = Encoding([Column("x", "string", categories=("a", "b", "c"), required=True)])
    share = Marginals.of_counts(encoding, np.array([70.0, 30.0, 0.0]), 100.0).shares[0]
    np.testing.assert_allclose(share, [0.7, 0.3, 0.0], atol=FLOOR)


def test_cells_that_hold_nobody_stay_nearly_empty_under_noise() -> None:
    # Three of 23 cells hold 1000 records; noise of 25 a cell. Counts merely cut off at 0 would
    # leave 20 × 25 × 0.4 = 200 invented records, a sixth, in cells that hold nobody.
    encoding = Encoding([Column("x", "number", 0.0, 1.0)])
    (width,) = cell_widths(encoding)
    real = np.zeros(width)
    real[[3, 4, 5]] = [200.0, 500.0, 300.0]
    empty, rng = real == 0, np.random.default_rng(1)
    nearest: list[float] = []
    left: list[float] = []
    cut: list[float] = []
    for _ in range(50):
        noisy = real + 25 * rng.standard_normal(width)
        for kept, noise in ((nearest, 0.0), (left, 25.0)):
            share = Marginals.of_counts(encoding, noisy, 1000.0, noise).shares[0]
            kept.append(share[empty].sum())
        positive = np.maximum(noisy, 0.0)
        cut.append(positive[empty].sum() / positive.sum())
    assert np.mean(cut) > 0.13
    assert np.mean(nearest) < 0.07
    assert np.mean(left) < 0.75 * np.mean(nearest)  # a known noise is told from people better


@given(released_marginals(), st.data())
def test_quantiles_undo_placing(marginals: Marginals, data: st.DataObject) -> None:
    inside = arrays(np.float64, (3, marginals.encoding.width), elements=st.floats(0.0, 1.0))
    cube = data.draw(inside)
    encoding = marginals.encoding
    for column, where, share in zip(
        encoding.columns, encoding.slices, marginals.shares, strict=True
    ):
        if share[-1] == 0 and not column.required:
            cube[:, where.stop - 1] = 0.0  # nobody is missing, and no point says so
    np.testing.assert_allclose(marginals.quantiles(marginals.place(cube)), cube, atol=1e-6)
    np.testing.assert_allclose(marginals.place(marginals.quantiles(cube)), cube, atol=1e-6)


@given(released_marginals())
def test_a_columns_cells_are_points_of_those_cells(marginals: Marginals) -> None:
    for j, share in enumerate(marginals.shares):
        column = marginals.encoding.columns[j]
        codes = cell_codes(marginals.encoding, marginals.cells(j))
        reachable = len(share) - (column.required and not column.is_categorical)
        assert codes[:reachable, j].tolist() == list(range(reachable))
        others = np.delete(codes, j, axis=1)
        assert (others == others[:1]).all()
