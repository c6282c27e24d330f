"""How much privacy a single run can be shown to have lost, from canaries put in by fair coins.

A mechanism that is (ε, δ)-private lets an auditor guess a fair coin right with a chance of at most
1 / (1 + e^−ε), up to δ. Many coins at once, of many units in one run, are guessed right no more
often than as many independent ones (Steinke, Nasr, Jagielski 2023, *Privacy auditing with one (1)
training run*, theorem 5.2). Too many right guesses are therefore evidence against the ε claimed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tincture.arrays import Floats, Mask
from tincture.audit.canaries import Spikes, canary_vault
from tincture.privacy.accounting import Plan
from tincture.privacy.ledger import Ledger
from tincture.privacy.vault import Vault

CONFIDENCE = 0.95
# Shares of the canaries not guessed, chosen beforehand; the first leaves room for uneven coins.
ABSTENTIONS = (0.2, 0.75, 0.9, 0.96)
STEP = 0.05
LARGEST = 50.0  # an ε beyond all that canaries can show


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound on ε, and the guesses it rests on.

    Attributes
    ----------
    epsilon : float
        The run lost at least this much, at ``confidence``; 0 shows nothing.
    canaries, guesses, right : int
        Units put in by fair coins, how many coins were guessed, and how many rightly.
    claimed : float
        The ε promised.
    """

    epsilon: float
    claimed: float
    delta: float
    canaries: int
    guesses: int
    right: int
    confidence: float = CONFIDENCE

    @property
    def holds(self) -> bool:
        """Whether the run gives no evidence against the claim."""
        return self.epsilon <= self.claimed


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Chance of so many right guesses against an (ε, δ)-private mechanism, at most.

    Parameters
    ----------
    canaries : int
        Units m, each included by a fair coin.
    guesses : int
        Coins r ≤ m that were guessed; for the others the auditor abstains.
    right : int
        Right guesses v ≤ r.
    epsilon, delta : float
        The guarantee to be refuted.

    Returns
    -------
    float
        P[B ≥ v] + 2mδ · max_i P[v > B ≥ v − i] / i with B ~ Binomial(r, 1/(1 + e^−ε)), at most 1.

    References
    ----------
    Steinke, Nasr, Jagielski (2023), theorem 5.2 and appendix D.
    """
    chance = 1 / (1 + math.exp(-epsilon))
    tail = float(stats.binom.sf(right - 1, guesses, chance))
    if right == 0 or delta == 0:
        return min(tail, 1.0)
    below = stats.binom.pmf(np.arange(right - 1, -1, -1), guesses, chance).cumsum()
    worst = float((below / np.arange(1, right + 1)).max())
    return min(tail + 2 * canaries * delta * worst, 1.0)


def lower_bound(
    canaries: int, guesses: int, right: int, delta: float, *, confidence: float = CONFIDENCE
) -> float:
    """The largest ε that so many right guesses refute; 0 if they refute none.

    All smaller ε are refuted too: the search goes up from 0 and stops at the first that is not.
    """

    def refuted(epsilon: float) -> bool:
        return p_value(canaries, guesses, right, epsilon, delta) < 1 - confidence

    if guesses == 0 or not refuted(0.0):
        return 0.0
    low = 0.0
    while low < LARGEST and refuted(low + STEP):
        low += STEP
    high = low + STEP
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def guess(scores: Floats, included: Mask, abstention: float) -> tuple[int, int]:
    """Say "in" of the highest scores and "out" of as many lowest; guesses made and right ones."""
    half = round(len(scores) * (1 - abstention) / 2)
    order = np.argsort(scores, kind="stable")
    right = int((~included[order[:half]]).sum() + included[order[len(order) - half :]].sum())
    return 2 * half, right


def bound(
    scores: Floats,
    included: Mask,
    claimed: float,
    delta: float,
    *,
    abstentions: Sequence[float] = ABSTENTIONS,
    confidence: float = CONFIDENCE,
) -> Bound:
    """The best bound over a few shares of abstentions, each at a share of the error allowed.

    Parameters
    ----------
    scores : ndarray of shape (m,)
        Higher for canaries that look included.
    included : ndarray of bool, shape (m,)
        How the coins fell.
    claimed, delta : float
        The guarantee.
    """
    each = 1 - (1 - confidence) / len(abstentions)
    found = []
    for abstention in abstentions:
        guesses, right = guess(scores, included, abstention)
        epsilon = lower_bound(len(scores), guesses, right, delta, confidence=each)
        found.append(Bound(epsilon, claimed, delta, len(scores), guesses, right, confidence))
    return max(found, key=lambda b: b.epsilon)


def one_run(
    plan: Plan, rng: np.random.Generator, *, canaries: int = 1000, vault: type[Vault] = Vault
) -> Bound:
    """Ask a vault of canaries every question of a plan, each of them at its worst.

    Canary i contributes ten clips along an axis of its own, which the vault must shrink to one. Its
    sign alternates from question to question, so that noise used twice would cancel. The auditor
    sees every answer, and scores a canary by the sum of its signed answers over the noise variance,
    which is the likelihood ratio.

    Parameters
    ----------
    plan : Plan
        Its kinds of question, their number and their mechanisms; the vault's ledger obeys it.
    rng : numpy.random.Generator
        Of the coins.
    canaries : int
        Units m; more show more, at a cost of m² numbers a question.
    vault : type
        That is audited.
    """
    included = rng.uniform(size=canaries) < 0.5
    audited = canary_vault(included, Ledger(plan), vault)
    scores = np.zeros(canaries)
    asked = 0
    for phase, mechanism in zip(plan.phases, plan.mechanisms, strict=True):
        for _ in range(phase.count):
            spikes = Spikes(phase.question, canaries, sign=(-1.0) ** asked)
            answer = audited.noisy_sum(spikes, mechanism)
            if answer.value is not None:
                scores += spikes.sign * answer.value / max(answer.noise, 1e-9) ** 2
            asked += 1
    return bound(scores, included, plan.epsilon, plan.delta)
