"""Sentinel values planted in the records; no output holds them, whatever goes wrong."""

from __future__ import annotations

import io
import logging
import math
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.naive_bayes import GaussianNB

from helpers import OTHERS, make_condenser, make_table
from tincture.errors import QueryFailed, TinctureError

ODD_NUMBER, ODD_NAME = 123.456789, "Zx81sentinel"


class Betrays(GaussianNB):
    """Quotes the records as soon as it sees more than it was trained on."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        if len(x) == 600:  # the real records
            raise RuntimeError(f"{ODD_NAME} {ODD_NUMBER} {x!r}")
        found: np.ndarray = super().predict_proba(x)
        return found


@pytest.mark.parametrize("epsilon", [1.0, math.inf])
def test_no_output_holds_a_record(
    epsilon: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = make_table().with_columns(
        sodium=pl.Series([ODD_NUMBER] * 300 + [None] * 300, dtype=pl.Float64),
        patient=pl.Series([f"{ODD_NAME}{i}" for i in range(600)]),
    )
    wrong = table.with_columns(sodium=pl.lit(ODD_NAME))
    caplog.set_level(logging.DEBUG)
    said = io.StringIO()

    def attempt(records: Any, name: str, **changes: Any) -> None:
        settings = {"unit": "patient", "drop": OTHERS["died"], "epsilon": epsilon}
        try:
            made = make_condenser(**(settings | changes)).fit(
                records,
                journal=tmp_path / name / "journal",
                progress=lambda done, total: print(done, total, file=said),
            )
            made.save(tmp_path / f"{name}-release")
            said.write(repr(made) + repr(made.table_.ledger) + repr(made.table_))
        except TinctureError as error:
            found: BaseException | None = error
            while found is not None:
                said.write("".join(traceback.format_exception(found)) + repr(found))
                assert found.__cause__ is None
                found = found.__context__

    with redirect_stdout(said), redirect_stderr(said), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        attempt(table, "good")
        attempt(wrong, "bad-cell")
        attempt(table, "betrayed", models=[Betrays()])
        attempt(table.to_pandas(), "pandas")
    for name in ("condensed.csv", "cohort.csv"):
        assert (tmp_path / "good-release" / name).stat().st_size
    assert "QueryFailed" in said.getvalue()
    assert "not a number" in said.getvalue()
    output = said.getvalue() + caplog.text + "".join(str(w.message) for w in told)
    output += "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    for sentinel in (ODD_NAME, str(ODD_NUMBER), "123.4567"):
        assert sentinel not in output


def test_a_model_that_fails_on_records_is_a_failed_query() -> None:
    with pytest.raises(QueryFailed, match="its cause stays there"):
        make_condenser(models=[Betrays()]).fit(make_table())
