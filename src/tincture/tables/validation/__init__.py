"""A release scored on patients whom it was not made of, by one private question."""

from tincture.tables.validation.figures import TOO_FEW
from tincture.tables.validation.question import ScoreCounts
from tincture.tables.validation.validate import asked, validate

__all__ = ["TOO_FEW", "ScoreCounts", "asked", "figures", "question", "validate"]
