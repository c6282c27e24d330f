"""Compiled model fitting and prediction over batches of candidate tables."""

__all__ = [
    "aft",
    "boosting",
    "boosting_cox",
    "concordance",
    "cox",
    "coxph",
    "forest",
    "glm",
    "lattice",
    "logistic",
    "naive_bayes",
    "neighbours",
    "pointwise",
    "ranking",
    "rows",
    "survival_forest",
    "svm",
    "threads",
    "tree",
]
