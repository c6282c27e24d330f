"""A question as it travels: a header of JSON and plain arrays, nothing that is run."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tincture.errors import Refused
from tincture.spine.recipe import Recipe

MARK = b"tincture question 1\n"
LONGEST_HEADER = 2**20
MOST_BYTES = 2**27  # of all arrays
TYPES = ("<f8", "<i8")
KEYS = {"run", "number", "cohort", "share", "weights", "kind", "settings", "arrays"}


@dataclass(frozen=True)
class Question:
    """One question to all sites of a run.

    Attributes
    ----------
    run : str
        Digest of the consortium.
    number : int
        Place in the run, from 0.
    cohort : tuple of str
        Sites whose parts are added up.
    share : float
        Of the units that take part, in (0, 1]; see `Vault.noisy_sum`.
    recipe : Recipe
    weights : tuple of float
        Of each site's units, in (0, 1], where sites count alike; none where all are 1.
    """

    run: str
    number: int
    cohort: tuple[str, ...]
    share: float
    recipe: Recipe
    weights: tuple[float, ...] = ()

    def weight(self, site: str) -> float:
        """Of a unit of this site."""
        return dict(zip(self.cohort, self.weights, strict=True))[site] if self.weights else 1.0

    def packed(self) -> bytes:
        """The one way to write it: header with sorted keys, then arrays in the order of names."""
        arrays = {name: _plain(self.recipe.arrays[name]) for name in sorted(self.recipe.arrays)}
        header = {
            "run": self.run,
            "number": self.number,
            "cohort": list(self.cohort),
            "share": self.share,
            "weights": list(self.weights),
            "kind": self.recipe.kind,
            "settings": dict(self.recipe.settings),
            "arrays": [[name, a.dtype.str, list(a.shape)] for name, a in arrays.items()],
        }
        text = json.dumps(header, sort_keys=True, allow_nan=False).encode()
        body = b"".join(a.tobytes() for a in arrays.values())
        return MARK + len(text).to_bytes(8, "big") + text + body

    @cached_property
    def digest(self) -> str:
        """Of all that it asks, and of whom."""
        return hashlib.sha256(self.packed()).hexdigest()

    @classmethod
    def unpacked(cls, content: bytes) -> Question:
        """Read what `packed` wrote.

        Raises
        ------
        Refused
            If it is anything else.
        """
        try:
            return cls._read(content)
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            pass
        raise Refused("refused")

    @classmethod
    def _read(cls, content: bytes) -> Question:
        start = len(MARK) + 8
        size = int.from_bytes(content[len(MARK) : start], "big")
        if content[: len(MARK)] != MARK or size > LONGEST_HEADER or len(content) > MOST_BYTES:
            raise ValueError
        header = json.loads(content[start : start + size])
        if not isinstance(header, dict) or header.keys() != KEYS:
            raise ValueError
        arrays = _arrays(header["arrays"], content[start + size :])
        recipe = Recipe(_text(header["kind"]), dict(header["settings"]), arrays)
        number, share = header["number"], header["share"]
        if type(number) is not int or number < 0 or not 0 < float(share) <= 1:
            raise ValueError
        cohort = tuple(_text(name) for name in header["cohort"])
        weights = tuple(map(float, header["weights"]))
        if len(weights) not in (0, len(cohort)) or not all(0 < w <= 1 for w in weights):
            raise ValueError
        asked = cls(_text(header["run"]), number, cohort, float(share), recipe, weights)
        if asked.packed() != content:  # one question, one way to write it
            raise ValueError
        return asked


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """As float64 or int64, little-endian, row after row."""
    return np.ascontiguousarray(array, dtype=TYPES[0] if array.dtype.kind == "f" else TYPES[1])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _arrays(told: Any, body: bytes) -> dict[str, NDArray[Any]]:
    """Arrays of the types and shapes that a header tells, which must use up the body."""
    found, at = dict[str, NDArray[Any]](), 0
    for name, kind, shape in told:
        if kind not in TYPES or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError
        count = math.prod(shape)
        found[_text(name)] = np.frombuffer(body, kind, count, at).reshape(shape)
        at += 8 * count
    if at != len(body):
        raise ValueError
    return found
