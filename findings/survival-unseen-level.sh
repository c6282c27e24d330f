#!/usr/bin/env bash
# R's survival (seen with 3.5-3 under R 4.2.2) and a level that is declared, but that no row of the fit
# has: stage III of I, II, III. One would guess that models of one data frame agree that nothing is
# known of III, and all is well for I and II. There are four answers:
#   glm (and lm) drop the level, and predict stops at III: "factor stage has new level";
#   survreg keeps it, and predict(newdata=) is NA for EVERY stage, also for rows that were fitted;
#   coxph keeps it with an NA coefficient: predict(type = "survival") is NA for every stage too, but
#   risk, linear predictor and survfit give stage III, with no warning, just what the REFERENCE level
#   has: stage I's, or stage II's after relevel().
# So with a code book's levels on the factor, coxph forecasts for patients of whom it saw none.
# droplevels() before the fit makes predict stop as with glm.
# Source: glm and lm set `drop.unused.levels = TRUE` in their model frame, coxph and survreg do not;
# predict.coxph takes NA coefficients as 0 for these types, and 0 is the reference level.
# Needs Rscript with survival (a recommended package of R); without, says so and exits 77.
set -euo pipefail
if ! Rscript -e 'library(survival)' >/dev/null 2>&1; then
  echo "Needs Rscript with the package survival." >&2
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/unseen.R" <<'RSCRIPT'
library(survival)
options(warn = 2) # a warning of any fit or prediction would stop this script
stages <- c("I", "II", "III")
rows <- data.frame(
  months = c(5, 8, 3, 9, 4, 7, 6, 2),
  died = c(1, 1, 0, 1, 1, 0, 0, 1),
  stage = factor(c("I", "II", "I", "II", "II", "I", "II", "I"), stages)
)
new <- data.frame(months = 6, died = 0, stage = factor(stages, stages))
model <- Surv(months, died) ~ stage
answer <- function(fit, ...) tryCatch(predict(fit, new, ...), error = conditionMessage)

cat(R.version.string, "with survival", as.character(packageVersion("survival")), "\n")
cox <- coxph(model, rows)
risk <- answer(cox, type = "risk")
again <- answer(coxph(model, transform(rows, stage = relevel(stage, "II"))), type = "risk")
alive <- answer(cox, type = "survival")
curves <- survfit(cox, new)$surv
lasting <- survreg(model, rows)
odds <- answer(glm(died ~ stage, binomial, rows))
dropped <- answer(coxph(model, droplevels(rows)))
cat("coxph, coefficients:", coef(cox), "\nrisk of I, II, III:", risk, "- with II as reference:", again)
cat("\ncurves at the end:", curves[nrow(curves), ], "- type survival:", alive)
cat("\nsurvreg:", answer(lasting), "- of its own rows:", predict(lasting)[1:2], "...")
cat("\nglm:", odds, "\ncoxph after droplevels:", dropped, "\n")
stopifnot(
  is.na(coef(cox)[["stageIII"]]), identical(curves[, 3], curves[, 1]),
  risk[[3]] == risk[[1]], risk[[3]] != risk[[2]],
  again[[3]] == again[[2]], again[[3]] != again[[1]],
  is.na(alive), is.na(answer(lasting)), !is.na(predict(lasting)),
  is.character(odds), grepl("new level", odds),
  is.character(dropped), grepl("new level", dropped)
)
RSCRIPT
Rscript "$folder/unseen.R"
