"""Compiled model fitting and prediction over batches of candidate tables."""
