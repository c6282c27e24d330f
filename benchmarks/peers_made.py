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

import numpy as np
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


def of_smartnoise(
    name: str, table: pd.DataFrame, domain: dict[str, Any], epsilon: float, seed: int
) -> pd.DataFrame:
    """MST or AIM of smartnoise-synth, in its own 10 bins, or 20 by names that end in "-even".

    Bins are of equal width within public bounds; levels it takes from the records, with no noise.
    Only what it draws by numpy has a seed: its noise is OpenDP's.
    """
    from snsynth import Synthesizer, TableTransformer
    from snsynth.transform import BinTransformer, LabelTransformer

    name, _, is_even = name.partition("-")
    bins = {"bins": EVEN} if is_even else {}
    columns = []
    for column in table:
        has_blanks, told = bool(table[column].isna().any()), domain[column]
        if "categories" in told:
            columns.append(LabelTransformer(nullable=has_blanks))
        else:
            columns.append(BinTransformer(**told, **bins, nullable=has_blanks))
    np.random.seed(seed)  # noqa: NPY002 - what it draws from
    made = Synthesizer.create(name.lower(), epsilon=epsilon, delta=DELTA)
    made.fit(table.astype(object).where(table.notna(), None), transformer=TableTransformer(columns))
    return made.sample(len(table))


def of_privsyn(
    _: str, table: pd.DataFrame, domain: dict[str, Any], epsilon: float, seed: int
) -> pd.DataFrame:
    """PrivSyn of privsyn-core, which takes codes only: 20 bins of equal width within bounds."""
    from privsyn import fit_privsyn

    sizes = {c: n_codes(told) + int(table[c].isna().any()) for c, told in domain.items()}
    codes = pd.DataFrame({c: encoded(table[c], told) for c, told in domain.items()})
    made = fit_privsyn(codes, sizes, epsilon=epsilon, delta=DELTA, random_state=seed)
    drawn = made.sample(len(table))
    rng = np.random.default_rng(seed)
    return pd.DataFrame({c: decoded(drawn[c].to_numpy(), t, rng) for c, t in domain.items()})


def n_codes(told: dict[str, Any]) -> int:
    """Of cells that are not blank; the next code is a blank's."""
    return len(told.get("categories", range(EVEN)))


def encoded(column: pd.Series[Any], told: dict[str, Any]) -> pd.Series[int]:
    """Levels by their place, amounts by their bin."""
    if "categories" in told:
        codes = column.map({level: code for code, level in enumerate(told["categories"])})
    else:
        width = (told["upper"] - told["lower"]) / EVEN
        codes = ((column - told["lower"]) // width).clip(upper=EVEN - 1)
    return codes.fillna(n_codes(told)).astype(int)


def decoded(codes: np.ndarray, told: dict[str, Any], rng: np.random.Generator) -> pd.Series[Any]:
    """Levels, or amounts drawn evenly within their bin."""
    if "categories" in told:
        return pd.Series(codes).map(dict(enumerate(told["categories"])))
    width = (told["upper"] - told["lower"]) / EVEN
    amounts = pd.Series(told["lower"] + (codes + rng.random(len(codes))) * width)
    return amounts.mask(codes == EVEN)


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
    invent = {"dpmm": of_dpmm, "smartnoise": of_smartnoise, "privsyn": of_privsyn}[package]
    domain = json.loads(asked.domain.read_text())
    texts = {column: str for column, told in domain.items() if "categories" in told}
    table = pd.read_csv(asked.records, dtype=texts, keep_default_na=False, na_values=[""])
    table = table.astype({column: float for column in domain if column not in texts})
    invent(name, table, domain, asked.epsilon, asked.seed).to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()
