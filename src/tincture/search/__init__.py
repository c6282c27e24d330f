"""Ask and tell: optimisers that see no record."""
