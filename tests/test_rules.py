"""Rules between columns: how they are told, refused, broken, and obeyed by every row."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers import DESCRIPTOR, QUICK, SCHEMA, make_condenser, make_table
from tincture.errors import SchemaError
from tincture.io.frames import to_columns
from tincture.public.encoding import Values
from tincture.public.rules.formula import Formula
from tincture.public.rules.room import is_missing, written
from tincture.public.schema import Schema
from tincture.public.tasks import Survival
from tincture.stays.condenser import SeriesCondenser
from tincture.tables.release import CondensedTable
from tincture.tables.ruled import Ruled

N = 40
Raw = dict[str, Any]


def amount(name: str, low: float, high: float, places: int = 0, required: bool = False) -> Raw:
    limits: Raw = {"minimum": low, "maximum": high} | ({"required": True} if required else {})
    return {"name": name, "type": "number", "constraints": limits, "tincture:decimals": places}


def levels(name: str, *words: Any, required: bool = False, kind: str = "string") -> Raw:
    field: Raw = {"name": name, "type": kind, "categories": list(words)}
    return field | ({"constraints": {"required": True}} if required else {})


FIELDS = [
    levels("sex", {"value": "f", "label": "female"}, {"value": "m", "label": "male"}),
    levels("pregnant", "no", "yes"),
    levels("group", "ARF", "COPD", "Lung cancer", "Colon cancer"),
    levels("class", "acute", "chronic", "cancer"),
    amount("systolic", 40, 260),
    amount("diastolic", 20, 200),
    amount("body height", 120, 220),
    amount("weight", 30, 220, 1),
    amount("bmi", 10, 70, 1),
    levels("build", "thin", "usual", "heavy"),
    levels("smoker", "no", "yes"),
    amount("cigarettes", 0, 80),
    levels("died", 0, 1, kind="integer"),
    amount("days", 0, 365),
]
RULES: list[Raw] = [
    {
        "columns": ["group", "class"],
        "allowed": [
            ["ARF", "acute"],
            ["COPD", ["acute", "chronic"]],
            [["Lung cancer", "Colon cancer"], "cancer"],
        ],
    },
    {"order": ["diastolic", "systolic"], "strict": True},
    {"only": {"pregnant": "yes"}, "if": {"sex": "female"}},
    {"when": {"smoker": "no"}, "then": {"cigarettes": 0}},
    {"derive": "bmi", "formula": "weight / (`body height` / 100) ^ 2"},
    {"derive": "build", "formula": "bmi", "cuts": [18.5, 30]},
]


def schema_of(rules: list[Raw], fields: list[Raw] | None = None) -> Schema:
    return Schema.from_dict({"fields": fields or FIELDS, "tincture:rules": rules})


def anywhere(schema: Schema, n: int, seed: int = 0, gaps: float = 0.1) -> dict[str, Any]:
    """Rows of every value that the fields allow, some of it missing."""
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {}
    for c in schema.columns:
        gone = (rng.uniform(size=n) < gaps) & (not c.required)
        if c.is_categorical:
            out[c.name] = np.where(gone, -1, rng.integers(len(c.levels), size=n))
        else:
            low, high = c.bounds
            x = rng.choice([rng.uniform(low, high, n), np.full(n, low), np.full(n, high)])
            out[c.name] = np.where(gone, np.nan, written(c, x))
    return out


def row(schema: Schema, **cells: Any) -> dict[str, Any]:
    """One row, missing where nothing is told."""
    blank = {c.name: -1 if c.is_categorical else math.nan for c in schema.columns}
    places = {c.name: {v: i for i, v in enumerate(c.levels)} for c in schema.columns}
    told = {k.replace("_", " "): v for k, v in cells.items()}
    return {k: np.array([places[k].get(v, v)]) for k, v in {**blank, **told}.items()}


def same(one: Values, other: Values) -> bool:
    return all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)


# Each kind of rule changes what the rule says to follow, and no more than that.
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"group": "Lung cancer", "class": "acute"}, {"class": 2}),
        ({"group": "COPD", "class": "cancer"}, {"class": 1}),
        ({"diastolic": 120.0, "systolic": 120.0}, {"diastolic": 119.0}),
        ({"diastolic": 120.0, "systolic": 121.0}, {}),
        ({"pregnant": "yes", "sex": "m"}, {"pregnant": 0}),
        ({"pregnant": "yes", "sex": "f"}, {}),
        ({"smoker": "no", "cigarettes": 20.0}, {"cigarettes": 0.0}),
        ({"smoker": "yes", "cigarettes": 20.0}, {}),
        ({"weight": 80.0, "body_height": 180.0}, {"bmi": 24.7, "build": 1}),
        ({"bmi": 24.0}, {"bmi": math.nan}),
        ({"diastolic": 120.0}, {}),
        ({"pregnant": "yes"}, {}),
    ],
)
def test_a_row_is_changed_as_little_as_its_rule_says(before: Raw, after: Raw) -> None:
    schema = schema_of(RULES)
    given_ = row(schema, **before)
    rules = schema.lawful()
    found = rules.mended(given_)
    assert same(found, {**given_, **{k: np.array([v]) for k, v in after.items()}})
    assert rules.broken(given_)[0] == bool(after) and not rules.broken(found).any()


# A computed value that its field cannot hold draws what it is computed from, not only the value.
def test_what_a_value_is_computed_from_keeps_it_in_its_bounds() -> None:
    schema = schema_of(RULES)
    found = schema.lawful().mended(row(schema, weight=220.0, body_height=120.0))
    weight, height, bmi = (float(found[k][0]) for k in ("weight", "body height", "bmi"))
    assert abs(bmi - weight / (height / 100) ** 2) <= 0.05


# Thousands of rows of every value obey, keep bounds, levels and decimals, and stay as they are.
def test_rows_of_every_value_obey() -> None:
    schema = schema_of(RULES)
    rules, rows = schema.lawful(), anywhere(schema, 5000)
    found = rules.mended(rows)
    obeys(schema, found)
    assert not rules.broken(found).any() and rules.broken(rows).mean() > 0.5
    assert same(rules.mended(found), found)


def obeys(schema: Schema, values: Values) -> None:
    """Within bounds, levels and decimals, and nothing missing that is required."""
    for c in schema.columns:
        x = values[c.name]
        gone = is_missing(c, x)
        assert not (c.required and gone.any())
        if c.is_categorical:
            assert np.isin(x, np.arange(-1, len(c.levels))).all()
        else:
            amounts = np.asarray(x, dtype=np.float64)[~gone]
            assert (written(c, amounts) == amounts).all()


AMOUNTS, CHOICES = ["a", "b", "c", "d"], ["k", "l", "m"]


@st.composite
def conditions(draw: st.DrawFn, names: list[str]) -> Raw:
    out: Raw = {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)):
        if name in CHOICES:
            out[name] = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True))
        else:
            low = draw(st.integers(0, 12))
            ends = [
                low,
                {"minimum": low},
                {"exclusiveMaximum": low + 1},
                {"minimum": 0, "maximum": 5},
            ]
            out[name] = draw(st.sampled_from(ends))
    return out


@st.composite
def rules_of(draw: st.DrawFn) -> Raw:
    kind = draw(st.sampled_from(["columns", "order", "when", "only", "derive", "cut"]))
    if kind == "columns":
        names = draw(st.lists(st.sampled_from(CHOICES), min_size=2, max_size=3, unique=True))
        cells = st.lists(st.sampled_from("xyz"), min_size=len(names), max_size=len(names))
        return {"columns": names, "allowed": draw(st.lists(cells, min_size=1, max_size=6))}
    if kind == "order":
        names = draw(st.lists(st.sampled_from(AMOUNTS), min_size=2, max_size=3, unique=True))
        return {
            "order": names,
            "strict": draw(st.booleans()),
            "gap": draw(st.sampled_from([0, 1.5])),
        }
    if kind == "derive":
        formulas = ["a + b / 2", "max(a, b) - 1", "sqrt(abs(b)) * 2", "b / a", "log(a) + exp(-b)"]
        return {"derive": "c", "formula": draw(st.sampled_from(formulas))}
    if kind == "cut":
        return {"derive": "m", "formula": draw(st.sampled_from("abc")), "cuts": [2, 5.5]}
    sides = draw(st.permutations([CHOICES, AMOUNTS]))
    keys = ("when", "then") if kind == "when" else ("only", "if")
    return {key: draw(conditions(names)) for key, names in zip(keys, sides, strict=True)}


@st.composite
def lawful_schemas(draw: st.DrawFn) -> Schema:
    fields = [
        amount(
            name,
            draw(st.sampled_from([0, 0.25, 1])),
            draw(st.sampled_from([8, 10.75, 12])),
            draw(st.integers(0, 2)),
            draw(st.booleans()),
        )
        for name in AMOUNTS
    ]
    fields += [levels(name, "x", "y", "z", required=draw(st.booleans())) for name in CHOICES]
    try:
        return schema_of(draw(st.lists(rules_of(), min_size=1, max_size=4)), fields)
    except SchemaError:
        assume(False)
        raise


# Whatever rules a schema may have, every row is made to obey them, and no more is changed.
@settings(deadline=None, max_examples=150)
@given(lawful_schemas(), st.integers(0, 2**31), st.sampled_from([(), ("d",), ("k",), ("d", "k")]))
def test_whatever_the_rules_rows_obey(schema: Schema, seed: int, held: tuple[str, ...]) -> None:
    try:
        rules = schema.lawful(held)
    except SchemaError:
        assume(False)
    rows = anywhere(schema, N, seed)
    found = rules.mended(rows)
    obeys(schema, found)
    assert not rules.broken(found).any()
    assert same(rules.mended(found), found)
    well = ~rules.amiss(rows)
    assert all(np.array_equal(found[k][well], rows[k][well], equal_nan=True) for k in rows)
    assert all(np.array_equal(found[k], rows[k], equal_nan=True) for k in held)


# The points of an encoding with rules mean rows that obey them, and snapping is idempotent.
@settings(deadline=None, max_examples=50)
@given(lawful_schemas(), st.integers(0, 2**31))
def test_points_mean_rows_that_obey(schema: Schema, seed: int) -> None:
    columns = [c for c in schema.columns if c.name != "d"]
    task = Survival("d", "e", 0.0, 8.0)
    rules = schema.select(c.name for c in columns).lawful()
    encoding = Ruled(columns, rules, task)
    points = np.random.default_rng(seed).uniform(size=(2, N, encoding.width))
    snapped = encoding.snap(points)
    assert not rules.broken(encoding.decode(snapped.reshape(-1, encoding.width))).any()
    assert np.array_equal(encoding.snap(snapped), snapped)


# What is wrong with a rule is said in one sentence when the schema is read.
@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("no list", "must be a list"),
        ([{"order": ["systolic", "diastolic"], "when": {}}], "a rule is an object"),
        ([{"orders": ["systolic", "diastolic"]}], "a rule is an object"),
        ([{"when": {"sex": "m"}}], '"then" is missing'),
        ([{"order": ["systolic", "diastolic"], "strcit": True}], "'strcit' is not known"),
        ([{"order": ["systolic", "heart rate"]}], "no column 'heart rate'"),
        ([{"order": ["systolic", "systolic"]}], "each once"),
        ([{"order": ["systolic", "sex"]}], "no amount"),
        ([{"order": ["systolic", "diastolic"], "gap": -1}], '"gap"'),
        ([{"when": {"sex": "x"}, "then": {"pregnant": "no"}}], "not one of its levels"),
        ([{"when": {"sex": "m"}, "then": {"pregnant": []}}], "list of levels is empty"),
        ([{"when": {"sex": "m"}, "then": {"sex": "f"}}], "both sides"),
        ([{"when": {"sex": "m"}, "then": {"weight": "heavy"}}], "finite number"),
        ([{"when": {"sex": "m"}, "then": {"weight": {"least": 5}}}], "a range is told by"),
        ([{"when": {"sex": "m"}, "then": {"weight": {"minimum": 9, "maximum": 8}}}], "is empty"),
        ([{"when": {"sex": "m"}, "then": {"weight": 500}}], "contradicts"),
        ([{"columns": ["group", "class"], "allowed": [["ARF"]]}], "list of rows"),
        ([{"columns": ["group", "weight"], "allowed": [["ARF", 3]]}], "no levels"),
        ([{"derive": "bmi", "formula": "__import__('os')"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "weight.real"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "weight if age else 1"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "eval(weight)"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "3"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "(" * 200 + "weight"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "weight + class"}], "formula cannot be read"),
        ([{"derive": "bmi", "formula": "weight + `class`"}], "no numbers"),
        ([{"derive": "bmi", "formula": "bmi + 1"}], "from itself"),
        ([{"derive": "build", "formula": "bmi", "cuts": [20]}], "2 numbers that rise"),
        ([{"derive": "bmi", "formula": "weight", "cuts": [20]}], '"cuts" are for levels'),
        (
            [{"derive": "bmi", "formula": "weight"}, {"derive": "bmi", "formula": "weight / 2"}],
            "Two rules derive",
        ),
        (
            [{"derive": "bmi", "formula": "weight"}, {"derive": "weight", "formula": "bmi"}],
            "circle",
        ),
        (
            [{"order": ["bmi", "weight"]}, {"order": ["weight", "bmi"], "strict": True}],
            "contradicts",
        ),
        (
            [
                {"when": {"smoker": "no"}, "then": {"cigarettes": 0}},
                {"when": {"smoker": "no"}, "then": {"cigarettes": 5}},
            ],
            "contradicts",
        ),
    ],
)
def test_a_wrong_rule_is_refused_in_a_sentence(rules: Any, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence) as refused:
        schema_of(rules)
    assert refused.value.__cause__ is None and "\n" not in str(refused.value)


WORDS = [*(field["name"] for field in FIELDS), "f", "yes", "ARF", "minimum", "weight / 2", "nan"]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = ["columns", "allowed", "order", "strict", "gap", "when", "then", "only", "if", "derive"]


# Whatever stands under the keys of a rule is read, or refused as a schema is.
@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "formula", "cuts"]), JSONS, max_size=3))
def test_whatever_stands_there_is_read_or_refused(rule: Raw) -> None:
    try:
        schema_of([rule])
    except SchemaError as refused:
        assert refused.__cause__ is None


# A field that cannot be missing is not made so.
def test_a_required_field_cannot_be_told_to_be_missing() -> None:
    rule = {"when": {"sex": "m"}, "then": {"weight": None}}
    schema_of([rule])
    with pytest.raises(SchemaError, match="required"):
        schema_of([rule], [*FIELDS[:7], amount("weight", 30, 220, required=True)])


# Both directions of an equivalence can be told, though each column then follows the other.
def test_an_equivalence_is_no_circle() -> None:
    schema = schema_of(
        [
            {"when": {"smoker": "no"}, "then": {"cigarettes": 0}},
            {"when": {"cigarettes": 0}, "then": {"smoker": "no"}},
        ]
    )
    rules = schema.lawful()
    found = rules.mended(anywhere(schema, 500))
    smoker, cigarettes = (np.asarray(found[k], np.float64) for k in ("smoker", "cigarettes"))
    there = (smoker >= 0) & ~np.isnan(cigarettes)
    assert ((smoker == 0) == (cigarettes == 0))[there].all()


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("a + b * 2 - 1", 6.0),
        ("-a ** 2", -4.0),
        ("2 ^ a", 4.0),
        ("`a` ^ 0.5", math.sqrt(2)),
        ("max(a, b, 7) / min(a, b)", 3.5),
        ("round(b / 7, 2)", 0.36),
        ("log(exp(a))", 2.0),
        ("sqrt(abs(-a * 8))", 4.0),
        ("a ** -1", 0.5),
        ("log(-a)", math.nan),
        ("a / (b - 2.5)", math.nan),
        ("gone + a", math.nan),
        ("10 ** 400 * a", None),
    ],
)
def test_a_formula_is_what_arithmetic_says(formula: str, value: float | None) -> None:
    amounts = {"a": np.array([2.0]), "b": np.array([2.5]), "gone": np.array([math.nan])}
    found = Formula.of(formula, "here").of_values(amounts)
    assert found == pytest.approx([math.nan if value is None else value], nan_ok=True)


# Rules go with the columns that they bind, and with the schema through its descriptor.
def test_rules_go_with_their_columns() -> None:
    schema = schema_of(RULES)
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    assert schema.to_dict()["tincture:rules"] == RULES
    assert len(schema.select(["sex", "pregnant", "group", "bmi"]).rules) == 1


WARD_RULES: list[Raw] = [
    {"when": {"ward": "icu"}, "then": {"lactate": {"minimum": 4}}},
    {"order": ["age", "sodium"], "strict": True},
    {"only": {"ward": "surg"}, "if": {"diabetes": False}},
    {"when": {"died": 1}, "then": {"age": {"minimum": 30}}},
    {"when": {"event": 1}, "then": {"diabetes": True}},
]
WARD = Schema.from_dict({**DESCRIPTOR, "tincture:rules": WARD_RULES})


# Records are encoded alike with rules and without, though most of them break one.
def test_records_that_break_a_rule_are_read_as_they_are() -> None:
    table = make_table(300)
    ruled, plain = (make_condenser(schema=s).job() for s in (WARD, SCHEMA))
    values = to_columns(table, WARD, [*ruled.features, "died"])
    assert ruled.rules.broken(values).mean() > 0.3
    one, other = (job.sealing(table).records for job in (ruled, plain))
    for a, b in ((one.points, other.points), (one.design, other.design)):
        assert np.array_equal(a, b, equal_nan=True)
    assert np.array_equal(one.outcomes, other.outcomes)


# Whatever the method and the outcome, every row obeys, also the rules that bind the outcome; the
# release tells the rules, and its card how many they are.
@pytest.mark.parametrize(
    "settings_",
    [
        {"target": "died"},
        {"target": "died", "method": "direct"},
        {"target": None, "time": "days", "event": "event", "drop": ["died", "stage", "patient"]},
    ],
    ids=["proxy", "direct", "survival"],
)
def test_every_released_row_obeys(settings_: Raw, tmp_path: Path) -> None:
    models = ["cox" if "time" in settings_ else "tree"]
    condenser = make_condenser(schema=WARD, models=models, effort=QUICK, **settings_)
    condenser.fit(make_table(400)).table_.save(tmp_path / "out")
    made = CondensedTable.load(tmp_path / "out")
    names = {"died", "days", "event"} - set(condenser.job().task.columns)
    kept = [rule for rule in WARD_RULES if not names & {*rule.get("when", {})}]
    assert made.schema.to_dict()["tincture:rules"] == kept and len(kept) == 4
    values = to_columns(made.rows, made.schema, made.schema.names)
    assert not made.schema.lawful().broken(values).any()
    assert "the 4 rules" in (tmp_path / "out/README.md").read_text()


# Where rules bind the outcome, models are trained on the rows as they are released.
def test_what_is_judged_is_what_is_released() -> None:
    job = make_condenser(schema=WARD).job()
    encoding = job.encoding
    points = encoding.snap(np.random.default_rng(0).uniform(size=(3, 5, encoding.width)))
    owner, outcomes = np.repeat(np.arange(5), 4), np.tile([[0.0], [1.0]], (10, 1))
    designs = encoding.designs(points, owner, outcomes)
    for table, design in zip(points, designs, strict=True):
        rows = job.rules.mended({**encoding.decode(table[owner]), **job.task.values(outcomes)})
        assert np.array_equal(design, encoding.design(encoding.encode(rows)), equal_nan=True)
        assert not job.rules.broken(rows).any()


# An outcome is never changed: what only it could obey is refused before anything is spent.
def test_an_outcome_is_never_changed() -> None:
    rules = [{"derive": "died", "formula": "age", "cuts": [60]}]
    schema = Schema.from_dict({**DESCRIPTOR, "tincture:rules": rules})
    with pytest.raises(SchemaError, match="which is the outcome"):
        make_condenser(schema=schema).fit(make_table(300))
    with pytest.raises(SchemaError, match="stays cannot"):
        SeriesCondenser(schema=schema, target="died", epsilon=1.0, delta=1e-5).job()


# A rule that means no blanks must not empty a column because the outcome beside it is held.
@pytest.mark.parametrize(
    ("rule", "held", "refused"),
    [
        ({"order": ["late", "days"]}, "days", True),
        ({"order": ["late", "days"]}, "late", True),
        ({"order": ["early", "days"], "strict": True}, "days", False),
        ({"order": ["late", "days"]}, "", False),
        ({"columns": ["class", "died"], "allowed": [["a", "yes"]]}, "died", True),
        ({"columns": ["class", "died"], "allowed": [["a", "yes"], ["b", "no"]]}, "died", False),
        ({"when": {"died": "yes"}, "then": {"early": None}}, "died", False),  # meant
    ],
)
def test_a_rule_must_not_empty_a_column_beside_the_outcome(
    rule: Raw, held: str, refused: bool
) -> None:
    fields = [amount("days", 0, 365), amount("early", 0, 30), amount("late", 300, 900)]
    fields += [levels("class", "a", "b"), levels("died", "no", "yes")]
    schema = Schema.from_dict({"fields": fields, "tincture:rules": [rule]})
    with pytest.raises(SchemaError, match="blank in some") if refused else nullcontext():
        schema.lawful([held])
