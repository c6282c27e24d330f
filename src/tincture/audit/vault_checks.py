"""Statistical tests of the vault in use: its noise, its clip, its samples.

Each asks a vault of canaries, whose exact sums are known, and compares what comes back with what
the ledger claims. A right vault fails each test with a chance of at most 1e−6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from tincture.arrays import Floats
from tincture.audit.canaries import Spikes, canary_vault
from tincture.privacy.accounting import Mechanism, Phase, Plan
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault

ALARM = 1e-6
UNITS, CALLS = 100, 40  # 4000 noises: a scale 12% off is 10 standard deviations away
LOOKS, RATE = 300, 0.3
QUESTION = "canaries"


@dataclass(frozen=True, slots=True)
class Check:
    """One test: what was seen, and between which limits it should lie."""

    name: str
    seen: float
    low: float
    high: float

    @property
    def passed(self) -> bool:
        """Whether the vault does as the ledger claims."""
        return bool(self.low <= self.seen <= self.high)


def check_vault(noise_multiplier: float = 3.0, *, vault: type[Vault] = Vault) -> tuple[Check, ...]:
    """All tests, with noise of one size.

    Parameters
    ----------
    noise_multiplier : float
        σ of the noise that is tested; positive.
    vault : type
        That is tested.
    """
    residuals = _residuals(vault, noise_multiplier)
    return (
        _noise_scale(residuals),
        _fresh("noise is new in every answer", residuals),
        _fresh("noise is new in every value", residuals.T),
        _clip(vault),
        *_samples(vault),
    )


def _ask(vault: type[Vault], mechanism: Mechanism, calls: int) -> Floats:
    """Answers (calls, UNITS) of a vault that holds every canary, in clips."""
    plan = Plan(1.0, 1e-5, (Phase(QUESTION, calls, 1.0, mechanism.sampling_rate),), (mechanism,))
    asked = canary_vault(np.ones(UNITS, dtype=bool), Ledger(plan), vault)
    answers = [asked.noisy_sum(Spikes(QUESTION, UNITS), mechanism) for _ in range(calls)]
    return np.stack([a.value for a in answers if a.value is not None])


def _residuals(vault: type[Vault], noise: float) -> Floats:
    """Answers less what they should be, in units of the noise claimed."""
    return (_ask(vault, Mechanism(noise), CALLS) - 1.0) / noise


def _noise_scale(residuals: Floats) -> Check:
    """Two-sided χ² test of the variance of N = 4000 normal numbers."""
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], residuals.size) / residuals.size
    seen = float(np.square(residuals).mean())
    return Check("noise is as large as booked", seen, float(low), float(high))


def _fresh(name: str, residuals: Floats) -> Check:
    """Correlation of each line with the one before, within ±4.9/√N where all are independent."""
    first, second = residuals[:-1], residuals[1:]
    limit = float(stats.norm.ppf(1 - ALARM / 2) / np.sqrt(first.size))
    size = max(float(np.square(residuals).mean()), 1e-12)
    return Check(name, float((first * second).mean()) / size, -limit, limit)


def _clip(vault: type[Vault]) -> Check:
    """Without noise a unit adds one clip, though it asks for ten; exact, so that none fails."""
    seen = np.abs(_ask(vault, Mechanism(0.0), 1)).max()
    return Check("no unit adds more than the clip", float(seen), 1 - 1e-3, 1.0)


def _samples(vault: type[Vault]) -> tuple[Check, Check, Check]:
    """Who takes part in 300 samples of 100 units: each by a coin of its own, each time anew.

    With fair play the sizes of the samples, and how often each unit is in one, vary as binomials.
    """
    taken = np.rint(_ask(vault, Mechanism(0.0, RATE), LOOKS) * RATE)
    limit = float(stats.norm.ppf(1 - ALARM / 2) * np.sqrt(RATE * (1 - RATE) / taken.size))
    return (
        Check("units are sampled at the rate booked", float(taken.mean()), *_around(RATE, limit)),
        _spread("samples vary in size", taken.sum(axis=1), UNITS),
        _spread("samples vary in members", taken.sum(axis=0), LOOKS),
    )


def _around(middle: float, limit: float) -> tuple[float, float]:
    return middle - limit, middle + limit


def _spread(name: str, counts: Floats, trials: int) -> Check:
    """Variance over that of a binomial, by χ²; a binomial of this rate has lighter tails."""
    free = len(counts) - 1
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], free) / free
    seen = float(counts.var(ddof=1)) / (trials * RATE * (1 - RATE))
    return Check(name, seen, float(low), float(high))
