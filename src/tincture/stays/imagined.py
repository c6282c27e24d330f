"""Imagined stays: many, as the real ones may be, drawn from what is released and nothing else.

Condensed stays exaggerate what tells the outcome; imagined ones do not. Networks that learn from
the condensed ones are asked about them (`tincture.stays.matching`); the cohort is made of them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from tincture.arrays import Floats
from tincture.public.encoding import Amount
from tincture.stays.embeddings import Course
from tincture.stays.invent import drifting
from tincture.stays.layout import Grid
from tincture.stays.recording import how_often, risen, sampled, scattered
from tincture.stays.summaries import STEADY, Summaries

MEMORY = 0.9  # of a drift, from bin to bin
FRESH = 0.5  # share of the variance within a stay that the bin before does not tell
LEAST = 0.02  # variance within a stay
MOST = 0.95  # correlation of two summaries


def imagine(
    basis: Summaries, course: Course, products: Floats | None, n: int, rng: np.random.Generator
) -> Grid:
    """Stays with the summaries that the answers let expect, recorded as often as real ones.

    Parameters
    ----------
    basis : Summaries
    course : Course
    products : ndarray of shape (basis.size, basis.size) or None
        Mean of φ φᵀ over real stays, where it was asked; else variables are independent.
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    float32 ndarray of shape (n, layout.width)
    """
    layout, n_variables = basis.layout, len(basis.layout.variables)
    known = np.concatenate(
        [np.repeat(course.known[:, -1], 2), np.ones(n_variables + layout.n_static)]
    )
    phi = _normal(_usual(basis) if products is None else _covariance(products, known), n, rng)
    mean, last = np.moveaxis(phi[:, : 2 * n_variables].reshape(n, n_variables, 2), 2, 0)
    grid = _placed(_between(mean, last, layout.n_bins, rng), basis.scale.cells)
    often = phi[:, basis.rates] / np.maximum(phi[:, basis.rates].std(axis=0), 1e-9)
    recorded = scattered(
        how_often(often, course.ever, basis.scale.rate, layout.n_bins),
        risen(course.known, layout.n_bins),
        rng,
    )
    grid = sampled(grid, recorded & basis.scale.present)
    statics = _statics(basis, phi[:, basis.rates.stop :], rng)
    return layout.points(grid.astype(np.float32), statics)


def _usual(basis: Summaries) -> Floats:
    """Covariance where none was asked: only a variable's mean and last value go together."""
    n_variables = len(basis.layout.variables)
    usual = np.eye(basis.size - 1)
    for i in range(0, 2 * n_variables, 2):
        usual[i : i + 2, i : i + 2] = STEADY**2
        usual[i + 1, i + 1] = 1.0
    return usual


def _covariance(products: Floats, known: Floats) -> Floats:
    """Covariance of summaries where both are known; unknown ones entered the products as 0."""
    centre = products[:-1, -1] / products[-1, -1]
    covariance = products[:-1, :-1] / products[-1, -1] - np.outer(centre, centre)
    variable = np.arange(len(known)) // 2  # whose mean and last value are known together
    together = np.equal.outer(variable, variable)
    covariance /= np.where(together, np.minimum.outer(known, known), np.outer(known, known))
    sd = np.sqrt(np.maximum(np.diag(covariance), 1e-9))
    related = np.clip(covariance / np.outer(sd, sd), -MOST, MOST)
    np.fill_diagonal(related, 1.0)
    return np.asarray(related * np.outer(sd, sd))


def _normal(covariance: Floats, n: int, rng: np.random.Generator) -> Floats:
    """Vectors with mean 0, (n, size)."""
    values, vectors = np.linalg.eigh(covariance)
    roots = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((n, len(covariance))) @ roots.T)


def _placed(z: Floats, cells: Floats) -> Floats:
    """Courses (n, bins, variables) as places, spread over each variable's cells."""
    u = ndtr((z - z.mean(axis=(0, 1))) / np.maximum(z.std(axis=(0, 1)), 1e-9))
    edges = np.linspace(0, 1, cells.shape[1] + 1)
    out = np.empty_like(z)
    for i, shares in enumerate(cells):
        heights = np.concatenate([[0.0], np.cumsum(shares)])
        out[..., i] = np.interp(u[..., i], heights / heights[-1], edges)
    return out


def _between(mean: Floats, last: Floats, n_bins: int, rng: np.random.Generator) -> Floats:
    """Courses (n, bins, variables) with a given mean and last value, and variance 1 over all."""
    if n_bins == 1:
        return last[:, None]
    shape = len(mean), n_bins, mean.shape[1]
    drift = np.sqrt(1 - FRESH) * drifting(shape, MEMORY, rng)
    drift += np.sqrt(FRESH) * rng.standard_normal(shape)
    end = MEMORY ** np.arange(n_bins - 1, -1, -1.0)
    end = ((end - end.mean()) / (end[-1] - end.mean()))[None, :, None]  # mean 0, last 1
    drift -= drift.mean(axis=1, keepdims=True)
    drift -= drift[:, -1:] * end
    drift /= np.maximum(drift.std(axis=(0, 1)), 1e-9)
    rest = 1 - mean.var(axis=0) - (last - mean).var(axis=0) * np.square(end).mean()
    return np.asarray(
        mean[:, None] + (last - mean)[:, None] * end + np.sqrt(np.maximum(rest, LEAST)) * drift
    )


def _statics(basis: Summaries, phi: Floats, rng: np.random.Generator) -> Floats:
    """Static coordinates: amounts as their summaries say, levels by their shares.

    As often missing as is released, and always where no stay is seen to have the column.
    """
    encoding, scale = basis.layout.statics, basis.scale
    statics = np.zeros((len(phi), basis.layout.n_static))
    if encoding is None:
        return statics
    for kind, where, is_there in zip(
        encoding.kinds, encoding.slices, scale.static_present, strict=True
    ):
        first, last = where.start, where.stop - 1
        if not is_there:
            statics[:, last] = 1.0
            continue
        if isinstance(kind, Amount):
            place = scale.static_mean[first] + scale.static_sd[first] * phi[:, first]
            gone = rng.random(len(phi)) < scale.static_mean[last]
            statics[:, first] = np.where(gone, 0.0, np.clip(place, 0.0, 1.0))
            statics[:, last] = gone
            continue
        shares = np.cumsum(np.maximum(scale.static_mean[where], 1e-6))
        level = np.searchsorted(shares / shares[-1], rng.random(len(phi)), side="right")
        statics[np.arange(len(phi)), first + np.minimum(level, len(shares) - 1)] = 1.0
    return statics
