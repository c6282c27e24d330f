"""Figures of what was learned, whatever it was learned from."""
