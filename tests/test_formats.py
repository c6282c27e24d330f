"""Files of other software: cells as in a CSV, meanings for a draft, faults as one sentence."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import polars as pl
import pytest

from commands import condensing, run
from helpers import DESCRIPTOR, ENCODING, FEATURES, SCHEMA, make_table
from tincture.cli.in_house import two_tables
from tincture.errors import SchemaError, SettingError, TableError
from tincture.io.draft import draft
from tincture.io.frames import read_table, to_columns
from tincture.io.parts import Partitioned
from tincture.io.readers import formats, labelled
from tincture.io.released import declared, of_records, resource_schema
from tincture.public.schema import Schema
from tincture.tables.release import CondensedTable

pyreadstat = pytest.importorskip("pyreadstat")
pytest.importorskip("python_calamine")
rdata = pytest.importorskip("rdata")
GOLDEN = Path(__file__).parent / "golden"
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="xml" ContentType="application/xml"/><Default '
    'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    "</Types>",
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="b" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
}
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    """Write sheets of text, numbers, truth values, errors (``#…``) and empty cells."""

    def cell(value: Any) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str) and value.startswith("#"):
            return f'<c t="e"><v>{value}</v></c>'
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value!r}</v></c>"

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        links = listed = ""
        for i, (name, rows) in enumerate(sheets.items(), 1):
            lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            content = f"<worksheet {MAIN}><sheetData>{lines}</sheetData></worksheet>"
            archive.writestr(f"xl/worksheets/sheet{i}.xml", content)
            links += (
                f'<Relationship Id="r{i}" Type="{LINKS}/worksheet" '
                f'Target="worksheets/sheet{i}.xml"/>'
            )
            listed += f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>'
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{links}</Relationships>",
        )


def rows_of(table: pl.DataFrame) -> list[list[Any]]:
    return [table.columns, *map(list, table.rows())]


def packer(pack: Callable[[bytes], bytes]) -> Callable[[pl.DataFrame, Path], Any]:
    return lambda table, path: path.write_bytes(pack(table.write_csv().encode()))


def zipped(table: pl.DataFrame, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("records.csv", table.write_csv())
        archive.writestr("__MACOSX/records.csv", "x")


WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "sav": lambda t, p: pyreadstat.write_sav(t.to_pandas(), p),
    "zsav": lambda t, p: pyreadstat.write_sav(t.to_pandas(), p, compress=True),
    "por": lambda t, p: pyreadstat.write_por(t.to_pandas(), p),
    "dta": lambda t, p: pyreadstat.write_dta(t.to_pandas(), p),
    "xpt": lambda t, p: pyreadstat.write_xport(t.to_pandas(), p),
    "xlsx": lambda t, p: workbook(p, {"Patients": rows_of(t), "Empty": []}),
    "rds": lambda t, p: rdata.write_rds(p, t.to_pandas()),
    "csv.gz": packer(gzip.compress),
    "csv.bz2": packer(bz2.compress),
    "csv.xz": packer(lzma.compress),
    "csv.zip": zipped,
}


def small(n: int = 40) -> pl.DataFrame:
    """Records whose truth values are words, as not every format has such values."""
    words = pl.col("diabetes").cast(pl.String)
    return make_table(n).select(*FEATURES).with_columns(words.alias("diabetes"))


def points(table: pl.DataFrame) -> Any:
    return ENCODING.encode(to_columns(table, SCHEMA, FEATURES))


@pytest.mark.parametrize("suffix", WRITERS)
def test_records_are_encoded_bit_for_bit_as_from_a_csv(suffix: str, tmp_path: Path) -> None:
    table = small()
    table.write_csv(tmp_path / "r.csv")
    WRITERS[suffix](table, tmp_path / f"r.{suffix}")
    read = read_table(tmp_path / f"r.{suffix}")
    if suffix == "por":  # names are in capitals there
        read = read.rename(str.lower)
    assert np.array_equal(points(read), points(read_table(tmp_path / "r.csv")))


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_that_is_cut_off_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"r.{suffix}"
    WRITERS[suffix](small(400), path)
    whole = path.read_bytes()
    for share in (0.3, 0.9):
        path.write_bytes(whole[: int(share * len(whole)) | 1])
        with pytest.raises(TableError) as caught:
            read_table(path)
        assert "icu" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("sav", "r.csv", "is SPSS by its content, and not CSV"),
        ("sav", "r.dta", "is SPSS by its content, and not Stata"),
        ("xpt", "r.parquet", "is SAS transport by its content, and not Parquet"),
        ("xlsx", "r.csv.gz", "is zip by its content, and not gzip"),
        ("csv.gz", "r.csv", "is gzip by its content, and not CSV"),
        ("rds", "r.xlsx", "is gzip by its content, and not Excel"),
        ("csv.xz", "r.rds", "expected a whole file of R"),
        ("csv.zip", "r.xlsx", "expected a whole workbook"),
    ],
)
def test_a_file_of_another_format_than_its_name_is_told(
    content: str, name: str, sentence: str, tmp_path: Path
) -> None:
    WRITERS[content](small(), tmp_path / name)
    with pytest.raises(TableError, match=sentence):
        read_table(tmp_path / name)


