#!/usr/bin/env bash
# A SAS transport file is a library: it may hold several data sets, one after the other (SAS' TS-140,
# "Record Layout of a SAS Version 5 or 6 Data Set in SAS Transport Format"). pyreadstat 1.3.7 (ReadStat)
# knows the first alone, and reads the headers and records of all others as further RECORDS of it, without
# a word: made-up numbers at the end of a table. One would guess the first data set, or an error;
# pandas 2.2.3's read_sas reads such a file the same way. Their names can't be asked for, so who reads a
# transport file that a colleague made of a whole library should look for a second member header.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pyreadstat==1.3.7 pandas==2.2.3
"$folder/env/bin/python" - "$folder" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pyreadstat

folder = Path(sys.argv[1])
visits = pd.DataFrame({"visit": [1.0, 2.0, 3.0], "sbp": [120.0, 135.0, 118.0]})
labs = pd.DataFrame({"visit": [1.0, 2.0], "crea": [80.0, 95.0]})
files = {}
for name, table in {"VISITS": visits, "LABS": labs}.items():
    path = folder / f"{name}.xpt"
    pyreadstat.write_xport(table, path, table_name=name, file_format_version=5)
    files[name] = path.read_bytes()
# The library: the first data set's file, then the second's from its member header on.
second = files["LABS"][files["LABS"].index(b"HEADER RECORD*******MEMBER") :]
both = folder / "library.xpt"
both.write_bytes(files["VISITS"] + second)

alone = len(pyreadstat.read_xport(folder / "VISITS.xpt")[0])
read = len(pyreadstat.read_xport(both)[0])
by_pandas = len(pd.read_sas(both, format="xport"))
print("pyreadstat", version("pyreadstat"), "records of the first data set alone:", alone)
print("pyreadstat of the library of two:", read)
print("pandas", version("pandas"), "of the library of two:", by_pandas)
assert alone == 3
assert read > alone, "a second data set is no longer read as records"
assert by_pandas > alone, "pandas no longer reads a second data set as records"
PYTHON
