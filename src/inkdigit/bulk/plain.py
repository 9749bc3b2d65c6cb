"""What is shown on a terminal, where names of files come from anyone."""

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Return a text on one line and without commands to a terminal."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)
