"""A custodian's running total over all releases of one table.

The file is JSON that a person can write: ``{"epsilon": 3, "delta": 1e-4}``. Each run reserves its
whole (ε, δ) under ``releases`` before it asks anything. Totals add up by basic composition (Dwork
and Roth 2014, theorem 3.16), which a board can check by hand; so they must all protect the same
unit, which the first release that states one binds.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tincture.errors import BudgetError, ReleaseError
from tincture.io.files import json_bytes, locked_folder, write_file

SLACK = 1e-12  # relative, so that three releases of 0.1 fit into 0.3


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget file at a path."""

    path: Path

    def __post_init__(self) -> None:
        # A link would be replaced by a file of its own; the budget is the file it leads to.
        object.__setattr__(self, "path", Path(os.path.realpath(self.path)))

    def create(self, epsilon: float, delta: float, *, unit: str | None = None) -> None:
        """Write a new budget.

        Parameters
        ----------
        epsilon, delta : float
            Of all releases together.
        unit : str, optional
            Whom they protect: "record", "stay" or the person column; by default the unit of the
            first release.

        Raises
        ------
        ReleaseError
            If the file exists.
        BudgetError
            If ε or δ is out of range, or the unit is no name.
        """
        _check_cap(epsilon, delta, "The budget")
        if unit is not None and not unit.strip():
            raise BudgetError('The unit is empty; expected "record", "stay" or the person column.')
        stated = {} if unit is None else {"unit": unit}
        with self._lock():
            if self.path.exists():
                raise ReleaseError(f"{self.path} exists already; a budget is never written anew.")
            self._write({"epsilon": epsilon, "delta": delta, **stated, "releases": []})

    def read(self) -> dict[str, Any]:
        """The file's content, checked.

        Raises
        ------
        BudgetError
            If the file is absent or is not a budget.
        """
        if self.path.exists() and self.path.stat().st_nlink > 1:
            raise BudgetError(
                f"The budget {self.path} has a second name on the disk (a hard link), under which "
                "it would be spent twice; keep one."
            )
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            cap = _read_cap(content)
            _read_unit(content)
            for entry in content.setdefault("releases", []):
                _check_cap(*_read_cap(entry), "A release of the budget")
                entry["run"]  # must be there
                _read_unit(entry)
        except FileNotFoundError:
            raise BudgetError(
                f"The budget {self.path} does not exist; create it with `tincture budget create "
                f'{self.path} --epsilon 3 --delta 1e-4`, or write {{"epsilon": 3, "delta": 1e-4}} '
                "into it."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BudgetError(
                f'The budget {self.path} is not readable; expected {{"epsilon": …, "delta": …, '
                '"releases": […]}.'
            ) from None
        _check_cap(*cap, f"The budget {self.path}")
        return dict(content)

    def left(self) -> tuple[float, float]:
        """ε and δ not yet reserved."""
        content = self.read()
        spent = _spent(content)
        return max(0.0, content["epsilon"] - spent[0]), max(0.0, content["delta"] - spent[1])

    def reserve(self, run: str, epsilon: float, delta: float, note: str, *, unit: str) -> None:
        """Reserve a run's whole cost, once; a resumed run finds its own reservation.

        Raises
        ------
        BudgetError
            If too little is left, or the file is of another unit; nothing is changed then.
        """

        def add(content: dict[str, Any]) -> None:
            self._check_unit(content, unit)
            if any(r["run"] == run for r in content["releases"]):
                return
            spent = _spent(content)
            left = content["epsilon"] - spent[0], content["delta"] - spent[1]
            enough = spent[0] + epsilon <= content["epsilon"] * (1 + SLACK) and spent[
                1
            ] + delta <= content["delta"] * (1 + SLACK)
            if not enough:
                raise BudgetError(
                    f"This release needs ε = {epsilon:g}, δ = {delta:g}; of the budget "
                    f"{self.path} ε = {max(left[0], 0):g}, δ = {max(left[1], 0):g} is left. Lower "
                    "--epsilon or --delta."
                )
            content["releases"].append(
                {"run": run, "epsilon": epsilon, "delta": delta, "unit": unit, "note": note}
            )

        self._change(add)

    def give_back(self, run: str) -> None:
        """Undo a reservation of a run that asked nothing."""

        def remove(content: dict[str, Any]) -> None:
            content["releases"] = [r for r in content["releases"] if r["run"] != run]

        self._change(remove)

    def _check_unit(self, content: dict[str, Any], unit: str) -> None:
        """Refuse a unit beside another: ε of one adds up to nothing with ε of the other."""
        others = sorted(set(units_of(content)) - {unit})
        if others:
            raise BudgetError(
                f"This run protects {_who(unit)}, but the budget {self.path} counts releases that "
                f"protect {_who(others[0])}, and the two do not add up; match it (--unit), or "
                "keep a budget of its own for this one."
            )

    def _change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        with self._lock():
            content = self.read()
            edit(content)
            self._write(content)

    def _lock(self) -> Any:
        folder = self.path.absolute().parent
        if not folder.is_dir():
            raise BudgetError(f"The folder {folder} of the budget does not exist.")
        return locked_folder(folder)

    def _write(self, content: dict[str, Any]) -> None:
        write_file(self.path, json_bytes(content))


def _read_cap(raw: dict[str, Any]) -> tuple[float, float]:
    """ε and δ, made numbers in place."""
    raw["epsilon"], raw["delta"] = float(raw["epsilon"]), float(raw["delta"])
    return raw["epsilon"], raw["delta"]


def units_of(content: dict[str, Any]) -> list[str]:
    """Whom a budget protects, as stated by itself and its releases; one name, or none as yet."""
    stated = [part.get("unit") for part in (content, *content["releases"])]
    return list(dict.fromkeys(unit for unit in stated if unit is not None))


def _who(unit: str) -> str:
    return f"each {unit}" if unit in ("record", "stay") else f"each person by {unit!r}"


def _read_unit(raw: dict[str, Any]) -> None:
    """Check a unit, which files of before do not state."""
    unit = raw.get("unit")
    if unit is not None and not (isinstance(unit, str) and unit.strip()):
        raise ValueError("no unit")


def _spent(content: dict[str, Any]) -> tuple[float, float]:
    releases = content["releases"]
    return math.fsum(r["epsilon"] for r in releases), math.fsum(r["delta"] for r in releases)


def _check_cap(epsilon: float, delta: float, what: str) -> None:
    if not (0 < epsilon < math.inf and 0 < delta < 1):
        raise BudgetError(
            f"{what} has ε = {epsilon:g}, δ = {delta:g}; a budget needs a finite ε above 0 and a δ "
            "between 0 and 1."
        )
