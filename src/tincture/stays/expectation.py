"""What to expect of condensed stays: before anything is spent, and when they were counted.

The number of stays is private. How many it takes until a variable is seen through the noise follows
from the plan; what models keep is a fit to a benchmark (``benchmarks/expectation_stays.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tincture.arrays import Floats
from tincture.privacy.accounting import Plan
from tincture.spine.expectation import Rule, about, rounded_up
from tincture.stays.layout import Layout
from tincture.stays.occupancy import RECORDED, SURE, Occupancy

# The fit gives 0.92 and 13; small sets scatter, so that twice the loss is promised away.
RULE = Rule(best=0.9, loss=27.0)
GOOD, POOR = 0.8, 0.6
# How strongly a variable shows in the occupancy of a stay: at most, in one cell and every bin; in
# every bin, wherever its values lie; and the median of two real sets (0.29 and 0.27).
MOST, ALWAYS, TYPICAL = (1 + RECORDED) / math.sqrt(2), RECORDED, 0.27


@dataclass(frozen=True, slots=True)
class Outlook:
    """What public settings alone let expect; the unit is whom the ledger protects."""

    layout: Layout
    plan: Plan
    unit: str = "stay"

    def stays_for(self, strength: float) -> int:
        """Stays from which a variable is more likely seen than not, to two figures."""
        noise = self.plan.mechanism(Occupancy.question).noise_multiplier
        return rounded_up(SURE * noise * Occupancy(self.layout).clip / strength, 2)

    def before(self) -> str:
        """Two sentences before anything is spent."""
        epsilon, whom = self.plan.epsilon, self._whom
        if math.isinf(epsilon):
            return (
                f"Without privacy, models should gain about {RULE.best:.0%} of what all stays "
                "would give them over chance."
            )
        most, always, typical = (self.stays_for(s) for s in (MOST, ALWAYS, TYPICAL))
        good, poor = (RULE.people_for(s, self._n_columns, epsilon) for s in (GOOD, POOR))
        return (
            f"With {len(self.layout.variables)} variables and {self._n_static} static columns at "
            f"ε = {epsilon:g}, a variable recorded in every bin is seen through the noise from "
            f"{always:,} {whom} on, a typical one from {typical:,}; with fewer than {most:,} the "
            f"release is likely to hold no measurement. Models should gain {POOR:.0%} of what all "
            f"stays would give them over chance, or more, if {poor:,} {whom} have the rarer "
            f"outcome, and about {GOOD:.0%} if {good:,} have; if fewer, drop columns from the "
            "schema, or ask for more ε."
        )

    def counted(self, counts: Floats) -> str:
        """One sentence when the outcomes (2,) have been counted through noise; ε finite."""
        n, rarer = float(counts.sum()), float(counts.min())
        said = f"hrough noise, there are about {about(n)} {self._whom}, "
        said += f"{about(rarer)} with the rarer outcome"
        always = self.stays_for(ALWAYS)
        if n < always:
            return (
                f"Warning: t{said}: under the {always:,} from which a variable recorded in every "
                "bin is seen at this ε, so that few variables will be, or none."
            )
        share = RULE.share(rarer, self._n_columns, self.plan.epsilon)
        if share < POOR:
            return (
                f"Warning: t{said}: too few for this ε and so many columns; models may gain less "
                f"than {POOR:.0%} of what all stays would give them over chance."
            )
        kept = f"about {GOOD:.0%}" if share >= GOOD else f"{POOR:.0%} or more"
        return f"T{said}: expect {kept} of the gain over chance."

    @property
    def _n_static(self) -> int:
        return len(self.layout.statics.columns) if self.layout.statics else 0

    @property
    def _n_columns(self) -> int:
        return len(self.layout.variables) + self._n_static

    @property
    def _whom(self) -> str:
        return "stays" if self.unit == "stay" else f"units ({self.unit})"
