"""Rows without a blank, for software that leaves out a row that has one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tincture.arrays import Floats
from tincture.tables.marginals import Marginals


def present(marginals: Marginals, points: Floats, rng: np.random.Generator | None = None) -> Floats:
    """Exact encoded points (..., width) whose missing cells have a value of their column instead.

    Parameters
    ----------
    marginals : Marginals
        What is typical of each column.
    points : ndarray
    rng : numpy.random.Generator, optional
        Draws the values by their shares, for points (n, width); else the median or commonest.
    """
    encoding = marginals.encoding
    gaps = [not column.required for column in encoding.columns]
    shares = [_without_last(s) if gap else s for s, gap in zip(marginals.shares, gaps, strict=True)]
    whole = replace(marginals, shares=shares)
    instead = whole.typical() if rng is None else whole.draw(len(points), rng)
    instead, out = encoding.snap(whole.place(instead)), points.copy()
    for gap, where in zip(gaps, encoding.slices, strict=True):
        if gap:  # the last coordinate says that the value is missing
            is_blank = points[..., where.stop - 1 : where.stop] > 0.5
            out[..., where] = np.where(is_blank, instead[..., where], points[..., where])
    return out


def _without_last(share: Floats) -> Floats:
    return np.append(share[:-1] / share[:-1].sum(), 0.0)
