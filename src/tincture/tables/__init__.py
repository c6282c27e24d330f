"""All that is only of rows."""
