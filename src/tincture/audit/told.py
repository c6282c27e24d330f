"""An audit in words, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tincture.audit.whole import Audit
from tincture.metrics.figure import Figure


def lines(audit: Audit) -> Iterator[tuple[str, str, str]]:
    """What was attacked, what was seen with its 95% interval, and what chance gives."""
    for a in audit.membership:
        yield f"{a.name}: AUC", _shown(a.area), "0.500"
        yield "  members found at 0.1% false alarms", _shown(a.hits[0]), "0.001"
        yield "  members found at 1% false alarms", _shown(a.hits[1]), "0.010"
    near = audit.closeness
    yield "rows nearer to training than to held-out", _shown(near.nearer_to_training), "0.500"
    yield "rows nearer than 95% of held-out are", _shown(near.very_near), "0.050"
    yield "rows equal to a record", f"{near.equal_to_training}", f"{near.equal_to_held_out}"
    for i in audit.inference:
        yield f"{i.column} inferred, members", _shown(i.members), f"{i.baseline:.3f}"
        yield "  members' lead over others", _shown(i.lead), "0.000"


def conclusions(audit: Audit) -> Iterator[tuple[str, bool]]:
    """What the vault was found to do, a sentence each, and whether it is as it should be."""
    one = audit.one_run
    yield (
        f"One run: ε ≥ {one.epsilon:.2f} at {one.confidence:.0%} confidence, claimed "
        f"{one.claimed:g} ({one.right} of {one.guesses} guesses right, {one.canaries} canaries).",
        one.holds,
    )
    for check in audit.vault:
        yield f"{'passed' if check.passed else 'FAILED'}: {check.name}", check.passed


def _shown(figure: Figure) -> str:
    if math.isnan(figure.value):
        return "–"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
