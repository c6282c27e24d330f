"""Workbooks that are damaged, or unpack to more than they say, are refused before they are read."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from tincture.errors import SchemaError, TableError
from tincture.io.draft import draft
from tincture.io.frames import read_table

pytest.importorskip("python_calamine")
xlsxwriter = pytest.importorskip("xlsxwriter")
SHEET = "xl/worksheets/sheet1.xml"


def book(path: Path) -> zipfile.ZipInfo:
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["age", "creatinine"])
        for i in range(1, 3000):
            sheet.write_row(i, 0, [i % 90, 0.37 * i])
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(SHEET)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
def test_one_damaged_byte_of_a_sheet_is_noticed(place: float, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    member = book(path)
    content = bytearray(path.read_bytes())
    start = member.header_offset + 30 + len(SHEET)
    content[start + int(place * member.compress_size)] ^= 1
    path.write_bytes(content)
    with pytest.raises(TableError, match="cannot be read; expected a whole workbook"):
        read_table(path)
    with pytest.raises(SchemaError, match="cannot be read as an Excel workbook"):
        draft(path)


def test_a_sheet_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    member = book(path)
    content = bytearray(path.read_bytes())
    said = struct.pack("<I", member.file_size)
    for start in (member.header_offset, content.rfind(SHEET.encode()) - 46):
        place = content.find(said, start)
        content[place : place + 4] = struct.pack("<I", member.file_size // 2)
    path.write_bytes(content)
    with pytest.raises(TableError, match="cannot be read; expected a whole workbook"):
        read_table(path)
