#!/usr/bin/env bash
# mbi 1.1.0 invents records in which columns that are independent given a third go together as closely
# as they can. MarkovRandomField.synthetic_data (method="round", its default) fills each column given
# its parents in the order of the rows, so two children of one parent get their levels in the same
# order. A model of y-a and y-b by which a and b are independent given y (correlation 0.04 in all)
# gives records with a = b, correlation 1. method="sample" does not have this; mbi 2.0.0 shuffles and
# gives 0.04 too. Yet smartnoise-synth 1.0.8, the newest, asks for mbi>=1.1.0,<2 and calls
# synthetic_data(rows=...), so tables of its MST and AIM have associations that nobody measured: on
# real data it can turn a weak association into a strong one, at any epsilon.
# Source: mbi/markov_random_field.py, synthetic_data, `perm = np.argsort(inverse, kind="stable")`.
# Seen: mbi 1.1.0 round 1.0, sample 0.04; mbi 2.0.0 round 0.03, sample 0.05 (records drawn, 0.01 or so).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/try.py" <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from mbi import Domain, LinearMeasurement, estimation

np.random.seed(0)
domain = Domain(["y", "a", "b"], [2, 2, 2])
counts = np.array([3000.0, 2000.0, 2000.0, 3000.0])  # y and a, y and b: correlation 0.2
measured = [LinearMeasurement(counts, ("y", name), 1.0) for name in "ab"]
if hasattr(estimation, "MirrorDescent"):
    model = estimation.MirrorDescent().estimate(domain, measured, iters=1000)
else:
    model = estimation.mirror_descent(domain, measured, known_total=10000.0, iters=1000)
print("mbi", version("mbi"), "model of a and b:", np.asarray(model.project(("a", "b")).datavector()).round())
seen = {}
for method in ("round", "sample"):
    table = model.synthetic_data(rows=10000, method=method).to_dict()
    seen[method] = np.corrcoef(table["a"], table["b"])[0, 1]
    print("records,", method, "correlation of a and b:", seen[method].round(2))
assert abs(seen["sample"] - 0.04) < 0.05
assert abs(seen["round"] - float(sys.argv[1])) < 0.05, "rows are now drawn otherwise"
PYTHON
for pair in "1.1.0 1" "2.0.0 0.04"; do
    read -r edition correlation <<< "$pair"
    python3 -m venv "$folder/env$edition"
    "$folder/env$edition/bin/pip" install --quiet "mbi==$edition" jax==0.10.2 numpy==2.4.6 pandas==3.1.1
    "$folder/env$edition/bin/python" -W ignore "$folder/try.py" "$correlation"
done
"$folder/env1.1.0/bin/pip" install --quiet --no-deps smartnoise-synth==1.0.8
"$folder/env1.1.0/bin/python" - <<'PYTHON'
from importlib.metadata import requires

asked = [line for line in requires("smartnoise-synth") if line.startswith("mbi")]
print("smartnoise-synth 1.0.8 asks for", asked)
assert asked == ["mbi (>=1.1.0,<2)"]
PYTHON
