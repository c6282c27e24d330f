"""Who was in the table? Attacks that score records, and how well the scores tell members apart.

Higher scores say "member". Each attack sees a release, the attacked records, and, where it needs
one, a reference: other records of the same kind, none of which is attacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import norm

from tincture.arrays import Floats, Integers, Mask
from tincture.evaluation.metrics.classes import auroc
from tincture.evaluation.metrics.figure import NOTHING, RESAMPLES, Figure, bootstrapped

RATES = (0.001, 0.01)
N_AXES = 6  # principal axes that a kernel density still sees with a hundred rows


@dataclass(frozen=True, slots=True)
class Attack:
    """How well one attack tells members from others.

    Attributes
    ----------
    area : Figure
        Under the ROC curve, with its bootstrap 95% interval; ½ is chance.
    hits : tuple of Figure
        Share of members found at false-alarm rates of 0.1% and 1%, with bootstrap 95% intervals;
        NaN with too few others to tell (fewer than 1/rate).
    """

    name: str
    members: int
    others: int
    area: Figure
    hits: tuple[Figure, ...]


def judged(name: str, members: Floats, others: Floats, rng: np.random.Generator) -> Attack:
    """An attack from its scores."""
    scores = np.concatenate([members, others])
    label = np.repeat([1, 0], [len(members), len(others)])
    area = bootstrapped(auroc(np.stack([-scores, scores], axis=1), label), len(label))
    hits = tuple(hit_rate(members, others, rate, rng) for rate in RATES)
    return Attack(name, len(members), len(others), area, hits)


def hit_rate(members: Floats, others: Floats, rate: float, rng: np.random.Generator) -> Figure:
    """Share of members above the score that at most ``rate`` of the others exceed.

    The interval comes from bootstrap samples of members and of others.
    """
    if len(others) < 1 / rate or len(members) == 0:
        return NOTHING

    def share(inside: Floats, outside: Floats) -> float:
        threshold = np.quantile(outside, 1 - rate, method="higher")
        return float((inside > threshold).mean())

    drawn = [share(rng.choice(members, len(members)), rng.choice(others, len(others)))
             for _ in range(RESAMPLES)]  # fmt: skip
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(share(members, others), float(low), float(high))


def closeness(rows: Floats, records: Floats) -> Floats:
    """Minus the distance (L1) to the closest row, (n,).

    Distance to the closest record is the plainest attack (Chen et al. 2020, GAN-Leaks).
    """
    return -nearest(records, rows)


def nearest(points: Floats, others: Floats) -> Floats:
    """L1 distance of each point to the closest of the others, (n,)."""
    parts = np.array_split(points, max(1, len(points) * len(others) // 4_000_000))
    return np.concatenate([cdist(p, others, "cityblock").min(axis=1) for p in parts])


def density_ratio(rows: Floats, reference: Floats, records: Floats, *, kernel: bool) -> Floats:
    """DOMIAS: log density under the release less that under the reference, (n,).

    Densities are Gaussian, or by Gaussian kernels of Scott's width, in the space of the reference's
    first principal axes.

    References
    ----------
    van Breugel, Sun, Qian, van der Schaar (2023), *Membership inference attacks against synthetic
    data through overfitting detection*, AISTATS.
    """
    middle = reference.mean(axis=0)
    _, spread, axes = np.linalg.svd(reference - middle, full_matrices=False)
    most = N_AXES if kernel else min(len(rows) // 4, 30)
    kept = axes[: max(1, min(most, int((spread > 1e-6 * max(spread[0], 1e-12)).sum())))]
    scale = spread[: len(kept)] / np.sqrt(len(reference)) + 1e-9
    inside, outside, asked = (((t - middle) @ kept.T) / scale for t in (rows, reference, records))
    density = _kernel_density if kernel else _normal_density
    return np.asarray(density(inside, asked) - density(outside, asked))


def _normal_density(sample: Floats, points: Floats) -> Floats:
    """Log density of the normal with the sample's mean and covariance, shrunk a little to I."""
    width = sample.shape[1]
    covariance = np.atleast_2d(np.cov(sample.T)) * 0.9 + 0.1 * np.eye(width)
    root = np.linalg.cholesky(covariance)
    whitened = np.linalg.solve(root, (points - sample.mean(axis=0)).T)
    return np.asarray(-0.5 * np.square(whitened).sum(axis=0) - np.log(np.diag(root)).sum())


def _kernel_density(sample: Floats, points: Floats) -> Floats:
    """Log density by Gaussian kernels, up to a constant."""
    width = len(sample) ** (-1 / (sample.shape[1] + 4))
    parts = np.array_split(points, max(1, len(points) * len(sample) // 4_000_000))
    logs = [
        np.logaddexp.reduce(-0.5 * cdist(p, sample, "sqeuclidean") / width**2, axis=1)
        for p in parts
    ]
    constant = np.log(len(sample)) + sample.shape[1] * np.log(width)
    return np.asarray(np.concatenate(logs) - constant)


def likelihood_ratio(seen: Floats, references: Floats, included: Mask) -> Floats:
    """LiRA: how much likelier a record's statistic is if it was a member, (n,).

    Parameters
    ----------
    seen : ndarray of shape (n,)
        Each attacked record's statistic under the release.
    references : ndarray of shape (n_references, n)
        The same under reference releases.
    included : ndarray of bool, shape (n_references, n)
        Whether the record was a member there; both must occur for each record.

    References
    ----------
    Carlini et al. (2022), *Membership inference attacks from first principles*, with one spread for
    all records, as few references call for.
    """

    def fitted(where: Mask) -> tuple[Floats, float]:
        mean = (references * where).sum(axis=0) / where.sum(axis=0)
        return mean, float(np.sqrt(np.square((references - mean)[where]).mean())) + 1e-9

    (mean_in, spread_in), (mean_out, spread_out) = fitted(included), fitted(~included)
    return np.asarray(
        norm.logpdf(seen, mean_in, spread_in) - norm.logpdf(seen, mean_out, spread_out)
    )


def halves(size: int, count: int, rng: np.random.Generator) -> Mask:
    """Random halves and their complements, (count, size): each record is in just half of them."""
    orders: Sequence[Integers] = [rng.permutation(size) for _ in range(count // 2)]
    first = [order < size // 2 for order in orders]
    return np.array([half for one in first for half in (one, ~one)])
