"""SAS transport files that are cut off, or hold two data sets, are refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tincture.errors import TableError
from tincture.io.frames import read_table

pyreadstat = pytest.importorskip("pyreadstat")
COLUMNS = {f"x{i}": [1.5 * i + n for n in range(25)] for i in range(11)}
TABLE = pl.DataFrame(COLUMNS | {"ward": [["a", "", "icu"][n % 3] for n in range(25)]})
MEMBER = b"HEADER RECORD*******MEMB"


def written(path: Path, table: pl.DataFrame, version: int = 5) -> bytes:
    pyreadstat.write_xport(table, path, file_format_version=version)
    return path.read_bytes()


@pytest.mark.parametrize("version", [5, 8])
def test_whole_files_are_read_whatever_their_last_line_holds(version: int, tmp_path: Path) -> None:
    path = tmp_path / "r.xpt"
    for table in (TABLE, TABLE.select("x1"), TABLE.select("ward"), TABLE.head(1), TABLE.head(20)):
        for n in (1, 7, 10, 19):
            some = table.head(n)
            written(path, some, version)
            assert len(read_table(path)) == len(some)
    written(path, TABLE.head(0), version)
    with pytest.raises(TableError, match="holds no record"):
        read_table(path)


@pytest.mark.parametrize("version", [5, 8])
def test_a_file_cut_off_at_a_whole_line_is_noticed(version: int, tmp_path: Path) -> None:
    path = tmp_path / "r.xpt"
    whole = written(path, TABLE, version)
    start = whole.find(b"HEADER RECORD*******OBS") + 80
    width = 8 * 11 + 3
    for end in range(start, len(whole), 80):
        path.write_bytes(whole[:end])
        done, rest = divmod(end - start, width)
        if version == 8 or rest:  # else it is cut off between two records, and looks whole
            with pytest.raises(TableError, match="ends before its last record"):
                read_table(path)
        elif done:
            assert len(read_table(path)) == done
    for end in (1, 79, 200, start - 80, start - 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(TableError, match=r"ends before|cannot be read"):
            read_table(path)


def test_a_second_data_set_is_told_and_not_read_as_records(tmp_path: Path) -> None:
    path, other = tmp_path / "r.xpt", written(tmp_path / "b.xpt", TABLE.select("x2", "x3"))
    first = written(path, TABLE.select("x0", "x1"))
    path.write_bytes(first + other[other.find(MEMBER) :])
    with pytest.raises(TableError, match=r"more than one data set.*save each by itself"):
        read_table(path)
