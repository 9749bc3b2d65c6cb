"""The documents as a site: `make docs`.

The source is the whole repository, so that links between the pages lead to the same places in the
site as on a code host. Nothing is fetched when the site is built or read.
"""

import re
from typing import Any

from sphinx.application import Sphinx

import inkdigit
from inkdigit import learning

project = author = "Inkdigit"
project_copyright = "The Inkdigit developers"
version = release = inkdigit.__version__

# Public names are loaded when they are first used. Sphinx shows those that have been.
for module in (inkdigit, learning):
    for public in getattr(module, "__all__", ()):
        vars(module).setdefault(public, getattr(module, public))

NAVIGATION = {
    "Start here": ["learn", "assignment", "classroom", "read", "serve-start"],
    "Learning": [
        "networks",
        "data",
        "recipes",
        "runs",
        "explain",
        "watch",
        "lessons",
        "readers",
        "adapt",
    ],
    "Reading": [
        "readings",
        "patterns",
        "pictures",
        "many",
        "forms",
        "pages",
        "cheques",
        "review",
        "gallery",
    ],
    "Serving": ["serving"],
    "Reference": ["command-line", "api", "glossary"],
    "The project": [
        "/README",
        "/ARCHITECTURE",
        "/CONTRIBUTING",
        "/CHANGELOG",
        "/SECURITY",
        "/benchmarks/LOG",
        "/fonts/README",
    ],
}

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", *(f"{page[1:]}.md" for page in NAVIGATION["The project"])]
html_theme = "furo"
html_title = f"Inkdigit {version}"
html_copy_source = False
myst_heading_anchors = 3
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80


def _add_navigation(_: Sphinx, name: str, source: list[str]) -> None:
    # Written here and not into the page, which is also read where no one knows toctree.
    if name == root_doc:
        source[0] += "".join(
            "\n```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(pages) + "\n```\n"
            for caption, pages in NAVIGATION.items()
        )


def _from_markdown(*arguments: Any) -> None:
    # Docstrings are written as Markdown is: `code`, and code that is indented after an empty line.
    lines: list[str] = arguments[-1]
    lines[:] = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", "\n".join(lines)).split("\n")
    for at, line in reversed(list(enumerate(lines))):
        follows = at > 1 and not lines[at - 1] and not lines[at - 2].startswith(" ")
        if line.startswith("    ") and follows:
            lines[at:at] = ["::", ""]


def setup(app: Sphinx) -> None:
    """Connect what is above; Sphinx calls this."""
    app.connect("source-read", _add_navigation)
    app.connect("autodoc-process-docstring", _from_markdown)
