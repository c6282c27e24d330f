"""What three hospitals keep that condense together, beside one table of all and each one alone.

    python benchmarks/federation.py --judge judge.py --data DIR --results federation.jsonl \
        --sets support2_hospdead --seeds 0 1 --out benchmarks/federation.md

Judge and data are those of `utility.py`. Training records are dealt to the sites at random, or lie
where their ``site`` column says (``--by-site``). Results that are there are not made again; the
table is written from all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from resumed import resumed
from utility import judged

from tincture import evaluate
from tincture.errors import TableError
from tincture.federation.engine import FederatedEngine
from tincture.public.schema import Schema
from tincture.tables.condenser import Condenser

BY_HOSPITAL = (
    "AUROC of the same models on the held-out records of each hospital of heart_uci by itself;\n"
    "*alike*: `nobody`, with `--balance-sites`."
)


def sites_of(records: pl.DataFrame, n_sites: int, by: str | None) -> dict[str, pl.DataFrame]:
    """Each site's records by its name."""
    if by is not None:
        parts = records.partition_by(by, as_dict=True)
        return {f"site-{i}": parts[key] for i, key in enumerate(sorted(parts))}
    dealt = np.random.default_rng(0).permutation(len(records)) % n_sites
    return {f"site-{i}": records.filter(pl.Series(dealt == i)) for i in range(n_sites)}


