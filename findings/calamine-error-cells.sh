#!/usr/bin/env bash
# python-calamine 0.9.1 (behind pandas.read_excel(engine="calamine")) gives a cell with an error (#N/A,
# #DIV/0!) as "", just as a cell that was never filled. One would guess its text, as openpyxl gives, or
# None. A code book that tells "=NA()" (not applicable) from a blank (not asked), or a failed
# computation from a visit not made, loses that in reading, and nothing in the library can tell them
# apart; yet "#N/A" TYPED as text, which looks the same in Excel, does arrive. Open as issue 105 of
# dimastbk/python-calamine.
# Source: src/types/cell.rs of python-calamine, where Error and Empty both become Empty, and Empty "".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet python-calamine==0.9.1 XlsxWriter==3.3.1 openpyxl==3.1.5
"$folder/env/bin/python" - "$folder/table.xlsx" <<'PYTHON'
import sys
from importlib.metadata import version

import openpyxl
import python_calamine
import xlsxwriter

path = sys.argv[1]
with xlsxwriter.Workbook(path) as book:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["id", "hb"])
    sheet.write_column(1, 0, [1, 2, 3, 4, 5])
    sheet.write_number(1, 1, 13.2)
    sheet.write_formula(2, 1, "=NA()", None, "#N/A")
    sheet.write_formula(3, 1, "=1/0", None, "#DIV/0!")
    # row 4 has no hb at all
    sheet.write_string(5, 1, "#N/A")
rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
cells = [row[1] for row in rows[1:]]
other = [row[1] for row in openpyxl.load_workbook(path, data_only=True).active.values][1:]
print("number, #N/A, #DIV/0!, no cell, '#N/A' as text")
print("python-calamine", version("python-calamine"), cells)
print("openpyxl", version("openpyxl"), other)
assert other == [13.2, "#N/A", "#DIV/0!", None, "#N/A"]
assert cells == [13.2, "", "", "", "#N/A"], "an error is now told from an empty cell"
PYTHON
