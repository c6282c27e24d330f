"""All that is only of rows."""

__all__ = ["agreement", "bench", "burden", "condenser", "release", "target", "validation"]
