"""A release as an entry of OpenDP's registry of deployments, to be completed and sent there.

The form is that of opendp/deployments-registry-data, ``schemas/deployments-schema.yaml``, as of
July 2026.
"""

from __future__ import annotations

from typing import Any

from tincture.report.papers.facts import ADDING, Facts

LEFT = (
    "data_curators",
    "data_product_region",
    "publication_date",
    "justification",
    "registry_authors",
)
UNDATED = "1900-01-01"  # the registry's own template has it where a date is still to come


def deployment(facts: Facts) -> bytes:
    """The entry as YAML; what a person decides is blank.

    Parameters
    ----------
    facts : Facts
    """
    import yaml  # a release alone needs it, and a schema in YAML

    entry = {
        "url_slug": facts.package["name"],  # first, where the registry's tool renews it
        "status": "Draft",
        "tier": 3,
        "deployment": {
            "basic": _basic(facts),
            "dp_variant": _variant(facts),
            "privacy_loss": _loss(facts),
            "deployment_model": _model(facts),
            "accounting": {
                "post_processing": facts.made_of_answers,
                "composition": facts.composition,
            },
            "implementation": {
                "preprocessing_and_hyperparameter_tuning": facts.tuning,
                "mechanisms": facts.mechanisms,
                "justification": "",
            },
            "administrative": {"notes": _notes(facts), "registry_authors": [""]},
        },
    }
    text: str = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()


def _basic(facts: Facts) -> dict[str, Any]:
    return {
        "name": facts.card.title,
        "data_curators": [""],
        "intended_use": facts.purpose,
        "data_product_type": "Synthetic data",
        "data_product_region": "",
        "description": facts.about,
        "publication_date": UNDATED,
        "data_product_sector": "Healthcare",
    }


def _variant(facts: Facts) -> dict[str, str]:
    told = {"data_domain": facts.domain, "unprotected_quantities": facts.public}
    return {"variant_name": "Approximate DP", **told} if facts.is_private else told


def _loss(facts: Facts) -> dict[str, Any]:
    return {
        "privacy_unit": facts.unit,
        "privacy_unit_details": facts.neighbours,
        "privacy_parameters": {"epsilon": facts.epsilon, "delta": facts.delta},
        "privacy_parameters_details": facts.card.promise,
    }


def _model(facts: Facts) -> dict[str, str]:
    return {
        "model_name": "Central",
        "actors": facts.trust,
        "release_type": "One release",
        "release_type_details": ADDING,
        "data_source_type": "Static",
        "access_type": "Non-interactive",
    }


def _notes(facts: Facts) -> str:
    blank = ", ".join(LEFT)
    return (
        f"Drafted by {facts.made_by} from datapackage.json and ledger.json of the release whose "
        f"data have the SHA-256 {facts.fingerprint}. For the board to fill in: {blank} "
        f"({UNDATED} stands for no date)."
    )
