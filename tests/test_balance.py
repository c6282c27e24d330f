"""Groups count alike, as far as the bounds of the weights allow."""

from __future__ import annotations

import numpy as np
import pytest

from helpers import ENCODING, make_condenser, make_table
from tincture.errors import SettingError
from tincture.tables.balance import Balance
from tincture.tables.cells import cell_widths
from tincture.tables.marginals import Marginals

WARDS = ENCODING.slices[3]


def marginals_with(*wards: float) -> Marginals:
    """Released histograms in which the wards (icu, med, surg, missing) have these counts."""
    widths = cell_widths(ENCODING)
    counts = [np.ones(w) * 1000 / w for w in widths]
    counts[3] = np.array(wards)
    return Marginals.of_counts(ENCODING, np.concatenate(counts), 1000.0)


@pytest.mark.parametrize(
    ("wards", "weights"),
    [
        ((400, 400, 200, 0), (0.5, 0.5, 1, 1)),  # nobody is missing: that is no group
        ((250, 250, 250, 250), (1, 1, 1, 1)),
        ((500, 250, 125, 125), (0.25, 0.5, 1, 1)),
        ((950, 20, 15, 15), (0.1, 1, 1, 1)),  # the bound: the small stay below the large
    ],
)
def test_weights_make_groups_equal_within_their_bounds(
    wards: tuple[float, ...], weights: tuple[float, ...]
) -> None:
    balance = Balance.of(marginals_with(*wards), "ward")
    assert balance.weights == pytest.approx(weights, rel=0.05)
    assert balance.mean == pytest.approx(np.dot(wards, weights) / 1000, rel=0.05)


def test_invented_records_are_drawn_as_often_as_they_count(rng: np.random.Generator) -> None:
    # 20,000 draws: a share of a third has standard deviation 0.0033; 0.02 is six of them.
    marginals = marginals_with(600, 300, 100, 0)
    points = ENCODING.snap(marginals.place(marginals.draw(20_000, rng)))
    drawn = Balance.of(marginals, "ward").resample(points, rng)
    assert drawn[:, WARDS][:, :3].mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_without_a_column_nothing_changes(rng: np.random.Generator) -> None:
    balance = Balance.of(marginals_with(600, 300, 100, 0), None)
    points = rng.uniform(size=(5, ENCODING.width))
    assert balance.resample(points, rng) is points
    assert (balance.of_records(points) == 1).all()
    assert balance.mean == 1.0


def test_a_balanced_release_says_so_and_spends_what_others_spend() -> None:
    plain, balanced = (
        make_condenser(epsilon=1.0, effort=0.01, balance=b).fit(make_table(400))
        for b in (None, "ward")
    )
    assert balanced.table_.settings["balance"] == "ward"
    assert balanced.ledger.to_dict()["phases"] == plain.ledger.to_dict()["phases"]
    assert balanced.ledger.epsilon() == plain.ledger.epsilon() <= 1.0


@pytest.mark.parametrize(
    ("column", "says"),
    [("fate", "not among the features"), ("died", "not among the features"), ("age", "no levels")],
)
def test_a_column_without_groups_is_refused(column: str, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        make_condenser(balance=column).fit(make_table(100))
