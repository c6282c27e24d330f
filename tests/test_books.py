"""A schema comes back from its code book as it was, and what others declare becomes a draft."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import listing, prepare, run
from helpers import DESCRIPTOR
from strategies import amounts, choices
from test_rules import RULES, schema_of
from tincture.demo.study import support2
from tincture.io.books import book_of, described
from tincture.io.books.listing import Entry, listed, written
from tincture.io.books.plain import to_lines
from tincture.io.books.rules import rule_told, rule_written
from tincture.io.draft import draft
from tincture.public.columns import Column
from tincture.public.notation import Notation
from tincture.public.schema import Schema

SUFFIXES = [".csv", ".xlsx"]
WORDS = st.text(st.sampled_from('ab1 ;|,="\n\r<>-.ß=*'), min_size=1, max_size=6)
Raw = dict[str, Any]


def back(schema: Schema, suffix: str) -> Schema:
    """A schema from the book of it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"book{suffix}"
        path.write_bytes(book_of(schema.to_dict(), suffix))
        found = described(path)
    assert found is not None
    return Schema.from_dict(found)


@given(st.lists(st.builds(Entry, WORDS | st.just(""), st.none() | WORDS), max_size=4))
def test_any_words_and_labels_come_back_from_a_cell(entries: list[Entry]) -> None:
    assert listed(written(entries)) == entries


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("female, male", [("female", None), ("male", None)]),
        ("0=no, 1=yes", [("0", "no"), ("1", "yes")]),
        ("1 = Black, African; 2 = White;", [("1", "Black, African"), ("2", "White")]),
        ("<=5 | >5", [("<=5", None), (">5", None)]),
        ("mild\r\nsevere\n", [("mild", None), ("severe", None)]),
        ("None", []),
    ],
)
def test_lists_are_read_as_people_write_them(cell: str, entries: list[Entry]) -> None:
    assert listed(cell) == entries


@st.composite
def told(draw: st.DrawFn) -> Column:
    """A column of any kind, with all that a schema may tell of one."""
    column = draw(amounts() | choices())
    n = len(column.levels) if column.categories else 0
    labels = draw(st.lists(st.none() | WORDS.filter(str.strip), min_size=n, max_size=n))
    missing = draw(st.none() | st.lists(st.sampled_from(["", "-9", "NA", "not; known"])))
    is_amount = not column.is_categorical
    marks = Notation(limits=True, bare=False, group="'") if is_amount else Notation()
    return replace(
        column,
        labels=tuple(labels) if any(labels) else (),
        missing_values=None if missing is None else tuple(missing),
        missing_labels=("not known",) * len(missing or ()) if draw(st.booleans()) else (),
        unit=draw(st.none() | WORDS.filter(str.strip)),
        description=draw(st.none() | WORDS.filter(str.strip)),
        ordered=draw(st.booleans()),
        role=draw(st.sampled_from([None, "static"])),
        notation=draw(st.sampled_from([Notation(), marks])),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    columns = draw(st.lists(told(), min_size=1, max_size=4))
    names = draw(st.lists(WORDS.filter(str.strip), min_size=4, max_size=4, unique=True))
    name, title = draw(st.none() | WORDS), draw(st.none() | WORDS)
    words = draw(st.sampled_from([("",), ("", "-9"), ("NA",), ()]))
    named = [replace(c, name=name) for c, name in zip(columns, names, strict=False)]
    return Schema(tuple(named), words, name, title, draw(st.booleans()))


@settings(max_examples=60)
@given(schemas(), st.sampled_from(SUFFIXES))
def test_any_schema_comes_back_from_its_book(schema: Schema, suffix: str) -> None:
    try:
        schema = Schema.from_dict(schema.to_dict())
    except ValueError:  # a level that means missing too
        return
    found = back(schema, suffix)
    assert found == schema
    assert found.to_dict() == schema.to_dict()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_schemas_with_rules_labels_and_hundreds_of_levels_come_back(suffix: str) -> None:
    codes = [{"value": f"A{i:03d}", "label": f"code; {i}"} for i in range(400)]
    many = {"name": "many", "fields": [{"name": "icd", "type": "string", "categories": codes}]}
    for schema in (
        Schema.from_dict(DESCRIPTOR),
        Schema.from_dict(many),
        support2(seed=0)[2],
        schema_of(RULES),
        schema_of(RULES[::-1]),
    ):
        assert back(schema, suffix) == schema


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"order": ["low", "high"], "strict": True}, "low < high"),
        ({"order": ["a b", "c", "d"]}, "`a b` <= c <= d"),
        ({"order": ["a", "b"], "gap": 5}, None),
        (
            {"when": {"smoker": "no"}, "then": {"cigarettes": 0}},
            "if smoker = no then cigarettes = 0",
        ),
        (
            {
                "when": {"sex": 1, "age": {"minimum": 55, "exclusiveMaximum": 60.5}},
                "then": {"p": None},
            },
            "if sex = 1 and age >= 55 and age < 60.5 then p = missing",
        ),
        (
            {"only": {"pregnant": ["yes", "not known"]}, "if": {"sex": "1"}},
            'pregnant = yes or "not known" only if sex = "1"',
        ),
        (
            {"derive": "bmi", "formula": "w / (`body h` / 100) ** 2"},
            "bmi = w / (`body h` / 100) ** 2",
        ),
        ({"derive": "g", "formula": "age", "cuts": [40]}, None),
        ({"columns": ["a", "b"], "allowed": [["x", "y"]]}, None),
        ({"when": {"a": ["x"]}, "then": {"b": "missing"}}, None),
        ({"when": {"a": "then"}, "then": {"b": "missing"}}, 'if a = "then" then b = "missing"'),
        ({"order": ["a`b", "c\u2028d"]}, None),
    ],
)
def test_rules_are_told_in_words_where_that_loses_nothing(rule: Raw, words: str | None) -> None:
    told = rule_written(rule)
    assert told == (json.dumps(rule, ensure_ascii=False) if words is None else words)
    assert rule_told(told, "here") == rule


