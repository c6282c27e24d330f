"""Papers lie in every release, are of their published forms, and leave to a person what is hers.

The registry's form and the health profile have no validator that can be installed: their rules
stand below as tables. Croissant's own validator reads the third.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import mlcroissant
import pytest
import yaml
from rdflib import RDF, Graph, Literal, URIRef
from rdflib.term import Node

from commands import listing, run
from series_helpers import stays_release
from test_report import check
from tincture.errors import SettingError
from tincture.evaluation.metrics.figure import Figure
from tincture.kinds import load
from tincture.privacy.ledger import Ledger
from tincture.report.papers.board import board_page
from tincture.report.papers.croissant import LEFT as OF_CROISSANT
from tincture.report.papers.filed import PAPERS, filed
from tincture.report.papers.health import CONTEXT
from tincture.report.papers.health import LEFT as OF_HEALTH
from tincture.report.summary import Attacks, Finding, Verdict
from tincture.spine.release import Release
from tincture.stays.release import CondensedSeries
from tincture.tables.condenser import Condenser
from tincture.tables.release import CondensedTable

# Its parser of JSON-LD warns of a class of its own.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")

NAMES = [paper.name for paper in PAPERS]
DEPLOYMENT, HEALTH, CROISSANT = NAMES
ODD = ['söme "name", 50%/h', "a b", "<script>", "zahl: ja", "# no"]
BASE = "https://example.org/release/"


def without_promise(release: Release) -> Release:
    ledger = release.ledger.to_dict()
    silent = [p | {"noise_multiplier": 0.0} for p in ledger["phases"]]
    none = Ledger.from_dict(ledger | {"epsilon": "inf", "phases": silent, "entries": []})
    return replace(release, ledger=none)


def stays(ledger: Ledger) -> CondensedSeries:
    of_stays = Ledger(ledger.plan, unit="stay")
    of_stays.entries = ledger.entries
    return stays_release(of_stays)


def oddly_named(release: CondensedTable) -> CondensedTable:
    """The same with columns whose names every format has to quote."""
    named = dict(zip(release.rows.columns, [*ODD, "died"], strict=True))
    columns = tuple(replace(c, name=named[c.name]) for c in release.schema.columns)
    schema = replace(release.schema, columns=columns, title="A: 'title' — \"é\" #\n- x")
    return replace(release, schema=schema, rows=release.rows.rename(named), cohort=None)


@pytest.fixture(scope="module")
def releases(condensed: Condenser) -> dict[str, Release]:
    table = condensed.table_
    made: dict[str, Release] = {"rows": table, "stays": stays(table.ledger)}
    without = {f"{name} at infinity": without_promise(release) for name, release in made.items()}
    return made | without | {"odd rows": oddly_named(table)}


KINDS = ["rows", "stays", "rows at infinity", "stays at infinity", "odd rows"]


@pytest.fixture(params=KINDS)
def release(request: pytest.FixtureRequest, releases: dict[str, Release]) -> Release:
    return releases[request.param]


def test_papers_follow_from_the_release_and_from_no_clock(release: Release, tmp_path: Path) -> None:
    release.save(tmp_path / "a")
    release.save(tmp_path / "b")
    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    assert {n: (tmp_path / "a" / n).read_bytes() for n in NAMES} == filed(release.facts())


def test_a_release_of_before_has_no_papers_and_is_read_and_shown(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    for name in NAMES:
        (tmp_path / "out" / name).unlink()
    assert len(load(tmp_path / "out")) == 16
    for flags in ([], ["--board"]):
        page = tmp_path / f"page{len(flags)}.html"
        said = run("report", tmp_path / "out", *flags, "--out", page)
        assert (said.code, said.out, said.err) == (0, "", "")


def test_without_a_promise_every_paper_says_so(releases: dict[str, Release]) -> None:
    for kind in ("rows at infinity", "stays at infinity"):
        facts = releases[kind].facts()
        told = {n: content.decode() for n, content in filed(facts).items()}
        assert all("NO PRIVACY PROMISE" in text for text in told.values())
        entry = yaml.safe_load(told[DEPLOYMENT])["deployment"]
        assert "variant_name" not in entry["dp_variant"]
        assert entry["privacy_loss"]["privacy_parameters"]["epsilon"] == math.inf
        page = board_page(facts)
        assert '<p class="warning">NO PRIVACY PROMISE' in page
        claims = ("Gaussian", "OpenDP", "is told without noise", "The promise")
        assert not [c for c in claims for text in (page, *told.values()) if c in text]


# -- OpenDP: schemas/deployments-schema.yaml of opendp/deployments-registry-data, July 2026

ANY, NUMBER = (str,), (int, float)
FORM: dict[str, Any] = {
    "url_slug": ANY,
    "status": {"Draft", "Pending", "Changes Required", "Approved", "Converted"},
    "tier": {1, 2, 3},
    "deployment": {
        "basic": {
            "name": ANY,
            "data_curators": [ANY],
            "intended_use": ANY,
            "data_product_type": {
                "Summary statistics",
                "Machine learning model",
                "Dataset",
                "Synthetic data",
                "Interactive API",
                "SQL queries",
            },
            "data_product_region": ANY,
            "description": ANY,
            "publication_date": date,
            "data_product_sector": {"Technology", "Healthcare", "Education", "Government"},
        },
        "dp_variant": {
            "variant_name": {"Pure DP", "Approximate DP", "Zero-concentrated DP", "Custom"},
            "data_domain": ANY,
            "unprotected_quantities": ANY,
        },
        "privacy_loss": {
            "privacy_unit": ANY,
            "privacy_unit_details": ANY,
            "privacy_parameters": {"epsilon": NUMBER, "delta": (*NUMBER, str), "rho": NUMBER},
            "privacy_parameters_details": ANY,
        },
        "deployment_model": {
            "model_name": {"Local", "Central", "Shuffle", "Federated", "Varies"},
            "model_name_details": ANY,
            "actors": ANY,
            "release_type": {"One release", "Many releases"},
            "release_type_details": ANY,
            "data_source_type": {"Static", "Dynamic"},
            "data_source_type_details": ANY,
            "access_type": {"Interactive", "Non-interactive"},
            "access_type_details": ANY,
        },
        "accounting": {"post_processing": ANY, "composition": ANY},
        "implementation": {
            "preprocessing_and_hyperparameter_tuning": ANY,
            "mechanisms": ANY,
            "justification": ANY,
        },
        "administrative": {"sources": ANY, "notes": ANY, "registry_authors": [ANY]},
    },
}
NEEDED = {
    "": {"url_slug", "status", "tier", "deployment"},
    "deployment": {"basic"},
    "deployment.basic": set(FORM["deployment"]["basic"]) - {"data_product_sector"},
    "deployment.administrative": {"registry_authors"},
}


def faults(value: Any, form: Any, at: str = "") -> Iterator[str]:
    """Where an entry is not of the form."""
    if isinstance(form, dict):
        yield from (f"{at}.{k} is not known" for k in value.keys() - form.keys())
        yield from (f"{at}.{k} is absent" for k in NEEDED.get(at, set()) - value.keys())
        for key in value.keys() & form.keys():
            yield from faults(value[key], form[key], f"{at}.{key}".lstrip("."))
    elif isinstance(form, list):
        yield from [] if value and all(isinstance(v, form[0]) for v in value) else [at]
    elif form is date:
        yield from [] if isinstance(value, str) and date.fromisoformat(value) else [at]
    elif not (value in form if isinstance(form, set) else isinstance(value, form)):
        yield at


def blanks(value: Any, name: str = "") -> Iterator[str]:
    """Fields that hold nothing."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield from blanks(held, key)
    elif value in ("", [""]):
        yield name


