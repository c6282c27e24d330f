# Answers of R's glm and coxph on an invented table, for tests that run without R.
#
#     Rscript benchmarks/golden.R tests/golden

library(survival)

folder <- commandArgs(trailingOnly = TRUE)[1]
set.seed(0)
n <- 240
rows <- data.frame(
  age = round(rnorm(n, 60, 12)),
  pressure = round(rnorm(n, 130, 20)),
  sex = rbinom(n, 1, 0.5),
  stage = sample(c("I", "II", "III", "IV"), n, TRUE, c(0.4, 0.3, 0.2, 0.1))
)
rows$both <- rows$age + rows$pressure
score <- 0.04 * (rows$age - 60) + 0.5 * rows$sex + 0.6 * (rows$stage == "IV")
rows$died <- rbinom(n, 1, plogis(score - 0.5))
rows$time <- ceiling(30 * rexp(n) * exp(-score)) # many ties
rows$event <- rbinom(n, 1, 0.7)
rows$sure <- as.integer(rows$age + rows$sex > 62) # two columns tell it for certain

answers <- function(of, model, told = summary(model)$coefficients, name = "Std. Error") {
  estimate <- coef(model)
  error <- told[match(names(estimate), rownames(told)), name]
  error[is.na(coef(model))] <- NA # of an aliased column
  data.frame(of, term = names(estimate), estimate = unname(estimate), error = unname(error))
}

plain <- glm(died ~ age + pressure + both + sex + stage, binomial, rows)
hazard <- coxph(Surv(time, event) ~ age + pressure + both + sex + stage, rows)
certain <- suppressWarnings(glm(sure ~ age + pressure + sex, binomial, rows))
told <- rbind(
  answers("glm", plain),
  answers("coxph", hazard, name = "se(coef)"),
  answers("certain", certain)
)
told$software <- paste(R.version.string, "survival", packageVersion("survival"))
write.csv(rows, file.path(folder, "plain_rows.csv"), row.names = FALSE, quote = FALSE)
told[3:4] <- lapply(told[3:4], signif, 12)
write.csv(told, file.path(folder, "plain.csv"), row.names = FALSE)
