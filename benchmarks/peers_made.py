"""An invented table by a peer; run by the Python where that peer is installed.

    python peers_made.py dpmm.MST records.csv domain.json --epsilon 1 --seed 0 --out invented.csv

``domain.json`` has for each column its public bounds (``lower``, ``upper``) or ``categories``, all
of them text. As many records are invented as there are; δ = 1e-5.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

DELTA = 1e-5
EVEN = 20  # bins of equal width
BINNING = 0.1  # share of ε that bins of amounts cost, as dpmm has it by default


def of_dpmm(
    name: str, table: pd.DataFrame, domain: dict[str, Any], epsilon: float, seed: int
) -> pd.DataFrame:
    """MST, AIM or PrivBayes of dpmm.

    It bins amounts by a private tree of its own, or, by names that end in "-even", within public
    bounds in bins of equal width, so that all of ε goes to the model.
    """
    from dpmm import pipelines

    name, _, is_even = name.partition("-")
    cost = 0.0 if is_even else BINNING
    bins = {"binner_type": "uniform", "n_bins": EVEN} if is_even else {}
    made = getattr(pipelines, f"{name}Pipeline")(
        epsilon=(1 - cost) * epsilon,
        delta=DELTA,
        proc_epsilon=cost * epsilon or None,
        n_jobs=1,
        **bins,
    )
    made.fit(table, domain=domain, random_state=seed)
    return made.generate(n_records=len(table), random_state=seed)


def main() -> None:
    """Invent one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer")
    parser.add_argument("records", type=Path)
    parser.add_argument("domain", type=Path)
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    package, _, name = asked.peer.partition(".")
    invent = {"dpmm": of_dpmm}[package]
    domain = json.loads(asked.domain.read_text())
    texts = {column: str for column, told in domain.items() if "categories" in told}
    table = pd.read_csv(asked.records, dtype=texts, keep_default_na=False, na_values=[""])
    table = table.astype({column: float for column in domain if column not in texts})
    invent(name, table, domain, asked.epsilon, asked.seed).to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()
