"""Whether `evaluate` finds what an independent judge finds, who is handed the rows alone.

    python benchmarks/agreement.py --judge judge.py --data DIR --out benchmarks/agreement.md

The judge and DIR are those of `benchmarks/utility.py`. One release a set is scored by both: AUROC
or Harrell's C of every model trained on the rows, and trained on all real records. A second judge
beside the first, `recipients.py`, runs the plain regression on both files, and checks them.
"""

from __future__ import annotations

import argparse
import tempfile
import tomllib
from pathlib import Path

import polars as pl
from utility import judged

from tincture.evaluation.scores import CEILING, COHORT, CONDENSED, Evaluation
from tincture.public.schema import Schema
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser

SETS = ["support2_hospdead", "framingham_chd", "acath", "flchain"]
ALLOWED = 0.005
# Equal rows fall on both sides of a fold and rounding breaks their ties; rows that are separated
# have coefficients as large as rounding lets them be.
LOOSE = {"cv_gap": 0.02, "beta": 0.02}


def compared(name: str, options: argparse.Namespace) -> list[tuple[str, str, float, float]]:
    """Model, source, what `evaluate` finds and what the judge finds."""
    about = tomllib.loads((options.data / f"{name}.toml").read_text())
    outcome = {k: about[k] for k in ("target", "time", "event") if k in about}
    others = [about.get("site"), about.get("group"), *about.get("auxiliary_columns", [])]
    with tempfile.TemporaryDirectory() as home:
        judged(options, "split", name, "--seed", "0", "--out", home)
        train, test = (pl.read_parquet(Path(home) / f"{t}.parquet") for t in ("train", "test"))
        condenser = Condenser(
            schema=Schema.load(options.data / f"{name}.schema.json"),
            epsilon=1.0,
            delta=1e-5,
            models=["logistic" if "target" in outcome else "cox"],
            drop=[n for n in others if n],
            effort=0.1,
            **outcome,
        ).fit(train)
        condenser.save(f"{home}/release")
        scored = judged(options, "score", f"{home}/release/condensed.csv", name, "--seed", "0")
        models = [line["model"] for line in scored]
        found = evaluate(condenser.table_, train, test, models=models)
        plain = [
            line
            for about in (CONDENSED, COHORT)
            for line in regressed(name, about, Path(home, "release"), found, options)
        ]
    full = judged(options, "ceiling", name, "--seed", "0")
    metric, theirs = ("AUROC", "auroc") if "target" in outcome else ("C-index", "cindex")
    return plain + [
        (line["model"], source, found.value(line["model"], source, metric), line[theirs])
        for source, lines in ((CONDENSED, scored), (CEILING, full))
        for line in lines
        if line["model"] in models
    ]


def regressed(
    name: str, about: str, release: Path, found: Evaluation, options: argparse.Namespace
) -> list[tuple[str, str, float, float]]:
    """What `evaluate` and the judge of plain regressions find of one file of a release.

    The six columns that the latter chooses among survival data are those of 3,000 records, so that
    they may be others; `beta` and `sign` are compared of classes alone.
    """
    second = argparse.Namespace(judge=options.judge.with_name("recipients.py"), data=options.data)
    lines_of = judged(second, "score", str(release / f"{about}.csv"), name, "--seed", "0")
    told = {line["model"]: line for line in lines_of}
    plain, metric = ("glm", "AUROC") if "glm" in told else ("coxph", "C-index")
    ours = {check.name: check.value for check in found.checks if check.trained_on == about}
    lines = [
        (plain, about, found.value(plain, about, metric), told[plain]["value"]),
        (plain, CEILING, found.value(plain, CEILING, metric), told[plain]["ceiling"]),
    ]
    theirs = told["(table)"] | (told["glm_few"] if plain == "glm" else {})
    names = [n for n in ("beta", "sign", "cv_gap", "km") if theirs.get(n) is not None]
    return lines + [(n, about, ours[n], theirs[n]) for n in names if n in ours]


def main() -> None:
    """Compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", type=lambda s: s.split(","), default=SETS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = [
        "# Agreement of evaluate with a judge",
        "",
        "`python benchmarks/agreement.py --judge JUDGE --data DATA`: AUROC or C-index of models",
        "trained on 100 rows (ε = 1), on the cohort and on all real records, and checks of both",
        f"files; the two agree to {ALLOWED}, in cv_gap and beta to 0.02.",
        "",
        "| set | model | trained on | evaluate | judge | difference |",
        "|---|---|---|---|---|---|",
    ]
    worst = 0.0
    for name in options.sets:
        for model, source, ours, theirs in compared(name, options):
            worst = max(worst, abs(ours - theirs) / LOOSE.get(model, ALLOWED))
            cells = (name, model, source, f"{ours:.4f}", f"{theirs:.4f}", f"{ours - theirs:+.4f}")
            lines.append(f"| {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    lines += ["", f"Largest difference, as a share of what is allowed: {worst:.2f}."]
    print(lines[-1])
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    raise SystemExit(worst > 1)


if __name__ == "__main__":
    main()
