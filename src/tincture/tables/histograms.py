"""What the noise of a histogram's counts leaves of it: shares that real people may well have.

All of it is post-processing. Densities of clinical amounts are smooth, and fall off like a bell;
of all such densities the likeliest under the noise is taken, apart from cells that stand out of it.
It leaves next to nothing in cells far from everyone, whose noise would otherwise become people at
the ends of the range, where they mislead a linear model most.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats

CLEAR = 3.0  # standard deviations of the noise from which a count is not noise
LIKELY, MANY = 1.64, 0.15  # deviations from which a count is believed, of so large a share
# Usual second differences of a log density and their deviation: of a bell over nearly all cells, of
# one over some, bent as it likes, and of one in a few cells, cut off as it may be.
BENDS = (-0.05, 0.1), (-0.2, 0.3), (-1.0, 1.5)
LEVEL = 0.01
QUIET = 0.01  # people, a noise below which counts are taken as they are
FEWEST = 4  # cells that a density is drawn through
FLOOR = 1e-4  # probability spread over all cells, which keeps every public value reachable


def of_levels(counts: Floats, total: float, noise: float, *, may_miss: bool) -> Floats:
    """Shares of levels, the last being missing if it may be."""
    counts = counts.copy()
    if may_miss and _none_missing(counts[-1], total, noise):
        counts[-1] = 0.0
        return np.append(_floored(nearest(counts[:-1], total)), 0.0)
    return _floored(nearest(counts, total))


def of_amount(
    counts: Floats, edges: Floats, total: float, noise: float, *, may_miss: bool
) -> Floats:
    """Shares of an amount's cells, missing being the last."""
    nobody = not may_miss or _none_missing(counts[-1], total, noise)
    missing = 0.0 if nobody else float(np.clip(counts[-1] / total, 0.0, 1.0 - FLOOR))
    here = total * (1 - missing)
    present = nearest(counts[:-1], here)
    if noise > QUIET and here > 0 and len(present) > FEWEST:
        smooth = _smooth(counts[:-1], np.diff(edges), here, noise)
        present = smooth / smooth.sum()
    return np.append(_floored(present) * (1 - missing), missing)


def _none_missing(count: float, total: float, noise: float) -> bool:
    """Whether noise alone may have made the count of the missing.

    A complete column stays so with probability 99.9%; where three deviations are over 15% of the
    people, with 95% at least. Simulated with 422 people and noise of 55, columns that miss 35% came
    out complete in 14% of draws, and in 63% if three deviations were asked for there too.
    """
    limit = max(LIKELY * noise, MANY * total)
    return count <= min(CLEAR * noise, limit)


def nearest(counts: Floats, total: float) -> Floats:
    """The nearest shares that are not negative: one amount is taken off every count."""
    ordered = np.sort(counts)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, len(counts) + 1)
    kept = np.flatnonzero(ordered > excess)
    positive = np.maximum(counts - excess[kept[-1] if len(kept) else -1], 0.0)
    if positive.sum() <= 0:
        positive = np.ones_like(positive)
    return np.asarray(positive / positive.sum())


def _floored(shares: Floats) -> Floats:
    return np.asarray(shares * (1 - FLOOR) + FLOOR / len(shares))


def _smooth(counts: Floats, widths: Floats, total: float, noise: float) -> Floats:
    """The likeliest counts of a smooth density, apart from cells that stand out of it."""
    widths = widths.copy()
    widths[[0, -1]] *= 2  # half of an end's cell lies outside of the bounds
    alone = np.zeros(len(widths), dtype=bool)
    while True:
        rest = max(total - counts[alone].sum(), noise)
        within = np.where(alone, 0.0, widths)
        fitted = rest * _density(counts, within, rest, noise)
        excess = np.where(alone, 0.0, counts - fitted)
        most = int(np.argmax(excess))
        if excess[most] <= CLEAR * noise or (~alone).sum() <= FEWEST:
            return np.maximum(np.where(alone, counts, fitted), 0.0)
        alone[most] = True


def _density(counts: Floats, widths: Floats, total: float, noise: float) -> Floats:
    """Shares of the cells: the mean over kinds of bends, each by how well it explains the counts.

    That is by its evidence (MacKay 1992), in Laplace's approximation.
    """
    start = _bell(np.where(widths > 0, counts, 0.0), noise)
    found = [_likeliest(start, counts, widths, total, noise, *kind) for kind in BENDS]
    evidence = np.array([one[1] for one in found])
    weights = np.exp(evidence - evidence.max())
    shares = [_shares(log_density, widths) for log_density, _ in found]
    return np.asarray(np.average(shares, axis=0, weights=weights))


def _bell(counts: Floats, noise: float) -> Floats:
    """A normal log density about where counts are clear of noise, to set out from."""
    clear, place = np.maximum(counts - noise, 1e-9), np.arange(len(counts))
    middle = np.average(place, weights=clear)
    spread = max(float(np.average(np.square(place - middle), weights=clear)), 1.0)
    return np.asarray(-np.square(place - middle) / (2 * spread))


def _shares(log_density: Floats, widths: Floats) -> Floats:
    weight = widths * np.exp(np.minimum(log_density - log_density[widths > 0].max(), 0.0))
    return np.asarray(weight / weight.sum())


def _likeliest(
    start: Floats,
    counts: Floats,
    widths: Floats,
    total: float,
    noise: float,
    bend: float,
    free: float,
) -> tuple[Floats, float]:
    """Posterior mode of log densities whose second differences are normal, and log evidence.

    Cells of no width are not looked at. Levenberg and Marquardt's steps, by MINPACK.
    """
    from scipy.optimize import least_squares  # a tenth of a second to import

    size, seen = len(counts), widths > 0
    bends = np.diff(np.eye(size), n=2, axis=0) / free
    level = LEVEL * np.eye(size)  # which the counts do not tell

    def off(log_density: Floats) -> Floats:
        lacking = (total * _shares(log_density, widths) - counts)[seen] / noise
        return np.concatenate([lacking, bends @ log_density - bend / free, level @ log_density])

    def slope(log_density: Floats) -> Floats:
        share = _shares(log_density, widths)
        change = total * (np.diag(share) - np.outer(share, share))[seen] / noise
        return np.concatenate([change, bends, level])

    made = least_squares(off, start, slope, method="lm", xtol=1e-6, ftol=1e-6)
    known = np.linalg.slogdet(made.jac.T @ made.jac)[1] / 2
    return made.x, float(-made.cost - known - (size - 2) * np.log(free))
