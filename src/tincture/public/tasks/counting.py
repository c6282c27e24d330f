"""Counts of events and censorings in bins of time, asked for so that noise does not add up.

What is read off the counts are running sums: who is still there. Noise on every bin would add up
along the bins. Asked instead is a *square root of running sums* (Fichtenberger, Henzinger and
Upadhyay 2023), from which running sums follow with noise that grows with the logarithm of the bins.
"""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats

SLOWEST, FASTEST = -7, 2  # powers of 2: steps from bin to bin that are weighed, of a mean count
SURE = 3.0  # deviations of noise beyond which somebody is there


def coding(n_bins: int, kinds: int = 2) -> Floats:
    """What a record adds in each cell, (kinds n_bins, kinds n_bins): a row of norm 1 a cell.

    Cells are the bins of one kind after the other: of the censored, then of the events. The answer
    is the transposed of this times the counts.
    """
    root: Floats = np.cumprod(np.append(1.0, 1.0 - 0.5 / np.arange(1, n_bins)))
    lag = np.subtract.outer(np.arange(n_bins), np.arange(n_bins))  # sums run from the last bin
    rows = np.asarray(np.where(lag >= 0, root[np.maximum(lag, 0)], 0.0), dtype=np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.kron(np.eye(kinds), rows), dtype=np.float64)


def denoised(answer: Floats, noise: float, kinds: int = 2) -> Floats:
    """Counts of the cells, none below 0, from an answer with noise of this deviation.

    From bin to bin of a kind counts walk at random; how far, its own answer tells (the largest
    evidence). The last bin, one time alone, is free. Of times none is earlier than the counts
    support. Where there is no noise, nothing is changed.
    """
    own = [_walked(part, noise) for part in answer.reshape(kinds, -1)]
    counts = np.concatenate(own)
    return _supported(counts, noise) if kinds == 2 and noise > 0 else counts


def _walked(answer: Floats, noise: float) -> Floats:
    """The counts of one kind."""
    rows = coding(len(answer), kinds=1)
    if noise == 0:
        return np.asarray(np.maximum(np.linalg.solve(rows.T, answer), 0.0))
    from scipy.optimize import nnls

    total = max(float(answer @ np.linalg.solve(rows, np.ones(len(answer)))), float(len(answer)))
    steps = total / len(answer) * 2.0 ** np.arange(SLOWEST, FASTEST + 1)
    priors = [_walks(len(answer), step, total) for step in steps]
    best = max(priors, key=lambda prior: _evidence(rows, prior, answer, noise))
    pull = np.linalg.cholesky(np.linalg.inv(best)).T
    both = np.concatenate([rows.T / noise, pull])
    found, _ = nnls(both, np.append(answer / noise, np.zeros(len(answer))), maxiter=9999)
    return np.asarray(found)


def _supported(counts: Floats, noise: float) -> Floats:
    """The first bins, until together they hold more than noise, counted with the next one."""
    kinds = counts.reshape(2, -1).copy()
    first = int((np.cumsum(kinds.sum(axis=0)) < noise).sum())
    if first < kinds.shape[1]:
        kinds[:, first] += kinds[:, :first].sum(axis=1)
        kinds[:, :first] = 0.0
    return kinds.ravel()


def between(counts: Floats, answer: Floats, noise: float) -> Floats:
    """Counts of one kind, none beyond the bins up to which noise cannot make up all others.

    What lies beyond is counted there. The ends are told by running sums of the answer itself, as
    counts none of which is below 0 add up to more than there are.
    """
    rows, place = coding(len(counts), kinds=1), np.arange(len(counts))
    sides = np.array([place <= k for k in place]), np.array([place >= k for k in place])
    weights = [np.linalg.solve(rows, side.T.astype(np.float64)) for side in sides]
    sure = [answer @ w > SURE * noise * np.linalg.norm(w, axis=0) for w in weights]
    first = int(np.flatnonzero(sure[0]).min(initial=place[-1]))
    last = int(np.flatnonzero(sure[1]).max(initial=first))
    moved = np.bincount(np.clip(place, first, last), counts, len(counts))
    return np.asarray(moved, dtype=np.float64)


def _walks(n_bins: int, step: float, level: float) -> Floats:
    """Covariance of a random walk over all bins but the last, from an unknown level."""
    place = np.arange(1, n_bins)
    one = np.zeros((n_bins, n_bins))
    one[:-1, :-1] = step**2 * np.minimum.outer(place, place) + level**2
    one[-1, -1] = level**2
    return one


def _evidence(rows: Floats, prior: Floats, answer: Floats, noise: float) -> float:
    """Log probability of the answer, up to a constant."""
    root = np.linalg.cholesky(rows.T @ prior @ rows + noise**2 * np.eye(len(answer)))
    return float(
        -0.5 * np.square(np.linalg.solve(root, answer)).sum() - np.log(root.diagonal()).sum()
    )