@pytest.mark.parametrize("suffix", ["sav", "por", "dta", "sas7bdat", "xpt", "xlsx", "rds", "zip"])
def test_a_text_under_another_name_is_refused(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"r.{suffix}").write_text(small().write_csv())
    with pytest.raises(TableError, match="does not begin as"):
        read_table(tmp_path / f"r.{suffix}")


def test_an_ending_that_is_not_known_is_told(tmp_path: Path) -> None:
    for name in ("r.data", "r.sav.gz", "r"):
        (tmp_path / name).write_text(small().write_csv())
        with pytest.raises(TableError, match="an ending that is not known"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("suffix", ["csv.gz", "csv.bz2", "csv.xz", "csv.zip", "xlsx", "rds"])
def test_what_unpacks_to_too_much_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bomb.{suffix}"
    zeros = b"0,0\n" * 250_000  # a hundred times
    if suffix in ("csv.zip", "xlsx"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("r.csv", 100 * zeros)
    else:
        packs: dict[str, Any] = {"csv.bz2": bz2.compress, "csv.xz": lzma.compress}
        pack = packs.get(suffix, gzip.compress)
        path.write_bytes(100 * pack(zeros))
    with pytest.raises(TableError, match="unpacks to more than 100 times its size"):
        read_table(path)


def test_labels_and_missing_codes_of_spss_go_into_the_draft(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "age": [30.0, 999.0, -3.0, None, 71.0],
            "sex": [1.0, 2.0, 2.0, 9.0, 1.0],
            "pain": [0.0, 3.0, 10.0, 7.0, 1.0],
            "ward": ["icu", "med", "??", "", "icu"],
            "wbc": [4.5, -99.5, 7.0, -1e6, 5.0],
        }
    )
    path = tmp_path / "study.sav"
    pyreadstat.write_sav(
        table.to_pandas(),
        path,
        column_labels={"age": "Age at entry"},
        variable_value_labels={
            "age": {999: "not known"},
            "sex": {1: "male", 2: "female", 9: "refused"},
            "pain": {0: "none", 10: "worst"},
            "ward": {"icu": "Intensive care", "med": "Medicine"},
        },
        missing_ranges={
            "age": [999, {"lo": -5, "hi": -1}],
            "sex": [9],
            "ward": ["??"],
            "wbc": [{"lo": -1e9, "hi": 0}],
        },
        variable_measure={"sex": "nominal", "pain": "scale", "ward": "nominal"},
    )
    made = draft(path)
    assert all(field.pop("tincture:reviewed") is False for field in made["fields"])
    age, sex, pain, ward, wbc = made["fields"]
    assert wbc["missingValues"] == ["", "-1000000", "-99.5"]  # a range with no end to list
    missing = [{"value": str(v)} for v in range(-5, 0)]
    told = {"value": "999", "label": "not known"}
    assert age["description"] == "Age at entry"
    assert sorted(age["missingValues"], key=str) == sorted([{"value": ""}, told, *missing], key=str)
    assert sex["type"] == "integer"
    assert sex["categories"] == [{"value": 1, "label": "male"}, {"value": 2, "label": "female"}]
    assert sex["missingValues"] == [{"value": ""}, {"value": "9", "label": "refused"}]
    assert pain["constraints"] == {"minimum": None, "maximum": None}  # labels of its ends alone
    assert ward["categories"][0] == {"value": "icu", "label": "Intensive care"}
    found = to_columns(read_table(path), Schema.from_dict(made), ["age", "sex", "ward"])
    assert np.isnan(found["age"]).tolist() == [False, True, True, True, False]
    assert found["sex"].tolist() == [0, 1, 1, -1, 0]
    assert found["ward"].tolist() == [0, 1, -1, -1, 0]
    # What nobody declared as missing stays the number that it is.
    bare = Schema.from_dict({"fields": [{"name": "age", "type": "number"}]})
    assert to_columns(read_table(path), bare, ["age"])["age"][1] == 999
    bounds = draft(path, from_data=True)["fields"][0]["constraints"]
    assert bounds == {"minimum": 30, "maximum": 80}


def test_extended_missing_values_of_stata_mean_what_the_schema_declares(tmp_path: Path) -> None:
    path = tmp_path / "study.dta"
    cells = pl.DataFrame({"x": [0.1, 1.5, None], "k": [1, 2, 1]}).to_pandas()
    cells["x"] = cells["x"].astype(object)
    cells.loc[1, "x"] = "a"
    pyreadstat.write_dta(
        cells,
        path,
        missing_user_values={"x": ["a"]},
        variable_value_labels={"x": {"a": "refused"}, "k": {1: "yes", 2: "no"}},
    )
    made = draft(path)
    assert made["fields"][0]["missingValues"] == [
        {"value": ""},
        {"value": ".a", "label": "refused"},
    ]
    found = to_columns(read_table(path), Schema.from_dict(made), ["x", "k"])
    assert np.array_equal(found["x"], [0.1, np.nan, np.nan], equal_nan=True)
    assert found["k"].tolist() == [0, 1, 0]
    bare = Schema.from_dict({"fields": [{"name": "x", "type": "number"}]})
    with pytest.raises(TableError, match="a missing code of Stata") as caught:
        to_columns(read_table(path), bare, ["x"])
    assert "0.1" not in str(caught.value)


def test_single_precision_of_stata_is_the_decimal_that_is_meant(tmp_path: Path) -> None:
    pl.DataFrame({"x": [0.1, 36.6]}).to_pandas().astype("float32").to_stata(tmp_path / "r.dta")
    schema = Schema.from_dict({"fields": [{"name": "x", "type": "number"}]})
    assert to_columns(read_table(tmp_path / "r.dta"), schema, ["x"])["x"].tolist() == [0.1, 36.6]


def test_a_file_of_sas_is_read_with_its_special_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "r.sas7bdat"
    path.write_bytes(gzip.decompress((GOLDEN / "invented.sas7bdat.gz").read_bytes()))
    read = read_table(path)
    assert read["x"].to_list() == ["15e-1", ".A", None, ".Z", "1e-1"]
    assert read["admitted"].to_list()[0] == date(2020, 1, 1)
    assert read["seen"].to_list()[3:] == [datetime(2020, 1, 1, 12, 30, 18), None]
    assert draft(path)["fields"][0]["missingValues"] == ["", ".A", ".Z"]
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(TableError, match=r"cannot be read|ends before its last"):
        read_table(path)


def test_a_data_frame_of_r_keeps_factors_dates_and_missing_values(tmp_path: Path) -> None:
    path = GOLDEN / "invented.RData"
    with pytest.raises(TableError, match=r"data frames 'd', 'other'.*#NAME"):
        read_table(path)
    read = read_table(f"{path}#d")
    assert "odd" not in read.columns  # complex numbers are no cells
    assert read.rows()[0] == (
        *("m", 1, True, date(2020, 1, 1), datetime(2020, 1, 1, 12, 30, 15), 0.1, "a", "1", 1.0),
    )
    assert read.rows()[1] == ("f", *(None,) * 6, ".a", 99.0)
    made = {f["name"]: f for f in draft(f"{path}#d")["fields"]}
    assert made["sex"]["categories"] == ["m", "other", "f"]
    assert (made["admitted"]["type"], made["seen"]["type"]) == ("date", "datetime")
    assert made["t"]["missingValues"][1] == {"value": ".a", "label": "refused"}
    assert {"value": "99", "label": "unknown"} in made["u"]["missingValues"]
    assert [c["value"] for c in made["u"]["categories"]] == [1, 2]


def test_a_sheet_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "book #1.xlsx"
    rows: list[list[Any]] = [
        ["age", "note"],
        [30, "#N/A"],
        [None, 1.5],
        [31.0, "<0.5"],
        [None, None],
    ]
    workbook(path, {"Patients": rows, "Old + new": [["x"], [1], [None], [2]]})
    with pytest.raises(TableError, match=r"sheets 'Patients', .*\.xlsx#Patients"):
        read_table(path)
    with pytest.raises(TableError, match="has the sheets"):
        read_table(f"{path}#patients")
    read = read_table(f"{path}#Patients")
    assert read.to_dict(as_series=False) == {"age": [30, None, 31], "note": [None, "15e-1", "<0.5"]}
    with pytest.raises(TableError, match="blank line among its records"):
        read_table(f"{path}#Old + new")
    with pytest.raises(TableError, match="holds one table; leave out #x"):
        small().write_csv(tmp_path / "r.csv")
        read_table(f"{tmp_path / 'r.csv'}#x")


SEMICOLONS = 'Größe;"a;b";sex\n1,5;2;m\n2;3;"weiblich, ä"\n'


def test_a_dialect_is_declared_and_proposed_by_a_draft(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(SEMICOLONS.encode("cp1252"))
    with pytest.raises(TableError, match=r'no UTF-8 text.*"encoding"'):
        read_table(path)
    made = draft(path)
    assert (made["dialect"], made["encoding"]) == ({"delimiter": ";"}, "windows-1252")
    assert made["fields"][0] == {
        "name": "Größe",
        "type": "number",
        "constraints": {"minimum": None, "maximum": None},
        "decimalChar": ",",
        "tincture:reviewed": False,
    }
    schema = Schema.from_dict(made)
    read = read_table(path, schema.dialect)
    assert read.rows() == [("1,5", "2", "m"), ("2", "3", "weiblich, ä")]
    assert to_columns(read, schema, ["Größe"])["Größe"].tolist() == [1.5, 2]
    assert Schema.from_dict(schema.to_dict()) == Schema.from_dict(made | {"description": ""})
    path.write_text(SEMICOLONS)
    with pytest.raises(TableError, match=r'name holds \';\'.*"dialect": \{"delimiter": ";"\}'):
        read_table(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(TableError, match=r"name holds ','.*\"delimiter\": \",\""):
        read_table(path, schema.dialect)
    path.write_bytes(SEMICOLONS.encode("utf-16"))
    assert "encoding" not in draft(path)


def test_a_release_keeps_the_dialect_of_records_alone() -> None:
    told = {"dialect": {"delimiter": "\t", "quoteChar": "'"}, "encoding": "latin-1"}
    schema = Schema.from_dict(DESCRIPTOR | told)
    resource = resource_schema(schema)
    assert not {"dialect", "encoding"} & resource.keys()
    assert Schema.from_dict(declared(resource, of_records(schema))).dialect == schema.dialect


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"dialect": ";"}, "must be an object"),
        ({"dialect": {"delimiter": ";;"}}, "must be one character"),
        ({"dialect": {"delimiter": '"'}}, "must differ"),
        ({"dialect": {"commentChar": "#"}}, "'commentChar' of the \"dialect\""),
        ({"dialect": {"header": False}}, "'header' of the \"dialect\""),
        ({"encoding": "klingon"}, '"encoding" must be one that is known'),
        ({"encoding": "base64"}, '"encoding" must be one that is known'),
    ],
)
def test_a_dialect_that_cannot_be_read_is_refused(told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        Schema.from_dict(DESCRIPTOR | told)


@pytest.mark.parametrize(
    ("suffix", "module", "name"),
    [
        ("sav", "pyreadstat", "pyreadstat"),
        ("xlsx", "python_calamine", "python-calamine"),
        ("rds", "rdata.parser", "rdata"),
    ],
)
def test_an_extra_that_is_missing_is_named(
    suffix: str, module: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS[suffix](small(), tmp_path / f"r.{suffix}")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingError, match=rf'needs {name}, .*"tincture\[formats\]"'):
        read_table(tmp_path / f"r.{suffix}")


def test_parts_of_spss_are_read_a_batch_after_the_other(tmp_path: Path) -> None:
    table = small(90)
    for i, part in enumerate(table.iter_slices(45)):
        WRITERS["sav"](part, tmp_path / f"{i}.sav")
    pieces = [piece for part in Partitioned(tmp_path).listed() for piece in part.tables(20)]
    assert [len(piece) for piece in pieces] == [20, 20, 5] * 2
    batches = list(labelled.Labelled(formats.located(tmp_path / "0.sav")).frames(15))
    assert [len(batch) for batch in batches] == [15, 15, 15]
    for read in (pieces, [*batches, *pieces[3:]]):
        assert np.array_equal(points(pl.concat(read)), points(table))


def test_a_command_reads_what_a_schema_declares(tmp_path: Path) -> None:
    """Records of SPSS to a release, which tells how held-out ones in text are written."""
    table = make_table(80).with_columns(pl.col("diabetes").cast(pl.String))
    WRITERS["sav"](table, tmp_path / "records.sav")
    table.head(9).write_csv(tmp_path / "heldout.csv", separator=";")
    schema = DESCRIPTOR | {"dialect": {"delimiter": ";"}}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    said = run(*condensing(tmp_path, records=tmp_path / "records.sav", quiet=True))
    assert (said.code, said.err) == (0, "")
    dialect = CondensedTable.load(tmp_path / "out").schema.dialect
    sides = two_tables(tmp_path / "records.sav", tmp_path / "heldout.csv", dialect)
    assert [len(side) for side in sides] == [80, 9]


def test_a_short_form_of_r_cannot_make_a_huge_vector() -> None:
    from tincture.io.readers import robjects

    class State:
        value = (1e12, 1, 1)

    with pytest.raises(ValueError):
        robjects._bounded(rdata.parser.DEFAULT_ALTREP_MAP)[b"compact_intseq"](State())


def test_every_format_has_a_reader() -> None:
    assert {f.title for f in formats.LABELLED} == set(labelled.READERS)
