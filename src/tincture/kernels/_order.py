"""A few rows of a table in the order of its columns.

In the order of a whole column each row has a place; a set of bits of the rows' places, read from
the lowest on, lists them in order. Of tables of a hundred rows this is quicker than to sort, and
where only some columns are wanted quicker than to keep all in order.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from tincture.arrays import Integers
from tincture.kernels._arrays import Int, Integers32
from tincture.kernels._compile import inline_jit
from tincture.kernels._gains import ROW
from tincture.kernels.draws import draw

_SHARE = 3  # a node with more than one of so many rows sifts them out of all
_ONE, _LOW, _SHIFT = np.uint64(1), np.uint64(63), np.uint64(6)  # of words of 64 bits


class Orders(NamedTuple):
    """The order of a table's columns, and the columns tried at the node at hand."""

    entries: Integers32  # (p, m) sorted columns: rank in the upper half, row in the lower
    places: NDArray[np.uint16]  # (p, m) where each row comes in the order of each column
    inside: NDArray[np.uint8]  # (m,) 1 for the rows wanted; nought between nodes
    bits: NDArray[np.uint64]  # a bit for each place; nought between columns
    features: Integers  # (p,) columns, those tried at the front
    tried: Integers32  # (p * m + 1,) the entries of the columns tried, the node's rows only


@inline_jit
def make_orders(p: Int, m: Int) -> Orders:
    """Allocate it."""
    return Orders(
        np.empty((p, m), np.int32),
        np.empty((p, m), np.uint16),
        np.zeros(m, np.uint8),
        np.zeros(m // 64 + 1, np.uint64),
        np.empty(p, np.int64),
        np.empty(p * m + 1, np.int32),
    )


@inline_jit
def start_orders(orders: Orders) -> None:
    """Make ready for a table, whose entries are written."""
    for j in range(orders.features.size):
        orders.features[j] = j
        for s in range(orders.entries.shape[1]):
            orders.places[j, orders.entries[j, s] & ROW] = s


@inline_jit
def order_columns(orders: Orders, members: Integers32, n_wanted: Int, key: np.uint64) -> Int:
    """Draw columns and write the members in the order of each; return how many are tried.

    Like scikit-learn, constant columns count as tried, but at least one other is looked for, and
    of equally good splits the column drawn first wins.
    """
    features, tried, n, found = orders.features, orders.tried, members.size, False
    p, are_many = features.size, _SHARE * n > orders.inside.size
    n_tried: Int = np.int64(0)
    if are_many:
        _mark(orders.inside, members, 1)
    while n_tried < p and not (found and n_tried >= n_wanted):
        k, start = n_tried + draw(key, n_tried, p - n_tried), n_tried * n
        features[n_tried], features[k] = features[k], features[n_tried]
        if are_many:
            _sift(orders, features[n_tried], start)
        else:
            _order(orders, features[n_tried], members, start)
        found = found or (tried[start] >> 16) != (tried[start + n - 1] >> 16)
        n_tried += 1
    if are_many:
        _mark(orders.inside, members, 0)
    return n_tried


@inline_jit
def _mark(inside: NDArray[np.uint8], members: Integers32, value: int) -> None:
    """Say whether the members are wanted."""
    for i in range(members.size):
        inside[members[i]] = value


@inline_jit
def _sift(orders: Orders, feature: Int, start: Int) -> None:
    """Copy the entries of the rows inside, with no branch: the next overwrites what is not."""
    k = np.uint64(start)
    for s in range(orders.entries.shape[1]):
        entry = orders.entries[feature, s]
        orders.tried[k] = entry
        k += np.uint64(orders.inside[entry & ROW])


@inline_jit
def _order(orders: Orders, feature: Int, members: Integers32, start: Int) -> None:
    """Copy the entries of the members."""
    bits, places, entries = orders.bits, orders.places[feature], orders.entries[feature]
    for i in range(members.size):
        place = np.uint64(places[np.uint64(members[i])])
        bits[place >> _SHIFT] |= _ONE << (place & _LOW)
    k = np.uint64(start)
    for w in range(bits.size):
        word, bits[w] = bits[w], np.uint64(0)
        while word != 0:
            orders.tried[k] = entries[np.uint64(64 * w) + _lowest_bit(word)]
            word &= word - _ONE
            k += _ONE


def _count_noughts(typing: Any, word: Any) -> Any:
    """Define `_lowest_bit`."""

    def count(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), count


# how many noughts there are below the lowest 1 of a word
_lowest_bit = cast("Callable[[np.uint64], np.uint64]", intrinsic(_count_noughts))
