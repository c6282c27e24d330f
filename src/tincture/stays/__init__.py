"""All that is only of stays."""
