"""A template on the disk: opened, checked and saved, and never written over unseen."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from inkdigit.documents.blank import found_fields
from inkdigit.documents.template import Template, parse_json, write_template
from inkdigit.errors import RunError
from inkdigit.images import as_png


class TemplateFile:
    """A template and its blanks, as PNG; of each blank also the boxes that are `found` on it.

    Raises `SettingError` for what is no template, or has no blank.
    """

    def __init__(self, path: Path) -> None:
        template = Template.load(path)
        blanks = [template.blank(number + 1) for number in range(len(template.pages))]
        self.path, self.blanks = path, list(map(as_png, blanks))
        keys = ("box", "kind", "cells", "gap")
        self.found = [
            [{key: getattr(one, key) for key in keys} for one in found_fields(blank)]
            for blank in blanks
        ]

    def opened(self) -> dict[str, Any]:
        """Return what the page shows: the file as it is now, and what tells it from another."""
        content = self.path.read_bytes()
        template, name = parse_json(content), self.path.name
        return {"name": name, "template": template, "digest": _digest(content), "found": self.found}

    def check(self, known: Any) -> Template:
        """Return the template that a JSON object describes; `SettingError` where it is none."""
        return Template.from_mapping(known, self.path.parent)

    def save(self, known: Any, digest: str | None) -> str:
        """Write a template over the file of a digest, any file if `None`; return the digest then.

        Raises `SettingError` for what is no template, and `RunError` where the file has become
        another one.
        """
        self.check(known)
        there = self.path.read_bytes() if self.path.exists() else b""
        if digest not in (None, _digest(there)):
            raise RunError(f"{self.path.name} was changed by another program since it was opened")
        write_template(self.path, known)
        return _digest(self.path.read_bytes())


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
