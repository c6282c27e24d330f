"""Scripts of a release that read its files in other software, with types, levels and labels.

They name nothing of ours, and hold declared names, levels and labels as text that stays text.
"""

from __future__ import annotations

from collections.abc import Sequence

from tincture.public.schema import Schema
from tincture.tables.loading.python import load_py
from tincture.tables.loading.r import load_r
from tincture.tables.loading.spss import load_sps
from tincture.tables.loading.stata import load_do

__all__ = ["r", "scripts"]


def scripts(schema: Schema, paths: Sequence[str]) -> dict[str, bytes]:
    """The scripts by their file names.

    Parameters
    ----------
    schema : Schema
        Of each file, as its own cells are written.
    paths : sequence of str
        The CSV files; where a script reads one alone, it is the last.
    """
    made = {
        "load.R": load_r(schema, paths),
        "load.py": load_py(paths),
        "load.do": load_do(schema, paths),
        "load.sps": load_sps(schema, paths),
    }
    return {name: text.encode() for name, text in made.items()}
