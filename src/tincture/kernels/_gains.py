"""Gains of all splits of a node at once, from running sums packed into 64-bit words.

For Gini a word holds four 16-bit class counts; for boosting it holds gradient and hessian in fixed
point. Integer sums are exact, hence the same in every order. A split is not allowed between equal
values and where a side is too small. The loops have no branches, so they compile to vector
instructions.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tincture.arrays import Floats, Integers
from tincture.kernels._arrays import Floats32, Int, Integers32
from tincture.kernels._compile import lean_jit

ROW = 0xFFFF  # the half of a sorted entry that holds the row; the other holds the rank
CHUNK = 128  # gains searched together
FIELD = 16  # bits of one class count
PER_WORD = 4  # class counts in a word
MIN_GAIN = 1e-6  # XGBoost's kRtEps: a smaller gain is none
EVEN_GAIN = 1e-11  # the same where any gain is one, of amounts in [0, 1], but for rounding
_ROUGH = 32  # units of the last place by which the dozen roundings of a score never err


class Rules(NamedTuple):
    """When and how nodes split; by gradients if `n_classes` is 0, else Gini.

    `min_child` counts rows for Gini and units of fixed-point hessian for gradients; `penalty` is
    the L2 penalty in such units, `unit` the size of one, `rate` the learning rate. `is_even` is
    whether of equally good columns a random one is meant, and the middle between two values goes
    left, as in scikit-learn.
    """

    n_classes: int
    n_tried: int
    max_depth: int
    min_child: int
    penalty: float
    unit: float
    rate: float
    is_even: bool


def boosting_rules(
    n_columns: int,
    n_rows: int,
    max_depth: int = 6,
    learning_rate: float = 0.3,
    reg_lambda: float = 1.0,
    min_child_weight: float = 1.0,
    is_even: bool = False,
) -> Rules:
    """Choose the unit of fixed point: gradients sum to at most the rows, which must fit 30 bits."""
    scale = 2.0 ** (30 - int(n_rows - 1).bit_length())
    least = max(1, int(np.ceil(min_child_weight * scale)))
    penalty, unit = reg_lambda * scale, 1.0 / scale
    return Rules(0, n_columns, max_depth, least, penalty, unit, learning_rate, is_even)


@lean_jit
def class_count(words: Integers, k: Int) -> Int:
    """Unpack the count of class k."""
    count: Int = (words[k // PER_WORD] >> (FIELD * (k % PER_WORD))) & 0xFFFF
    return count


@lean_jit
def gradient(word: Int) -> Int:
    """Unpack the fixed-point gradient, which is signed."""
    return word >> 32


@lean_jit
def hessian(word: Int) -> Int:
    """Unpack the fixed-point hessian."""
    return word & 0xFFFFFFFF


@lean_jit
def gini_gains(
    entries: Integers32, sums: Integers, size: Int, total: Integers, rules: Rules, parts: Floats
) -> None:
    """Write the Gini gains up to terms that all splits share into row 0 of `parts`.

    The gain is scikit-learn's: the sum over both sides of squared class counts over their sum.
    """
    if rules.n_classes == 2:
        _two_class_gains(entries, sums[0], size, total, rules, parts[0])
        return
    weight: Int = 0
    gain, left, squares_left, squares_right = parts[0], parts[1], parts[2], parts[3]
    for i in range(size):
        left[i] = squares_left[i] = squares_right[i] = 0.0
    for k in range(rules.n_classes):
        whole, shift = class_count(total, k), FIELD * (k % PER_WORD)
        weight += whole
        word = sums[k // PER_WORD]
        for i in range(size):
            count = np.float64((word[i] >> shift) & 0xFFFF)
            left[i] += count
            squares_left[i] += count * count
            squares_right[i] += (whole - count) * (whole - count)
    most = weight - rules.min_child
    for i in range(size):
        value = squares_left[i] / left[i] + squares_right[i] / (weight - left[i])
        distinct = (entries[i] ^ entries[i + 1]) > ROW
        gain[i] = value if distinct & (left[i] >= rules.min_child) & (left[i] <= most) else 0.0


@lean_jit
def _two_class_gains(
    entries: Integers32, sums: Integers, size: Int, total: Integers, rules: Rules, gain: Floats
) -> None:
    """Write the same for two classes, in one pass; all but the quotients is exact."""
    whole, other = np.float64(class_count(total, 0)), np.float64(class_count(total, 1))
    weight, least = whole + other, np.float64(rules.min_child)
    for i in range(size):
        a, b = np.float64(sums[i] & 0xFFFF), np.float64(sums[i] >> FIELD)
        left, right = a + b, weight - (a + b)
        value = (a * a + b * b) / left + (
            (whole - a) * (whole - a) + (other - b) * (other - b)
        ) / right
        distinct = (entries[i] ^ entries[i + 1]) > ROW
        gain[i] = value if distinct & (left >= least) & (right >= least) else 0.0


@lean_jit
def rough_scores(
    entries: Integers32, halves: Integers32, size: Int, total: Int, rules: Rules, scores: Floats32
) -> None:
    """Write what the gain grows with, within `_ROUGH`; nought where no split is allowed.

    Arithmetic of 32 bits handles twice as many splits at once. All terms are positive and the
    differences are those of integers, hence exact, so nothing cancels.
    """
    g, h, penalty = np.int32(gradient(total)), np.int32(hessian(total)), np.float32(rules.penalty)
    least, most = np.int32(rules.min_child), np.int32(hessian(total) - rules.min_child)
    for i in range(size):
        g_1, h_1 = halves[2 * i + 1], halves[2 * i]
        x_1, x_2 = np.float32(g_1), np.float32(np.int32(g - g_1))
        a_1, a_2 = np.float32(h_1) + penalty, np.float32(np.int32(h - h_1)) + penalty
        score = (x_1 * x_1 * a_2 + x_2 * x_2 * a_1) / (a_1 * a_2)
        distinct = (entries[i] ^ entries[i + 1]) > ROW
        scores[i] = score if distinct & (h_1 >= least) & (h_1 <= most) else np.float32(0.0)


@lean_jit
def best_boosting_split(
    sums: Integers, size: Int, total: Int, rules: Rules, bits: Integers32, peaks: Integers32
) -> Int:
    """Return the first place of the largest gain, -1 if none is positive.

    The gain is that of Chen and Guestrin (2016, equation 7) without the factor 1/2, rounded to 32
    bits as in XGBoost, so that the same splits tie. Only splits of nearly the best rough score
    need it; `bits` are those of the scores, `peaks` is work space.
    """
    n_chunks, top = find_peaks(bits, size, peaks), peaks[0]
    for c in range(n_chunks):
        top = max(top, peaks[c])
    if top <= 0:
        return -1
    g, h = np.float64(gradient(total)), np.float64(hessian(total))
    whole, enough = h + rules.penalty, top - _ROUGH
    parent = rules.unit * g * g / whole + (EVEN_GAIN if rules.is_even else MIN_GAIN)
    best, where = np.float32(0.0), -1
    for c in range(n_chunks):
        if peaks[c] < enough:
            continue
        for i in range(c * CHUNK, min((c + 1) * CHUNK, size)):
            if bits[i] >= enough:
                g_1, h_1 = np.float64(gradient(sums[i])), np.float64(hessian(sums[i]))
                g_2, a_1, a_2 = g - g_1, h_1 + rules.penalty, whole - h_1
                parts = (g_1 * g_1 * a_2 + g_2 * g_2 * a_1) / (a_1 * a_2)
                gain = np.float32(rules.unit * parts - parent)
                if gain > best:
                    best, where = gain, i
    return where


@lean_jit
def find_peaks(
    bits: NDArray[np.signedinteger[Any]], size: Int, peaks: NDArray[np.signedinteger[Any]]
) -> Int:
    """Write the largest number of each chunk, by its bits; return how many chunks there are.

    Positive numbers order like their bits and negative ones have negative bits; a maximum of
    integers compiles to vector instructions where that of floats does not. Behind the numbers is
    room to complete the last chunk.
    """
    n_chunks = (size + CHUNK - 1) // CHUNK
    for i in range(size, n_chunks * CHUNK):
        bits[i] = 0
    for c in range(n_chunks):
        chunk = bits[c * CHUNK : (c + 1) * CHUNK]
        top = chunk[0]
        for i in range(CHUNK):
            top = max(top, chunk[i])
        peaks[c] = top
    return n_chunks


@lean_jit
def first_of_best(bits: Integers, size: Int, peaks: Integers, slack: int) -> Int:
    """Return the first place of the largest gain, -1 if none is positive.

    Gains less than `slack` units of the last place apart count as equal.
    """
    n_chunks, best = find_peaks(bits, size, peaks), np.int64(0)
    for c in range(n_chunks):
        best = max(best, peaks[c])
    if best <= 0:
        return -1
    where, enough = 0, max(best - slack, 1)
    while peaks[where // CHUNK] < enough:
        where += CHUNK
    while bits[where] < enough:
        where += 1
    return where
