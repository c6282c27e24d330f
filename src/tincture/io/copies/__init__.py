"""Released tables once more, in the formats of other software, with labels, units and missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tincture.io.copies.writers import WRITERS, require_copies
from tincture.public.schema import Schema

__all__ = ["WRITERS", "copied", "rds", "require_copies", "variables"]


def copied(
    tables: Mapping[str, pl.DataFrame], schema: Schema, also: Sequence[str]
) -> dict[str, bytes]:
    """The files of each table in each format.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        By the name of the file without its suffix.
    schema : Schema
        Of each table, as its own cells are written.
    also : sequence of str
        Formats, of `WRITERS`.

    Raises
    ------
    SettingError
        As of `require_copies`.
    """
    require_copies(also, schema)
    return {
        f"{stem}.{suffix}": WRITERS[suffix].written(frame, schema, stem)
        for stem, frame in tables.items()
        for suffix in dict.fromkeys(also)
    }
