"""The documentation site: the Markdown of this repository, where it lies, and the docstrings.

    sphinx-build -W --keep-going -c docs . build/site

The sources' root is the repository's, so that one relative link serves here and on GitHub. Folders
are told apart by their README.md, which is the page above its siblings.
"""

from __future__ import annotations

from tincture.version import __version__

project = "Tincture"
author = "The Tincture contributors"
copyright = f"2026, {author}"
release = version = __version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
autosummary_generate = False  # numpydoc loads it
root_doc = "README"
include_patterns = ["*.md", "docs/**", "examples/**", "benchmarks/**"]
exclude_patterns = ["docs/_templates"]
source_suffix = {".md": "markdown"}
highlight_language = "text"
smartquotes = False
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"Tincture {__version__}"
html_show_sourcelink = False
html_copy_source = False
html_additional_pages = {"index": "to_readme.html"}
templates_path = ["_templates"]

autodoc_typehints = "none"  # numpydoc's sections tell the types, in words
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 88
numpydoc_show_class_members = False  # docs/api.md names them
# Not that every section is there, but that what it documents is: names, order, form.
numpydoc_validation_checks = {"all", "ES01", "EX01", "GL01", "SA01", "SS02", "SS03", "SS05", "SS06"}
numpydoc_validation_checks |= {"PR01", "PR04", "PR07", "RT01", "RT03", "YD01"}

# The table of contents: a caption, and its pages.
CONTENTS = {
    "Guides": [
        "docs/schema",
        "docs/files",
        "docs/how-to-choose",
        "docs/evaluation",
        "docs/audit",
        "docs/papers",
        "docs/sites",
        "examples/README",
        "docs/glossary",
    ],
    "What is promised": ["docs/promise", "docs/limits", "SECURITY"],
    "Reference": ["docs/api", "benchmarks/README"],
    "The house": [
        "CONTRIBUTING",
        "docs/decisions/README",
        "docs/trials/README",
        "docs/releasing",
        "CHANGELOG",
    ],
}


def add_contents(app: object, page: str, source: list[str]) -> None:
    """Put the table of contents below the README, and a folder's pages below its own.

    GitHub would show the directives as text, so they do not stand in the files.
    """
    if page == "README":
        source[0] += "".join(_toctree(c, *pages) for c, pages in CONTENTS.items())
    elif page.endswith("/README"):
        source[0] += _toctree("", "*")


def _toctree(caption: str, *pages: str) -> str:
    head = f":caption: {caption}\n" if caption else ""
    return "\n\n```{toctree}\n:hidden:\n:glob:\n" + head + "\n" + "\n".join(pages) + "\n```\n"


def setup(app: object) -> None:
    """Sphinx calls this."""
    app.connect("source-read", add_contents)  # type: ignore[attr-defined]
