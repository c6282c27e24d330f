"""A private teacher: one smooth curve a column, added up to a score of risk.

The score is a log odds or a log hazard. It is fitted through the vault by a few rounds of *residual
sums*, Σ_i (outcome_i − expected_i) φ(x_i): what the present teacher leaves unexplained along each
basis function. Nothing else of the outcome is asked of the records, and the fitted teacher labels
invented records for free, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats
from tincture.kernels.pointwise import cospi
from tincture.spine.teaching import Features, shrunk, usual_norm
from tincture.tables.marginals import Marginals
from tincture.tables.tails import Tail

EVENLY = 512  # ranks along which what lies in a tail is parted from the cosines
WAVES, FALL = 3, 2  # cosines a column, the k-th weighing 1/k²: curves are cheap, wiggles dear
PRIOR = 0.05  # variance of a weight before anything is known
PRIOR_WORTH = 3.0  # weights' worth of belief in PRIOR against what a column itself shows
STEP = 0.25  # of a full Newton step: related columns would overshoot together
FREE = 1e3  # prior variance of the constant
NONE: Mapping[int, Tail] = {}


class Basis:
    """Basis functions φ of encoded points, from public bounds and released marginals alone.

    An amount has cosines of its quantile, √2 cos(kπu)/k^fall, a tail where there is one, and an
    indicator of missing; a level has its own indicator; indicators are measured from their share.
    One constant comes last.

    Parameters
    ----------
    marginals : Marginals
    reach : float
        Norm from which a record's φ is shrunk, so that its contribution has norm 1 at most.
    waves, fall : int
        Cosines of an amount, and the power of k by which the k-th weighs less.
    tails : mapping of int to Tail, optional
        Of columns, amounts, that have one.

    Attributes
    ----------
    blocks : list of slice
        Functions of each column, then the constant.
    """

    def __init__(
        self,
        marginals: Marginals,
        reach: float = 1.0,
        waves: int = WAVES,
        fall: int = FALL,
        tails: Mapping[int, Tail] = NONE,
    ) -> None:
        self.marginals, self.reach, self.waves, self.fall = marginals, reach, waves, fall
        self.tails = dict(tails)
        encoding, widths = marginals.encoding, []
        for j, (column, kind) in enumerate(zip(encoding.columns, encoding.kinds, strict=True)):
            own = waves + (j in self.tails) + kind.width - 1
            widths.append(kind.width if column.is_categorical else own)
        ends = np.cumsum([0, *widths, 1])
        self.blocks: Sequence[slice] = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.size: int = int(ends[-1])

    @classmethod
    def fitting(
        cls, marginals: Marginals, sample: Floats, tails: Mapping[int, Tail] = NONE
    ) -> Basis:
        """With the median norm over invented records as its reach."""
        plain = cls(marginals, tails=tails)
        return cls(marginals, usual_norm(plain.values(sample)), tails=tails)

    def tail(self, column: int) -> Tail:
        """Of an amount: how far out a value lies, beyond what its cosines follow."""
        place = self.marginals.encoding.slices[column].start
        everyone = np.repeat(self.marginals.typical()[None], EVENLY, axis=0)
        everyone[:, place] = (np.arange(EVENLY) + 0.5) / EVENLY
        return Tail.of(self.marginals.place(everyone)[:, place], self._waves(everyone[:, place]))

    def values(self, points: NDArray[np.floating]) -> Floats:
        """φ of encoded points, (n, size)."""
        encoding, places = self.marginals.encoding, np.asarray(points, dtype=np.float64)
        quantiles = self.marginals.quantiles(places)
        out = np.ones((len(points), self.size))
        for j, (column, where, share, block) in enumerate(
            zip(encoding.columns, encoding.slices, self.marginals.shares, self.blocks, strict=False)
        ):
            if column.is_categorical:
                out[:, block] = quantiles[:, where] - share
                continue
            parts = [self._waves(quantiles[:, where.start])]
            if j in self.tails:
                parts.append(self.tails[j].values(places[:, where.start], parts[0])[:, None])
            if not column.required:
                missing = quantiles[:, where.start + 1 : where.stop] > 0.5
                parts = [*(np.where(missing, 0.0, part) for part in parts), missing - share[-1]]
            out[:, block] = np.concatenate(parts, axis=1)
        return out

    def bounded(self, values: Floats) -> Floats:
        """φ shrunk to norm 1 at most: ψ = φ / max(reach, ‖φ‖)."""
        return shrunk(values, self.reach)

    def _waves(self, quantiles: Floats) -> Floats:
        first = cospi(quantiles[:, None])
        cosines = [np.ones_like(first), first]
        while len(cosines) <= self.waves:  # cos((k + 1)t) = 2 cos(t) cos(kt) - cos((k - 1)t)
            cosines.append(2 * first * cosines[-1] - cosines[-2])
        smaller = np.arange(1, self.waves + 1) ** self.fall
        return np.asarray(np.sqrt(2) * np.concatenate(cosines[1:], axis=1) / smaller)


class Curvature(NamedTuple):
    """What a residual sum tells of a block of weights: its slope, and the noise around it."""

    slope: Floats
    sampling: Floats


def curvatures(
    basis: Features, values: Floats, information: float | Floats, scatter: float | Floats
) -> list[Curvature]:
    """Expected −∂(residual sum)/∂weights, a block at a time, were columns independent.

    Parameters
    ----------
    values : ndarray of shape (n, size)
        φ of invented records.
    information : float, or ndarray of shape (n_scores, n_scores)
        Records times the mean information of one.
    scatter : float, or ndarray of shape (n_scores, n_scores)
        Records times the mean variance of one's residual.
    """
    bounded = basis.bounded(values)
    out = []
    for block in basis.blocks:
        slope = _times(information, bounded[:, block], values[:, block]) / len(values)
        sampling = _times(scatter, bounded[:, block], bounded[:, block]) / len(values)
        out.append(Curvature((slope + slope.T) / 2, sampling))
    return out


def _times(information: float | Floats, left: Floats, right: Floats) -> Floats:
    """Information times leftᵀ right; of several scores a block for each two of them."""
    if np.ndim(information) == 0:
        return np.asarray(information * left.T @ right, dtype=np.float64)
    return np.asarray(np.kron(information, left.T @ right), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Belief:
    """Weights and how large each column's are thought to be.

    Attributes
    ----------
    weights : ndarray of shape (size,) or (n_scores, size)
    variance : ndarray of shape (n_blocks,)
        Prior variance of a weight of each block, learned from the answers so far.
    prior : float
        That of every block before any answer.
    """

    weights: Floats
    variance: Floats
    prior: float = PRIOR

    @classmethod
    def first(cls, basis: Features, level: float | Floats, prior: float = PRIOR) -> Belief:
        """All records alike, at a level."""
        variance = np.full(len(basis.blocks), prior)
        variance[-1] = FREE
        weights = np.zeros((*np.shape(level), basis.size))
        weights[..., -1] = level
        return cls(weights, variance, prior)

    def joined(self, old: Features, new: Features) -> Belief:
        """With more blocks before the constant, thought to be nothing yet."""
        none = np.zeros((*self.weights.shape[:-1], new.size - old.size))
        weights = np.concatenate([self.weights[..., :-1], none, self.weights[..., -1:]], axis=-1)
        more = np.full(len(new.blocks) - len(old.blocks), self.prior)
        return Belief(weights, np.insert(self.variance, len(old.blocks) - 1, more), self.prior)

    def after(
        self,
        basis: Features,
        answer: Floats,
        curves: Sequence[Curvature],
        noise: float,
        noise_so_far: float,
    ) -> Belief:
        """A damped Newton step to the posterior mode, and empirical-Bayes variances.

        With residual sum a, slope H and noise covariance R, the posterior of a block moves by
        (H R⁻¹ H + I/τ²)⁻¹ (H R⁻¹ a − w/τ²); then τ² = E‖w‖²/size (MacKay 1992, evidence).

        Parameters
        ----------
        noise : float
            Standard deviation of the mean of all planned answers.
        noise_so_far : float
            Of the mean of the answers until now.
        """
        weights, variance = self.weights.copy(), self.variance.copy()
        answer = answer.reshape(weights.shape)
        for b, (block, curve) in enumerate(zip(basis.blocks, curves, strict=True)):
            old = self.weights[..., block].ravel()
            identity = np.eye(len(old))
            gain, precision = _information(curve, noise)
            mode = precision + identity / self.variance[b]
            lacking = answer[..., block].ravel()
            new = old + STEP * np.linalg.solve(mode, gain @ lacking - old / self.variance[b])
            weights[..., block] = new.reshape(weights[..., block].shape)
            if b == len(curves) - 1:
                continue
            _, known = _information(curve, noise_so_far)
            spread = np.trace(np.linalg.inv(known + identity / self.variance[b]))
            seen = new @ new + spread
            variance[b] = (seen + PRIOR_WORTH * self.prior) / (len(old) + PRIOR_WORTH)
        return Belief(weights, variance, self.prior)


def _information(curve: Curvature, noise: float) -> tuple[Floats, Floats]:
    """H R⁻¹ and H R⁻¹ H, R being sampling and privacy noise."""
    size = len(curve.slope)
    noisy = curve.sampling + (noise**2 + 1e-9 * np.trace(curve.slope) + 1e-12) * np.eye(size)
    gain = np.linalg.solve(noisy, curve.slope).T
    precision = gain @ curve.slope
    return gain, (precision + precision.T) / 2
