"""All that is only of rows."""

__all__ = ["agreement", "bench", "condenser", "release", "target"]
