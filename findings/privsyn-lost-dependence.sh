#!/usr/bin/env bash
# privsyn-core 0.1.1 invents tables that keep hardly anything of what goes together in the records,
# whatever the epsilon, and may make columns constant. At epsilon = 1000, 5,000 records:
# a) Of two pairs of equal columns, measured all four together, come four independent columns. The
#    loop that moves records towards the marginals (GUM) works on one array; what is given out is
#    another, the independent start.
# b) By default one pair is chosen, and each other column is joined to the column that it depends on
#    LEAST ("best partner by minimal error"): the search goes on only while a pair lessens the error by
#    over 20,000 records, which below 10,000 records none can. Such marginals form a tree; its root
#    comes out as code 0 in every row (nothing is left for the loop, so nothing is drawn), and columns
#    hung on it get their codes in the order of the rows: a weak 0.17 between two becomes 0.96.
# Names are gone through as a set, so that PYTHONHASHSEED must be fixed too for the same table again.
# Source: lib_synthesize/records_update.py, initialize_records (self.records stays zeros and is what
# update_records changes, self.df is what is returned); lib_synthesize/converge_imp.py, sep_graph and
# append_attrs; lib_marginal/marg_determine.py and marg_select_helper.py, handle_isolated_attrs.
# Seen with pandas 3.1.1 and with 2.3.3, numpy 2.4.6.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet privsyn-core==0.1.1 pandas==3.1.1 numpy==2.4.6
PYTHONHASHSEED=0 PRIVSYN_CORE_DATA_ROOT="$folder/artifacts" "$folder/env/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pandas as pd
from privsyn import fit_privsyn

rng, n = np.random.default_rng(0), 5000
y, v = rng.integers(0, 2, (2, n))
doubled = pd.DataFrame({"u": y, "v": v, "u2": y, "v2": v})
star = pd.DataFrame({"y": y, **{name: np.where(rng.random(n) < 0.7, y, 1 - y) for name in "abc"}})


def made(records, **settings):
    """What is measured, and a table."""
    model = fit_privsyn(records, dict.fromkeys(records, 2), epsilon=1000.0, delta=1e-5,
                        random_state=0, **settings)
    return model.selected_marginals_, model.sample(n)


print("privsyn-core", version("privsyn-core"), "pandas", pd.__version__)
measured, table = made(doubled, marg_sel_threshold=0.0)
together = abs(table.corr().to_numpy()[np.triu_indices(4, 1)])
print("a) measured", measured, "correlations in the table up to", together.max().round(2))
assert [set(columns) for columns in measured] == [set(doubled)]
assert together.max() < 0.06, "what goes together is now kept"

measured, table = made(star)
alone = [name for name in star if table[name].nunique() == 1]
print("b) measured", measured, "constant in the table:", alone)
print("a and c: correlation", star.corr().loc["a", "c"].round(2), "in the records,",
      table.corr().loc["a", "c"].round(2), "in the table")
assert alone, "no column is constant now"
assert star.corr().loc["a", "c"] < 0.2 and table.corr().loc["a", "c"] > 0.9

measured, table = made(doubled)
print("measured", measured, "though only u = u2 and v = v2 go together")
equal = [pair for pair in measured if set(pair) in ({"u", "u2"}, {"v", "v2"})]
assert len(measured) == 3 and len(equal) == 1, "the equal columns are now joined"
PYTHON
