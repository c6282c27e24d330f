"""An audit as findings, for a terminal, a page or a file; and read from a file again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tincture.audit.findings import Audit
from tincture.audit.membership import RATES
from tincture.audit.target import Attacked
from tincture.errors import ReleaseError
from tincture.evaluation.metrics.figure import Figure
from tincture.report.summary import TOLD, Attacks, Finding, Verdict


def told(audit: Audit) -> Attacks:
    """What was attacked, what was seen, and what chance gives; then how the vault did."""
    return Attacks(tuple(_findings(audit)), tuple(_verdicts(audit)))


def _findings(audit: Audit) -> list[Finding]:
    found = []
    for a in audit.membership:
        found.append(Finding(a.name, "AUC", a.area, 0.5))
        for rate, hits in zip(RATES, a.hits, strict=True):
            found.append(Finding(a.name, f"members found at {rate:.1%} false alarms", hits, rate))
    near, what = audit.closeness, audit.holds
    found += [
        Finding(what, "share nearer to training than to held-out", near.nearer_to_training, 0.5),
        Finding(what, "share nearer to training than 95% of held-out", near.very_near, 0.05),
        Finding(what, "share equal to a training record", *near.equal),
    ]
    for i in audit.inference:
        found += [
            Finding(f"{i.column} inferred", TOLD, i.members, i.baseline),
            Finding(f"{i.column} inferred", "members' lead over others", i.lead, 0.0),
        ]
    return found


def _verdicts(audit: Audit) -> list[Verdict]:
    one = audit.one_run
    bound = (
        f"One-run audit: ε is at least {one.epsilon:.2f} with {one.confidence:.0%} confidence, "
        f"{'within' if one.holds else 'ABOVE'} the {one.claimed:g} claimed ({one.right} of "
        f"{one.guesses} guesses right, {one.canaries} canaries)."
    )
    checks = [
        Verdict(f"{'passed' if c.passed else 'FAILED'}: {c.name}", c.passed) for c in audit.vault
    ]
    return [Verdict(bound, one.holds), *checks]


def to_file(audit: Audit) -> dict[str, Any]:
    """All of an audit for JSON, with what a page shows of it."""
    attacks = told(audit)
    shown = {
        "findings": [
            {
                "attack": f.attack,
                "measure": f.measure,
                **{k: v if v == v else None for k, v in asdict(f.figure).items()},
                "chance": f.chance,
                "says": f.says,
            }
            for f in attacks.findings
        ],
        "verdicts": [{"says": v.says, "is_well": v.is_well} for v in attacks.verdicts],
    }
    return {**audit.to_dict(), **shown}


def from_file(path: Path, release: Attacked) -> Attacks:
    """What `to_file` wrote of this release.

    Raises
    ------
    ReleaseError
        If the file is no audit, or one of another release.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        attacked = content["release"]
        attacks = Attacks(
            tuple(_finding(f) for f in content["findings"]),
            tuple(Verdict(str(v["says"]), v["is_well"] is True) for v in content["verdicts"]),
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise ReleaseError(
            f"{path} is absent or no audit; write one with tincture audit --out."
        ) from None
    if attacked != release.fingerprint:
        raise ReleaseError(f"{path} is an audit of another release; audit this one.")
    return attacks


def _finding(told: Mapping[str, Any]) -> Finding:
    value, low, high = (
        float("nan") if told[k] is None else float(told[k]) for k in ("value", "low", "high")
    )
    figure = Figure(value, low, high)
    return Finding(str(told["attack"]), str(told["measure"]), figure, float(told["chance"]))
