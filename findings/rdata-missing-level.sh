#!/usr/bin/env bash
# rdata 1.1.0 turns a missing cell of a pandas Categorical into a value. One would guess that it leaves
# as R's NA, as a missing cell of an Int64 or boolean column does; but a factor gets code 0,
# which is no level. rdata itself reads that 0 back as the LAST level (a patient of unknown sex returns
# as "m", a grade not taken as "high"), and R does not count it as NA and calls the factor malformed.
# The reader is not at fault for files of R: there NA is the smallest int, which it takes as missing.
# The order of an ordered Categorical is lost too: its class in the file is "factor" alone.
# Source: rdata/conversion/to_r.py, categorical_constructor (`data.codes + 1`, and missing is code -1);
# rdata/conversion/_conversion.py, _factor_constructor_internal (`levels[i - 1] if i >= 0`).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet rdata==1.1.0 pandas==3.1.1
"$folder/env/bin/python" - "$folder/table.rds" <<'PYTHON'
import sys
from importlib.metadata import version

import pandas as pd
import rdata

path = sys.argv[1]
table = pd.DataFrame(
    {
        "sex": pd.Categorical(["f", None, "m"], ["f", "m"]),
        "grade": pd.Categorical(["low", None, "mid"], ["low", "mid", "high"], ordered=True),
        "visits": pd.array([1, None, 3], dtype="Int64"),
    }
)
rdata.write_rds(path, table)
sex, grade, visits = rdata.parser.parse_file(path).object.value
again = rdata.read_rds(path)
print("rdata", version("rdata"), "with pandas", pd.__version__)
print("given:", table.to_dict("list"))
print("codes in the file:", sex.value.tolist(), grade.value.tolist(), "and", visits.value)
print("read again:", again.to_dict("list"))
assert again["visits"].isna().tolist() == [False, True, False]
assert sex.value.tolist() == [1, 0, 2], "a missing cell is no longer code 0"
assert again["sex"].tolist() == ["f", "m", "m"], "a missing cell is no longer read as the last level"
assert again["grade"].tolist() == ["low", "high", "mid"]
assert not again["grade"].cat.ordered, "the order of levels is now kept"
PYTHON
if command -v Rscript >/dev/null; then
  Rscript - "$folder/table.rds" <<'RSCRIPT'
table <- readRDS(commandArgs(TRUE)[1])
sex <- table$sex
said <- tryCatch(as.character(sex), error = conditionMessage)
cat(R.version.string, "- codes:", unclass(sex), "- is.na:", is.na(sex), "- as.character:", said, "\n")
cat("ordered grade:", is.ordered(table$grade), "\n")
stopifnot(!anyNA(sex), identical(said, "malformed factor"), !is.ordered(table$grade))
RSCRIPT
else
  echo "No Rscript here: what R makes of the file was not looked at."
fi
