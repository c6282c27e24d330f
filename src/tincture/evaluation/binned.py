"""Discrimination, error and calibration of a model, from counts of a histogram with noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tincture.arrays import Floats

DRAWS = 400  # of counts as they might have been, behind an interval
STEPS = 30  # of Newton's, of a fit of two numbers
LEAST = 10  # patients of either outcome, and deviations of the noise in their number
DEVIATIONS = 4.0
TOO_FEW = (
    "A figure is told where at least {:.0f} patients with the outcome and as many without were "
    "counted, through noise; with fewer it would be of noise alone. More patients, a larger ε or "
    "fewer models help."
)


class Figure(NamedTuple):
    """A value and its 95% interval, of patients and of noise together."""

    value: float
    low: float
    high: float


def auroc(counts: Floats, means: Floats) -> Floats:
    """Area under the ROC curve, ties within a bin counted half.

    Parameters
    ----------
    counts : ndarray of shape (..., 2, bins)
        Units without and with the outcome, by ascending risk. Noise of mean 0 leaves the numerator
        without bias, since each count's is its own.
    means : ndarray of shape (bins,)
        Predicted risk in each bin.

    Returns
    -------
    ndarray of shape (...)
        As of all measures.
    """
    without, having = counts[..., 0, :], counts[..., 1, :]
    below = np.cumsum(without, axis=-1) - without / 2
    pairs = having.sum(axis=-1) * without.sum(axis=-1)
    return np.asarray((having * below).sum(axis=-1) / pairs)


def brier(counts: Floats, means: Floats) -> Floats:
    """Mean squared error of predicted risks, as if all of a bin had its mean.

    Brier (1950).
    """
    errors = counts * np.stack([means**2, (1 - means) ** 2])
    return np.asarray(errors.sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1)))


def observed_to_expected(counts: Floats, means: Floats) -> Floats:
    """Outcomes there were for each that was predicted; 1 where risks are right at large."""
    expected = (counts.sum(axis=-2) * means).sum(axis=-1)
    return np.asarray(counts[..., 1, :].sum(axis=-1) / expected)


def slope(counts: Floats, means: Floats) -> Floats:
    """By how much outcomes follow the logit of predicted risk; below 1 where risks are too extreme.

    Cox (1958), by Newton's method on counts that are not below 0.
    """
    without, having = np.moveaxis(np.maximum(counts, 0.0), -2, 0)
    units, logit = without + having, np.log(_inside(means) / (1 - _inside(means)))
    level, found = np.zeros(units.shape[:-1]), np.zeros(units.shape[:-1])
    for _ in range(STEPS):
        scores = np.clip(level[..., None] + found[..., None] * logit, -30, 30)
        risk = 1 / (1 + np.exp(-scores))
        weight, left = units * risk * (1 - risk), having - units * risk
        one, cross, square = (np.sum(weight * logit**k, axis=-1) for k in range(3))
        whole = one * square - cross**2
        up, along = left.sum(axis=-1), (left * logit).sum(axis=-1)
        level = level + np.clip((square * up - cross * along) / whole, -2.0, 2.0)
        found = found + np.clip((one * along - cross * up) / whole, -2.0, 2.0)
    return found


MEASURES = {
    "auroc": auroc,
    "brier": brier,
    "observed/expected": observed_to_expected,
    "slope": slope,
}
WITHIN = ("auroc", "brier")  # 0 and 1


def least_of(bins: int, noise: float) -> float:
    """Patients of either outcome, as counted, below whom no figure is told; a public number."""
    return max(LEAST, DEVIATIONS * noise * math.sqrt(bins))


def figures(
    counts: Floats, means: Floats, noise: float, rng: np.random.Generator
) -> dict[str, Figure]:
    """Every measure, with what patients and noise leave open; none where there are too few.

    Parameters
    ----------
    counts : ndarray of shape (2, bins)
        With noise of this deviation each.
    means : ndarray of shape (bins,)
    noise : float
    rng : numpy.random.Generator
        Of the draws behind intervals; no noise of privacy.
    """
    if (counts.sum(axis=1) < least_of(len(means), noise)).any():
        return {}
    fair = rng.poisson(np.maximum(counts, 0.0), (DRAWS, *counts.shape))
    drawn = fair + (counts - np.maximum(counts, 0.0)) + noise * rng.normal(size=fair.shape)
    told = {}
    with np.errstate(all="ignore"):  # where all risks are one
        for name, measure in MEASURES.items():
            value, spread = float(measure(counts, means)), 1.96 * float(measure(drawn, means).std())
            found = Figure(value, value - spread, value + spread)
            told[name] = Figure(*np.clip(found, 0, 1).tolist()) if name in WITHIN else found
    return told


def _inside(risk: Floats) -> Floats:
    return np.clip(risk, 1e-4, 1 - 1e-4)
