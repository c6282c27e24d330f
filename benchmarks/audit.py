"""Long audits: one-run bounds over many runs, and membership attacks on real sets.

    python benchmarks/audit.py --runs 30 --data DIR --sets a,b,c --out benchmarks/audit.md

DIR holds NAME.parquet, NAME.schema.json and NAME.toml (``target``, or ``time`` and ``event``) for
each set. A random 70% of the records are condensed, the rest is held out.
"""

from __future__ import annotations

import argparse
import math
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from tincture.audit.one_run import Bound, one_run
from tincture.audit.rehearsal import rehearsed
from tincture.audit.whole import audit
from tincture.condense import usual_plan
from tincture.estimators import Condenser
from tincture.schema import Schema
from tincture.tasks import Classification

DELTA = 1e-5
SCHEMA = Schema.from_dict(
    {
        "fields": [
            {"name": "age", "type": "integer", "constraints": {"minimum": 18, "maximum": 100}},
            {"name": "lactate", "type": "number", "constraints": {"minimum": 0.2, "maximum": 20}},
            {"name": "sodium", "type": "number", "constraints": {"minimum": 110, "maximum": 170}},
            {"name": "ward", "type": "string", "categories": ["icu", "med", "surg"]},
            {"name": "died", "type": "integer", "categories": [0, 1]},
        ]
    }
)


def bounds(runs: int, canaries: int) -> Iterator[str]:
    """One line a kind of canary and ε: bounds over the runs, and how many exceed the claim."""
    task = Classification("died", 2)
    for epsilon in (0.5, 1.0, 4.0):
        plan = usual_plan(epsilon, DELTA, "proxy")
        rngs = [np.random.default_rng([int(10 * epsilon), i]) for i in range(runs)]
        yield line("ideal", epsilon, [one_run(plan, r, canaries=canaries) for r in rngs])
        real = [rehearsed(SCHEMA, task, "proxy", epsilon, DELTA, r, canaries=300) for r in rngs]
        yield line("real questions", epsilon, real)


def line(kind: str, epsilon: float, found: list[Bound]) -> str:
    """A row of the table."""
    values = np.array([b.epsilon for b in found])
    return (
        f"| {kind} | {epsilon:g} | {len(found)} | {found[0].canaries} | {np.median(values):.2f} | "
        f"{values.max():.2f} | {sum(not b.holds for b in found)} |"
    )


def attacked(name: str, epsilon: float, options: argparse.Namespace) -> str:
    """One release of a set, attacked: a row of the table."""
    about = tomllib.loads((options.data / f"{name}.toml").read_text())
    schema = Schema.load(options.data / f"{name}.schema.json")
    table = pl.read_parquet(options.data / f"{name}.parquet").sample(
        fraction=1.0, shuffle=True, seed=0
    )
    cut = int(0.7 * len(table))
    outcome = {k: about[k] for k in ("target", "time", "event") if k in about}
    others = [about.get("site"), about.get("group"), *about.get("auxiliary_columns", [])]
    condenser = Condenser(
        schema=schema,
        epsilon=epsilon,
        delta=DELTA,
        models=["logistic" if "target" in outcome else "cox"],
        drop=[n for n in others if n],
        effort=options.effort,
        **outcome,
    ).fit(table[:cut])
    found = audit(
        condenser.table_, table[:cut], table[cut:], references=options.references, canaries=100
    )
    areas = ", ".join(
        f"{a.name} **{a.area.value:.3f}** ({a.area.low:.3f} to {a.area.high:.3f})"
        for a in found.membership
    )
    equal = found.closeness.equal_to_training, found.closeness.equal_to_held_out
    near = found.closeness.nearer_to_training
    return (
        f"| {name} | {cut} | {epsilon:g} | {areas} | {near.value:.2f} ({near.low:.2f} to "
        f"{near.high:.2f}) | {equal[0]}, {equal[1]} |"
    )


def main() -> None:
    """Run both parts and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--canaries", type=int, default=1000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", default="", help="comma-separated")
    parser.add_argument("--references", type=int, default=0)
    parser.add_argument("--effort", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines: list[str] = []

    def say(*texts: str) -> None:
        lines.extend(texts)
        print(*texts, sep="\n", flush=True)

    began = time.perf_counter()
    say(
        f"`python benchmarks/audit.py --runs {options.runs} --canaries {options.canaries} --data "
        f"DATA --sets {options.sets} --references {options.references} --effort {options.effort}`",
    )
    if options.runs:
        say(
            "",
            "One-run lower bounds on ε at 95% confidence, δ = 1e-5, the proxy method's plan.",
            "*Ideal* canaries have an axis each; with *real questions* the whole loop runs on",
            "invented records.",
            "",
            "| canaries are | ε claimed | runs | canaries | median bound | largest | above claim |",
            "|---|---|---|---|---|---|---|",
        )
        for text in bounds(options.runs, options.canaries):
            say(text)
    if options.sets:
        say(
            "",
            "Membership attacks on one release each (AUC with 95% interval; ½ is chance).",
            "",
            "| set | records | ε | attacks | rows nearer to training (½ is chance) "
            "| rows equal to a record of training, held-out |",
            "|---|---|---|---|---|---|",
        )
        for name in options.sets.split(","):
            for epsilon in (1.0, math.inf):
                say(attacked(name, epsilon, options))
    say("", f"{time.perf_counter() - began:.0f} s in all.")
    if options.out:
        options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
