"""All that is only of rows."""

__all__ = ["bench", "condenser", "release", "target"]
