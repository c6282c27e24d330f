"""Ask and tell: optimisers that see no record."""

__all__ = ["directions", "moves", "optimizer"]
