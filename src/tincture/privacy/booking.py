"""A booked question and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tincture.arrays import Floats
from tincture.privacy.accounting import Mechanism


@dataclass(frozen=True, slots=True)
class Answer:
    """A private answer.

    Attributes
    ----------
    value : ndarray of shape (n_values,)
        Noisy sum over units, scaled to all of them; None where a killed run lost it.
    noise : float
        Standard deviation of the noise in ``value``.
    """

    value: Floats | None
    noise: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking: the question, the size of its answer, the clip and the mechanism."""

    question: str
    size: int
    clip: float
    mechanism: Mechanism

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "question": self.question,
            "size": self.size,
            "clip": self.clip,
            "noise_multiplier": self.mechanism.noise_multiplier,
            "sampling_rate": self.mechanism.sampling_rate,
        }

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Entry:
        """From JSON."""
        mechanism = Mechanism(float(raw["noise_multiplier"]), float(raw["sampling_rate"]))
        return cls(str(raw["question"]), int(raw["size"]), float(raw["clip"]), mechanism)
