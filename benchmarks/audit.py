"""Long audits: one-run bounds over many runs, and membership attacks on real sets.

    python benchmarks/audit.py --runs 30 --data DIR --sets a,b,c --out benchmarks/audit.md

DIR holds NAME.parquet, NAME.schema.json and NAME.toml (``target``, or ``time`` and ``event``) for
each set. A random 70% of the records are condensed, the rest is held out.

    python benchmarks/audit.py --stays --runs 30 --audits audit-1.json,audit-inf.json

does the same for stays; each JSON file is what ``tincture audit-series --out`` wrote.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from tincture.audit.one_run import Bound, one_run
from tincture.audit.rehearsal import rehearsed
from tincture.privacy.accounting import Plan
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.stays.canaries import canaries as canaries_of_stays
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.layout import Layout
from tincture.stays.method import usual_plan as stays_plan
from tincture.tables.canaries import canaries
from tincture.tables.condenser import Condenser
from tincture.tables.method import usual_plan
from tincture.tables.target import audit

DELTA = 1e-5
DIED = Classification("died", 2)
Rehearse = Callable[[float, np.random.Generator], Bound]
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


VARIABLES = [
    {"name": f"v{i}", "constraints": {"minimum": 0, "maximum": 1}, "role": "variable"}
    for i in range(40)  # many, so that canaries overlap little
]
STAYS = Schema.from_dict(
    {
        "fields": [
            *({"type": "number", **v} for v in VARIABLES),
            {"name": "sex", "type": "string", "categories": ["f", "m"], "role": "static"},
            {"name": "died", "type": "integer", "categories": [0, 1], "role": "target"},
        ]
    }
)
LAYOUT = Layout.of(STAYS, target="died", stay="stay_id", hours=4, bin_hours=1)


def rows_plan(epsilon: float) -> Plan:
    """Of the proxy method."""
    return usual_plan(epsilon, DELTA, "proxy")


def series_plan_of(epsilon: float) -> Plan:
    """Of stays."""
    return stays_plan(epsilon, DELTA)


def rehearse_rows(epsilon: float, rng: np.random.Generator) -> Bound:
    """The loop of rows with its real questions."""
    settings = {"models": ["logistic"], "n_rows": 20, "effort": 0.005, "delta": DELTA}
    job = Condenser(schema=SCHEMA, target="died", epsilon=epsilon, **settings).job()
    return rehearsed(job, canaries(job, 300, rng), rng)


def rehearse_stays(epsilon: float, rng: np.random.Generator) -> Bound:
    """The loop of stays with its real questions."""
    settings = {"hours": 4, "n_rows": 20, "effort": 0, "delta": DELTA}
    job = SeriesCondenser(schema=STAYS, target="died", epsilon=epsilon, **settings).job()
    return rehearsed(job, canaries_of_stays(job, 300, rng), rng)


def bounds(
    runs: int, canaries: int, plan_for: Callable[[float], Plan], rehearse: Rehearse
) -> Iterator[str]:
    """One line a kind of canary and ε: bounds over the runs, and how many exceed the claim."""
    for epsilon in (0.5, 1.0, 4.0):
        plan = plan_for(epsilon)
        rngs = [np.random.default_rng([int(10 * epsilon), i]) for i in range(runs)]
        yield line("ideal", epsilon, [one_run(plan, r, canaries=canaries) for r in rngs])
        yield line("real questions", epsilon, [rehearse(epsilon, r) for r in rngs])


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


def told(path: Path) -> Iterator[str]:
    """An audit of stays: a row an attack, then how near the stays lie."""
    found = json.loads(path.read_text())
    epsilon = f"{float(found['epsilon']):g}"

    def shown(figure: dict[str, float | None]) -> str:
        if figure["value"] is None:
            return "–"
        return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"

    for attack in found["membership"]:
        cells = [attack["area"], *attack["hits"]]
        yield f"| {epsilon} | {attack['name']} | {' | '.join(shown(c) for c in cells)} |"
    near = found["closeness"]
    yield (
        f"At ε = {epsilon}: {near['equal_to_training']} of {near['rows']} stays equal to a "
        f"training stay; nearest to any {near['nearest_row']:.1f}, of held-out stays "
        f"{near['nearest_held_out']:.1f}; nearer to training than to held-out "
        f"{shown(near['nearer_to_training'])}; nearer than 95% of held-out "
        f"{shown(near['very_near'])}. One-run bound {found['one_run']['epsilon']:.2f}; "
        f"{sum(c['passed'] for c in found['vault'])} of {len(found['vault'])} checks passed."
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
    parser.add_argument("--stays", action="store_true")
    parser.add_argument("--audits", default="", help="comma-separated files")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines: list[str] = []

    def say(*texts: str) -> None:
        lines.extend(texts)
        print(*texts, sep="\n", flush=True)

    began = time.perf_counter()
    kind = (
        "--stays"
        if options.stays
        else f"--data DATA --sets {options.sets} --references {options.references} "
        f"--effort {options.effort}"
    )
    say(f"`python benchmarks/audit.py --runs {options.runs} --canaries {options.canaries} {kind}`")
    if options.runs:
        say(
            "",
            "One-run lower bounds on ε at 95% confidence, δ = 1e-5, the plan of "
            f"{'stays' if options.stays else 'the proxy method'}.",
            "*Ideal* canaries have an axis each; with *real questions* the whole loop runs on",
            "invented records.",
            "",
            "| canaries are | ε claimed | runs | canaries | median bound | largest | above claim |",
            "|---|---|---|---|---|---|---|",
        )
        method = (series_plan_of, rehearse_stays) if options.stays else (rows_plan, rehearse_rows)
        for text in bounds(options.runs, options.canaries, *method):
            say(text)
    if options.audits:
        lines_of = [list(told(Path(name))) for name in options.audits.split(",")]
        heads = "| ε | attack | AUC | found at 0.1% | found at 1% |"
        say("", heads, "|---|---|---|---|---|", *(t for ts in lines_of for t in ts[:-1]))
        say(*(f"\n{ts[-1]}" for ts in lines_of))
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
