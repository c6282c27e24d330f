"""An invented table of whole numbers by a peer; run by the Python where that peer is installed.

    python peers_made.py dpmm.MST codes.csv sizes.json --epsilon 1 --seed 0 --out invented.csv

``codes.csv`` has one whole number a cell, ``sizes.json`` how many there are of each column. As many
records are invented as there are; δ = 1e-5. All of ε goes to the model: bins and levels are public.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

DELTA = 1e-5


def of_dpmm(
    name: str, table: pd.DataFrame, sizes: dict[str, int], epsilon: float, seed: int
) -> pd.DataFrame:
    """MST, AIM or PrivBayes of dpmm."""
    from dpmm import pipelines

    made = getattr(pipelines, f"{name}Pipeline")(
        epsilon=epsilon, delta=DELTA, disable_processing=True, n_jobs=1
    )
    made.fit(table, domain=sizes, random_state=seed)
    return made.generate(n_records=len(table), random_state=seed)


def main() -> None:
    """Invent one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer")
    parser.add_argument("codes", type=Path)
    parser.add_argument("sizes", type=Path)
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    package, _, name = asked.peer.partition(".")
    invent = {"dpmm": of_dpmm}[package]
    table, sizes = pd.read_csv(asked.codes), json.loads(asked.sizes.read_text())
    invent(name, table, sizes, asked.epsilon, asked.seed).to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()
