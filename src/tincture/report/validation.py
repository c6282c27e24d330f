"""One page of what several sites found when they scored a release on their own patients."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tincture.errors import SettingError
from tincture.report.markup import Markup, join
from tincture.report.page import number, page, paragraphs, section, table

# Of JSON that somebody else wrote.
FAULTS = (
    OSError, LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
HEADS = ("site", "patients", "with the outcome", "AUROC", "Brier", "observed/expected", "slope")
WHAT = (
    "Each site scored the models that learn from the release on patients of its own who were held "
    "out, and asked them one private question: how many of either outcome lie in each bin of "
    "predicted risk. All figures follow from these noisy counts; in brackets are 95% intervals, of "
    "patients and of noise together. – stands where too few were counted for a figure."
)
MEANING = (
    "AUROC: how often a patient with the outcome was given the higher risk. Brier: mean squared "
    "error of risks, lower is better. Observed/expected: outcomes for each one predicted, 1 where "
    "right at large. Slope: 1 where risks are spread as they should be, less where too extreme."
)


def read_validations(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What sites sent, of one release.

    Raises
    ------
    SettingError
        If a file is none, or they are of several releases or name a site twice.
    """
    found = [_read(path) for path in paths]
    if len({told["release"] for told in found}) != 1 or len({t["site"] for t in found}) < len(
        found
    ):
        raise SettingError(
            "The files must be of one release, and each of another site; validate the same release "
            "at all sites, each under its own --site."
        )
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shown = [_cells("", model) for model in told["models"].values()]
        is_one = (
            bool(shown)
            and told["tincture"] == "validation"
            and all(isinstance(told[key], str) for key in ("site", "case", "release"))
            and all(math.isfinite(told[key]) for key in ("epsilon", "delta"))
        )
    except FAULTS:
        is_one = False
    if not is_one:
        raise SettingError(
            f"{path} is no validation that can be read; write one with `tincture site validate … "
            "--out FILE`."
        )
    return told


def validation_page(told: Sequence[Mapping[str, Any]]) -> str:
    """A table a model, a row a site.

    Parameters
    ----------
    told : sequence of mapping
        As `read_validations` gives them.
    """
    models = dict.fromkeys(name for one in told for name in one["models"])
    costs = ", ".join(
        f"{one['site']} ε = {one['epsilon']:g} and δ = {one['delta']:g}" for one in told
    )
    return page(
        "External validation",
        paragraphs(WHAT, f"The outcome is {told[0]['case']}. It cost: {costs}."),
        join(*(_of(name, told) for name in models)),
        paragraphs(MEANING, f"Release {told[0]['release']}."),
    )


def _of(name: str, told: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [_cells(one["site"], one["models"][name]) for one in told if name in one["models"]]
    return section(name, table(f"{name} at each site", HEADS, rows, numbers=len(HEADS) - 1))


def _cells(site: str, model: Mapping[str, Any]) -> list[str]:
    without, having = (sum(map(float, counts)) for counts in model["counts"])
    figures, names = model["figures"], ("auroc", "brier", "observed/expected", "slope")
    shown = [_figure(figures[k]) for k in names] if figures else ["–"] * len(names)
    return [site, number(without + having, 0), number(having, 0), *shown]


def _figure(figure: Sequence[float]) -> str:
    value, low, high = (number(float(v)) for v in figure)
    return f"{value} ({low} to {high})"
