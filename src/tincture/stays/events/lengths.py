"""Lengths of time as text, cell by cell: PT1H30M, 01:30, 2 days 01:30:00."""

from __future__ import annotations

import polars as pl

NUMBER = r"(\d+(?:[.,]\d+)?)"
# ISO 8601, but for years and months, which have no length of their own.
ISO = (
    rf"^\s*([+-])?P(?:{NUMBER}W)?(?:{NUMBER}D)?"
    rf"(?:T(?:{NUMBER}H)?(?:{NUMBER}M)?(?:{NUMBER}S)?)?\s*$"
)
# As Python and pandas write them: of -1 days +23:59 only the days are negative.
CLOCK = (
    r"^\s*(?:([+-])?(\d+) days?,?(?:\s+|$))?"
    r"(?:([+-])?(\d+):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?)?\s*$"
)
WEEK, DAY, MINUTE, SECOND = 168.0, 24.0, 1 / 60, 1 / 3600


def hours(text: pl.Series) -> pl.Series:
    """Hours that texts are, null where one is no length of time.

    A bare number is none: what it counts is told elsewhere.
    """
    cells = pl.lit(text)
    iso = [cells.str.extract(ISO, group) for group in range(1, 7)]
    clock = [cells.str.extract(CLOCK, group) for group in range(1, 7)]
    is_iso = pl.any_horizontal(part.is_not_null() for part in iso[1:])
    is_clock = pl.any_horizontal(clock[i].is_not_null() for i in (1, 3))
    by_iso = _sum(iso[1:], (WEEK, DAY, 1.0, MINUTE, SECOND)) * _sign(iso[0])
    by_clock = _sum(clock[1:2], (DAY,)) * _sign(clock[0]) + _sum(
        clock[3:], (1.0, MINUTE, SECOND)
    ) * _sign(clock[2])
    return pl.select(pl.when(is_iso).then(by_iso).when(is_clock).then(by_clock)).to_series()


def _sum(parts: list[pl.Expr], each: tuple[float, ...]) -> pl.Expr:
    return pl.sum_horizontal(
        part.str.replace(",", ".", literal=True).cast(pl.Float64).fill_null(0.0) * hours
        for part, hours in zip(parts, each, strict=True)
    )


def _sign(part: pl.Expr) -> pl.Expr:
    return pl.when(part == "-").then(-1.0).otherwise(1.0)
