"""All that is only of stays."""

__all__ = ["bench", "condenser", "meds", "release", "target"]
