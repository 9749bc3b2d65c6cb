"""A class's folder: `Anna/3/1.png` is a 3 that Anna wrote, and nothing is written over.

.class                  which class the sheets are of
Anna/3/1.png            from her first sheet
Anna/3/phone-….png      drawn on her phone; the name holds a digest of its token
__apart/                what a person is to look at, and what is no part of the data set
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from threading import Lock

from inkdigit.classroom.names import as_name, key_of
from inkdigit.documents.landmarks import fitted
from inkdigit.errors import ImageError, RunError
from inkdigit.files import make_folder, write_atomically, writing
from inkdigit.images import Source, as_png, open_grey
from inkdigit.reading.preprocessing.digit import extract_digit

APART, CLASS = "__apart", ".class"
# A photograph of a digit is kept no larger, in pixels.
_SIDE = 600


@dataclass(frozen=True)
class Collection:
    """The folder of a class; `OutputError` where it can't be made."""

    folder: Path
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        make_folder(self.folder)

    def person(self, name: str) -> Path:
        """Return the folder of a pupil, also where its name has other capitals."""
        there = (child for child in self.folder.iterdir() if key_of(child.name) == key_of(name))
        return next(there, self.folder / name)

    def keep(self, path: Path, content: bytes) -> bool:
        """Write a file, unless there is one at the path; return whether it was written."""
        if path.exists():
            return False
        make_folder(path.parent)
        write_atomically(path, lambda file: file.write_bytes(content))
        return True

    def draw(self, name: str, token: str, digit: str, source: Source, max_pixels: int) -> None:
        """Keep what was drawn or photographed; `ImageError` where there is no ink on it."""
        picture = fitted(open_grey(source, max_pixels=max_pixels), _SIDE)
        if extract_digit(picture) is None:
            raise ImageError("there is no digit on it: write one")
        file = f"phone-{_digest(token)}-{secrets.token_hex(4)}.png"
        with self._lock:  # of two phones with one name, one is first
            self.drawn(name, token)
            self.keep(self.person(as_name(name)) / digit / file, as_png(picture))

    def drawn(self, name: str, token: str) -> list[Path]:
        """Return what a pupil drew on a phone; `RunError` where another phone has the name."""
        paths = self.on_phones(escape(self.person(as_name(name)).name))
        if any(path.name.split("-")[1] != _digest(token) for path in paths):
            raise RunError(f"another phone draws as {name}: add a letter of your surname")
        return paths

    def on_phones(self, whose: str = "*") -> list[Path]:
        """Return what was drawn on all phones."""
        return sorted(self.folder.glob(f"{whose}/[0-9]/phone-*.png"))

    def forget(self, name: str, token: str) -> None:
        """Delete what a pupil drew on a phone; what is of sheets stays."""
        for path in self.drawn(name, token):
            with writing(path):
                path.unlink()


def _digest(token: str) -> str:
    """Return what tells a phone, from which nobody learns the token that lets it delete."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]
