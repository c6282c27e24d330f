"""The sections of the in-house page that hold pictures; each is absent where there is none."""

from __future__ import annotations

from collections.abc import Iterable

from tincture.evaluation.pictures import shares
from tincture.evaluation.scores import CEILING, CONDENSED, Evaluation
from tincture.report.axes import legend
from tincture.report.charts import (
    MOST_ROWS,
    bar_chart,
    convergence_chart,
    course_chart,
    influence_chart,
    line_chart,
)
from tincture.report.markup import Child, Markup, element, join
from tincture.report.page import paragraphs, section

TWO = (CONDENSED, CEILING)
CHANGE = "mean |change of log odds|"


def courses(found: Evaluation) -> Markup | None:
    """Single condensed and real stays, if some were drawn."""
    if not found.courses:
        return None
    names = found.courses[0].outcomes
    keys = [
        element("span", element("i", class_=f"key k{colour}", aria_hidden="true"), name)
        for colour, name in zip((0, 2), names, strict=True)
    ]
    figures = [
        drawn(join(c.variable, " ", element("small", c.unit)), course_chart(c))
        for c in found.courses
    ]
    return section(
        "Condensed stays beside real ones",
        paragraphs(
            "A few stays of each outcome, drawn at random, in the variables that are most often "
            "measured; a dot is a measurement. Dashed: the second outcome. Differences between "
            "the outcomes are exaggerated in condensed stays on purpose.",
            element("strong", "Every lower panel shows single patients."),
        ),
        element("p", *keys, class_="legend"),
        grid(figures),
    )


def influences(found: Evaluation) -> Markup | None:
    """What models heed, if it was asked."""
    if not found.influences:
        return None
    models = [f.model for f in found.fits if f.trained_on == CONDENSED and f.model != "logistic"]
    return section(
        "What models learn",
        paragraphs(
            "How much the predicted log odds of held-out stays move, on average, when one variable "
            "(its values, and whether it is recorded) or static column is held at its mean; "
            f"mean over {', '.join(models) or 'logistic regression'}. Those that move models "
            f"trained on real stays most come first, {MOST_ROWS} at most. A column that the "
            "release leaves out moves nothing."
        ),
        legend(TWO),
        grid(
            (
                drawn(about("Mean change", found), influence_chart(found.influences, CHANGE)),
                drawn(
                    about("As a share of all", found),
                    influence_chart(shares(found.influences), "share of all changes"),
                ),
            )
        ),
    )


def convergence(found: Evaluation) -> Markup | None:
    """A figure while a network was trained, if one was watched."""
    if found.convergence is None:
        return None
    metric = found.scores[0].metric
    caption = about(f"Network {found.convergence.network}", found)
    return section(
        "Convergence of training",
        paragraphs(
            f"{metric} on held-out {found.words.records} while one network is trained, its first "
            "run. The rate falls to 0 towards the end; nobody looks at this curve when a network "
            "is trained blindly."
        ),
        legend(TWO),
        grid([drawn(caption, convergence_chart(found.convergence, metric))]),
    )


def curves(found: Evaluation) -> Markup | None:
    """A section of ROC and calibration curves, or of survival, if there are any."""
    charts = found.charts
    if not charts:
        return None
    names = [s for s in found.sources if any(s == line.name for c in charts for line in c.lines)]
    titles = {"roc": "ROC", "calibration": "Calibration", "steps": "Kaplan–Meier"}
    figures = [
        drawn(about(f"{titles[c.kind]}: {c.title}", found), line_chart(c, found.says_case))
        for c in charts
    ]
    return section("Curves", legend(names), grid(figures))


def distributions(found: Evaluation) -> Markup | None:
    """Bars of every column, if there are any."""
    if not found.bars:
        return None
    words = found.words
    figures = [
        drawn(join(b.column, " ", element("small", f"distance {b.distance:.2f}")), bar_chart(b))
        for b in found.bars
    ]
    return section(
        "Every column, condensed beside real",
        paragraphs(
            f"Condensed {words.rows} are invented so that models learn: their distributions need "
            f"not agree with those of the training {words.records}. The distance is total "
            "variation, from 0 to 1. Bins span the middle 98% of the real values; a column's "
            "longest bar fills its width."
        ),
        legend(TWO),
        grid(figures),
    )


def about(caption: Child, found: Evaluation) -> Markup:
    """A picture's name with what its figures are about."""
    return (
        join(caption, " ", element("small", found.says_case)) if found.says_case else join(caption)
    )


def drawn(caption: Child, drawing: Markup) -> Markup:
    """A picture below its name."""
    return element("figure", element("figcaption", caption), drawing)


def grid(figures: Iterable[Markup]) -> Markup:
    """Pictures side by side."""
    return element("div", *figures, class_="grid-of-charts")
