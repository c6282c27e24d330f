"""What to expect of a release, before anything is spent: from public settings alone.

The number of records is private, so that it is not looked at: the sentence says how many people
with the event it takes. Its constants are a fit to the benchmark (``benchmarks/expectation.py``).
"""

from __future__ import annotations

import math

# Share of the ceiling's gain over chance = BEST − LOSS · √columns / (ε · people with the event).
BEST = 0.96
LOSS = 2.0  # the fit gives 0.9; small tables scatter, so that twice as much is promised away
GOOD, POOR = 0.9, 0.8


def people_for(share: float, n_columns: int, epsilon: float) -> int:
    """People with the event for which a share of the gain is expected, to one figure, rounded up.

    Parameters
    ----------
    share : float
        Below BEST.
    n_columns : int
        Features of the table.
    epsilon : float
    """
    exact = LOSS * math.sqrt(n_columns) / (max(epsilon, 1e-9) * (BEST - share))
    unit = 10 ** max(math.floor(math.log10(max(exact, 1.0))), 0)
    return int(math.ceil(exact / unit) * unit)


def expectation(n_columns: int, epsilon: float, method: str = "proxy") -> str:
    """One sentence for the custodian: a rule of thumb for the proxy method with 100 rows."""
    if method != "proxy":
        return (
            f"There is no rule of thumb for the {method} method: score the release with tincture "
            "evaluate before it leaves the house."
        )
    if math.isinf(epsilon):
        return (
            f"Without privacy, models should gain about {BEST:.0%} of what all records would give "
            "them over chance."
        )
    good, poor = (people_for(share, n_columns, epsilon) for share in (GOOD, POOR))
    return (
        f"With {n_columns} columns at ε = {epsilon:g}, models should gain {GOOD:.0%} of what all "
        f"records would give them over chance, or more, if {good:,} people have the event (and as "
        f"many have not), and less than {POOR:.0%} if fewer than {poor:,} have: then drop columns, "
        "or ask for more ε."
    )
