"""The main job, end to end, on the real SUPPORT2 table inside the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import polars as pl

from tincture.evaluation.scores import Evaluation
from tincture.io.files import new_folder, require_new, require_outside
from tincture.io.frames import read_table
from tincture.public.schema import Schema
from tincture.public.tasks import Classification
from tincture.report.figure import Mark, dot_plot
from tincture.search.optimizer import Progress
from tincture.tables.bench import evaluate
from tincture.tables.condenser import Condenser

TARGET = "hospdead"
MODELS = ("logistic", "tree")
TASK = Classification(TARGET, 2)
DELTA = 1e-5


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the demonstration found."""

    evaluation: Evaluation
    promise: str


def run(
    out: Path,
    *,
    epsilon: float,
    effort: float = 1.0,
    seed: int,
    progress: Progress = lambda done, total: None,
) -> Demonstration:
    """Split, condense, evaluate and draw.

    Parameters
    ----------
    out : Path
        Folder to create, with ``release/`` and ``utility.svg``.
    epsilon : float
    effort : float
        Factor of the search's length, which costs no privacy.
    seed : int
        Of the split and the search.

    Raises
    ------
    ReleaseError
        If the folder exists, or lies inside a release.
    """
    require_new(out)
    require_outside(out)
    train, test, schema = support2(seed)
    condenser = Condenser(
        schema=schema,
        target=TARGET,
        models=MODELS,
        epsilon=epsilon,
        delta=DELTA,
        effort=effort,
        seed=seed,
    ).fit(train, progress=progress)
    with new_folder(out) as scratch:
        looks = scratch / "release.in-house.jsonl"
        evaluation = evaluate(condenser.table_, train, test, seed=seed, in_house=looks)
        condenser.save(scratch / "release")
        (scratch / "utility.svg").write_text(picture(evaluation, epsilon), encoding="utf-8")
    return Demonstration(evaluation, condenser.ledger.promise)


def support2(seed: int) -> tuple[pl.DataFrame, pl.DataFrame, Schema]:
    """SUPPORT2 split 70/30, stratified by hospital death, and its schema.

    Parameters
    ----------
    seed : int
        Of the split.

    Returns
    -------
    train, test : polars.DataFrame
        Of 6,374 and 2,731 patients; the outcome is ``hospdead``.
    schema : Schema
    """
    folder = files("tincture.demo.data")
    with as_file(folder / "support2.parquet") as path:
        table = read_table(path)
    with as_file(folder / "support2.schema.json") as path:
        schema = Schema.load(path)
    rng = np.random.default_rng(seed)
    died = table[TARGET].to_numpy()
    train = np.zeros(len(died), dtype=bool)
    for label in (0, 1):
        members = np.flatnonzero(died == label)
        train[rng.permutation(members)[: round(0.7 * len(members))]] = True
    return table.filter(pl.Series(train)), table.filter(pl.Series(~train)), schema


def picture(evaluation: Evaluation, epsilon: float) -> str:
    """AUROC of each model, by what it was trained on."""
    rows: dict[str, dict[str, Mark]] = {}
    for s in evaluation.scores:
        if s.metric == "AUROC" and s.group == "all":
            mark = Mark(s.figure.value, s.figure.low, s.figure.high)
            rows.setdefault(s.model, {})[f"{s.trained_on} ({s.rows:,})"] = mark
    return dot_plot(
        f"SUPPORT2: predicting death in hospital from invented rows (ε = {epsilon:g})",
        "AUROC on held-out patients, with 95% interval",
        rows,
        f"In-house: computed from real records; do not release. {evaluation.says_case}",
    )
