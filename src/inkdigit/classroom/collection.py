"""A class's folder: `Anna/3/1.png` is a 3 that Anna wrote, and nothing is written over.

.class           which class the sheets are of
.phones/anna     the token of the phone on which Anna draws
Anna/3/1.png     from her first sheet; what she drew on a phone is phone-….png
__apart/         what a person is to look at, and what is no part of the data set
"""

import secrets
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from inkdigit.classroom.names import as_name, key_of
from inkdigit.documents.landmarks import fitted
from inkdigit.errors import ImageError, OutputError, RunError
from inkdigit.files import make_folder, reason, write_atomically, write_text, writing
from inkdigit.images import Source, as_png, open_grey
from inkdigit.reading.preprocessing.digit import extract_digit

APART = "__apart"
_CLASS, _PHONES, _DRAWN = ".class", ".phones", "phone-"
# A photograph of a digit is kept no larger, in pixels.
_SIDE = 600


@dataclass(frozen=True)
class Collection:
    """The folder of a class; `OutputError` where it can't be made."""

    folder: Path

    def __post_init__(self) -> None:
        make_folder(self.folder)

    @property
    def class_(self) -> str:
        """The class whose sheets lie here, nothing where that is not known yet."""
        path = self.folder / _CLASS
        return path.read_text("utf-8") if path.exists() else ""

    def begin(self, class_: str) -> None:
        """Let the folder be that of a class."""
        write_text(self.folder / _CLASS, class_)

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

    def join(self, name: str, token: str = "") -> str:
        """Return the token of the phone that draws under a name; `RunError` where another does."""
        path, made = self.folder / _PHONES / key_of(as_name(name)), token or secrets.token_urlsafe()
        make_folder(path.parent)
        try:
            with path.open("x") as file:
                file.write(made)
        except FileExistsError:
            if token and secrets.compare_digest(path.read_bytes(), token.encode()):
                return token
            raise RunError(f"another phone draws as {name}: add a letter of your surname") from None
        except OSError as error:
            path.unlink(missing_ok=True)
            raise OutputError(f"{path} cannot be written: {reason(error)}") from None
        return made

    def draw(self, name: str, digit: str, source: Source, max_pixels: int) -> None:
        """Keep what was drawn or photographed; `ImageError` where there is no ink on it."""
        picture = fitted(open_grey(source, max_pixels=max_pixels), _SIDE)
        if extract_digit(picture) is None:
            raise ImageError("there is no digit on it: write one")
        file = f"{_DRAWN}{secrets.token_hex(6)}.png"
        self.keep(self.person(as_name(name)) / digit / file, as_png(picture))

    def drawn(self, name: str | None = None) -> list[Path]:
        """Return what was drawn on phones, by one pupil or by all."""
        whose = escape(self.person(as_name(name)).name) if name else "*"
        return sorted(self.folder.glob(f"{whose}/[0-9]/{_DRAWN}*.png"))

    def forget(self, name: str) -> None:
        """Delete what a pupil drew on a phone; what is of sheets stays."""
        for path in self.drawn(name):
            with writing(path):
                path.unlink()
