"""Copies of released tables hold the same values in other software, with labels and missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loadable import ATTACKS, SCHEMA, table, written
from recipients import in_r
from tincture.errors import SettingError
from tincture.io.copies import WRITERS, copied, require_copies
from tincture.io.copies.variables import SAS, SPSS, STATA, Limits, variables
from tincture.public.schema import Schema
from tincture.tables.condenser import Condenser
from tincture.tables.loading.spss import load_sps
from tincture.tables.release import CondensedTable

SMALL = Schema.from_dict({"fields": [{"name": "ward", "type": "string", "categories": ["a", "b"]}]})
pyreadstat: Any = pytest.importorskip("pyreadstat")
MISSING: dict[str, Any] = {"sav": {"user_missing": True}}
READ = {"sav": "read_sav", "dta": "read_dta", "xpt": "read_xport"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("copies"), tuple(WRITERS))


def clocks(values: pl.Series) -> pl.Series:
    """Times on the clock of UTC, as packages know no zone."""
    return values.cast(pl.Datetime("us")) if isinstance(values.dtype, pl.Datetime) else values


@pytest.mark.parametrize(("suffix", "limits"), [("sav", SPSS), ("dta", STATA), ("xpt", SAS)])
def test_a_statistical_package_reads_values_labels_and_blanks(
    folder: Path, suffix: str, limits: Limits
) -> None:
    read, about = getattr(pyreadstat, READ[suffix])(
        folder / f"condensed.{suffix}", output_format="polars", **MISSING.get(suffix, {})
    )
    made = variables(SCHEMA.columns, limits)
    assert read.columns == [v.name for v in made]
    for v, name in zip(made, table().columns, strict=True):
        values = clocks(table()[name]).to_list()
        told = [None if x == "" else x for x in clocks(read[v.name]).to_list()]
        if v.column.type == "boolean":
            told = [None if x is None else x == 1 for x in told]
        assert told == (values if v.column.is_time else pytest.approx(values))
        assert (about.column_names_to_labels[v.name] or "") == v.label
    shown = {SPSS: ["SDATE10", "DATETIME20"], STATA: ["%td", "%tc"], SAS: ["DATE", "DATETIME"]}
    assert [about.original_variable_types[v.name] for v in made[-3:-1]] == shown[limits]
    codes = {} if limits is SAS else {v.name: v.labels for v in made if v.labels}
    assert about.variable_value_labels == codes
    if limits is SPSS:
        assert codes["with_v"] == {"m": "much $5", "l": "little"}
        # 50 is an age that a row may have; SPSS declares missing texts of eight bytes alone.
        declared = {n: [r["lo"] for r in found] for n, found in about.missing_ranges.items()}
        assert declared == {
            "age": [999, -9],
            **{v.name: [""] for v in made if v.kind == pl.String()},
            "with_v": ["", "?'?"],
        }
        assert codes["age"] == {999: ATTACKS[1]}
        assert about.variable_measure["sex"] == "nominal"


@pytest.mark.parametrize(
    ("words", "bounds", "declared"),
    [
        (["999", "-9"], (0, 120), [999, -9]),
        (["5000", "993", "991", "992", "-9", "990"], (0, 120), [(990, 993), 5000]),
        (["990", "991", "992", "993"], (0, 992), [990, 991, 992]),  # a row may have 991.5
        (["7", "77", "777", "7777"], (0, 5), [7, 77, 777]),
    ],
)
def test_many_missing_codes_of_spss_are_a_range(
    words: list[str], bounds: tuple[int, int], declared: list[Any], tmp_path: Path
) -> None:
    constraints = dict(zip(("minimum", "maximum"), bounds, strict=True))
    field = {"name": "x", "type": "number", "constraints": constraints, "missingValues": words}
    schema = Schema.from_dict({"fields": [field]})
    (made,) = variables(schema.columns, SPSS)
    assert made.blanks == declared
    (tmp_path / "x.sav").write_bytes(
        WRITERS["sav"].written(pl.DataFrame({"x": [1.0]}), schema, "x")
    )
    _, about = pyreadstat.read_sav(tmp_path / "x.sav", user_missing=True)
    ends = [b if isinstance(b, tuple) else (b, b) for b in declared]
    assert sorted((r["lo"], r["hi"]) for r in about.missing_ranges["x"]) == sorted(ends)
    told = ", ".join(f"{b[0]} THRU {b[1]}" if isinstance(b, tuple) else f"{b}" for b in declared)
    assert f"MISSING VALUES x ({told})." in load_sps(schema, ["x.csv"])


def test_r_reads_the_same_by_haven(folder: Path) -> None:
    code = """
