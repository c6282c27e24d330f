"""A release as catalogues of health data in the European Union read it: HealthDCAT-AP, JSON-LD.

The form is that of release 8 of the profile (of DCAT-AP 3). Addresses are relative: they are right
wherever the folder is published as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tincture.io.files import json_bytes
from tincture.report.papers.facts import Facts, File, meaning

# What a person decides: of the data set, and applicableLegislation of each distribution too.
LEFT = (
    "dct:accessRights",
    "dcatap:applicableLegislation",
    "healthdcatap:hdab",
    "healthdcatap:healthCategory",
    "dcat:contactPoint",
)
LISTS = "http://publications.europa.eu/resource/authority"
FORMATS = {  # registered types, and codes of the Union's list of file types
    "csv": ("text/csv", "CSV"),
    "parquet": ("application/vnd.apache.parquet", "PARQUET"),
}
MEDIA = "http://www.iana.org/assignments/media-types"
CONTEXT = {
    "csvw": "http://www.w3.org/ns/csvw#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def health_dcat(facts: Facts) -> bytes:
    """The description; what a person decides is absent.

    Parameters
    ----------
    facts : Facts
    """
    files = list(facts.files)
    described = [file for file in files if file.fields]
    made = {"@type": "dct:ProvenanceStatement", "rdfs:label": _provenance(facts)}
    out: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": "./",
        "@type": "dcat:Dataset",
        "dct:identifier": facts.fingerprint,
        "dct:title": facts.card.title,
        "dct:description": facts.about,
        "dct:type": _concept("dataset-type", "SYNTHETIC_DATA", "Synthetic data"),
        "dcat:theme": _concept("data-theme", "HEAL", "Health"),
        "dcat:keyword": ["synthetic data", "differential privacy"],
        "dct:provenance": made,
        "foaf:page": {"@id": "card.html", "@type": "foaf:Document"},
        "healthdcatap:numberOfRecords": _typed(facts.rows + facts.cohort, "nonNegativeInteger"),
        "healthdcatap:hasStructuredData": bool(described),
        "dcat:distribution": [_distribution(file) for file in files],
    }
    if described:
        out["healthdcatap:hasVariables"] = {
            "@type": "csvw:TableGroup",
            "dct:title": facts.card.title,
            "csvw:table": [_table(file) for file in described],
        }
    return json_bytes(out)


def _provenance(facts: Facts) -> str:
    return f"Made by {facts.made_by}. {facts.made_of_answers}"


def _distribution(file: File) -> dict[str, Any]:
    out = {
        "@id": f"#{quote(file.name, safe='')}",
        "@type": "dcat:Distribution",
        "dct:title": file.path,
        **({"dct:description": file.about} if file.about else {}),
        "dcat:accessURL": _iri("./"),
        "dcat:downloadURL": _iri(quote(file.path)),
        "dcat:byteSize": _typed(len(file.content), "nonNegativeInteger"),
    }
    if file.kind in FORMATS:
        media, kind = FORMATS[file.kind]
        out["dct:format"] = _concept("file-type", kind, kind, "dct:MediaTypeOrExtent")
        out["dcat:mediaType"] = {**_iri(f"{MEDIA}/{media}"), "@type": "dct:MediaType"}
    return out


def _table(file: File) -> dict[str, Any]:
    return {
        "@type": "csvw:Table",
        "csvw:url": _iri(quote(file.path)),
        "dct:title": file.name,
        "csvw:column": [_column(field) for field in file.fields],
    }


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "csvw:Column",
        "csvw:name": str(field["name"]),
        "csvw:title": str(field.get("title") or field["name"]),
        "csvw:datatype": str(field.get("type", "string")),
        "dct:description": meaning(field),
    }


def _concept(scheme: str, code: str, label: str, *types: str) -> dict[str, Any]:
    """One of a list of the Union, with what a validator that does not hold the list asks for."""
    return {
        **_iri(f"{LISTS}/{scheme}/{code}"),
        "@type": ["skos:Concept", *types],
        "skos:inScheme": _iri(f"{LISTS}/{scheme}"),
        "skos:prefLabel": label,
    }


def _iri(address: str) -> dict[str, Any]:
    return {"@id": address}


def _typed(value: object, kind: str) -> dict[str, str]:
    return {"@value": str(value), "@type": f"xsd:{kind}"}
