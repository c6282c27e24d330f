"""The script for Stata 14 or later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from tincture.io.copies.variables import STATA, Variable, variables
from tincture.public.schema import Schema

SCRIPT = """\
* Reads {path} with its types, labels and missing values: go to its folder by cd, then
*     do load.do{other}
version 14
args file
if "`file'" == "" local file "{path}"
import delimited {names} using "`file'", clear varnames(nonames) rowrange(2:) delimiters(",") ///
    bindquote(strict) encoding("utf-8") asdouble{kinds}
{lines}
compress
"""
MADE = """\
generate double {temporary} = {number}
drop {name}
rename {temporary} {name}"""
NUMBERS = {  # of text
    "boolean": 'cond({name} == "true", 1, cond({name} == "false", 0, .))',
    "date": 'daily({name}, "YMD")',
    "datetime": 'clock(substr({name}, 1, 10) + " " + substr({name}, 12, 8), "YMDhms")',
}
SHOWN = {"date": "%td", "datetime": "%tc"}
PLAIN = re.compile(r"[^\"`'$\\]*")  # what Stata may open a macro or end a string with


def load_do(schema: Schema, paths: Sequence[str]) -> str:
    """The script; names are those of a copy as ``dta``.

    Parameters
    ----------
    schema : Schema
        Of each file.
    paths : sequence of str
        The CSV files; the last is read if none is named.
    """
    made = variables(schema.columns, STATA)
    places = {True: [], False: []}  # type: dict[bool, list[int]]
    for place, variable in enumerate(made, 1):
        places[_is_number(variable)].append(place)
    kinds = [
        f" ///\n    {option}({' '.join(map(str, listed))})"
        for option, listed in (("numericcols", places[True]), ("stringcols", places[False]))
        if listed
    ]
    names = [v.name for v in made]
    others = "".join(f", or do load.do {path}" for path in paths[:-1])
    return SCRIPT.format(
        path=paths[-1],
        other=others,
        names=" ".join(names),
        kinds="".join(kinds),
        lines="\n".join(line for v in made for line in _lines(v, names)),
    ) + (f"order {' '.join(names)}\n")


def _is_number(variable: Variable) -> bool:
    """Whether its cells read as numbers; true, false and dates do not."""
    return variable.kind != pl.String() and variable.column.type not in NUMBERS


def _lines(variable: Variable, names: Sequence[str]) -> Iterator[str]:
    name = variable.name
    if number := NUMBERS.get(variable.column.type):
        temporary = next(t for i in range(len(names) + 1) if (t := f"_t{i}") not in names)
        yield MADE.format(name=name, temporary=temporary, number=number.format(name=name))
    if shown := SHOWN.get(variable.column.type):
        yield f"format {name} {shown}"
    if variable.label:
        if PLAIN.fullmatch(variable.label):
            yield f'label variable {name} "{variable.label}"'
        else:
            yield f"mata: st_varlabel({_mata(name)}, {_mata(variable.label)})"
    for code, label in variable.codes.items():
        if PLAIN.fullmatch(label):
            yield f'label define {name} {code:.0f} "{label}", modify'
        else:
            yield f"mata: st_vlmodify({_mata(name)}, {code:.0f}, {_mata(label)})"
    if variable.codes:
        yield f"label values {name} {name}"


def _mata(text: str) -> str:
    """A string of Mata in which no character of a macro stands."""
    parts = re.findall(r"[^\"`'$\\]+|[\"`'$\\]", text)
    return " + ".join(f'"{p}"' if PLAIN.fullmatch(p) else f"char({ord(p)})" for p in parts)
