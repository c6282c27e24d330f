"""A results file of JSON lines, of which each case is measured once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Case = dict[str, Any]


def resumed(
    results: Path, cases: Iterable[Case], measure: Callable[[Case], dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """All lines of the file, once the cases that it lacked are measured and added.

    A case that can't be measured (None) is left out.
    """
    results.touch()
    done = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    known = [line["case"] for line in done]
    for case in cases:
        if case in known:
            continue
        found = measure(case)
        if found is None:
            continue
        done.append({"case": case, **found})
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(done[-1]) + "\n")
    return done
