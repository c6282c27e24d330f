"""One page of what several sites found when they scored a release on their own patients."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tincture.arrays import Floats
from tincture.errors import SettingError
from tincture.evaluation.binned import MEASURES, figures
from tincture.report.markup import Markup, join
from tincture.report.page import number, page, paragraphs, section, table

# Of JSON that somebody else wrote.
FAULTS = (
    OSError, LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
HEADS = (
    *("site", "patients", "with the outcome", "share", "AUROC", "Brier", "observed/expected"),
    "slope",
)
WHAT = (
    "Each site scored the models that learn from the release on patients of its own who were held "
    "out, and asked them one private question: how many of either outcome lie in each bin of "
    "predicted risk. All figures follow from these noisy counts; in brackets are 95% intervals, of "
    "patients and of noise together. – stands where too few were counted for a figure."
)
MEANING = (
    "AUROC: how often a patient with the outcome was given the higher risk. Brier: mean squared "
    "error of risks, lower is better. Observed/expected: outcomes for each one predicted, 1 where "
    "right at large. Slope: 1 where risks are spread as they should be, less where too extreme. A "
    "site is left behind where its AUROC is lower than that of all others together by more than "
    "patients and noise explain, at 95%; of twenty comparisons one says so by chance."
)


class Scored(NamedTuple):
    """What a site says of a model.

    Attributes
    ----------
    counts : ndarray of shape (2, bins)
        Patients without and with the outcome.
    means : tuple of float
        Predicted risk in each bin.
    noise : float
        Deviation in each count.
    figures : mapping
        Value and ends of the interval of each measure; empty where there are too few.
    """

    counts: Floats
    means: tuple[float, ...]
    noise: float
    figures: Mapping[str, tuple[float, ...]]


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
        shown = [_cells("", _scored(told, name)) for name in told["models"]]
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
    """A table a model, a row a site, and whom the model leaves behind.

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
    sites = {one["site"]: _scored(one, name) for one in told if name in one["models"]}
    rows = [_cells(site, scored) for site, scored in sites.items()]
    alike = len(sites) > 1 and len({scored.means for scored in sites.values()}) == 1
    said = []
    if alike:
        rows.append(_cells("all together", together(list(sites.values()))))
        said = [*left_behind(sites), *off(sites)]
    shown = table(f"{name} at each site", HEADS, rows, numbers=len(HEADS) - 1)
    return section(name, join(shown, paragraphs(*said)))


def together(sites: Sequence[Scored]) -> Scored:
    """Sites whose bins are the same, as one: their counts add up, and so does their noise."""
    counts = np.sum([np.array(one.counts) for one in sites], axis=0)
    noise = float(np.linalg.norm([one.noise for one in sites]))
    found = figures(counts, np.array(sites[0].means), noise, np.random.default_rng(0))
    return Scored(counts, sites[0].means, noise, found)


def left_behind(sites: Mapping[str, Scored]) -> list[str]:
    """Sites where the model tells patients apart clearly worse than at all others together."""
    said = []
    for name, site in sites.items():
        others = together([one for other, one in sites.items() if other != name])
        if not site.figures or not others.figures:
            continue
        here, there = site.figures["auroc"], others.figures["auroc"]
        gap = there[0] - here[0]
        spread = math.hypot(*(max(f[0] - f[1], f[2] - f[0]) for f in (here, there)))
        if gap > spread:
            said.append(
                f"Left behind: {name}. Its AUROC is {number(gap)} ({number(gap - spread)} to "
                f"{number(gap + spread)}) below that of the other sites together."
            )
    return said


def off(sites: Mapping[str, Scored]) -> Iterator[str]:
    """Sites where more or fewer have the outcome than predicted, beyond what chance explains."""
    for name, site in sites.items():
        if site.figures:
            value, low, high = site.figures["observed/expected"]
            if not low <= 1 <= high:
                yield (
                    f"Risks are off at {name}: {number(value)} ({number(low)} to {number(high)}) "
                    "outcomes for each one predicted. Recalibrate there before use."
                )


def _scored(one: Mapping[str, Any], name: str) -> Scored:
    """What a site says of a model.

    Raises
    ------
    ValueError, TypeError, LookupError, AttributeError
        If it says something else.
    """
    model = one["models"][name]
    counts, means = np.array(model["counts"], dtype=np.float64), model["predicted"]
    told = {key: tuple(map(float, model["figures"][key])) for key in MEASURES if model["figures"]}
    plain = Scored(counts, tuple(map(float, means)), float(one["noise"]), told)
    if counts.shape != (2, len(plain.means)) or any(len(figure) != 3 for figure in told.values()):
        raise ValueError
    if not np.isfinite([*counts.ravel(), *plain.means, plain.noise]).all():
        raise ValueError
    return plain


def _cells(site: str, scored: Scored) -> list[str]:
    without, having = scored.counts.sum(axis=1)
    share = f"{having / (having + without):.1%}" if scored.figures else "–"
    shown = [_figure(f) for f in scored.figures.values()] or ["–"] * len(MEASURES)
    return [site, number(without + having, 0), number(having, 0), share, *shown]


def _figure(figure: Sequence[float]) -> str:
    value, low, high = (number(float(v)) for v in figure)
    return f"{value} ({low} to {high})"