def test_the_deployment_is_of_the_registrys_form(release: Release) -> None:
    facts = release.facts()
    text = filed(facts)[DEPLOYMENT].decode()
    assert text.startswith("url_slug: ")  # where the registry's own tool looks for it
    styles = {t.style for t in yaml.scan(text) if isinstance(t, yaml.ScalarToken)}
    assert styles <= {None, "'", '"', "|"}  # the registry refuses folded text
    entry = yaml.safe_load(text)
    assert not list(faults(entry, FORM))
    assert {*blanks(entry), "publication_date"} == set(PAPERS[0].left)
    assert entry["deployment"]["basic"]["publication_date"] == "1900-01-01"
    assert entry["deployment"]["basic"]["name"] == facts.card.title


def test_the_deployment_says_what_the_ledger_says(releases: dict[str, Release]) -> None:
    entry = yaml.safe_load(filed(releases["rows"].facts())[DEPLOYMENT])["deployment"]
    ledger = releases["rows"].ledger
    loss = entry["privacy_loss"]
    assert loss["privacy_parameters"] == {"epsilon": 1.0, "delta": 1e-5}
    assert loss["privacy_unit"] == "one record"
    assert "adding or removing one unit" in loss["privacy_unit_details"]
    assert loss["privacy_parameters_details"] == ledger.promise
    assert f"{len(ledger.entries)} answers" in entry["implementation"]["mechanisms"]
    assert f"{ledger.epsilon():.4g} spent" in entry["accounting"]["composition"]
    of_stays = yaml.safe_load(filed(releases["stays"].facts())[DEPLOYMENT])["deployment"]
    assert of_stays["privacy_loss"]["privacy_unit"] == "one stay"


