"""One run, one release: what every kind of data shares."""

__all__ = [
    "condense",
    "estimator",
    "evened",
    "expectation",
    "job",
    "posterior",
    "questions",
    "recipe",
    "release",
    "run",
    "sealing",
    "teaching",
    "weighing",
]
