"""How many rows are made where that is left to us, by a rule of regression and noisy counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tincture.models.portfolio import PLAIN
from tincture.public.columns import Column
from tincture.public.encoding import Encoding
from tincture.tables.starts import COPIES

USUAL = 100  # rows that serve models with a penalty or a bound
MOST = 500
LEAST = 20
FEWEST = 4  # that a release can hold
A_COLUMN = 10  # events that a regression without a penalty wants for each coded column
MOST_COPIES = 16  # equal rows of a prototype
APART = 4, 8  # prototypes of classes, of times, for each coded column, before rows are repeated


def coded_columns(columns: Sequence[Column]) -> int:
    """Columns of a regression's design: amounts, and levels but the first."""
    return sum(max(len(c.levels) - 1, 1) for c in columns)


def rows_for(
    encoding: Encoding,
    models: Sequence[str],
    rarer: float,
    total: float,
    *,
    several: bool = False,
) -> tuple[int, str]:
    """Rows to make, and the sentence that says why.

    Parameters
    ----------
    models : sequence of str
        Names of those served.
    rarer, total : float
        Units with the rarer outcome and in all, through noise.
    several : bool
        Whether there are more than two classes, each of which wants rows of its own.
    """
    people = max(round(total), FEWEST)
    half = max(min(LEAST, people), round(people / 2))
    if not (several or set(models) & PLAIN):
        n = min(USUAL, half)
        return n, f"{n} rows are made; no regression without a penalty is served."
    coded = coded_columns(encoding.columns)
    share = min(max(rarer / max(total, 1.0), 0.001), 0.5)
    wanted = math.ceil(A_COLUMN * coded / share / 10) * 10
    n = min(max(wanted, USUAL), MOST, half)
    why = f"ten events for each of {coded} coded columns would take {wanted:,}"
    if n == half <= LEAST:
        return n, f"{n} rows are made: {why}, and so few people were counted."
    if n == half < wanted:
        return n, f"{n} rows are made: {why}, and one row for two people is made at most."
    return n, f"{n} rows are made: {why}, and {USUAL} to {MOST} are made."


def copies_for(encoding: Encoding, n_rows: int, *, are_times: bool) -> int:
    """Equal rows a prototype, which say its chance by how many of them are cases.

    Few columns need few prototypes; what rows are left make chances finer, which trees without a
    bound on their leaves cannot find among rows that all differ (docs/decisions/0020). Of times,
    which say more than yes or no, half as many do.
    """
    wanted = n_rows // (APART[are_times] * coded_columns(encoding.columns))
    return min(max(wanted, COPIES), MOST_COPIES)
