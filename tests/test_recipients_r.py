"""R reads a release by the code on its card, which runs as it stands, and fits what people fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipients import files, in_r, snippet

# Package, kind of outcome, and lines after the card's own; the last is about the new patients.
FITS = {
    "glm": ("stats", "classes", "p <- predict(model, own)"),
    "rpart": ("rpart", "classes", "p <- predict(rpart(`died here` ~ ., filled), own)[, 1]"),
    "ranger": (
        "ranger",
        "classes",
        'm <- ranger(x = filled[features], y = filled[["died here"]], probability = TRUE)\n'
        "p <- predict(m, own[features])$predictions[, 1]",
    ),
    "randomForest": (
        "randomForest",
        "classes",
        'm <- randomForest(filled[features], filled[["died here"]])\n'
        'p <- predict(m, own[features], type = "prob")[, 1]',
    ),
    "glmnet": (
        "glmnet",
        "classes",
        "x <- function(data) model.matrix(~ ., data[features])[, -1]\n"
        'm <- glmnet(x(filled), filled[["died here"]], family = "binomial")\n'
        "p <- predict(m, x(own), s = 0.01)",
    ),
    "lrm": (
        "rms",
        "classes",
        "p <- predict(lrm(`died here` ~ rcs(age, 3) + diabetes, filled), own)",
    ),
    "gam": (
        "mgcv",
        "classes",
        "names(filled) <- make.names(names(filled))\n"  # gam takes no other names
        'm <- gam(died.here == "yes" ~ s(age, k = 4) + diabetes, binomial, filled)\n'
        "p <- predict(m, own)",
    ),
    "coxph": ("survival", "survival", "p <- predict(model, own)"),
    "survfit": (
        "survival",
        "survival",
        'curve <- survfit(Surv(days, event == "1") ~ 1, rows)\n'
        "p <- summary(curve, times = c(30, 90))$surv",
    ),
    "ranger, survival": (
        "ranger",
        "survival",
        'm <- ranger(x = filled[features], y = survival::Surv(filled$days, filled$event == "1"))\n'
        "p <- predict(m, own[features])$chf[, 1]",
    ),
    "cph": (
        "rms",
        "survival",
        'p <- predict(cph(Surv(days, event == "1") ~ rcs(age, 3) + diabetes, filled), own)',
    ),
}
CHECKED = '\nstopifnot(length(p) == 2, is.finite(p))\ncat(nrow(rows), "")\n'


@pytest.mark.parametrize("kind", ["classes", "survival"])
def test_the_code_on_the_card_runs_as_it_stands(released: dict[str, Path], kind: str) -> None:
    in_r(snippet(released[kind], "r"), released[kind], "survival")


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_each_file_is_read_and_fitted(released: dict[str, Path], name: str) -> None:
    package, kind, fit = FITS[name]
    folder = released[kind]
    code = "".join(
        f"options(warn = -1)\n{snippet(folder, 'r', path)}"  # few rows may separate the classes
        f'options(warn = 2)\nown <- fill(read("own.csv"))\n{fit}{CHECKED}'
        for path in files(folder)
    )
    counts = [int(n) for n in in_r(code, folder, package).split()]
    assert counts == [len((folder / p).read_text().splitlines()) - 1 for p in files(folder)]


def test_cells_arrive_as_what_they_are(released: dict[str, Path]) -> None:
    """Levels are text though they look like numbers; a blank is none, and NA a level."""
    said = in_r(
        snippet(released["classes"], "r")
        + 'stopifnot(identical(levels(rows[[4]]), c("01", "02", "NA", "T")))\n'
        "stopifnot(!anyNA(rows[[4]]), is.numeric(rows[[2]]), is.integer(rows$age))\n"
        'stopifnot(inherits(cohort$seen, "Date"), inherits(cohort[["taken at"]], "POSIXct"))\n'
        "known <- na.omit(rows$seen)\n"
        'stopifnot(known == round(known), max(rows[["taken at"]], na.rm = TRUE) < 18262)\n'
        'own <- read("own.csv")\n'
        'stopifnot(identical(as.character(own$cm), c("1", NA)), own$ward[1] == "closed")\n'
        "cat(names(rows), sep = ';')",
        released["classes"],
    )
    assert said == 'age;lactate (mmol/l);ward;a "grade";sex;diabetes;cm;seen;taken at;died here'
