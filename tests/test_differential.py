"""A few pairs of data that differ by one unit; `benchmarks/differential.py` tries thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from differential import N_UNITS, TABLES, Family, Outcome, Tables, differ
from differential_stays import STAYS
from helpers import Ask
from tincture.privacy.query import Query, Records

PAIRS = 6


def outcomes(family: Family, folder: Path, pairs: int = PAIRS) -> list[Outcome]:
    rng = np.random.default_rng(0)
    return [differ(family, rng, folder / str(i)) for i in range(pairs)]


@pytest.mark.parametrize("family", [*TABLES, *STAYS], ids=lambda f: f.name)
def test_one_unit_more_changes_no_other_unit_in_any_question(
    family: Family, tmp_path: Path
) -> None:
    found = outcomes(family, tmp_path)
    assert sum(o.differing for o in found) == 0
    assert any(o.values > 0 for o in found)  # not all were refused


@dataclass
class Sabotaged(Tables):
    """Tables with a question of our own, or a reader that looks at a whole column."""

    question: Any = None
    is_read_by_column: bool = False

    @property
    def queries(self) -> Sequence[Query]:
        return [self.question or Ask(lambda r: r.points[:, :2], size=2)]

    def vault(self, units: Any, reader: str, folder: Path, block: int) -> Any:
        is_text = any(not r["age"].strip("-").isdigit() for unit in units for r in unit)
        if self.is_read_by_column and not is_text:  # a word for missing is a number, then
            units = [[r | {"age": r["age"].replace("-9", "20")} for r in unit] for unit in units]
        return super().vault(units, reader, folder, block)


def centred(records: Records) -> Any:
    return records.outcomes - records.outcomes.mean()


def placed(records: Records) -> Any:
    return np.arange(len(records), dtype=np.float64)[:, None]


def rounded(records: Records) -> Any:
    """What a sum in another order leaves, some 10⁻¹² of the clip, made visible."""
    return records.outcomes + 1e-6 * (len(records) % 2)


@pytest.mark.parametrize(
    "question", [Ask(centred), Ask(placed, clip=1e4), Ask(rounded)], ids=["mean", "place", "bit"]
)
def test_the_audit_sees_a_question_that_looks_at_other_records(
    question: Any, tmp_path: Path
) -> None:
    family = Sabotaged("sabotaged", ("died",), (), question=question, readers=["polars"])
    assert sum(o.differing for o in outcomes(family, tmp_path)) > N_UNITS


def test_the_audit_sees_a_reader_that_looks_at_a_whole_column(tmp_path: Path) -> None:
    family = Sabotaged("sabotaged", ("died",), (), is_read_by_column=True, readers=["CSV file"])
    assert sum(o.differing for o in outcomes(family, tmp_path, pairs=40)) > 0
