"""Frames and files in and out; no error of this room quotes a cell."""

__all__ = ["copies", "draft", "files", "frames", "parts", "released"]
