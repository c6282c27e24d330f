"""What a recipient's network sees of stays, against brute force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from series_helpers import LAYOUT, records
from tincture.arrays import Floats
from tincture.evaluation.metrics.classes import auroc
from tincture.evaluation.metrics.figure import plain
from tincture.stays.classical import boosting, logistic
from tincture.stays.inputs import CUT, Standard, channels, influence, sources
from tincture.stays.layout import Grid

RESPIRATION, LACTATE, VENTILATION = range(3)


def one_stay(**cells: float) -> Grid:
    """A stay of the test layout with a few cells such as ``h2v1``: hour 2, variable 1."""
    grid = np.full((1, *LAYOUT.shape), np.nan, dtype=np.float32)
    for name, place in cells.items():
        hour, variable = name[1:].split("v")
        grid[0, int(hour), int(variable)] = place
    return LAYOUT.points(grid, np.zeros((1, LAYOUT.n_static)))


def test_values_are_carried_in_their_units_and_recording_is_a_channel_of_its_own() -> None:
    seen = channels(one_stay(h2v0=0.5, h5v0=0.25), LAYOUT)[0]
    np.testing.assert_allclose(seen[:, 0], [np.nan] * 2 + [150.0] * 3 + [75.0] * 7)
    np.testing.assert_allclose(seen[:, 3], np.isin(np.arange(12), [2, 5]))


def test_what_is_not_recorded_of_a_deed_was_not_done() -> None:
    seen = channels(one_stay(h3v2=1.0), LAYOUT)[0]
    np.testing.assert_allclose(seen[:, VENTILATION], [0.0] * 3 + [1.0] * 9)


def test_static_columns_are_constant_channels() -> None:
    some = records(8)
    seen = channels(some.points, LAYOUT)
    assert LAYOUT.statics is not None
    _, statics = LAYOUT.parts(some.points)
    design = LAYOUT.statics.design(statics.astype(np.float64))
    for hour in range(12):
        np.testing.assert_allclose(seen[:, hour, 6:], design, rtol=1e-6)
    assert [len(v) for v in sources(LAYOUT).values()] == [2, 2, 2, 1, 3]


def test_many_stays_are_the_same_as_few() -> None:
    many = records(40).points
    np.testing.assert_array_equal(
        channels(np.tile(many, (60, 1)), LAYOUT)[-40:], channels(many, LAYOUT)
    )


def test_channels_are_standardised_by_the_training_table_and_cut() -> None:
    table = channels(records(200).points, LAYOUT)
    table[..., 4] = 7.0  # never varies
    standard = Standard.of(table)
    seen = standard(table)
    assert seen.shape[2] == table.shape[2] - 1
    assert np.abs(seen.mean(axis=(0, 1))).max() < 0.05
    assert np.isfinite(seen).all()
    known = table[..., 0][np.isfinite(table[..., 0])]
    expected = (table[..., 0] - known.mean()) / known.std()
    np.testing.assert_allclose(seen[..., 0], np.nan_to_num(np.clip(expected, -CUT, CUT)), atol=1e-4)
    far = standard(table * 1000)
    assert np.abs(far).max() == CUT
    assert standard.places(np.array([1, 4])).tolist() == [1]
    assert standard.places(np.array([5])).tolist() == [4]


@dataclass(frozen=True)
class Reads:
    """A model that looks at one channel alone."""

    place: int

    def log_odds(self, inputs: Grid) -> Floats:
        return 3.0 * inputs[:, -1, self.place].astype(np.float64)


def test_only_what_a_model_reads_moves_it() -> None:
    inputs = np.random.default_rng(0).standard_normal((50, 12, 4)).astype(np.float32)
    expected = 3 * np.abs(inputs[:, -1, 2]).mean()
    assert influence(Reads(2), inputs, np.array([1, 2])) == pytest.approx(expected, rel=1e-5)
    assert influence(Reads(2), inputs, np.array([0, 1, 3])) == 0
    assert influence(Reads(2), inputs, np.array([], dtype=np.int64)) == 0


@pytest.mark.parametrize("train", [logistic, boosting])
def test_classical_models_learn_from_summaries_with_both_classes_alike(train: Any) -> None:
    rng = np.random.default_rng(0)
    label = (rng.random(800) < 0.1).astype(np.int64)
    inputs = rng.standard_normal((800, 12, 3)).astype(np.float32)
    inputs[..., 1] += label[:, None]
    model = train(inputs[:400], label[:400])
    odds = model.log_odds(inputs[400:])
    assert plain(auroc(np.stack([-odds, odds], axis=1), label[400:]), 400) > 0.9
    assert abs(np.median(odds[label[400:] == 0]) + np.median(odds[label[400:] == 1])) < 1.5
