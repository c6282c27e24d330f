"""One run, one release: what every kind of data shares."""

__all__ = [
    "condense",
    "estimator",
    "evened",
    "expectation",
    "job",
    "questions",
    "recipe",
    "release",
    "run",
    "sealing",
    "teaching",
    "weighing",
]