# -- HealthDCAT-AP, release 8: what its shapes ask of public data, and of others

IRI, TEXT = "IRI", "text"
HDCAT = "healthdcatap"
RULES: dict[str, list[tuple[str, int, int | None, str]]] = {  # path, least, most, kind
    "dcat:Dataset": [
        ("dct:title", 1, None, TEXT),
        ("dct:description", 1, None, TEXT),
        ("dct:identifier", 1, None, TEXT),
        ("dct:accessRights", 1, 1, IRI),
        ("dcatap:applicableLegislation", 1, None, IRI),
        ("dcat:distribution", 1, None, IRI),
        ("dcat:theme", 1, None, IRI),
        ("dcat:contactPoint", 1, None, IRI),  # only of what is not public
        ("dcat:keyword", 1, None, TEXT),  # likewise
        ("dct:provenance", 1, None, IRI),  # likewise
        ("dct:type", 1, None, IRI),  # likewise
        ("healthdcatap:hdab", 1, 1, IRI),
        ("healthdcatap:healthCategory", 1, None, IRI),
        ("healthdcatap:hasStructuredData", 1, 1, "xsd:boolean"),
        ("healthdcatap:hasVariables", 1, None, IRI),
        ("healthdcatap:numberOfRecords", 0, 1, "xsd:nonNegativeInteger"),
    ],
    "dcat:Distribution": [
        ("dcat:accessURL", 1, None, IRI),
        ("dcat:byteSize", 0, 1, "xsd:nonNegativeInteger"),
        ("dcatap:applicableLegislation", 1, None, IRI),
        ("dct:format", 0, 1, IRI),
    ],
    "csvw:TableGroup": [("csvw:table", 1, None, IRI), ("dct:title", 1, None, TEXT)],
    "csvw:Table": [
        ("csvw:url", 0, 1, IRI),
        ("csvw:column", 1, None, IRI),
        ("dct:title", 1, None, TEXT),
    ],
    "csvw:Column": [
        ("csvw:name", 1, 1, TEXT),
        ("csvw:title", 1, None, TEXT),
        ("csvw:datatype", 1, 1, TEXT),
        ("dct:description", 1, None, TEXT),
    ],
    "skos:Concept": [("skos:inScheme", 1, None, IRI), ("skos:prefLabel", 1, None, TEXT)],
}


def full(name: str) -> URIRef:
    prefix, _, local = name.partition(":")
    return URIRef(CONTEXT[prefix] + local)


def is_of(node: Node, kind: str) -> bool:
    if kind.startswith("xsd:"):
        return isinstance(node, Literal) and node.datatype == full(kind)
    return isinstance(node, Literal) == (kind == TEXT)


def breaches(graph: Graph) -> set[str]:
    """Rules that a description breaks, by class and path."""
    found = set()
    for what, rules in RULES.items():
        for node in graph.subjects(RDF.type, full(what)):
            for path, least, most, kind in rules:
                held = list(graph.objects(node, full(path)))
                if not least <= len(held) <= (most or len(held)):
                    found.add(f"{what} {path}")
                if not all(is_of(h, kind) for h in held):
                    found.add(f"{what} {path} is no {kind}")
    return found


