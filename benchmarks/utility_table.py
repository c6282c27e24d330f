"""The tables and the picture of `utility.py`, from its results file."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from tincture.report.figure import Mark, dot_plot

T_95 = {1: math.nan, 2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t over √n, by n
USUAL = 100  # rows
UNASKED = ("naive_bayes", "neighbours", "svm")
HEAD = """# What condensed rows are worth

Ratio (value − ½)/(ceiling − ½) of AUROC or Harrell's C on held-out records: 1 is as good
as all real training records, 0 is chance. δ = 1e-5, defaults otherwise; means over the
seeds there are (n), ± half a 95% interval of Student's t. Real rows: as many random real rows,
without privacy. Peer: the best peer measured with 100 rows, and with as many as there are records.
"Others" are models nobody asked for, where their own ceiling is 0.6 or more.

    python benchmarks/utility.py --judge JUDGE --data DATA --peers PEERS --results RESULTS --out OUT
"""


def mean(values: list[float]) -> str:
    """Mean, half-width and count."""
    if len(values) < 2:
        return f"{values[0]:.2f} (1)"
    half = T_95[min(len(values), 5)] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.2f} ± {half:.2f} ({len(values)})"


def peers(path: Path | None) -> dict[tuple[str, str, str], dict[str, float]]:
    """Best peer by (set, ε, model): with 100 rows, and with all."""
    best: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    name, models = "", []
    for line in path.read_text(encoding="utf-8").splitlines() if path else []:
        cells = [c.strip() for c in line.strip("|").split("|")]
        if line.startswith("## "):
            name = line[3:].strip()
            name = "flchain" if name == "flchain_surv" else name
        elif line.startswith("| ε"):
            models = [c.replace(" ", "_") for c in cells[3:-2]]
        elif line.startswith("| ") and "itself" not in line and "no privacy" not in line:
            for model, cell in zip(models, cells[3:-2], strict=True):
                if (found := re.match(r"-?[\d.]+", cell)) and cells[2] in ("100", "n"):
                    known = best[name, cells[0], model]
                    known[cells[2]] = max(known.get(cells[2], -1.0), float(found[0]))
    return best


def write(results: Path, peer_file: Path | None, out: Path) -> None:
    """A table of every set, ε and model, a summary, and a picture beside it."""
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    real: dict[tuple[int, str, str], list[float]] = defaultdict(list)
    ours: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        case = line["case"]
        for figure in line["figures"]:
            if case["kind"] != "condensed":
                real[case["rows"], case["set"], figure["model"]].append(figure["ratio"])
                continue
            of_run = tuple(case[k] for k in ("models", "method", "rows", "epsilon", "set"))
            ours[*of_run, figure["model"]].append(
                figure | {k: line[k] for k in ("seconds", "megabytes")}
            )
    ours = dict(sorted(ours.items(), key=place))
    known = peers(peer_file)
    text = [HEAD, *summary(ours, real, known), "", *table(ours, real, known)]
    out.write_text("\n".join(text) + "\n", encoding="utf-8")
    picture(ours, real, out.with_suffix(".svg"))


def place(cell: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    """The portfolio first, then by settings; sets and models stay as they came."""
    models, method, rows, epsilon, *_ = cell[0]
    return (models != "portfolio", method != "auto", rows != USUAL, models, rows, float(epsilon))


def asked(models: str, model: str) -> bool:
    """Whether the release was made for this model."""
    return model in models.split("+") or (models == "portfolio" and model not in UNASKED)


def summary(ours: Any, real: Any, known: Any) -> list[str]:
    """Means over all cells, by what was asked and ε."""
    lines = [
        "| condensed for | method | rows | ε | sets | asked | others | Brier of logistic / "
        "ceiling's | ahead of real rows | ahead of peer, 100 rows | ahead of peer, n rows |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for models, method, rows, epsilon in dict.fromkeys(key[:4] for key in ours):
        cells = {k: v for k, v in ours.items() if k[:4] == (models, method, rows, epsilon)}
        own, others, brier, won = [], [], [], defaultdict(list)
        for (*_, name, model), figures in cells.items():
            ratio = statistics.mean(f["ratio"] for f in figures)
            if not asked(models, model):
                others += [ratio] if figures[0]["ceiling"] >= 0.6 else []
                continue
            own.append(ratio)
            brier += [f["brier"] / f["brier_ceiling"] for f in figures if model == "logistic"]
            if real[rows, name, model]:
                won["real"].append(ratio > statistics.mean(real[rows, name, model]))
            for size, best in known.get((name, epsilon, model), {}).items():
                won[size].append(ratio > best)
        counts = [f"{sum(won[k])} of {len(won[k])}" for k in ("real", "100", "n")]
        figures_text = [f"{statistics.mean(x):.2f}" if x else "" for x in (own, others, brier)]
        n_sets = str(len({name for *_, name, _ in cells}))
        row = [models, method, str(rows), epsilon, n_sets, *figures_text, *counts]
        lines.append("| " + " | ".join(row) + " |")
    return lines


def table(ours: Any, real: Any, known: Any) -> list[str]:
    """Every cell."""
    lines = [
        "| condensed for | rows | ε | set | model | ceiling | ratio | real rows | peer, 100 | "
        "peer, n | seconds | MB |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (models, method, rows, epsilon, name, model), figures in ours.items():
        label = models if method == "auto" else f"{models} ({method})"
        peer = known.get((name, epsilon, model), {})
        cells = [
            label,
            str(rows),
            epsilon,
            name,
            model if asked(models, model) else f"*{model}*",
            f"{statistics.mean(f['ceiling'] for f in figures):.3f}",
            mean([f["ratio"] for f in figures]),
            mean(real[rows, name, model]) if real[rows, name, model] else "",
            *(f"{peer[k]:.2f}" if k in peer else "" for k in ("100", "n")),
            f"{max(f['seconds'] for f in figures):.0f}",
            f"{max(f['megabytes'] for f in figures):.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def picture(ours: Any, real: Any, path: Path) -> None:
    """Mean over the models asked for, by set: each ε, and random real rows."""
    rows: dict[str, dict[str, Mark]] = defaultdict(dict)
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    seen: set[str] = set()
    for (models, method, n_rows, epsilon, name, model), figures in ours.items():
        is_usual = (models, method, n_rows) == ("portfolio", "auto", USUAL)
        if is_usual and asked(models, model):
            groups[name, f"ε = {epsilon}"] += [f["ratio"] for f in figures]
            if f"{name} {model}" not in seen:
                groups[name, "random real rows"] += real[n_rows, name, model]
            seen.add(f"{name} {model}")
    for (name, series), values in groups.items():
        if values:
            middle = statistics.mean(values)
            half = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
            rows[name][series] = Mark(middle, middle - half, middle + half)
    if rows:
        note = "Mean over the portfolio's models and seeds; bars: one standard error."
        svg = dot_plot("One release for every model", "share of the real gain kept", rows, note)
        path.write_text(svg, encoding="utf-8")
