"""The page: one HTML file with networks, digits, style and modules inside, which asks nobody.

Its scripts are modules that the browser also runs as they are; here they are put one after the
other. A content security policy lets nothing else run, and nothing be fetched.
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jinja2

import inkdigit
from inkdigit.files import write_text

PAGE = Path(__file__).with_name("page")
# The paper to draw on and the style are those of the service's page.
_SERVICE = Path(inkdigit.__file__).with_name("serving") / "page"
_STYLES = (_SERVICE / "style.css", PAGE / "explainer.css")
# What begins when it is read comes last.
_MODULES = (
    _SERVICE / "pad.js",
    *sorted(PAGE.glob("*.js"), key=lambda file: (file.name == "main.js", file.name)),
)
_LINKS = re.compile(r"^(import .*\n|export )", re.MULTILINE)


def write_page(path: Path, facts: dict[str, Any]) -> None:
    """Write the page about `facts`, whole or not at all."""
    style = "\n".join(file.read_text("utf-8") for file in _STYLES)
    script = "\n".join(_LINKS.sub("", file.read_text("utf-8")) for file in _MODULES)
    icon = base64.b64encode((_SERVICE / "icon.svg").read_bytes()).decode()
    # In JSON this is the same text, and no end of a script.
    data = json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c")
    template = jinja2.Template((PAGE / "index.html").read_text("utf-8"), autoescape=True)
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    write_text(path, template.render(hashes, style=style, script=script, data=data, icon=icon))


def _hash(text: str) -> str:
    """Return what a content security policy knows a script or style by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
