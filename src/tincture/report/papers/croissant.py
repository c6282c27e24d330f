"""A release as hubs of machine learning read it: Croissant, JSON-LD of MLCommons.

The form is that of version 1.1 of the specification (http://mlcommons.org/croissant/1.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tincture.io.files import json_bytes
from tincture.report.papers.facts import Facts, File, meaning

VERSION = "http://mlcommons.org/croissant/1.1"
LEFT = ("license", "creator", "url", "datePublished")
TYPES = {
    "string": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "datetime": "sc:DateTime",
}
# Parquet by the name that readers know; the registered one they do not read.
FORMATS = {"csv": "text/csv", "parquet": "application/x-parquet"}
OTHERS = {  # of which hubs read no record
    "sav": "application/x-spss-sav",
    "dta": "application/x-stata-dta",
    "xpt": "application/x-sas-xport",
    "rds": "application/gzip",
    "json": "application/json",
}
TERMS = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileObject fileProperty "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet "
    "references regex repeated replace samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in TERMS.split()},
}


def croissant(facts: Facts) -> bytes:
    """The description; what a person decides is absent.

    Parameters
    ----------
    facts : Facts
    """
    files = list(facts.files)
    described = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": facts.card.title,
        "description": facts.about,
        "keywords": ["synthetic data", "differential privacy"],
        "isLiveDataset": False,
        "distribution": [_file(file) for file in files],
        "recordSet": [_records(file) for file in files if file.fields and file.kind in FORMATS],
    }
    return json_bytes(described)


def _file(file: File) -> dict[str, Any]:
    media = file.resource.get("mediatype", "application/octet-stream")
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        **({"description": file.about} if file.about else {}),
        "contentUrl": file.path,
        "contentSize": f"{len(file.content)} B",
        "encodingFormat": (FORMATS | OTHERS).get(file.kind, media),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }


def _records(file: File) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": file.name,
        "name": file.name,
        "field": [_field(file, field) for field in file.fields],
    }


def _field(file: File, field: Mapping[str, Any]) -> dict[str, Any]:
    name = str(field["name"])
    return {
        "@type": "cr:Field",
        "@id": f"{file.name}/{quote(name, safe='')}",
        "name": name,
        "description": meaning(field),
        "dataType": TYPES.get(str(field.get("type")), "sc:Text"),
        "source": {"fileObject": {"@id": file.path}, "extract": {"column": name}},
    }
