"""The page of `recipients.py`, from its results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from typing import Any

GROUPS = {
    "asked": "logistic tree forest boosting cox survival_forest boosting_cox",
    "plain": "glm coxph",
    "few": "glm_few coxph_few",
    "others": "naive_bayes neighbours svm lasso hgb",
}
TITLE = """# What recipients make of both files

Means over seeds, then over sets, of ratios (1: all real records); see `recipients.py`.
"""
COMMAND = (
    "    python benchmarks/recipients.py --judge JUDGE --plain PLAIN --data DATA \\\n"
    "        --results RESULTS --out OUT"
)
MEANING = """*n* counts the releases behind a row.

*Asked*: logistic, tree, forest, boosting; Cox, survival forest, boosted Cox. *Plain*: regressions
without a penalty, all columns; *few*: the six that matter most; *beta* is the root mean square
difference of their log ratios from the real ones, each per real standard deviation, *sign* the
share of the right sign. *Others*: naive Bayes, neighbours, SVM, lasso, histogram boosting.
*Lowest*: of all these. *cv_gap*: AUROC by cross-validation on the file less that on held-out
records. *km*: largest distance of Kaplan–Meier curves. *Unseen*: share of held-out records with a
level that is in no row.
"""
CALIBRATION = """
## Calibration

Of logistic regression trained on a file, as `tincture evaluate` finds it on held-out records; sets
of classes with 4,000 records or more. 1 and 0 are right. *Records*: trained on all real ones.

| ε | file | n | slope, median | slope, range | intercept, median | intercept, range |
|---|---|---|---|---|---|---|"""
LEAST = 0.6  # ceiling below which a model that nobody asked for tells nothing


def write(results: list[dict[str, Any]], out: Path) -> None:
    """Means by ε, file and group of models, calibration, and what was measured."""
    columns = [*GROUPS, "lowest", "beta", "sign", "cv_gap", "km", "unseen"]
    table = [f"| ε | file | n | {' | '.join(columns)} |", "|---" * (len(columns) + 3) + "|"]
    for (epsilon, kind), into in sorted(gathered(results).items()):
        if kind == "records":
            continue
        n = sum(done["case"]["epsilon"] == epsilon for done in results)
        lowest = min(v for group in GROUPS for cell in into[group].values() for v in cell)
        means = {c: mean(map(mean, into[c].values())) for c in columns if into[c]}
        cells = [f"{means[c]:.2f}" if c in means else "" for c in columns]
        cells[len(GROUPS)] = f"{lowest:.2f}"
        table.append(f"| {epsilon} | {kind} | {n} | {' | '.join(cells)} |")
    parts = [TITLE, *measured([done["case"] for done in results]), MEANING, *table]
    out.write_text("\n".join([*parts, *calibration(results)]) + "\n", encoding="utf-8")


def gathered(results: list[dict[str, Any]]) -> Any:
    """Values by (ε, file), by group or kind of figure, and by (set, model)."""
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for case, line in ((r["case"], f) for r in results for f in r["figures"]):
        into, cell = found[case["epsilon"], line["file"]], (case["set"], line.get("model", ""))
        for key in ("beta", "sign", "cv_gap", "km", "unseen"):
            if line.get(key) is not None:
                into[key][cell].append(line[key])
        for group, names in GROUPS.items():
            counts = group != "others" or line.get("ceiling", 0) >= LEAST
            if "ratio" in line and counts and line["model"] in names.split():
                into[group][cell].append(line["ratio"])
    return found


def calibration(results: list[dict[str, Any]]) -> Iterator[str]:
    """Slopes and intercepts, where there are any."""
    found: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case, line in ((r["case"], f) for r in results for f in r["figures"]):
        for metric in {"slope", "intercept"} & {*line}:
            found[case["epsilon"], line["file"]][metric].append(line[metric])
    if found:
        yield CALIBRATION
    for (epsilon, kind), into in sorted(found.items()):
        cells = [
            f"{median(its):.2f} | {min(its):.2f} to {max(its):.2f}"
            for its in (into["slope"], into["intercept"])
        ]
        yield f"| {epsilon} | {kind} | {len(into['slope'])} | {' | '.join(cells)} |"


def measured(cases: list[dict[str, Any]]) -> Iterator[str]:
    """The commands of each ε with the sets and seeds that there are, and how many releases."""
    counts = []
    for epsilon in sorted({case["epsilon"] for case in cases}):
        seeds: dict[str, list[str]] = defaultdict(list)
        for case in sorted(cases, key=lambda case: case["seed"]):
            if case["epsilon"] == epsilon:
                seeds[case["set"]].append(str(case["seed"]))
        for those in sorted({",".join(its) for its in seeds.values()}):
            sets = ",".join(name for name, its in seeds.items() if ",".join(its) == those)
            yield f"{COMMAND} --epsilons {epsilon} \\"
            yield f"        --seeds {those} --sets {sets}\n"
        counts.append(f"ε = {epsilon}: {sum(map(len, seeds.values()))} ({len(seeds)} sets)")
    yield f"Releases measured: {'; '.join(counts)}. A seed is one split and one run."
