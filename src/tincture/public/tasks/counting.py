"""Counts of events and censorings in bins of time, asked for so that noise does not add up.

What is read off the counts are running sums: who is still there. Noise on every bin would add up
along the bins. Asked instead is a *square root of running sums* (Fichtenberger, Henzinger and
Upadhyay 2023), from which running sums follow with noise that grows with the logarithm of the bins.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats

SLOWEST, FASTEST = -7, 2  # powers of 2: steps from bin to bin that are weighed, of a mean count


def coding(n_bins: int) -> Floats:
    """What a record adds in each cell, (2 n_bins, 2 n_bins): a row of norm 1 a cell.

    Cells are the bins of the censored, then those of the events. The answer is the transposed of
    this times the counts.
    """
    root: Floats = np.cumprod(np.append(1.0, 1.0 - 0.5 / np.arange(1, n_bins)))
    lag = np.subtract.outer(np.arange(n_bins), np.arange(n_bins))  # sums run from the last bin
    rows = np.asarray(np.where(lag >= 0, root[np.maximum(lag, 0)], 0.0), dtype=np.float64)
    return _twice(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def denoised(answer: Floats, noise: float) -> Floats:
    """Counts of the cells, none below 0, from an answer with noise of this deviation.

    From bin to bin of a kind counts walk at random; how far, the answer itself tells (the largest
    evidence). The last bin, one time alone, is free. No time is earlier than the counts support.
    Where there is no noise, nothing is changed.
    """
    rows = coding(len(answer) // 2)
    if noise == 0:
        return np.asarray(np.maximum(np.linalg.solve(rows.T, answer), 0.0))
    from scipy.optimize import nnls

    total = max(float(answer @ np.linalg.solve(rows, np.ones(len(answer)))), float(len(answer)))
    steps = 2 * total / len(answer) * 2.0 ** np.arange(SLOWEST, FASTEST + 1)
    priors = [_walks(len(answer) // 2, step, total / 2) for step in steps]
    best = max(priors, key=lambda prior: _evidence(rows, prior, answer, noise))
    pull = np.linalg.cholesky(np.linalg.inv(best)).T
    both = np.concatenate([rows.T / noise, pull])
    found, _ = nnls(both, np.append(answer / noise, np.zeros(len(answer))), maxiter=9999)
    return _supported(found, noise)


def _supported(counts: Floats, noise: float) -> Floats:
    """The first bins, until together they hold more than noise, counted with the next one."""
    kinds = counts.reshape(2, -1).copy()
    first = int((np.cumsum(kinds.sum(axis=0)) < noise).sum())
    if first < kinds.shape[1]:
        kinds[:, first] += kinds[:, :first].sum(axis=1)
        kinds[:, :first] = 0.0
    return kinds.ravel()


def _walks(n_bins: int, step: float, level: float) -> Floats:
    """Covariance of two random walks over all bins but the last, from an unknown level."""
    place = np.arange(1, n_bins)
    one = np.zeros((n_bins, n_bins))
    one[:-1, :-1] = step**2 * np.minimum.outer(place, place) + level**2
    one[-1, -1] = level**2
    return _twice(one)


def _twice(one: Floats) -> Floats:
    """For the censored and for the events, neither of which heeds the other."""
    return np.asarray(np.kron(np.eye(2), one), dtype=np.float64)


def _evidence(rows: Floats, prior: Floats, answer: Floats, noise: float) -> float:
    """Log probability of the answer, up to a constant."""
    root = np.linalg.cholesky(rows.T @ prior @ rows + noise**2 * np.eye(len(answer)))
    return float(
        -0.5 * np.square(np.linalg.solve(root, answer)).sum() - np.log(root.diagonal()).sum()
    )
