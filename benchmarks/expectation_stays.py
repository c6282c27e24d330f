"""What stays keep of the ceiling's gain by stays, variables and ε; the rule that is promised of it.

    python benchmarks/expectation_stays.py --data DIR --out benchmarks/expectation_stays.jsonl

Condenses parts of two real sets, some stays and some variables each, without matching to networks,
and scores logistic regression on summaries, by AUROC on 30% of the stays, held out; the ceiling is
the same model trained on the same real stays. A cell that is in --out already is not run again.
Prints best and loss of `tincture.stays.expectation`: ratio of the gains over chance = best − loss ·
√columns / (ε · stays with the rarer outcome), a ratio above 1 counting as 1, by least squares over
the releases whose scarcity (what loss is the factor of) is 0.05 at most; how often a release keeps
what is promised; and the table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tomllib
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from tincture.privacy.engine import LocalEngine
from tincture.privacy.ledger import Ledger
from tincture.privacy.query import Records, Sealed
from tincture.privacy.vault import Vault
from tincture.stays.classical import logistic
from tincture.stays.condenser import SeriesCondenser
from tincture.stays.expectation import GOOD, POOR, RULE
from tincture.stays.inputs import Standard, channels
from tincture.stays.layout import Layout
from tincture.stays.method import search, usual_plan

ICU, COVID = "physionet2012_a", "covid_wuhan_ts"
# Set, variables (0: all), stays (0: all that are not held out), share of the case (0: as it is).
PARTS = [
    *((ICU, 0, n, 0.0) for n in (350, 700, 1400, 0)),
    *((ICU, 10, n, 0.0) for n in (350, 700, 1400, 0)),
    *((ICU, 0, n, 0.5) for n in (350, 700)),
    (COVID, 0, 0, 0.0),
]
EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0)
KEYS = ("set", "variables", "stays", "share", "epsilon", "run")
HELD_OUT, N_ROWS, DELTA = 0.3, 80, 1e-5
WITHIN = 0.05  # scarcity beyond which mostly nothing is seen


class Real:
    """A set of the data folder, sealed."""

    def __init__(self, data: Path, name: str) -> None:
        meta = tomllib.loads((data / f"{name}.toml").read_text(encoding="utf-8"))
        schema, target = data / f"{name}.schema.json", meta["target"]
        condenser = SeriesCondenser(
            schema=schema, target=target, stay=meta["id"], epsilon=1.0, delta=DELTA, effort=0
        )
        self.job = condenser.job()
        files = data / f"{name}.parquet", data / f"{name}_outcomes.parquet"
        self.records = self.job.seal(files).records

    def part(
        self, variables: int, stays: int, share: float, run: int
    ) -> tuple[Layout, Records, Records]:
        """Some variables of some stays, and the same of those held out, drawn by the run."""
        rng = np.random.default_rng(run)
        order, case = rng.permutation(len(self.records)), self.records.outcomes[:, 0] > 0
        cut = round(HELD_OUT * len(order))
        out, inside = order[:cut], order[cut:]
        if share:
            n_cases = round(share * stays)
            cases, others = inside[case[inside]], inside[~case[inside]]
            inside = np.concatenate([cases[:n_cases], others[: stays - n_cases]])
        inside = inside[: stays or None]
        layout = self.job.layout
        chosen = np.sort(rng.permutation(len(layout.variables))[: variables or None])
        grid, statics = layout.parts(self.records.points)
        small = replace(layout, variables=tuple(layout.variables[v] for v in chosen))

        def taken(rows: np.ndarray) -> Records:
            points = small.points(grid[rows][..., chosen], statics[rows])
            return Records(points, self.records.design[rows], self.records.outcomes[rows])

        return small, taken(inside), taken(out)


def auroc(layout: Layout, train: Records, test: Records) -> float:
    """Of logistic regression on summaries; ½ where it has one class or nothing to learn from."""
    if len(np.unique(train.outcomes)) < 2:
        return 0.5
    inputs = channels(train.points, layout)
    standard = Standard.of(inputs)
    if not standard.kept.any():
        return 0.5
    model = logistic(standard(inputs), train.outcomes[:, 0].astype(int))
    odds = model.log_odds(standard(channels(test.points, layout)))
    return float(roc_auc_score(test.outcomes[:, 0], odds))


def measure(real: Real, cell: dict, ceilings: dict) -> dict:
    """Condense and score one cell."""
    start = time.process_time()
    where = tuple(cell[k] for k in KEYS if k != "epsilon")
    layout, train, test = real.part(*where[1:])
    if where not in ceilings:
        ceilings[where] = auroc(layout, train, test)
    plan = usual_plan(cell["epsilon"], DELTA)
    vault = Vault(lambda records: Sealed(records), train, Ledger(plan, unit="stay"))
    rng = np.random.default_rng(cell["run"])
    found = search(LocalEngine(vault), layout, real.job.task, N_ROWS, rng)
    made = Records(found.points, np.zeros((N_ROWS, 0), np.float32), found.outcomes)
    cases = float(train.outcomes.sum())
    n_statics = len(layout.statics.columns) if layout.statics else 0
    return cell | {
        "columns": len(layout.variables) + n_statics,
        "rarer": min(cases, len(train) - cases),
        "condensed": len(train),
        "auroc": round(auroc(layout, made, test), 4),
        "ceiling": round(ceilings[where], 4),
        "left_out": len(found.told["left_out"]),
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def run(data: Path, out: Path, runs: int) -> list[dict]:
    """Every cell, those that are there already from the file."""
    lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    known = {tuple(line[k] for k in KEYS): line for line in map(json.loads, lines)}
    sets: dict[str, Real] = {}
    ceilings: dict[tuple, float] = {}
    for seed, part, epsilon in product(range(runs), PARTS, EPSILONS):
        cell = dict(zip(KEYS, (*part, epsilon, seed), strict=True))
        if (key := tuple(cell.values())) in known:
            continue
        if part[0] not in sets:
            sets[part[0]] = Real(data, part[0])
        known[key] = measure(sets[part[0]], cell, ceilings)
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(known[key]) + "\n")
    return list(known.values())


def ratio(line: dict) -> float:
    """Gain over chance among that of the ceiling."""
    return (line["auroc"] - 0.5) / (line["ceiling"] - 0.5)


def main() -> None:
    """Run, print, fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/expectation_stays.jsonl"))
    parser.add_argument("--runs", type=int, default=4)
    options = parser.parse_args()
    lines = run(options.data, options.out, options.runs)
    x = np.array([line["columns"] ** 0.5 / (line["epsilon"] * line["rarer"]) for line in lines])
    y = np.minimum([ratio(line) for line in lines], 1.0)
    near, design = x <= WITHIN, np.column_stack([np.ones_like(x), -x])
    (best, loss), *_ = np.linalg.lstsq(design[near], y[near])
    off = np.abs(y - design @ (best, loss))[near]
    print(f"best = {best:.2f}  loss = {loss:.1f}  ({near.sum()} of {len(x)} releases)")
    print(f"absolute deviation: mean {off.mean():.3f}, largest {off.max():.3f}")
    said = RULE.best - RULE.loss * x
    for least in (POOR, GOOD):
        kept = y[said >= least]
        print(
            f"where {least:.0%} is promised: {(kept >= least).sum()} of {len(kept)} keep it, "
            f"mean {kept.mean():.3f}, lowest {kept.min():.3f}"
        )
    cells: dict[tuple, list[int]] = {}
    for i, line in enumerate(lines):
        cells.setdefault(tuple(line[k] for k in KEYS if k != "run"), []).append(i)
    print("| set | stays | with the rarer outcome | columns | ε | scarcity | ratio | left out |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, *_), runs in cells.items():
        some = [lines[i] for i in runs]
        columns, ε = some[0]["columns"], some[0]["epsilon"]
        mean = {k: statistics.mean(s[k] for s in some) for k in ("rarer", "condensed", "left_out")}
        told = " ".join(f"{ratio(s):.2f}" for s in some)
        print(
            f"| {name} | {mean['condensed']:.0f} | {mean['rarer']:.0f} | {columns} | {ε:g} | "
            f"{statistics.mean(x[runs]):.3f} | {told} | {mean['left_out']:.0f} |"
        )


if __name__ == "__main__":
    main()