def condensed(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Split, condense, score."""
    name, seed = case["set"], case["seed"]
    meta = tomllib.loads((options.data / f"{name}.toml").read_text())
    used = [f["name"] for f in meta["features"]] + [meta["target"]]
    condenser = Condenser(
        schema=Schema.load(options.data / f"{name}.schema.json").select(used),
        target=meta["target"],
        models=case["models"].split("+"),
        epsilon=case["epsilon"],
        delta=1e-5,
        n_rows=case["rows"],
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        judged(options, "split", name, "--seed", str(seed), "--out", folder)
        records = pl.read_parquet(f"{folder}/train.parquet")
        sites = sites_of(records, case["sites"], meta["site"] if case["by"] == "hospital" else None)
        began = time.perf_counter()
        match case["who"]:
            case "pooled":
                condenser.fit(records)
            case "nobody" | "everyone" as trust:
                condenser.fit(engine=FederatedEngine.in_process(condenser, sites, trust=trust))
            case "alike":
                condenser.fit(
                    engine=FederatedEngine.in_process(condenser, sites, balance_sites=True)
                )
            case alone:
                condenser.fit(sites[alone])
        seconds = time.perf_counter() - began
        condenser.save(f"{folder}/release")
        table = f"{folder}/release/condensed.csv"
        figures = judged(options, "score", table, name, "--seed", str(seed))
        found = {"figures": figures, "seconds": seconds}
        if case["by"] == "hospital":
            test = pl.read_parquet(f"{folder}/test.parquet")
            found["at_sites"] = at_sites(f"{folder}/release", records, test, meta["site"])
    return found


def at_sites(release: str, train: pl.DataFrame, test: pl.DataFrame, by: str) -> dict[str, float]:
    """Mean AUROC of the release's models on each hospital's held-out records."""
    told = evaluate(release, train, test, by=[by]).scores
    found: dict[str, list[float]] = {}
    for score in told:
        if score.group != "all" and (score.metric, score.trained_on) == ("AUROC", "condensed"):
            found.setdefault(score.group, []).append(score.figure.value)
    return {group: round(statistics.fmean(values), 4) for group, values in found.items()}


def cases(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Pooled, together, and each site alone."""
    whose = options.who or [
        *("pooled", "everyone", "nobody"),
        *(["alike"] if options.by_site else []),
        *(f"site-{i}" for i in range(options.n_sites)),
    ]
    return [
        {
            "set": name,
            "epsilon": options.epsilon,
            "models": options.models,
            "rows": options.rows,
            "sites": options.n_sites,
            "by": "hospital" if options.by_site else "chance",
            "seed": seed,
            "who": who,
        }
        for name, seed, who in itertools.product(options.sets, options.seeds, whose)
    ]


def measure(case: dict[str, Any], options: argparse.Namespace) -> dict[str, Any] | None:
    """One case; None for a site that has too few records to condense alone."""
    try:
        result = condensed(case, options)
    except TableError:
        return None
    told = {f["model"]: f["auroc"] for f in result["figures"]}
    print(case["set"], case["seed"], case["who"], told, round(result["seconds"]), flush=True)
    return result


def gains(result: dict[str, Any], models: list[str]) -> float:
    """Mean gain over chance of the models served, in AUROC."""
    return statistics.fmean(f["auroc"] - 0.5 for f in result["figures"] if f["model"] in models)


def table(results: list[dict[str, Any]]) -> str:
    """A line a set and seed, then one of their means."""
    heads = (
        *("set", "ε", "sites, by", "seed", "pooled", "masked (`everyone`)", "`nobody`"),
        *("best site alone", "mean site alone", "masked/pooled", "`nobody`/pooled"),
        "best alone/pooled",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    every: dict[tuple[str, ...], list[list[float]]] = {}
    for case, found in grouped(results):
        alone = [r for who, r in found.items() if who.startswith("site-")]
        if not {"pooled", "everyone", "nobody"} <= found.keys() or not alone:
            continue
        models = case["models"].split("+")
        each = [gains(r, models) for r in alone]
        values = [gains(found[who], models) for who in ("pooled", "everyone", "nobody")]
        values += [max(each), statistics.fmean(each)]
        about = case["set"], f"{case['epsilon']:g}", f"{case['sites']}, {case['by']}"
        every.setdefault(about, []).append(values)
        lines.append(line(about, str(case["seed"]), values))
    for about, rows in every.items():
        means = [statistics.fmean(column) for column in zip(*rows, strict=True)]
        lines.append(line(about, f"mean of {len(rows)}", means))
    return "\n".join(lines) + "\n"


def grouped(
    results: list[dict[str, Any]],
) -> Iterator[tuple[dict[str, Any], dict[str, dict[str, Any]]]]:
    """Each set and seed, and what was found of it by who condensed."""
    by: dict[str, dict[str, dict[str, Any]]] = {}
    for result in results:
        key = json.dumps({k: v for k, v in result["case"].items() if k != "who"})
        by.setdefault(key, {})[result["case"]["who"]] = result
    for key, found in by.items():
        yield json.loads(key), found


def line(about: Sequence[str], seed: str, values: list[float]) -> str:
    """Values, and each but the first and the last as a share of the first."""
    shares = (f"{value / values[0]:.2f}" for value in values[1:4])
    return f"| {' | '.join([*about, seed, *(f'{v:.3f}' for v in values), *shares])} |"


def at_each(results: list[dict[str, Any]]) -> str:
    """Of sites that are hospitals: AUROC at the worst and on average, means over seeds."""
    heads = "| condensed by | worst hospital | mean of hospitals | seeds |\n|---|---|---|---|"
    found: dict[str, list[list[float]]] = {}
    for result in results:
        if "at_sites" in result:
            own = list(result["at_sites"].values())
            found.setdefault(result["case"]["who"], []).append([min(own), statistics.fmean(own)])
    lines = [heads]
    for who in ("pooled", "everyone", "nobody", "alike"):
        if rows := found.get(who):
            worst, mean = (statistics.fmean(column) for column in zip(*rows, strict=True))
            lines.append(f"| {who} | {worst:.3f} | {mean:.3f} | {len(rows)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, then write the table into the page, below its words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sets", nargs="*", default=["support2_hospdead"])
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(5)))
    parser.add_argument("--models", default="logistic+tree")
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--n-sites", type=int, default=3)
    parser.add_argument("--who", nargs="*", help="pooled, everyone, nobody, alike, site-0, …")
    parser.add_argument("--by-site", action="store_true", help="by the set's own column")
    options = parser.parse_args()
    results = resumed(options.results, cases(options), lambda case: measure(case, options))
    if options.out:
        words = options.out.read_text(encoding="utf-8").split("| set |")[0]
        text = f"{words}{table(results)}\n{BY_HOSPITAL}\n\n{at_each(results)}"
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
