"""A release scored on patients whom it was not made of, by one private question."""

from tincture.tables.validation.question import ScoreCounts
from tincture.tables.validation.validate import asked, validate

__all__ = ["ScoreCounts", "asked", "question", "validate"]
