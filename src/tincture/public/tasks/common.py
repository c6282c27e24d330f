"""What tasks share: rows by shares, odds to chances, outcomes that are missing."""

from __future__ import annotations

import numpy as np

from tincture.arrays import Floats, Integers, Mask
from tincture.errors import SchemaError, TableError
from tincture.public.columns import Column


def logistic(x: Floats) -> Floats:
    """Log odds to probabilities."""
    from tincture.kernels import pointwise

    return np.asarray(1.0 / (1.0 + pointwise.exp(-np.clip(x, -30.0, 30.0))))


def refuse_missing(name: str, missing: Mask) -> None:
    """Refuse an outcome that some records lack.

    Raises
    ------
    TableError
    """
    if missing.any():
        raise TableError(f"The outcome {name!r} is missing in some records; complete or drop them.")


def refuse_time(column: Column, role: str) -> None:
    """Refuse an outcome that is a date, and no length of time.

    Raises
    ------
    SchemaError
    """
    if column.is_time:
        raise SchemaError(
            f"The {role} {column.name!r} is a {column.type}; models predict a length of time. Name "
            "the date it counts from, such as that of admission, by --origin."
        )


def apportion(counts: Floats, total: int, at_least: int = 0) -> Integers:
    """Share ``total`` in proportion to noisy counts by largest remainders.

    Parameters
    ----------
    counts : ndarray of shape (n,)
        Noisy, possibly negative.
    total : int
    at_least : int
        Given to every cell with a positive count, as far as the total reaches.
    """
    weight = np.maximum(counts, 0.0)
    if weight.sum() <= 0:
        weight = np.ones_like(weight)
    floor = np.where(weight > 0, at_least, 0)
    if floor.sum() > total:
        floor = np.zeros_like(floor)
    exact = weight / weight.sum() * total
    share: Integers = np.maximum(np.floor(exact).astype(np.int64), floor)
    while share.sum() < total:
        share[np.argmax(exact - share)] += 1
    while share.sum() > total:
        share[np.argmax(np.where(share > floor, share - exact, -np.inf))] -= 1
    return share


def systematic(chances: Floats, offset: float) -> Mask:
    """Draw some, in their order, with these chances: whenever their running sum meets offset + k.

    As many are drawn, of any stretch, as its chances add up to, within one.
    """
    steps = np.floor(np.append(0.0, np.cumsum(chances)) + offset)
    return np.asarray(np.diff(steps) > 0)


def shares(counts: Floats) -> list[float]:
    """Of counts that may be noisy, to four digits."""
    known = np.clip(counts, 0.0, None)
    return [round(float(c), 4) for c in known / max(float(known.sum()), 1e-12)]


def evenly(weight: Floats, n: int) -> tuple[Integers, Floats]:
    """Cells of n outcomes in rising order, as many in each as its weight says, and places inside.

    Parameters
    ----------
    weight : ndarray of shape (n_cells,)
        None below 0, one at least above it.
    n : int
    """
    ends = np.cumsum(weight) * n / weight.sum()
    at = np.arange(n) + 0.5
    cell = np.minimum(np.searchsorted(ends, at, side="right"), np.flatnonzero(weight)[-1])
    within = 1.0 - (ends[cell] - at) * weight.sum() / (n * weight[cell])
    return cell, np.clip(within, 0.0, 1.0)


def uncertainty(coding: Floats, counts: Floats, noise: float) -> float:
    """Deviation that noise gives the share of half the cells, which is what one of two adds up."""
    added = np.linalg.norm(np.linalg.solve(coding, np.ones(len(coding))))
    error = noise * added / np.sqrt(2) / max(float(counts.sum()), 1.0)
    return round(min(float(error), 1.0), 4)