# A draft that is not complete keeps its marks, its gaps and its order through the book.
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_draft_comes_back_with_all_that_is_to_confirm(suffix: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    first, book, second = (tmp_path / n for n in ("a.json", f"book{suffix}", "b.json"))
    for args in (
        ("draft", tmp_path / "records.csv", "--out", first),
        ("book", first, "--out", book),
        ("draft", book, "--out", second),
    ):
        said = run("schema", *args)
        assert (said.code, said.out, said.err) == (0, "", "")
    assert json.loads(second.read_text()) == json.loads(first.read_text())
    assert "tincture:reviewed" in second.read_text()


def test_what_waits_for_a_person_is_marked_in_the_book() -> None:
    open_ = {"name": "x", "type": "number", "tincture:reviewed": False}
    done = {"name": "y", "type": "integer", "categories": [0, 1]}
    lines, marked = to_lines({"fields": [open_, done]})
    assert {(lines[i][0], lines[0][j]) for i, j in marked} == {
        ("x", "lowest"),
        ("x", "highest"),
        ("x", "to confirm"),
    }


BY_HAND = """\
Column;Description;Unit;Minimum;Maximum;Levels and labels;Missing;Comment
age;age at admission;years;18;105;;999 = unknown;asked at the door
sex;;;;;1 = male, 2 = female;;
ward;;;;;icu | med;;
note;free text;;;;;;
"""


def test_a_book_made_by_hand_needs_no_types(tmp_path: Path) -> None:
    path = tmp_path / "Our codes.csv"
    path.write_text(BY_HAND)
    made = draft(path)
    assert made["name"] == "our-codes"
    assert made["fields"] == [
        {
            "name": "age",
            "type": "number",
            "description": "age at admission",
            "unit": "years",
            "constraints": {"minimum": 18, "maximum": 105},
            "missingValues": [{"value": "999", "label": "unknown"}],
        },
        {
            "name": "sex",
            "type": "integer",
            "categories": [{"value": 1, "label": "male"}, {"value": 2, "label": "female"}],
        },
        {"name": "ward", "type": "string", "categories": ["icu", "med"]},
        {"name": "note", "type": "string", "description": "free text", "categories": None},
    ]
    assert "Comment" in made["description"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("age,whole,18,105,", "line 3 ('age'): the type 'whole' is not known"),
        ("age,number,low,105,", "line 3 ('age'), lowest: 'low' is no bound of a number"),
        ("age,number,105,18,", "column 'age': the minimum must be below the maximum"),
        ("sex,string,,,female", "levels must be at least two"),
        ("sex,integer,,,a; b", "every level must be of type integer"),
        (",integer,,,1; 2", "line 3: it has no name"),
        ("sex,integer,,,1; 2,perhaps", "line 3 ('sex'), required: 'perhaps' is neither yes nor no"),
        ("sex,integer,,,1; 2,,[]", "line 3 ('sex'): what stands under \"other\" must be an object"),
        ("sex,integer,,,1; 2,,,{", "line 3: the rule '{' cannot be read"),
    ],
)
def test_a_book_that_is_wrong_is_told_by_its_line(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(f"name,type,lowest,highest,levels,required,other,rule\nok,boolean,,,\n{line}\n")
    said = run("schema", "draft", path, "--out", tmp_path / "s.json")
    assert (said.code, says in said.err) == (3, True), said.err
    assert list(listing(tmp_path)) == ["book.csv"]


def test_files_that_are_no_books_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(
        "name,type,lowest,highest\nGröße,number,1,2\n".encode("latin-1")
    )
    assert "save it as CSV in UTF-8" in run("schema", "draft", tmp_path / "latin.csv").err
    (tmp_path / "cut.xlsx").write_bytes(book_of(DESCRIPTOR, ".xlsx")[:2000])
    assert (
        "cannot be read as an Excel workbook" in run("schema", "draft", tmp_path / "cut.xlsx").err
    )
    (tmp_path / "s.json").write_text(json.dumps(DESCRIPTOR))
    said = run("schema", "book", tmp_path / "s.json", "--out", tmp_path / "book.pdf")
    assert (said.code, "written as .xlsx or .csv, not .pdf" in said.err) == (2, True)
    levels = [f"level {i:06d}" for i in range(4000)]
    long = {"fields": [{"name": "x", "type": "string", "categories": levels}]}
    (tmp_path / "long.json").write_text(json.dumps(long))
    said = run("schema", "book", tmp_path / "long.json", "--out", tmp_path / "book.xlsx")
    assert (said.code, "write it as .csv" in said.err) == (2, True)


HEADS = (
    "Variable / Field Name,Form Name,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Text Validation Type OR Show Slider Number,'
    "Text Validation Min,Text Validation Max,Identifier?,Branching Logic (Show field only if...)"
)
DICTIONARY = f"""\
{HEADS}
record_id,base,text,Record,,,,,,
mrn,base,text,Number,,integer,,,y,
age,base,text,Age <b>at</b> entry,,integer,18,105,,
sex,base,radio,Sex,"1, Male | 2, Female",,,,,
pregnant,base,yesno,Pregnant,,,,,,[sex] = '2' and [age] < 55
race,base,checkbox,Race,"1, White | 2, Black, African | -9, Unknown",,,,,
tribe,base,dropdown,Tribe,"a, A | b, B",,,,,([race(1)] = '1') or [race(2)] = '1'
hb,base,text,Hb,,number_1dp,,25,,
ferritin,base,text,Ferritin,,number_comma_decimal,1,2000,,[hb] <= 10.5
note,base,notes,Notes,,,,,,
pain,base,slider,Pain,none | | worst,number,,,,([hb] > 5 or [sex]='1') and [age]>50
admitted,base,text,Admitted,,date_dmy,2015-01-01,today,,
bmi,base,calc,BMI,[w]/[h]^2,,,,,
picture,base,file,Picture,,,,,,
header,base,descriptive,Welcome,,,,,,
alive,base,truefalse,Alive,,,,,,
"""


def test_a_dictionary_of_redcap_becomes_a_draft_of_its_export(tmp_path: Path) -> None:
    path = tmp_path / "Project.csv"
    path.write_text(DICTIONARY, encoding="utf-8-sig")
    made = draft(path)
    truth = [{"value": 0, "label": "no"}, {"value": 1, "label": "yes"}]
    fields = {f.pop("name"): f for f in made["fields"]}
    assert fields == {
        "age": number("Age at entry", 18, 105, "integer"),
        "sex": levels("Sex", (1, "Male"), (2, "Female")),
        "pregnant": levels("Pregnant", (0, "No"), (1, "Yes")),
        "race___1": {"type": "integer", "description": "Race: White", "categories": truth},
        "race___2": {"type": "integer", "description": "Race: Black, African", "categories": truth},
        "race____9": {"type": "integer", "description": "Race: Unknown", "categories": truth},
        "tribe": levels("Tribe", ("a", "A"), ("b", "B"), kind="string"),
        "hb": number("Hb", None, 25) | {"tincture:decimals": 1},
        "ferritin": number("Ferritin", 1, 2000) | {"decimalChar": ","},
        "pain": number("Pain", 0, 100, "integer"),
        "admitted": number("Admitted", "2015-01-01", None, "date"),
        "bmi": number("BMI", None, None),
        "alive": levels("Alive", (0, "False"), (1, "True")),
    }
    assert made["tincture:rules"] == [
        {"when": {"sex": 1}, "then": {"pregnant": None}},
        {"when": {"age": {"minimum": 55}}, "then": {"pregnant": None}},
        {"when": {"race___1": 0, "race___2": 0}, "then": {"tribe": None}},
        {"when": {"hb": {"exclusiveMinimum": 10.5}}, "then": {"ferritin": None}},
    ]
    assert made["description"].endswith(
        "record_id, mrn, note, picture. Branching logic that is no rule yet, to be added by hand: "
        "pain."
    )
    assert "tincture:reviewed" not in json.dumps(made)  # all of it was declared


def number(label: str, low: Any, high: Any, kind: str = "number") -> Raw:
    limits = {"minimum": low, "maximum": high}
    return {"type": kind, "description": label, "constraints": limits}


def levels(label: str, *codes: tuple[Any, str], kind: str = "integer") -> Raw:
    told = [{"value": value, "label": says} for value, says in codes]
    return {"type": kind, "description": label, "categories": told}


@pytest.mark.parametrize(
    ("logic", "rules"),
    [
        ("[sex] <> '1'", [{"sex": 1}]),
        ('[sex]="2"', [{"sex": 1}]),
        ("[stage] >= 3", [{"stage": [1, 2]}]),
        ("[stage] = '1' or [stage] = '2'", [{"stage": 3}]),
        ("[age] > 20 OR [age] < 10", [{"age": {"maximum": 20, "minimum": 10}}]),
        ("[age] <> ''", [{"age": None}]),
        ("[age] = ''", []),
        ("[age] = 20", []),
        ("[other] = '1'", []),
        ("[base_arm_1][sex] = '1'", []),
        ("datediff([a], [b], 'd') > 3", []),
        ("([sex] = '1' and [stage] = '2') or [age] > 20", []),
    ],
)
def test_branching_logic_becomes_rules_where_it_is_simple(
    logic: str, rules: list[Raw], tmp_path: Path
) -> None:
    quoted = logic.replace('"', '""')
    path = tmp_path / "project.csv"
    path.write_text(
        f"{HEADS}\nid,b,text,,,,,,,\nsex,b,radio,,1|2,,,,,\nstage,b,radio,,1|2|3,,,,,\n"
        f'age,b,text,,,integer,0,99,,\nx,b,text,,,integer,0,9,,"{quoted}"\n'
    )
    made = draft(path)
    found = made.get("tincture:rules", [])
    assert found == [{"when": when, "then": {"x": None}} for when in rules]
    assert ("x." in made["description"]) is not bool(rules)


def test_a_data_package_becomes_a_draft(tmp_path: Path) -> None:
    schema = {
        "fields": [
            {"name": "born", "type": "year", "title": "Year of birth"},
            {"name": "sex", "constraints": {"enum": ["f", "m"]}},
            {"name": "place", "type": "geopoint"},
            {"name": "word"},
        ],
        "missingValues": ["", "-"],
    }
    path = tmp_path / "datapackage.json"
    for told in (schema, "schema.json"):
        path.write_text(json.dumps({"resources": [{"name": "Ward", "schema": told}]}))
        (tmp_path / "schema.json").write_text(json.dumps(schema))
        made = draft(path)
        assert [f["type"] for f in made["fields"]] == ["integer", "string", "string"]
        assert made["fields"][0]["constraints"] == {"minimum": None, "maximum": None}
        assert made["fields"][0]["description"] == "Year of birth"
        assert (made["name"], made["missingValues"]) == ("ward", ["", "-"])
        assert "place" in made["description"]
    for bad, says in (
        ("{", "expected JSON"),
        ('{"resources": []}', "has none"),
        ('{"resources": [{"name": "a", "schema": {}}, {"name": "b", "schema": {}}]}', "'a', 'b'"),
        ('{"resources": [{"name": "a", "schema": "../s.json"}]}', "elsewhere"),
        ('{"resources": [{"name": "a", "schema": {"fields": 3}}]}', "without a list"),
    ):
        path.write_text(bad)
        said = run("schema", "draft", path)
        assert (said.code, says in said.err) == (3, True), said.err


def test_a_code_book_holds_no_records(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_text(BY_HAND)
    said = run("schema", "draft", path, "--from-data")
    assert (said.code, "is a code book, which holds no record" in said.err) == (2, True)