def completed(described: Mapping[str, Any]) -> dict[str, Any]:
    """As a custodian would fill it in."""
    law = {"dcatap:applicableLegislation": {"@id": "http://data.europa.eu/eli/reg/2025/327/oj"}}
    where = {"@type": "http://www.w3.org/2006/vcard/ns#Kind"}
    filled = {
        **law,
        "dct:accessRights": {
            "@id": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
        },
        "healthdcatap:hdab": {"@type": "foaf:Agent", "foaf:name": "A body"},
        "healthdcatap:healthCategory": {"@id": "urn:category"},
        "dcat:contactPoint": where,
        "dcat:distribution": [d | law for d in described["dcat:distribution"]],
    }
    assert filled.keys() - {"dcat:distribution"} == set(OF_HEALTH)
    return {**described, **filled}


def graph_of(described: Mapping[str, Any]) -> Graph:
    return Graph().parse(data=json.dumps(described), format="json-ld", publicID=BASE)


def test_the_health_description_lacks_only_what_a_person_decides(release: Release) -> None:
    described = json.loads(filed(release.facts())[HEALTH])
    graph = graph_of(described)
    (dataset,) = graph.subjects(RDF.type, full("dcat:Dataset"))
    assert dataset == URIRef(BASE)
    theme = URIRef("http://publications.europa.eu/resource/authority/data-theme/HEAL")
    assert (dataset, full("dcat:theme"), theme) in graph
    law = "dcat:Distribution dcatap:applicableLegislation"
    assert breaches(graph) == {f"dcat:Dataset {path}" for path in OF_HEALTH} | {law}
    assert not breaches(graph_of(completed(described)))


def test_the_health_description_tells_files_and_columns(releases: dict[str, Release]) -> None:
    for kind, columns in (("odd rows", ODD), ("stays", ["HR", "stay_id", "variable", "died"])):
        release = releases[kind]
        graph = graph_of(json.loads(filed(release.facts())[HEALTH]))
        files = {URIRef(BASE + path) for path in release.data()}
        assert set(graph.objects(None, full("dcat:downloadURL"))) == files
        sizes = {int(cast(Literal, s)) for s in graph.objects(None, full("dcat:byteSize"))}
        assert sizes == {len(content) for content in release.data().values()}
        names = {str(n) for n in graph.objects(None, full("csvw:name"))}
        assert names >= set(columns) - {"HR"}  # a variable is a value of a column


ALSO = {"rows": ["sav", "dta", "xpt", "parquet", "rds"], "stays": ["meds"]}


@pytest.mark.parametrize("kind", ALSO)
def test_papers_and_the_boards_page_name_the_files_of_other_formats(
    kind: str, releases: dict[str, Release], tmp_path: Path
) -> None:
    release = releases[kind]
    try:
        copies = release.copies(ALSO[kind])
    except SettingError as error:
        pytest.skip(str(error))
    release.save(tmp_path / "out", ALSO[kind])
    papers = {name: (tmp_path / "out" / name).read_text(encoding="utf-8") for name in NAMES}
    page = tmp_path / "board.html"
    assert run("report", tmp_path / "out", "--board", "--out", page).code == 0
    for path in copies:
        assert all(path in text for text in (*papers.values(), page.read_text(encoding="utf-8")))
    health = json.loads(papers[HEALTH])
    assert not breaches(graph_of(completed(health)))
    told = {d["dct:title"]: d["dcat:byteSize"]["@value"] for d in health["dcat:distribution"]}
    assert told.items() >= {(path, str(len(content))) for path, content in copies.items()}
    assert not list(faults(yaml.safe_load(papers[DEPLOYMENT]), FORM))
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "out" / CROISSANT)
    assert not dataset.metadata.ctx.issues.errors
    files = {file["@id"]: file["sha256"] for file in json.loads(papers[CROISSANT])["distribution"]}
    assert files.items() >= {(p, hashlib.sha256(c).hexdigest()) for p, c in copies.items()}


# -- Croissant: its own validator, mlcroissant


