#!/usr/bin/env bash
# pyreadstat 1.3.7 loses which kind of missing a cell was, for SAS transport (.xpt) and SPSS portable
# (.por) files. read_sav, read_dta and read_sas7bdat take user_missing=True; one would guess that
# read_xport and read_por do too, or that the metadata tells. Neither has the argument; a special
# missing value of SAS (.A, "refused", say) and a declared missing value of SPSS (9) come as NaN like
# one never entered, and meta.missing_user_values and meta.missing_ranges are empty, as for files
# that have none. R's haven reads both (na_tag; read_por(user_na = TRUE)).
# And write_xport cuts labels at 40 bytes without a word: that of the data set in both versions of the
# format, those of columns in version 5, which is what submissions to regulators are made in.
# Source: pyreadstat/pyreadstat.py, read_xport and read_por (no such argument to pass on);
# _readstat_parser.pyx, `if not dc.usernan or readstat_value_is_system_missing`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet pyreadstat==1.3.7 pandas==3.1.1
cd "$folder"
env/bin/python - <<'PYTHON'
import inspect
from pathlib import Path

import pandas as pd
import pyreadstat as prs

print("pyreadstat", prs.__version__)
named = {f: "user_missing" in inspect.signature(getattr(prs, f)).parameters
         for f in ("read_sav", "read_dta", "read_sas7bdat", "read_xport", "read_por")}
print("takes user_missing:", named)
assert list(named.values()) == [True, True, True, False, False], "read_xport or read_por now take it"

# A missing double in a transport file is its letter ("." for the plain one) and seven zero bytes.
# pyreadstat cannot write the letters here, so the second of two plain ones is made .A by hand.
plain = b"." + bytes(7)
prs.write_xport(pd.DataFrame({"AGE": [71.0, None, None]}), "a.xpt")
raw = Path("a.xpt").read_bytes()
assert raw.count(plain + plain) == 1
Path("a.xpt").write_bytes(raw.replace(plain + plain, plain + b"A" + bytes(7)))

# In a portable file the record 8 after a variable's formats declares a missing value, here 9, in
# base 30. Lines are of 80 characters, and Z fills the last.
prs.write_por(pd.DataFrame({"AGE": [71.0, None, 9.0]}), "a.por")
text = Path("a.por").read_bytes().decode().replace("\r\n", "").rstrip("Z")
assert text.count("5/8/2/5/8/2/F") == 1
text = text.replace("5/8/2/5/8/2/F", "5/8/2/5/8/2/89/F")
text += "Z" * (80 - len(text) % 80)
Path("a.por").write_text("".join(text[i : i + 80] + "\r\n" for i in range(0, len(text), 80)), newline="")

for read, name in ((prs.read_xport, "a.xpt"), (prs.read_por, "a.por")):
    rows, meta = read(name)
    print(name, rows["AGE"].tolist(), meta.missing_user_values, meta.missing_ranges)
    assert rows["AGE"].isna().tolist() == [False, True, True]
    assert not meta.missing_user_values and not meta.missing_ranges, "the metadata now tells"

label = "Systolic blood pressure, seated, mean of three (mmHg)"
for edition, kept in ((5, 40), (8, len(label))):
    prs.write_xport(pd.DataFrame({"SBP": [120.0]}), "b.xpt", file_label=label, column_labels=[label],
                    file_format_version=edition)
    meta = prs.read_xport("b.xpt")[1]
    print("version", edition, "label of the column:", meta.column_labels, "of the file:", meta.file_label)
    assert (meta.column_labels, meta.file_label) == ([label[:kept].rstrip()], label[:40].rstrip())
PYTHON
