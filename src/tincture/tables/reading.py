"""Code for a data card: take the rows that a release's script reads, impute, fit, predict.

It names nothing of ours, and must run as it stands in the folder of the release; the scripts are
those of `tincture.tables.loading`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tincture.io.copies.rds import level_text
from tincture.public.fields import SCALE
from tincture.public.notation import TIMES
from tincture.public.tasks import roles_of

PYTHON = """\
from load import {names}, levels, read
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import {imported}OneHotEncoder, StandardScaler
{imports}

rows = {rows}{other}
features = [name for name in rows if name not in [{outcome}]]
amounts = [name for name in features if name not in levels]
coded = [name for name in features if name in levels]
# A blank becomes the median, or is 0 in every level; so is a level that was not declared.
fill = SimpleImputer(strategy="median", keep_empty_features=True)
scale = make_pipeline({days}fill, StandardScaler())
known = [sorted(levels[name].categories) for name in coded]
encode = OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
prepare = make_column_transformer((scale, amounts), (encode, coded))
model = make_pipeline(prepare, {model})
model.fit(rows, {told})
{predicted}  # of your own patients: read("own.csv")"""

R = """\
source("load.R")
rows <- {rows}{other}
{rows_days}varied <- Filter(function(x) length(unique(na.omit(x))) > 1, rows)
features <- setdiff(names(varied), c({outcome}))
# A blank becomes the median, or the level "(missing)"; a level that no row has, the commonest.
# (glm forgets levels that no row has, and would stop at a patient who has one.)
text <- function(x) ifelse(is.na(x), "(missing)", as.character(x))
fill <- function(data) {{
{data_days}  for (name in features) {{
    x <- data[[name]]
    seen <- rows[[name]]
    if (is.factor(seen)) {{
      known <- names(sort(-table(text(seen))))
      x <- text(x)
      x[!x %in% known] <- known[1]
      data[[name]] <- factor(x, levels = known)
    }} else data[[name]] <- ifelse(is.na(x), median(seen, na.rm = TRUE), x)
  }}
  data
}}
filled <- fill(rows)[c({outcome}, features)]
model <- {model}
{predicted}  # of your own patients: fill(read("own.csv"))"""

# What either adds where there are dates: they become days.
PYTHON_DATED = {"imported": "FunctionTransformer, ", "days": "FunctionTransformer(in_days), "}
R_DATED = {"rows_days": "rows <- in_days(rows)\n", "data_days": "  data <- in_days(data)\n"}


def reading(package: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Python and R, as a card's words have them."""
    resources, task = package["resources"], package["tincture"]["task"]
    fields = resources[0]["schema"]["fields"]
    names = list(roles_of(task).values())
    case = task.get("case", next(reversed(_levels(fields, names[-1])), None))
    two = "case" in task or len(_levels(fields, names[-1])) == 2
    if task["kind"] == "amounts":
        field = next(f for f in fields if f["name"] == names[0])
        models = _amount_models(names[0], field.get(SCALE) == "log")
    else:
        models = _python_model(names, case, two), _r_model(names, case, two)
    outcome = ", ".join(map(_quoted, names))
    tables = [r["name"] for r in resources]
    read = {  # the cohort, where there is one: it is for any model, also without a penalty
        "rows": tables[-1],
        "other": "".join(f"  # or {name}" for name in tables[:-1]),
        "outcome": outcome,
    }
    is_dated = any(f["type"] in TIMES for f in fields)
    imported = ", ".join(sorted(tables + ["in_days"] * is_dated))
    python = PYTHON.format(names=imported, **_if(is_dated, PYTHON_DATED), **read, **models[0])
    in_r = R.format(**_if(is_dated, R_DATED), **read, **models[1])
    return ("python", python), ("r", in_r)


def _if(is_so: bool, parts: Mapping[str, str]) -> dict[str, str]:
    return {key: part * is_so for key, part in parts.items()}


def _python_model(names: list[str], case: Any, two: bool) -> dict[str, str]:
    """What the outcome calls for: imports, model, what it is told, what it predicts."""
    column = f"rows[{_quoted(names[-1])}]"
    is_case = f"{column} == {_quoted(case) if isinstance(case, str) else repr(case)}"
    if len(names) == 2:
        return {
            "imports": "from sksurv.linear_model import CoxPHSurvivalAnalysis\n"
            "from sksurv.util import Surv",
            "model": "CoxPHSurvivalAnalysis(alpha=1.0)",
            "told": f"Surv.from_arrays({is_case}, rows[{_quoted(names[0])}])",
            "predicted": "risk = model.predict(rows)",
        }
    return {
        "imports": "from sklearn.linear_model import LogisticRegression",
        "model": "LogisticRegression(max_iter=1000)",
        "told": is_case if two else f"{column}.astype(str)",
        "predicted": f"chance = model.predict_proba(rows){'[:, 1]' * two}",
    }


def _r_model(names: list[str], case: Any, two: bool) -> dict[str, str]:
    """The same in R: the plain regression, without a penalty."""
    ticked = [_ticked(name) for name in names]
    is_case = f"{ticked[-1]} == {_quoted(level_text(case))}"
    if len(names) == 2:
        left = f"survival::Surv({ticked[0]}, {is_case})"
        fit, kind = f"survival::coxph({left} ~ ., filled)", "risk"
    elif two:
        fit, kind = f"glm({is_case} ~ ., binomial, filled)", "response"
    else:
        fit = f"nnet::multinom(droplevels({ticked[0]}) ~ ., filled, MaxNWts = 1e5, trace = FALSE)"
        kind = "probs"
    said = "risk" if len(names) == 2 else "chance"
    return {"model": fit, "predicted": f'{said} <- predict(model, filled, type = "{kind}")'}


def _amount_models(name: str, is_log: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Least squares in Python and R, of the logarithm where the schema declares that scale."""
    column, left, predicted = f"rows[{_quoted(name)}]", _ticked(name), "predict(model, filled)"
    told = f"np.log({column})" if is_log else column
    found = "np.exp(model.predict(rows))" if is_log else "model.predict(rows)"
    imports = "import numpy as np\n" * is_log
    python = {
        "imports": f"{imports}from sklearn.linear_model import LinearRegression",
        "model": "LinearRegression()",
        "told": told,
        "predicted": f"amount = {found}",
    }
    fit = f"lm({f'log({left})' if is_log else left} ~ ., filled)"
    expected = f"exp({predicted})" if is_log else predicted
    return python, {"model": fit, "predicted": f"amount <- {expected}"}


def _ticked(name: str) -> str:
    """A name in a formula of R."""
    return "`{}`".format(name.replace("\\", "\\\\").replace("`", "\\`"))


def _levels(fields: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    field = next(f for f in fields if f["name"] == name)
    usual = [False, True] if field["type"] == "boolean" else []
    return field.get("constraints", {}).get("enum") or usual


def _quoted(text: str) -> str:
    """A string of Python and of R alike."""
    return json.dumps(text, ensure_ascii=False)
