"""What answers cost: mechanisms, the plan of a run, and its noise, by ``dp-accounting``.

Neighbouring tables differ by one unit (add or remove). Everything is rounded to the safe side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scipy.special import log_ndtr, ndtr

from tincture.errors import SettingError

if TYPE_CHECKING:  # takes a third of a second to import, and evaluations account for nothing
    import dp_accounting as dpa

# The lattice of the discrete Gaussian has 2²⁰ points a clip; the margin covers its distance from
# the continuous Gaussian the accountants assume many times over (docs/promise.md, §4).
LATTICE_MARGIN = 1e-4
TOLERANCE = 1e-4  # of the noise; the ε that is told is found to a millionth
LEAST, MOST = 1e-6, 2.0**40
MOST_EPSILON, MOST_DELTA = 10.0, 1e-3  # beyond which a promise says next to nothing
COARSE = 10.0  # ε above which PLD would take many seconds, then minutes


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Poisson-sampled Gaussian.

    Parameters
    ----------
    noise_multiplier : float
        σ, the noise's standard deviation in units of the clip C; 0 is an un-noised look, ε = ∞.
    sampling_rate : float
        Probability q in (0, 1] that a unit takes part.
    """

    noise_multiplier: float
    sampling_rate: float = 1.0

    def __post_init__(self) -> None:
        if not (self.noise_multiplier >= 0 and 0 < self.sampling_rate <= 1):
            raise SettingError(
                f"A mechanism with noise multiplier {self.noise_multiplier} and sampling rate "
                f"{self.sampling_rate} is not possible; expected ≥ 0 and in (0, 1]."
            )


