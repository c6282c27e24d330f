"""The scripts of a release read it in other software, and what they hold stays text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadable import ATTACKS, SCHEMA, table, written
from recipients import in_python, in_r
from tincture.io.copies.variables import STATA, variables
from tincture.io.frames import read_table, to_columns, to_frame
from tincture.tables.loading.r import quoted


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("loading"), ("rds",))


def test_r_reads_the_rows_as_the_copy_for_r_has_them(folder: Path) -> None:
    """Base R alone; both ways give one data frame, and that is what was released."""
    code = """
source("load.R")
stopifnot(identical(condensed, readRDS("condensed.rds")))
stopifnot(identical(levels(labelled(condensed)$with), c("m (much $5)", "l (little)")))
stopifnot(identical(attr(condensed$sex, "label"), "Sex"), is.integer(condensed$age))
stopifnot(identical(in_days(condensed)$admitted[1:2], c(-56445, -37086)))
for (name in c("tested at", "left"))
  condensed[[name]] <- format(condensed[[name]], "%Y-%m-%dT%H:%M:%S")
condensed[["tested at"]] <- sub("$", "Z", condensed[["tested at"]])
write.csv(condensed, "again.csv", na = "", row.names = FALSE)
cat(levels(condensed$cm))"""
    assert in_r(code, folder) == "1 2.5 100000"
    again = read_table(folder / "again.csv")
    assert to_frame(to_columns(again, SCHEMA, SCHEMA.names), SCHEMA).equals(table())
    assert not list(folder.glob("pwned*"))


def test_a_script_for_r_is_ascii() -> None:
    assert quoted('a"\\é\n\0😀') == r'"a\"\\\U{e9}\U{a}\U{1f600}"'


def test_pandas_reads_them_with_levels_and_labels(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = in_python("from load import condensed, in_days, labelled, labels", folder, monkeypatch)
    for name in SCHEMA.names:
        values = made["condensed"][name]
        if SCHEMA[name].is_time:
            days = table()[name].dt.epoch("s") / 86_400
            told = made["in_days"](made["condensed"])[name]
            assert [None if d != d else d for d in told.tolist()] == days.to_list()
            continue
        told = [None if v is None or v != v else v for v in values.tolist()]
        assert told == table()[name].to_list()
        assert not SCHEMA[name].levels or tuple(values.cat.categories) == SCHEMA[name].levels
    assert made["condensed"].attrs["titles"]["sex"] == "Sex"
    assert made["labels"]["sex"] == {2: ATTACKS[3], 1: "man"}
    assert made["labelled"](made["condensed"])["with"].tolist()[:2] == ["m (much $5)", "l (little)"]
    assert made["labelled"](made["condensed"])["sex"].cat.categories[1] == "1 (man)"


def test_pspp_reads_them_as_the_copy_for_spss_has_them(folder: Path) -> None:
    if shutil.which("pspp") is None:
        pytest.skip("PSPP is not installed")
    pyreadstat: Any = pytest.importorskip("pyreadstat")
    written(folder, ("sav",))
    (folder / "run.sps").write_text(
        "INSERT FILE='load.sps'.\nSAVE OUTFILE='again.sav'.\n", encoding="utf-8"
    )
    done = subprocess.run(
        ["pspp", "-o", "said.txt", "run.sps"], cwd=folder, capture_output=True, check=False
    )
    said = (folder / "said.txt").read_text(encoding="utf-8")
    assert done.returncode == 0, said
    (ours, about), (theirs, told) = (
        pyreadstat.read_sav(folder / name, output_format="polars", user_missing=True)
        for name in ("condensed.sav", "again.sav")
    )
    assert theirs.equals(ours)
    keys = ("column_names_to_labels", "variable_value_labels", "variable_measure")
    for key in (*keys, "missing_ranges"):
        assert getattr(told, key) == getattr(about, key), key
    assert not list(folder.glob("pwned*"))


def test_a_script_for_stata_holds_labels_as_text(folder: Path) -> None:
    """Read back as Stata would: no macro opens in a string, and pieces give the label again."""
    lines = (folder / "load.do").read_text(encoding="utf-8").splitlines()
    made = variables(SCHEMA.columns, STATA)
    own = [n for n, line in enumerate(lines) if line.startswith(("label variable", "mata:"))]
    assert not any(c in line for line in lines[own[0] :] for c in "`$")
    found = {}
    for line in lines[own[0] :]:
        if plain := re.fullmatch(r'label variable (\w+) "([^"]*)"', line):
            found[plain[1]] = plain[2]
        elif told := re.fullmatch(r'mata: st_varlabel\("(\w+)", (.*)\)', line):
            found[told[1]] = unmade(told[2])
    assert found == {v.name: v.label for v in made if v.label}
    codes = [re.fullmatch(r'mata: st_vlmodify\("sex", 2, (.*)\)', line) for line in lines]
    assert [unmade(c[1]) for c in codes if c] == [ATTACKS[3]]
    assert 'label define sex 1 "man", modify' in lines
    assert lines[-1] == f"order {' '.join(v.name for v in made)}"
    assert "format admitted %td" in lines and "format left %tc" in lines
    assert "    numericcols(1 2 5 7) ///" in lines


def unmade(expression: str) -> str:
    """A sum of strings and characters of Mata."""
    parts = re.split(r" \+ (?=char\(|\")", expression)
    return "".join(chr(int(p[5:-1])) if p.startswith("char(") else p[1:-1] for p in parts)
