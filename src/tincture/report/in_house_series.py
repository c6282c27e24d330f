"""The custodian's own page of condensed stays, computed from real ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tincture.evaluation.scores import CEILING, CONDENSED, EVERYONE
from tincture.evaluation.series_scores import Course, SeriesEvaluation
from tincture.report.charts import legend
from tincture.report.in_house import (
    SOURCES,
    WARNING,
    about,
    curves,
    drawn,
    kept,
    says_case,
    says_looks,
    speed,
    utility,
)
from tincture.report.markup import Markup, element, join
from tincture.report.page import number, page, paragraphs, section
from tincture.report.series_charts import (
    MOST_ROWS,
    convergence_chart,
    course_chart,
    influence_chart,
    score_chart,
)
from tincture.report.summary import InHouseSeries

TWO = (CONDENSED, CEILING)
CHANGE = "mean |change of log odds|"
FAR = 0.5  # a calibration intercept is called out beyond it, a slope below it or above its inverse


def in_house_series_page(summary: InHouseSeries) -> str:
    """The page as a whole HTML document."""
    found = summary.evaluation
    return page(
        f"In-house: {summary.title}",
        element("p", WARNING, class_="warning"),
        element("p", summary.promise, class_="promise"),
        section("In short", _in_short(found)),
        section(
            "Utility",
            _says_utility(),
            says_case(found),
            legend(SOURCES),
            _grid(
                drawn(about(metric, found), score_chart(found, metric))
                for metric in ("AUROC", "AUPRC")
            ),
            utility(found, EVERYONE),
        ),
        _courses(found.courses),
        _influences(found),
        _convergence(found),
        section("Time to train", speed(found)),
        curves(found),
        section("Looks at real stays", says_looks(found.looks)),
    )


def _in_short(found: SeriesEvaluation) -> Markup:
    texts = [
        "Of what all real stays gain over chance (AUROC above ½), models trained on the condensed "
        f"stays keep: {', '.join(kept(found))}."
    ]
    if wrong := _miscalibrated(found):
        texts.append(
            f"Trained on the condensed stays, {', '.join(wrong)} give probabilities that are far "
            "off, though they rank well; recalibrate them on real patients before use."
        )
    if found.influences:
        texts.append(
            "The order of what moves predictions agrees with that of real stays by a rank "
            f"correlation of {number(found.agreement, 2)} (1 is the same order, 0 none in common)."
        )
    if found.note:
        texts.append(found.note)
    return element("ul", *(element("li", text) for text in texts))


def _miscalibrated(found: SeriesEvaluation) -> list[str]:
    """Models whose risks are far from what is observed when they are trained on the release."""
    limits = {"calibration slope": (FAR, 1 / FAR), "calibration intercept": (-FAR, FAR)}
    wrong = [
        s.model
        for s in found.scores
        if s.trained_on == CONDENSED and s.metric in limits
        if s.figure.value < limits[s.metric][0] or s.figure.value > limits[s.metric][1]
    ]
    return list(dict.fromkeys(wrong))


def _says_utility() -> Markup:
    return paragraphs(
        "Every model was trained on the condensed stays, on all real training stays (the ceiling) "
        "and on as many random real stays, and scored on held-out stays. Brackets hold 95% "
        "intervals from resamples of the held-out stays; the trainings stay as they are. Of "
        "several runs, and of several networks together, figures are means.",
        "Training is blind: a fixed number of steps on batches of half of each class, without "
        "validation data. Predictions are then corrected to the prevalence that the release tells, "
        "or that of the real stays trained on. AUROC and AUPRC: larger is better. Brier score: "
        "smaller is better. Calibration: slope 1 and intercept 0 are right.",
    )


def _courses(courses: Sequence[Course]) -> Markup | None:
    if not courses:
        return None
    names = courses[0].outcomes
    keys = [
        element("span", element("i", class_=f"key k{colour}", aria_hidden="true"), name)
        for colour, name in zip((0, 2), names, strict=True)
    ]
    captions = [join(c.variable, " ", element("small", c.unit)) for c in courses]
    figures = [drawn(t, course_chart(c)) for t, c in zip(captions, courses, strict=True)]
    return section(
        "Condensed stays beside real ones",
        paragraphs(
            "A few stays of each outcome, drawn at random, in the variables that are most often "
            "measured; a dot is a measurement. Dashed: the second outcome. Differences between "
            "the outcomes are exaggerated in condensed stays on purpose.",
            element("strong", "Every lower panel shows single patients."),
        ),
        element("p", *keys, class_="legend"),
        element("div", *figures, class_="grid-of-charts"),
    )


def _influences(found: SeriesEvaluation) -> Markup | None:
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
        _grid(
            (
                drawn(about("Mean change", found), influence_chart(found.influences, CHANGE)),
                drawn(
                    about("As a share of all", found),
                    influence_chart(found.shares, "share of all changes"),
                ),
            )
        ),
    )


def _convergence(found: SeriesEvaluation) -> Markup | None:
    if found.convergence is None:
        return None
    caption = about(f"Network {found.convergence.network}", found)
    return section(
        "Convergence of training",
        paragraphs(
            "AUROC on held-out stays while one network is trained, its first run. The rate falls "
            "to 0 towards the end; nobody looks at this curve when a network is trained blindly."
        ),
        legend(TWO),
        _grid([drawn(caption, convergence_chart(found.convergence))]),
    )


def _grid(figures: Iterable[Markup]) -> Markup:
    return element("div", *figures, class_="grid-of-charts")
