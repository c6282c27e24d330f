#!/usr/bin/env bash
# polars 2.1.0 does not read back the header that it writes: quotes that are doubled inside a quoted
# column name, as RFC 4180 wants, stay doubled in names, while cells are read right. Python's csv
# module and pandas read both. A name such as body "dry" weight therefore changes on the way through
# a file, and a join or a descriptor that names the column no longer finds it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet polars==2.1.0
"$folder/env/bin/python" - "$folder/table.csv" <<'PYTHON'
import csv
import sys

import polars as pl

path, name, cell = sys.argv[1], 'body "dry" weight', 'as "dry" as can be'
pl.DataFrame({name: [cell]}).write_csv(path)
again = pl.read_csv(path)
with open(path, newline="") as file:
    standard = list(csv.reader(file))
print("polars", pl.__version__, "wrote", repr(open(path).read()))
print("polars reads the name", repr(again.columns[0]), "and the cell", repr(again.item()))
print("csv reads", standard)
assert standard == [[name], [cell]]
assert again.item() == cell
assert again.columns == ['body ""dry"" weight'], "polars now reads the name as it was written"
PYTHON
