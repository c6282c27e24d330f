"""What attacks on a release achieved, for every page that is kept in the house."""

from __future__ import annotations

from tincture.evaluation.metrics.figure import Figure
from tincture.report.markup import Markup, element, join
from tincture.report.page import number, paragraphs, section, table
from tincture.report.summary import Attacks

WARNING = "Computed from real records — do not release."


def attacked(attacks: Attacks, records: str) -> Markup | None:
    """A section of findings with what chance gives, and how the vault did; none without."""
    if not attacks.findings:
        return None
    rows = [
        (f.attack, f.measure, f.says, interval(f.figure), number(f.chance))
        for f in attacks.findings
    ]
    heads = ["attack", "measure", "finding", "value", "by chance"]
    verdicts = (
        element("li", v.says if v.is_well else element("strong", v.says)) for v in attacks.verdicts
    )
    return section(
        "Attacks",
        paragraphs(
            f"Whoever holds real {records} tries to tell those that were condensed (members) from "
            "others. An AUC of ½ is a coin's. What is told rightly of members holds of others too, "
            "as a release teaches about people at large; what betrays members is their lead.",
            "Brackets hold 95% intervals: one attack in twenty misses chance though it learns "
            "nothing. A dash: too few held-out ones to tell. That an attack finds nothing "
            "proves nothing; the promise rests on its proof.",
        ),
        table("What attacks achieved", heads, rows, numbers=2),
        element("h3", "The vault"),
        element("ul", *verdicts),
    )


def interval(figure: Figure) -> Markup:
    """A figure above its 95% interval."""
    if figure.low != figure.low:
        return join(number(figure.value))
    ends = f"[{number(figure.low)}, {number(figure.high)}]"
    return join(number(figure.value), element("small", ends))
