"""What kind a file is of, by its first bytes: one that is opened here, or what to do with it.

`formats.toml` beside this module knows the kinds.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from inkdigit.images.sources import may_have_pages

_KINDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("formats.toml").read_text("utf-8")
)
CAMERA_RAW: str = _KINDS["camera-raw"]["told"]
# Bytes within which a file tells what it is.
_HEAD = 4096


def is_heif(content: bytes) -> bool:
    """Say whether the bytes are a HEIF file's, such as a HEIC photo of a phone."""
    return _begins(content, _KINDS["heif"])


def is_picture(head: bytes) -> bool:
    r"""Return whether a file that begins so is a picture or a document, be it opened here or not.

    >>> is_picture(b"GIF89a"), is_picture(b"8BPS"), is_picture(b"PK\3\4")
    (True, True, False)
    """
    pictures = (kind for kind in _KINDS.values() if kind.get("picture"))
    return may_have_pages(head) or any(_begins(head, kind) for kind in pictures)


def foreign_kind(content: bytes) -> str:
    """Return what a file of another kind is, and what to do with it; nothing if it is unknown.

    >>> foreign_kind(b"8BPS")
    'a picture of another program, such as Photoshop or GIMP: export it as PNG'
    """
    told = (kind["told"] for kind in _KINDS.values() if "told" in kind and _begins(content, kind))
    return next(told, "")


def _begins(content: bytes, kind: dict[str, Any]) -> bool:
    pattern = "|".join(kind["begins"]).encode()
    return re.match(pattern, content[:_HEAD], re.DOTALL) is not None
