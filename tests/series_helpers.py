"""Invented stays for the tests, and a schema of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from tincture.privacy.vault import Records
from tincture.schema import Schema
from tincture.series.summaries import Scale
from tincture.stays import Layout

SCHEMA = Schema.from_dict(
    {
        "fields": [
            {
                "name": "HR",
                "type": "number",
                "constraints": {"minimum": 0, "maximum": 300},
                "role": "variable",
            },
            {
                "name": "Lactate",
                "type": "number",
                "constraints": {"minimum": 0.1, "maximum": 32},
                "role": "variable",
            },
            {"name": "MechVent", "type": "integer", "categories": [0, 1], "role": "variable"},
            {
                "name": "age",
                "type": "number",
                "constraints": {"minimum": 15, "maximum": 95},
                "role": "static",
            },
            {"name": "sex", "type": "string", "categories": ["f", "m"], "role": "static"},
            {
                "name": "died",
                "type": "integer",
                "categories": [0, 1],
                "constraints": {"required": True},
                "role": "target",
            },
        ]
    }
)
LAYOUT = Layout.of(SCHEMA, target="died", stay="stay_id", hours=12, bin_hours=1)
SCALE = Scale(
    mean=np.array([0.3, 0.5, 1.0]),
    sd=np.array([0.05, 0.1, 0.1]),
    held=np.array([0.95, 0.6, 0.5]),
    static_mean=np.array([0.6, 0.05, 0.5, 0.5, 0.05]),
    static_sd=np.array([0.2, 0.2, 0.5, 0.5, 0.2]),
)


@cache
def make_stays(n: int = 300, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events and outcomes; those who die have a faster heart and more lactate."""
    rng = np.random.default_rng(seed)
    died = rng.random(n) < 0.3
    events = []
    for name, level, step, rate in (("HR", 85.0, 12.0, 0.8), ("Lactate", 1.5, 0.6, 0.2)):
        value = level + step * (rng.standard_normal((n, 1)) + 1.2 * died[:, None])
        value = value + 0.5 * step * rng.standard_normal((n, 12))
        stay, hour = np.nonzero(rng.random((n, 12)) < rate)
        events.append(
            pl.DataFrame(
                {
                    "stay_id": stay + 1000,
                    "minute": hour * 60 + 7,
                    "variable": name,
                    "value": value[stay, hour],
                }
            )
        )
    outcomes = pl.DataFrame(
        {
            "stay_id": np.arange(n) + 1000,
            "age": np.clip(60 + 10 * rng.standard_normal(n) + 8 * died, 15, 95),
            "sex": rng.choice(["f", "m"], n),
            "died": died.astype(int),
        }
    )
    return pl.concat(events), outcomes


def records(n: int = 40, seed: int = 3) -> Records:
    """Records of any values, some missing."""
    rng = np.random.default_rng(seed)
    grid = rng.random((n, *LAYOUT.shape)).astype(np.float32)
    grid[rng.random(grid.shape) < 0.5] = np.nan
    grid[0] = np.nan  # a stay without any measurement
    statics = np.zeros((n, LAYOUT.n_static))
    statics[:, 0], statics[:, 1] = rng.random(n), rng.random(n) < 0.2
    statics[np.arange(n), 2 + rng.integers(0, 3, n)] = 1.0
    outcomes = (rng.random((n, 1)) < 0.4).astype(np.float64)
    return Records(LAYOUT.points(grid, statics), np.zeros((n, 0), np.float32), outcomes)
