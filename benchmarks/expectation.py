"""The constants of `tincture.tables.expectation`, fitted to the results of `utility.py`.

    python benchmarks/expectation.py --data DIR --results benchmarks/expectation.jsonl

Prints best and loss of: mean ratio over the portfolio = best − loss · √columns / (ε · people with
the event), a ratio above 1 counting as 1, by least squares over sets and ε, and what is left. The
releases in expectation.jsonl were made before cases went by the square of their chances
(docs/decisions/0008), which left the mean ratio as it was.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tomllib
from pathlib import Path

import numpy as np
from utility_table import UNASKED

TRAINING = 0.7  # share of the records that is condensed


def points(results: Path, data: Path) -> list[tuple[str, float, float]]:
    """Set and ε, √columns / (ε · people with the event), and mean ratio of each release."""
    found = []
    for line in results.read_text(encoding="utf-8").splitlines():
        case = (result := json.loads(line))["case"]
        if case.get("models") != "portfolio":
            continue
        meta = tomllib.loads((data / f"{case['set']}.toml").read_text(encoding="utf-8"))
        share = meta.get("prevalence") or meta["event_rate"]
        cases = TRAINING * meta["n_rows"] * min(share, 1 - share)
        scarcity = meta["n_features"] ** 0.5 / (float(case["epsilon"]) * cases)
        ratios = [f["ratio"] for f in result["figures"] if f["model"] not in UNASKED]
        found.append((f"{case['set']} {case['epsilon']}", scarcity, statistics.mean(ratios)))
    return found


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args()
    found = points(options.results, options.data)
    x = np.array([s for _, s, _ in found])
    y = np.minimum([r for *_, r in found], 1.0)
    (best, loss), *_ = np.linalg.lstsq(np.column_stack([np.ones_like(x), -x]), y)
    print(f"best = {best:.2f}  loss = {loss:.1f}  ({len(x)} releases)")
    left = y - (best - loss * x)
    print(f"absolute deviation: mean {np.abs(left).mean():.3f}, largest {np.abs(left).max():.3f}")
    for (name, s, r), off in sorted(zip(found, left, strict=True), key=lambda t: t[1]):
        print(f"{name:28} scarcity {s:8.5f}  ratio {r:.3f}  off {off:+.3f}")


if __name__ == "__main__":
    main()
