"""The script for SPSS, which PSPP runs too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from tincture.io.copies.variables import SPSS, Variable, variables
from tincture.public.schema import Schema

SCRIPT = """\
* Encoding: UTF-8.
* Reads {path} with its types, labels and missing values, from its own folder, as
  INSERT FILE='the folder/load.sps' CD=YES does{other}.
PRESERVE.
SET DECIMAL=DOT.
GET DATA
  /TYPE=TXT
  /FILE='{path}'
  /ENCODING='UTF8'
  /ARRANGEMENT=DELIMITED
  /DELCASE=LINE
  /FIRSTCASE=2
  /DELIMITERS=','
  /QUALIFIER='"'
  /VARIABLES=
    {variables}.
RESTORE.
{lines}
EXECUTE.
"""
TRUTH = "RECODE {raw} ('true'=1) ('false'=0) INTO {name}."
TIME = """\
COMPUTE {name} = NUMBER(SUBSTR({raw}, 1, 10), SDATE10) + NUMBER(SUBSTR({raw}, 12, 8), TIME8)."""
MADE = {"boolean": ("A5", TRUTH), "datetime": ("A20", TIME)}  # text, and the number made of it


def load_sps(schema: Schema, paths: Sequence[str]) -> str:
    """The script; names are those of a copy as ``sav``.

    Parameters
    ----------
    schema : Schema
        Of each file.
    paths : sequence of str
        The CSV files; the last is read.
    """
    made = variables(schema.columns, SPSS)
    taken = {v.name.casefold() for v in made}
    raw = {v.name: _raw(i, taken) for i, v in enumerate(made) if v.column.type in MADE}
    read = [f"{raw.get(v.name, v.name)} {_format(v)}" for v in made]
    others = "".join(f"; {path} is read the same way" for path in paths[:-1])
    return SCRIPT.format(
        path=paths[-1],
        other=others,
        variables="\n    ".join(read),
        lines="\n".join(_lines(made, raw)),
    )


def _raw(place: int, taken: set[str]) -> str:
    """A name that no variable has, for text until it is a number."""
    name = f"raw{place}"
    while name in taken:
        name += "_"
    return name


def _format(variable: Variable) -> str:
    """How cells are read; a number with its own point, wherever that stands."""
    if variable.column.type in MADE:
        return MADE[variable.column.type][0]
    if variable.column.type == "date":
        return variable.shown
    return f"A{variable.width}" if variable.kind == pl.String() else "F40.0"


def _lines(made: Sequence[Variable], raw: dict[str, str]) -> Iterator[str]:
    if raw:
        for v in made:
            if v.name in raw:
                yield MADE[v.column.type][1].format(raw=raw[v.name], name=v.name)
        yield "MATCH FILES FILE=*"
        yield "  /KEEP=" + "\n    ".join(v.name for v in made) + "."
    for v in made:
        if v.label:
            yield f"VARIABLE LABELS {v.name} {_quoted(v.label)}."
        if v.kind != pl.String():
            yield f"FORMATS {v.name} ({v.shown})."
        if missing := [_blank(c) for c in v.blanks if isinstance(c, tuple) or _is_line(c)]:
            yield f"MISSING VALUES {v.name} ({', '.join(missing)})."
        if codes := [f"\n  {_code(c)} {_quoted(t)}" for c, t in v.labels.items() if _is_line(c)]:
            yield f"VALUE LABELS {v.name}{''.join(codes)}."
        yield f"VARIABLE LEVEL {v.name} ({v.measure.upper()})."


def _is_line(code: str | float) -> bool:
    """Whether it can stand in a script, which knows no end of a line within a text."""
    return not isinstance(code, str) or code.isprintable()


def _blank(code: str | float | tuple[float, float]) -> str:
    return " THRU ".join(map(_code, code)) if isinstance(code, tuple) else _code(code)


def _code(code: str | float) -> str:
    return _quoted(code) if isinstance(code, str) else f"{code:.15g}"


def _quoted(text: str) -> str:
    """A string of SPSS, in which a quote is doubled."""
    return "'" + text.replace("'", "''") + "'"
