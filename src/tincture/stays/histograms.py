"""Histograms through noise: what shows in them at all, and what they are without it.

A variable's values lie in a few neighbouring cells, whose sum stands out of the noise long before
any cell does. So a noisy histogram is fitted by bells, and a single cell is believed only where it
departs from them by more than noise explains.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import ndtr

from tincture.arrays import Floats

CELLS = 32  # of a histogram between the public bounds
DOUBT = 3.0  # deviations of its noise by which a cell must depart from the bells to be believed
NARROW, WIDE = 0.3 / CELLS, 0.4  # deviations of bells, as shares of the range
N_WIDTHS = 7


def settled(cells: Floats, noise: float) -> Floats:
    """Shares of histograms (n, CELLS) as they are thought to be; as they are where noise is 0.

    The mean of bells of every place and width and their heights, each weighed by how likely it
    makes the noisy cells; and what departs from it.
    """
    if noise == 0:
        return np.asarray(np.maximum(cells, 0.0))
    bells = _bells()
    square, along = np.square(bells).sum(axis=1), cells @ bells.T
    height = np.clip(along / square, 0.0, 1.0)
    fit = (height * along - np.square(height) * square / 2) / noise**2
    likely = np.exp(fit - fit.max(axis=1, keepdims=True, initial=-np.inf))
    smooth = (likely * height / likely.sum(axis=1, keepdims=True)) @ bells
    rest = cells - smooth
    kept = np.where(np.abs(rest) > DOUBT * noise, rest, 0.0)
    return np.asarray(np.maximum(smooth + kept, 0.0))


@cache
def _bells() -> Floats:
    """Normal densities over the cells, each of sum 1; (bells, CELLS)."""
    edges, middles = np.linspace(0, 1, CELLS + 1), (np.arange(CELLS) + 0.5) / CELLS
    widths = np.geomspace(NARROW, WIDE, N_WIDTHS)
    below = ndtr((edges - middles[:, None, None]) / widths[:, None])
    bells = np.diff(below).reshape(-1, CELLS)
    return np.asarray(bells / bells.sum(axis=1, keepdims=True))


def evenly(cells: Floats) -> Floats:
    """Histograms (n, CELLS) of sum 1; of one that holds nothing, all cells alike."""
    cells = np.where(cells.sum(axis=1, keepdims=True) <= 0, 1.0, cells)
    return np.asarray(cells / cells.sum(axis=1, keepdims=True))


def moments(cells: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of histograms (n, CELLS) of sum 1."""
    middles = (np.arange(CELLS) + 0.5) / CELLS
    mean = cells @ middles
    variance = (cells * np.square(middles - mean[:, None])).sum(axis=1) - 1 / (12 * CELLS**2)
    return mean, np.sqrt(np.maximum(variance, NARROW**2))


def strongest(shares: Floats) -> Floats:
    """The largest sum of a run of 1, 2, 4 … shares of a row (n, m), as noisy as one share; (n,)."""
    before = np.cumsum(np.pad(shares, ((0, 0), (1, 0))), axis=1)
    largest = np.full(len(shares), -np.inf)
    for width in 2 ** np.arange(shares.shape[1].bit_length()):
        runs = (before[:, width:] - before[:, :-width]) / np.sqrt(width)
        largest = np.maximum(largest, runs.max(axis=1))
    return largest