for (x in list(read_sav("condensed.sav"), read_dta("condensed.dta"))) {
  stopifnot(identical(attr(x$lactate_mmol_l, "label"), "lactate (mmol/l)"))
  stopifnot(identical(names(attr(x$diabetes, "labels")), c("false", "true")))
  stopifnot(identical(as.character(as_factor(x$sex))[2], "man"), sum(is.na(x$age)) == 1)
  stopifnot(identical(format(x$admitted[1]), "1815-06-18"), inherits(x$left, "POSIXct"))
}
cat(nrow(read_xpt("condensed.xpt")))"""
    assert in_r(code, folder, "haven") == "12"


def test_pandas_reads_levels_and_labels_of_parquet(folder: Path) -> None:
    pd = pytest.importorskip("pandas")
    read = pd.read_parquet(folder / "condensed.parquet")
    assert read.columns.tolist() == SCHEMA.names
    for name in SCHEMA.names:
        values = [None if v is None or v != v else v for v in read[name].tolist()]
        assert values == table()[name].to_list()
    assert str(read["tested at"].dtype).endswith("UTC]")
    assert tuple(read[ATTACKS[2]].cat.categories) == ATTACKS
    assert read.attrs["labels"]["sex"] == {"2": ATTACKS[3], "1": "man"}
    assert read.attrs["titles"]["sex"] == "Sex"
    parquet = pytest.importorskip("pyarrow.parquet")
    fields = parquet.read_schema(folder / "condensed.parquet")
    assert fields.field("age").metadata[b"unit"] == b"years\nEXECUTE."


@pytest.mark.parametrize(
    ("names", "limits", "made"),
    [
        (["a b", "a_b", "A-b", "ok"], SPSS, ["a_b_2", "a_b", "A_b_3", "ok"]),
        (["1st", "_x", "with", "$", "é" * 40], SPSS, ["v1st", "v_x", "with_v", "v", "é" * 32]),
        (["if", "str7", "_n", "x" * 33, "V1"], STATA, ["if_v", "str7_v", "_n_v", "x" * 32, "V1"]),
        (
            ["Größe", "haemoglobin", "haemoglobin 2", "患者"],
            SAS,
            ["Grosse", "haemoglo", "haemog_2", "v"],
        ),
    ],
)
def test_names_are_allowed_apart_and_as_they_were_where_that_is_allowed(
    names: list[str], limits: Limits, made: list[str]
) -> None:
    fields = [{"name": n, "type": "boolean", "unit": "u"} for n in names]
    found = variables(Schema.from_dict({"fields": fields}).columns, limits)
    assert [v.name for v in found] == made
    for v, name in zip(found, names, strict=True):
        assert v.label == (f"{name}: u" if v.is_renamed else "u")[: limits.label]


def test_what_a_format_cannot_hold_is_refused_in_a_sentence() -> None:
    fields = [{"name": "ward", "type": "string", "categories": ["a" * 201, "b"]}]
    schema = Schema.from_dict({"fields": fields})
    require_copies(["sav", "dta", "parquet", "rds"], schema)
    with pytest.raises(SettingError, match=r"level of more than 200 bytes.* xpt"):
        require_copies(["xpt"], schema)
    with pytest.raises(SettingError, match=r"'por' .* not known; use one of 'sav'"):
        require_copies(["por"], schema)
    with pytest.raises(SettingError, match="list of formats"):
        require_copies("sav", schema)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SettingError, match=r"pyreadstat.*tincture\[formats\]"):
        require_copies(["dta"], SMALL)
    assert copied({"x": pl.DataFrame({"ward": ["a", None]})}, SMALL, ["rds"]).keys() == {"x.rds"}


def test_a_release_is_saved_with_copies_and_loads_as_without(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "plain")
    condensed.save(tmp_path / "out", also=("sav", "rds"))
    extra = {"condensed.sav", "condensed.rds", "cohort.sav", "cohort.rds"}
    both = [{p.name for p in (tmp_path / f).iterdir()} for f in ("plain", "out")]
    assert both[1] - both[0] == extra and "load.R" in both[0]
    loaded = CondensedTable.load(tmp_path / "out")
    assert loaded.fingerprint == condensed.table_.fingerprint
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    scripts = {"load.R", "load.py", "load.do", "load.sps"}
    assert set(package["tincture"]["files"]) == extra | scripts
    rows, _ = pyreadstat.read_sav(tmp_path / "out" / "condensed.sav", output_format="polars")
    assert rows["age"].to_list() == condensed.table_.rows["age"].to_list()
    with pytest.raises(SettingError, match="not known"):
        condensed.save(tmp_path / "none", also=("xlsx",))
    assert not (tmp_path / "none").exists()
