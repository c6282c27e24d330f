"""Dates in files that hold dates: each cell is that date, whatever a schema says of text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tincture.errors import TableError
from tincture.io.draft import draft
from tincture.io.frames import identifiers, read_table, to_columns
from tincture.public.schema import Schema
from tincture.tables.agreement import agreements

pyreadstat = pytest.importorskip("pyreadstat")
pytest.importorskip("python_calamine")
xlsxwriter = pytest.importorskip("xlsxwriter")
DAYS = [date(2020, 3, 1), date(1969, 12, 31), None]
GOLDEN = Path(__file__).parent / "golden"


def schema(pattern: str, missing: tuple[str, ...] = ("",)) -> Schema:
    bounds = {"minimum": "1900-01-01", "maximum": "2030-12-31"}
    field = {"name": "seen", "type": "date", "format": pattern, "constraints": bounds}
    return Schema.from_dict({"fields": [field], "missingValues": list(missing)})


def book(path: Path, cells: list[Any]) -> None:
    """A column of dates, text and numbers, and one beside it so that no line is blank."""
    with xlsxwriter.Workbook(path) as made:
        sheet, shown = made.add_worksheet(), made.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, ["seen", "n"])
        for i, cell in enumerate(cells, 1):
            sheet.write(i, 1, i)
            if isinstance(cell, date):
                sheet.write_datetime(i, 0, datetime(*cell.timetuple()[:3]), shown)
            elif cell is not None:
                sheet.write(i, 0, cell)


def counts(table: pl.DataFrame, described: Schema) -> list[float | None]:
    found = to_columns(table, described, ["seen"])["seen"].tolist()
    return [None if x != x else x for x in found]


WRITERS: dict[str, Callable[[Path], Any]] = {
    "sav": lambda p: pyreadstat.write_sav(pl.DataFrame({"seen": DAYS}), p),
    "dta": lambda p: pyreadstat.write_dta(pl.DataFrame({"seen": DAYS}), p),
    "parquet": lambda p: pl.DataFrame({"seen": DAYS}).write_parquet(p),
    "xlsx": lambda p: book(p, [date(2020, 3, 1), "31.12.1969", None]),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_date_is_that_date_whatever_the_format_says(suffix: str, tmp_path: Path) -> None:
    WRITERS[suffix](tmp_path / f"r.{suffix}")
    found = counts(read_table(tmp_path / f"r.{suffix}"), schema("%d.%m.%Y"))
    assert found == [18_322, -1, None]


def test_a_date_of_r_is_that_date_whatever_the_format_says() -> None:
    table = read_table(f"{GOLDEN / 'invented.RData'}#d").select(seen="admitted")
    assert counts(table, schema("%d.%m.%Y"))[:2] == [18_262, None]


# A date among other cells is read as one among dates: lemma 0.
def test_no_cell_beside_a_date_changes_what_it_means(tmp_path: Path) -> None:
    described = schema("%d.%m.%Y", ("", "02.01.1900", "unknown", "99"))
    cells = [date(2020, 3, 1), "02.03.2020", "unknown", 99, date(1900, 1, 2), None]
    book(tmp_path / "all.xlsx", cells)
    found = counts(read_table(tmp_path / "all.xlsx"), described)
    assert found == [18_322, 18_323, None, None, None, None]
    for i, cell in enumerate(cells[:-1]):
        book(tmp_path / f"{i}.xlsx", [cell])
        assert counts(read_table(tmp_path / f"{i}.xlsx"), described) == [found[i]]
    table = read_table(tmp_path / "all.xlsx")
    assert identifiers(table, "seen")[:4] == ["2020-03-01", "02.03.2020", "unknown", 99]
    # What some cells would make the table refuse is told cell by cell.
    told = agreements(table, schema("%d/%m/%Y", ("", "unknown"))).columns[0]
    assert (told.missing, told.refused) == (2, 2)


def test_a_date_is_no_level(tmp_path: Path) -> None:
    field = {"name": "seen", "type": "string", "categories": ["2020-03-01", "unknown"]}
    described = Schema.from_dict({"fields": [field]})
    for cells in ([date(2020, 3, 1)], [date(2020, 3, 1), "unknown"]):
        book(tmp_path / f"{len(cells)}.xlsx", cells)
        with pytest.raises(TableError, match="cells of type"):
            to_columns(read_table(tmp_path / f"{len(cells)}.xlsx"), described, ["seen"])


def test_dates_stay_dates(tmp_path: Path) -> None:
    table = pl.DataFrame({"day": [date(2020, 2, 29)], "at": [datetime(2020, 1, 1, 12, 30, 15)]})
    writers = {
        "sav": pyreadstat.write_sav,
        "dta": pyreadstat.write_dta,
        "xpt": pyreadstat.write_xport,
    }
    for suffix, write in writers.items():
        path = tmp_path / f"r.{suffix}"
        write(table, path)
        assert read_table(path).equals(table)
        assert [f["type"] for f in draft(path)["fields"]] == ["date", "datetime"]
        assert [f["constraints"]["minimum"] for f in draft(path)["fields"]] == [None, None]
        read = [f["constraints"] for f in draft(path, from_data=True)["fields"]]
        assert read[0] == {"minimum": "2020-01-01", "maximum": "2020-12-31"}
        assert read[1] == {"minimum": "2020-01-01T00:00:00", "maximum": "2020-12-31T23:59:59"}


def test_the_bounds_of_a_date_are_left_open_as_those_of_an_amount(tmp_path: Path) -> None:
    path = tmp_path / "study.sav"
    days = pl.DataFrame({"seen": [date(2015, 3, 1), date(2018, 7, 9), None]})
    pyreadstat.write_sav(days, path)
    (seen,) = draft(path)["fields"]
    assert (seen["type"], seen["constraints"]) == ("date", {"minimum": None, "maximum": None})
    (seen,) = draft(path, from_data=True)["fields"]
    assert seen["constraints"] == {"minimum": "2015-01-01", "maximum": "2018-12-31"}


def test_missing_dates_of_spss_stand_in_the_draft_as_cells_tell_them(tmp_path: Path) -> None:
    start = datetime(1582, 10, 14)
    seen, never = ((datetime(y, 1, 1) - start).total_seconds() for y in (2020, 1900))
    path = tmp_path / "study.sav"
    pyreadstat.write_sav(
        pl.DataFrame({"seen": [seen, never, None], "died": [never, seen, 1e12]}).to_pandas(),
        path,
        variable_format={"seen": "DATE11", "died": "DATETIME20"},
        variable_value_labels={"seen": {never: "never"}},
        missing_ranges={"seen": [never], "died": [{"lo": seen + 1, "hi": 1e13}]},
    )
    fields = draft(path)["fields"]
    assert fields[0]["missingValues"] == [
        {"value": ""},
        {"value": "1900-01-01", "label": "never"},
    ]
    assert fields[1]["missingValues"] == ["", "1000000000000"]
    schema = Schema.from_dict({"fields": fields})
    found = to_columns(read_table(path), schema, ["seen", "died"])
    assert np.isnan(found["seen"]).tolist() == [False, True, True]
    assert np.isnan(found["died"]).tolist() == [False, False, True]


def test_dates_of_the_years_1_to_9999_are_dates_and_other_counts_numbers(tmp_path: Path) -> None:
    ends = [date(1600, 1, 1), date(9999, 12, 31)]
    start = date(1582, 10, 14)
    path, first = tmp_path / "r.sav", 86_400.0 * (ends[0] - start).days
    last = 86_400.0 * (ends[1] - start).days
    cells = pl.DataFrame({"day": [first, last, last + 86_400], "at": [first, last + 86_399, 1e15]})
    form = {"day": "DATE11", "at": "DATETIME20"}
    pyreadstat.write_sav(cells, path, variable_format=form)
    read = read_table(path)
    assert read["day"].to_list() == [*ends, str(int(last) + 86_400)]
    assert read["at"].to_list()[1:] == [datetime(9999, 12, 31, 23, 59, 59), str(10**15)]


def test_labels_that_are_no_levels_are_told_to_whoever_reviews_a_draft(tmp_path: Path) -> None:
    path, never = tmp_path / "r.sav", 86_400.0 * (date(1900, 1, 1) - date(1582, 10, 14)).days
    pyreadstat.write_sav(
        pl.DataFrame({"seen": [never], "age": [999.0]}),
        path,
        variable_format={"seen": "DATE11"},
        column_labels={"age": "Age at entry"},
        variable_value_labels={"seen": {never: "never"}, "age": {999: "not known"}},
    )
    told = [field["description"] for field in draft(path)["fields"]]
    assert told == ["(1900-01-01 = never)", "Age at entry (999 = not known)"]
