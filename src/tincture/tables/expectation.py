"""What to expect of a release: before anything is spent, and when the outcomes were counted.

The number of records is private. The first sentence, from public settings alone, says how many
people with the event it takes; the second judges by the counts that the run has bought by then. The
constants are a fit to the benchmark (``benchmarks/expectation.py``).
"""

from __future__ import annotations

import math

from tincture.spine.expectation import Rule, about

# The fit gives a loss of 0.9; small tables scatter, so that twice as much is promised away.
RULE = Rule(best=0.96, loss=2.0)
GOOD, POOR = 0.9, 0.8
UNKNOWN = (
    "There is no rule of thumb for {}: score the release with tincture evaluate before it leaves "
    "the house."
)
FEWEST = 20  # people of the rarer outcome below whom the rule says nothing, whatever ε


def expectation(
    n_columns: int, epsilon: float, method: str = "proxy", *, several: bool = False
) -> str:
    """One sentence for the custodian: a rule of thumb for the proxy method with 100 rows."""
    if method != "proxy":
        return UNKNOWN.format(f"the {method} method")
    if math.isinf(epsilon):
        return (
            f"Without privacy, models should gain about {RULE.best:.0%} of what all records would "
            "give them over chance."
        )
    good, poor = (RULE.people_for(share, n_columns, epsilon) for share in (GOOD, POOR))
    whom = "are of each class" if several else "have the event (and as many have not)"
    return (
        f"With {n_columns} columns at ε = {epsilon:g}, models should gain {GOOD:.0%} of what all "
        f"records would give them over chance, or more, if {good:,} people {whom}, and "
        f"less than {POOR:.0%} if fewer than {poor:,}: then drop columns, or ask for more ε."
    )


def verdict(n_rarer: float, noise: float, n_columns: int, epsilon: float) -> str:
    """One sentence when the outcomes have been counted through noise.

    Judged are as few people as two deviations of the noise below the count.

    Parameters
    ----------
    n_rarer : float
        People with the event or without it, whichever are fewer, through noise.
    noise : float
        Deviation of that noise.
    n_columns, epsilon
        As for `expectation`; ε finite.
    """
    fewest = n_rarer - 2 * noise
    share = RULE.share(fewest, n_columns, epsilon) if fewest >= FEWEST else 0.0
    counted = f"about {about(n_rarer)} ± {about(2 * noise)} people have the rarer outcome"
    if share >= GOOD:
        return f"Through noise, {counted}: enough for {GOOD:.0%} of the gain over chance, or more."
    if share >= POOR:
        return f"Through noise, {counted}: expect {POOR:.0%} to {GOOD:.0%} of the gain over chance."
    return (
        f"Warning: through noise, {counted}, which may be too few for this ε and so many columns: "
        f"less than {POOR:.0%} of the gain over chance may be left."
    )
