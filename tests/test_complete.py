"""Rows and people without a blank, from records that have some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import ENCODING, OTHERS, make_condenser, make_table
from recipients import TASKS, in_r, release, snippet
from tincture.errors import SettingError
from tincture.tables.cells import cell_widths
from tincture.tables.complete import present
from tincture.tables.marginals import Marginals

SURVIVAL = {"target": None, "time": "days", "event": "event", "models": ["cox"]}
CHANGES: dict[str, dict[str, Any]] = {
    "two classes": {},
    "survival": SURVIVAL | {"drop": ["died", "stage", "patient"]},
    "three classes": {"target": "stage", "drop": [*OTHERS["stage"], "patient"]},
    "direct": {"method": "direct"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_no_cell_of_either_file_is_blank(changes: dict[str, Any]) -> None:
    table = make_table()
    assert min(table[c].null_count() for c in ("lactate", "ward", "diabetes")) > 0
    made = make_condenser(complete=True, **changes).fit(table).table_
    assert made.settings["complete"]
    for rows in made.files.values():
        assert not sum(rows.null_count().row(0))
        assert rows["ward"].n_unique() > 1


def test_a_blank_takes_a_value_of_its_column_and_all_else_stays(rng: np.random.Generator) -> None:
    counts = np.ones(sum(cell_widths(ENCODING)))
    counts[np.cumsum(cell_widths(ENCODING)) - 1] = 50  # missing is the commonest cell
    marginals = Marginals.of_counts(ENCODING, counts, 70.0)
    points = ENCODING.snap(rng.uniform(size=(500, ENCODING.width)))
    before = ENCODING.decode(points)
    for filled in (present(marginals, points), present(marginals, points, rng)):
        assert (ENCODING.snap(filled) == filled).all()
        for column in ENCODING.columns:
            was, now = before[column.name], ENCODING.decode(filled)[column.name]
            blank = was == -1 if column.is_categorical else np.isnan(was.astype(float))
            assert blank.any()
            assert (now[~blank] == was[~blank]).all()
            assert not (now == -1).any() if column.is_categorical else np.isfinite(now).all()


def test_it_is_a_truth() -> None:
    with pytest.raises(SettingError, match="complete must be true or false"):
        make_condenser(complete="yes").fit(make_table())


@pytest.mark.parametrize("kind", TASKS)
def test_the_card_tells_and_r_keeps_every_row(
    released: dict[str, Path], kind: str, tmp_path: Path
) -> None:
    folder = release(tmp_path / "out", kind, complete=True)
    assert "No cell is blank" in (folder / "README.md").read_text()
    usual = (released[kind] / "README.md").read_text()
    assert "A blank cell is a missing value" in usual and "seldom missing" in usual
    assert "seldom missing" not in (folder / "README.md").read_text()
    counted = "cat(nrow(na.omit(rows)) == nrow(rows))"
    assert in_r(snippet(folder, "r") + counted, folder, "survival") == "TRUE"
    assert in_r(snippet(released[kind], "r") + counted, released[kind], "survival") == "FALSE"
