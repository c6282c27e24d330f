"""How a kernel's items are shared out: each once, by threads only where there is enough to do."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from typing import Any

import pytest

from helpers import kernel_threads
from tincture.kernels.threads import share


def told(n_items: int, n_threads: int, worth: float) -> tuple[Counter[int], set[int]]:
    """How often each item was worked on, and by which threads."""
    items, who = Counter[int](), set[int]()

    def kernel(begin: int, stop: int, *arrays: Any) -> None:
        time.sleep(0.001)
        items.update(range(begin, stop))
        who.add(threading.get_ident())

    with kernel_threads(n_threads):
        share(kernel, n_items, worth=worth)
    return items, who


@pytest.mark.parametrize("worth", [0.0, math.inf])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("n_items", [0, 1, 2, 7, 8, 9, 50])
def test_every_item_is_worked_on_once(n_items: int, n_threads: int, worth: float) -> None:
    assert told(n_items, n_threads, worth)[0] == Counter(range(n_items))


def test_threads_are_started_only_where_they_are_worth_it() -> None:
    assert told(100, 2, math.inf)[1] == {threading.get_ident()}
    assert len(told(100, 2, 0.0)[1]) == 2


def test_an_error_in_any_thread_is_raised() -> None:
    def kernel(begin: int, stop: int, *arrays: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError(str(begin))
        time.sleep(0.05)

    with kernel_threads(2), pytest.raises(ValueError):
        share(kernel, 16, worth=0.0)