@dataclass(frozen=True, slots=True)
class Phase:
    """A kind of question, asked ``count`` times with one mechanism.

    ``share`` is its part of the squared-noise budget: with no sampling, Σ count/σ² over the phases
    is what composes, and a phase receives ``share`` of it.
    """

    question: str
    count: int
    share: float
    sampling_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions a run may ask: what it was allowed, and the mechanism for each kind."""

    epsilon: float
    delta: float
    phases: tuple[Phase, ...]
    mechanisms: tuple[Mechanism, ...]

    def mechanism(self, question: str) -> Mechanism:
        """The mechanism planned for a kind of question."""
        return self.mechanisms[self._index(question)]

    def count(self, question: str) -> int:
        """How often a kind of question may be asked."""
        return self.phases[self._index(question)].count

    def has(self, question: str) -> bool:
        """Whether a kind of question is planned."""
        return any(p.question == question for p in self.phases)

    def _index(self, question: str) -> int:
        return [p.question for p in self.phases].index(question)


def check_privacy(epsilon: float, delta: float) -> None:
    """Refuse an impossible (ε, δ).

    Raises
    ------
    SettingError
    """
    if not epsilon > 0:
        raise SettingError(f"Epsilon is {epsilon:g}; it must be above 0 (or inf for no privacy).")
    if not 0 <= delta < 1 or (delta == 0 and math.isfinite(epsilon)):
        raise SettingError(f"Delta is {delta:g}; it must be above 0 and below 1, such as 1e-5.")


def weakness(epsilon: float, delta: float) -> str | None:
    """A warning where a promise that is kept still says next to nothing."""
    if not math.isfinite(epsilon):
        return None
    if epsilon > MOST_EPSILON:
        factor = f"{math.exp(epsilon):.1g}" if epsilon < 700 else "more than 1e300"
        return (
            f"Warning: ε = {epsilon:g} promises next to nothing: what is seen may be {factor} "
            "times as likely with a person as without. "
            f"Up to {MOST_EPSILON:g} is usual, 1 is strict."
        )
    if delta > MOST_DELTA:
        return (
            f"Warning: δ = {delta:g} lets the promise fail outright {delta:.1%} of the time; take "
            "less than one over the number of people, such as 1e-5."
        )
    return None


def calibrate(epsilon: float, delta: float, phases: Sequence[Phase]) -> Plan:
    """Find the least noise with which all phases together stay within (ε, δ).

    Raises
    ------
    SettingError
        If ε or δ is out of range, or no noise is large enough.
    """
    check_privacy(epsilon, delta)
    return _calibrated(epsilon, delta, tuple(phases))


@lru_cache(maxsize=64, typed=True)  # it takes seconds, and an audit's references share a plan
def _calibrated(epsilon: float, delta: float, phases: tuple[Phase, ...]) -> Plan:
    if math.isinf(epsilon):
        silent = tuple(Mechanism(0.0, p.sampling_rate) for p in phases)
        return Plan(epsilon, delta, phases, silent)

    def mechanisms(noise: float) -> tuple[Mechanism, ...]:
        total = sum(p.share for p in phases)
        return tuple(
            Mechanism(noise * math.sqrt(p.count * total / p.share), p.sampling_rate) for p in phases
        )

    def fits(noise: float) -> bool:
        spent = [m for m, p in zip(mechanisms(noise), phases, strict=True) for _ in range(p.count)]
        return spent_epsilon(spent, delta) <= epsilon

    return Plan(epsilon, delta, phases, mechanisms(_least(fits, TOLERANCE)))


def _least(fits: Callable[[float], bool], tolerance: float) -> float:
    """Bisect for the smallest number that fits, from above."""
    high = 1.0
    while not fits(high):
        high *= 2
        if high > MOST:
            raise SettingError("No amount of noise reaches this epsilon and delta; raise them.")
    low = high / 2
    while low > LEAST and fits(low):
        low, high = low / 2, low
    while high - low > tolerance * high:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def phases_of(
    shares: Mapping[str, tuple[float, int]], rounds: Mapping[str, int] | None = None
) -> list[Phase]:
    """Phases from the share of the budget and the number of questions of each kind.

    ``rounds`` overrides the number of some kinds.
    """
    return [Phase(q, (rounds or {}).get(q, n), share) for q, (share, n) in shares.items()]


def spent_epsilon(mechanisms: Iterable[Mechanism], delta: float) -> float:
    """The ε that answers of these mechanisms have cost together.

    Without sampling they are one Gaussian, whose ε is exact. Otherwise the tighter of PLD and RDP;
    RDP alone, which is never less, if that is above `COARSE`.
    """
    return _spent(tuple(mechanisms), delta)


def with_share(mechanisms: Iterable[Mechanism], holders: int) -> list[Mechanism]:
    """The same answers with no more than one of so many equal shares of their noise."""
    shares = ((m.noise_multiplier / math.sqrt(holders), m.sampling_rate) for m in mechanisms)
    return [Mechanism(*share) for share in shares]


@lru_cache(maxsize=256)  # a release tells its ε in several places
def _spent(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    if any(m.noise_multiplier == 0 for m in mechanisms):
        return math.inf
    if all(m.sampling_rate >= 1 for m in mechanisms):
        return _of_gaussian(_precision(mechanisms), delta)
    from dp_accounting.pld import PLDAccountant
    from dp_accounting.rdp import RdpAccountant

    event = _composed(mechanisms)
    by_rdp = epsilon_by(RdpAccountant, event, delta)
    return by_rdp if by_rdp > COARSE else min(epsilon_by(PLDAccountant, event, delta), by_rdp)


def _of_gaussian(precision: float, delta: float) -> float:
    """The ε of one Gaussian, from above, by its exact δ; ∞ where it is above `MOST`.

    Parameters
    ----------
    precision : float
        1/σ²; 0 where nothing was answered.
    """
    if precision == 0 or delta_of_gaussian(0.0, precision) <= delta:
        return 0.0
    if delta_of_gaussian(MOST, precision) > delta:
        return math.inf
    return _least(lambda epsilon: delta_of_gaussian(epsilon, precision) <= delta, 1e-6)


def delta_of_gaussian(epsilon: float, precision: float) -> float:
    """δ(ε) = Φ(½/σ − εσ) − e^ε Φ(−½/σ − εσ) of one Gaussian (Balle, Wang 2018, theorem 8).

    Written here, as dp-accounting, which the tests hold it against, takes 57 MB to import.
    """
    half, middle = math.sqrt(precision) / 2, epsilon / math.sqrt(precision)
    return float(ndtr(half - middle) - math.exp(min(epsilon + log_ndtr(-half - middle), 0.0)))


def epsilon_by(accountant: Callable[[], object], event: dpa.DpEvent, delta: float) -> float:
    """The ε of an event by one of dp-accounting's accountants; ∞ where it cannot tell."""
    ledger = accountant()
    try:
        ledger.compose(event)  # type: ignore[attr-defined]
        return float(ledger.get_epsilon(delta))  # type: ignore[attr-defined]
    except (OverflowError, ValueError, FloatingPointError, MemoryError):
        return math.inf


def _precision(mechanisms: Iterable[Mechanism]) -> float:
    """Σ 1/σᵢ² of unsampled Gaussians, which cost what one of this 1/σ² costs.

    Dong, Roth, Su (2022), corollary 3.3.
    """
    return sum((m.noise_multiplier * (1 - LATTICE_MARGIN)) ** -2 for m in mechanisms)


def _composed(mechanisms: Sequence[Mechanism]) -> dpa.DpEvent:
    """Merge equal mechanisms, and all unsampled Gaussians into one."""
    import dp_accounting as dpa

    sampled = Counter(m for m in mechanisms if m.sampling_rate < 1)
    events: list[dpa.DpEvent] = [
        dpa.SelfComposedDpEvent(
            dpa.PoissonSampledDpEvent(
                m.sampling_rate, dpa.GaussianDpEvent(m.noise_multiplier * (1 - LATTICE_MARGIN))
            ),
            count,
        )
        for m, count in sampled.items()
    ]
    if precision := _precision(m for m in mechanisms if m.sampling_rate >= 1):
        events.append(dpa.GaussianDpEvent(precision**-0.5))
    return events[0] if len(events) == 1 else dpa.ComposedDpEvent(events)