def test_croissant_is_valid_and_reads_the_files(
    release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release.save(tmp_path / "out")
    path = tmp_path / "out" / CROISSANT
    dataset = mlcroissant.Dataset(jsonld=path)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    asked = {warning.split('"')[-2].rpartition("/")[2] for warning in issues.warnings}
    assert asked - {"citeAs", "version"} <= set(OF_CROISSANT)
    assert "not standard" not in caplog.text
    described = json.loads(path.read_text(encoding="utf-8"))
    assert not set(OF_CROISSANT) & described.keys()
    for file in described["distribution"]:
        content = (tmp_path / "out" / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    assert len(described["recordSet"]) == len(release.data())
    if '"' not in "".join(release.schema.names):  # polars does not read back such a header
        for records in described["recordSet"]:
            read = next(iter(dataset.records(records["@id"])))
            assert list(read) == [field["@id"] for field in records["field"]]


def test_croissant_gives_the_values_that_the_rows_have(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "out" / CROISSANT)
    rows = condensed.table_.rows
    for read, row in zip(dataset.records("condensed"), rows.iter_rows(named=True), strict=True):
        for name, value in row.items():
            cell = read[f"condensed/{name}"]
            cell = cell.decode() if isinstance(cell, bytes) else cell
            assert cell == pytest.approx(value) if isinstance(value, float) else cell == value


# -- The page for the board


def test_the_boards_page_is_filled_and_blank_where_a_person_decides(release: Release) -> None:
    facts = release.facts()
    text = board_page(facts)
    page = check(text)
    said = " ".join(page.texts)
    assert facts.card.promise in page.texts
    assert facts.fingerprint in page.texts
    for phrase in ("Five Safes", "NIST SP 800-226", *NAMES, facts.loss, facts.tuning):
        assert phrase in said
    for safe in ("projects", "people", "settings", "data", "outputs"):
        assert f"Safe {safe}" in page.texts
    for left in (name for paper in PAPERS for name in paper.left):
        assert left in said
    assert text.count('class="blank"') > 20
    assert "do not release." not in said or not facts.is_private


def attacks() -> Attacks:
    figure = Figure(0.51, 0.47, 0.55)
    findings = (Finding("closest row", "AUC", figure, 0.5),)
    return Attacks(findings, (Verdict("passed", True),))


def test_an_audit_is_joined_and_keeps_the_page_in_the_house(releases: dict[str, Release]) -> None:
    page = check(board_page(releases["rows"].facts(), attacks()))
    heading = max(i for i, t in enumerate(page.texts) if t.startswith("For the board: "))
    assert page.texts[heading + 1] == "Computed from real records — do not release."
    for text in ("closest row", "0.510", "passed", attacks().in_short):
        assert text in page.texts


def test_the_command_joins_only_an_audit_of_this_release_outside_of_releases(
    condensed: Condenser, tmp_path: Path
) -> None:
    condensed.save(tmp_path / "out")
    finding = {"attack": "closest row", "measure": "AUC", "value": 0.5, "low": 0.4, "high": 0.6}
    told = {
        "release": condensed.table_.fingerprint,
        "findings": [finding | {"chance": 0.5}],
        "verdicts": [],
    }
    (tmp_path / "audit.json").write_text(json.dumps(told))
    (tmp_path / "other.json").write_text(json.dumps(told | {"release": "0"}))
    asked = ["report", tmp_path / "out", "--audit"]
    before = listing(tmp_path)
    for flags, says in (
        ([tmp_path / "audit.json", "--out", tmp_path / "p.html"], "add --board"),
        ([tmp_path / "other.json", "--board", "--out", tmp_path / "p.html"], "another release"),
        ([tmp_path / "audit.json", "--board", "--out", tmp_path / "out" / "p.html"], "inside"),
        ([tmp_path / "audit.json", "--board", "--out", tmp_path / "audit.json"], "exists already"),
    ):
        said = run(*asked, *flags)
        assert (said.code != 0, said.out, says in said.err, said.err.count("\n")) == (
            True,
            "",
            True,
            1,
        )
        assert listing(tmp_path) == before
    said = run(*asked, tmp_path / "audit.json", "--board", "--out", tmp_path / "p.html")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert "closest row" in check((tmp_path / "p.html").read_text(encoding="utf-8")).texts
