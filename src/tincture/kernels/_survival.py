"""Times and events as the survival kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32
from tincture.kernels._nodes import check_rows, to_float32


class InOrder(NamedTuple):
    """Tables whose rows are in order of time, for trees."""

    columns: Floats32  # (R, p, m)
    times: NDArray[np.floating]  # (R, m)
    when: Integers  # (R, m) index of each row's time among the distinct ones
    events: Floats  # (R, m)


def each_row(outcome: NDArray[np.generic], candidates: Floats) -> Floats:
    """Outcomes (R, m) of their own, from those (R, m) of each table or (m,) of all."""
    return np.broadcast_to(np.asarray(outcome), candidates.shape[:2]).astype(np.float64)


def in_order(
    candidates: Floats, times: NDArray[np.floating], event: NDArray[np.generic]
) -> InOrder:
    """Sort the rows of each table by their times (R, m)."""
    check_rows(times.shape[1])
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)
    new = np.diff(times, axis=1, prepend=times.dtype.type(-np.inf)) > 0.0
    columns = to_float32(np.take_along_axis(candidates, order[:, :, None], axis=1))
    events = np.take_along_axis(each_row(event, candidates), order, axis=1)
    columns = np.ascontiguousarray(columns.swapaxes(1, 2))
    return InOrder(columns, times, np.cumsum(new, axis=1) - 1, events)
