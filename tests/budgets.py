"""Work on a budget in a process of its own, which imports nothing else."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tincture.errors import BudgetError
from tincture.privacy.budget import Budget


class SlowBudget(Budget):
    """Writes slowly, so that without a lock processes would collide."""

    def _write(self, content: dict[str, Any]) -> None:
        time.sleep(0.005)
        super()._write(content)


def reserve_ten(path: str, worker: int, workers: int) -> int:
    """Reserve 0.1 of a budget ten times from a process of its own; how often it was granted.

    All workers begin together and write slowly.
    """
    gate = Path(path).parent.parent / "gate"
    gate.mkdir(exist_ok=True)
    (gate / str(worker)).touch()
    while len(list(gate.iterdir())) < workers:
        time.sleep(0.001)

    granted = 0
    for i in range(10):
        try:
            SlowBudget(Path(path)).reserve(f"{worker}-{i}", 0.1, 1e-6, "test", unit="record")
            granted += 1
        except BudgetError:
            pass
    return granted
