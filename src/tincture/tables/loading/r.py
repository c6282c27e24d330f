"""The script for R: base R alone, so that levels and labels stand in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import polars as pl

from tincture.io.copies.rds import level_text
from tincture.io.copies.variables import kind_of
from tincture.public.columns import Column
from tincture.public.schema import Schema

SCRIPT = """\
# Reads the release with its types, levels and labels: source("load.R"), or from another folder
# source("release/load.R", chdir = TRUE).
declared <- list({levels})
called <- list({called})
titles <- list({titles})
numbers <- c({numbers})
dates <- c({dates})
times <- c({times})

# The rows of a CSV file; the attribute "label" of a column tells what it means.
read <- function(path) {{
  data <- read.csv(path, colClasses = "character", na.strings = "", check.names = FALSE,
    encoding = "UTF-8")
  for (name in names(data)) {{
    x <- data[[name]]
    levels <- declared[[name]]
    if (name %in% dates) x <- as.Date(x)
    else if (name %in% times) x <- as.POSIXct(x, format = "%Y-%m-%dT%H:%M:%S", tz = "UTC")
    else if (!is.character(levels)) x <- type.convert(x, as.is = TRUE)
    if (name %in% numbers) x <- as.numeric(x)
    text <- if (is.numeric(levels)) sprintf("%.15g", levels) else levels
    if (!is.null(levels)) x <- factor(x, levels, text)
    attr(x, "label") <- titles[[name]]
    data[[name]] <- x
  }}
  data
}}

# The same rows with levels as people read them, such as 1 (male).
labelled <- function(data) {{
  for (name in intersect(names(called), names(data))) levels(data[[name]]) <- called[[name]]
  data
}}

# The same rows with dates and times as days since 1970, of which differences are days.
in_days <- function(data) {{
  for (name in names(data)) {{
    x <- data[[name]]
    if (inherits(x, "Date")) data[[name]] <- as.numeric(x)
    if (inherits(x, "POSIXct")) data[[name]] <- as.numeric(x) / 86400
  }}
  data
}}

{reads}
"""


def load_r(schema: Schema, paths: Sequence[str]) -> str:
    """The script, of ASCII alone, as R may run where UTF-8 is not read.

    Parameters
    ----------
    schema : Schema
        Of each file.
    paths : sequence of str
        The CSV files.
    """
    columns = schema.columns

    def of_type(kind: str) -> str:
        return _folded(quoted(c.name) for c in columns if c.type == kind and not c.is_categorical)

    reads = (f'{PurePath(path).stem} <- read("{path}")' for path in paths)
    return SCRIPT.format(
        levels=_named((c.name, _vector(_levels(c))) for c in columns if c.levels),
        called=_named((c.name, _vector(map(quoted, c.titles))) for c in columns if c.labels),
        titles=_named((c.name, quoted(c.meaning)) for c in columns if c.meaning),
        numbers=of_type("number"),
        dates=of_type("date"),
        times=of_type("datetime"),
        reads="\n".join(reads),
    )


def quoted(text: str) -> str:
    """A string of R, of ASCII alone; R knows no zero character."""
    return f'"{"".join(map(_character, text))}"'


def _character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    if " " <= one <= "~":
        return one
    return f"\\U{{{ord(one):x}}}" if one != "\0" else ""


def _levels(column: Column) -> list[str]:
    """Numbers where cells are read as numbers, which a CSV may write in several ways."""
    is_text = kind_of(column) == pl.String() or column.type == "boolean"
    texts = map(level_text, column.levels)
    return [quoted(t) if is_text else t for t in texts]


def _vector(words: Iterable[str]) -> str:
    return f"c({_folded(words)})"


def _named(pairs: Iterable[tuple[str, str]]) -> str:
    lines = ",\n".join(f"{quoted(name)} = {value}" for name, value in pairs)
    return f"\n{textwrap.indent(lines, '  ')}\n" if lines else ""


def _folded(words: Iterable[str]) -> str:
    """Separated by commas, in lines of some 90 characters."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 80:
            lines.append("  ")
        lines[-1] += f"{word}, "
    return "\n".join(line.rstrip() for line in lines).rstrip(",")
