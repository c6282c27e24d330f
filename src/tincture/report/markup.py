"""HTML and SVG built element by element; whatever is not built here is escaped."""

from __future__ import annotations

from html import escape

VOID = {"meta", "br"}


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | float | None


def element(tag: str, *children: Child, **attributes: Child) -> Markup:
    """One element; text and attributes are escaped, ``None`` is left out.

    A trailing ``_`` of an attribute's name is dropped and other ``_`` become ``-``, so that
    ``class_="wide"`` and ``stroke_width=2`` can be written.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{told}>")
    return Markup(f"<{tag}{told}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Elements and texts one after the other."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(str(child))
            for child in children
            if child is not None
        )
    )
