"""The mean of an amount in the real records and in a release, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tincture.public.columns import Column

NEAR = 0.01  # of the real mean, by which parts of a range may move it


class Average(NamedTuple):
    """Means of an outcome, in its unit.

    Attributes
    ----------
    levels : tuple of str
        The outcome with its unit.
    real, made : float or None
        In the records and in the release; None where a release does not tell.
    error : float
        Deviation of the noise in the real one; 0 where there is none.
    """

    levels: tuple[str, ...]
    real: float | None
    made: float | None
    error: float

    @classmethod
    def of(cls, about: Mapping[str, Any], column: Column) -> Average:
        """From what a package tells under ``tincture``."""
        settings = about["settings"]
        told = (settings.get("prevalence"), about.get("prevalence"))
        real, made = (float(v) if isinstance(v, int | float) else None for v in told)
        error = settings.get("prevalence_error")
        name = column.name if column.unit is None else f"{column.name} ({column.unit})"
        return cls((name,), real, made, float(error) if isinstance(error, int | float) else 0.0)

    @property
    def title(self) -> str:
        """Of the card's section."""
        return "What the outcome is on average"

    def caption(self, records: str, unit: str) -> str:
        """Of its table."""
        return f"Means over the real {records}, where {unit} counts once, and over these"

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Of a table with one row."""
        real, made = (("not told" if v is None else f"{v:g}") for v in (self.real, self.made))
        noise = f" ± {2 * self.error:.2g}" if self.real is not None and self.error else ""
        return {"real": (real + noise,), "made": (made,)}

    def advice(self, records: str, made: str, is_searched: bool) -> str:
        """What to do with predictions; parameters are those of `Prevalence.advice`."""
        if self.real is None or self.made is None:
            return "Where a mean is not told, this release cannot say how to correct predictions."
        if abs(self.real - self.made) <= max(self.error, NEAR * abs(self.real)):
            return "The means agree within noise and rounding: predictions need no correction."
        if is_searched:
            return (
                f"The means differ, but predictions need no correction: these {made} were searched "
                "for so that models predict the real mean."
            )
        return f"The means differ: recalibrate predictions on real {records}."
