"""The pictures of a table's rows, opened as they were read: a file, a page of it, or its box."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from inkdigit.bulk.rows import cut_out, open_page
from inkdigit.bulk.storage import is_uri
from inkdigit.errors import SettingError, SourceError
from inkdigit.images import Grey, as_png, turned
from inkdigit.review.fields import Field

# The longest side of what is shown, in pixels: large, and as the surroundings of a box.
_LARGE, _SMALL = 2_000, 900


@dataclass(frozen=True)
class Pictures:
    """Where the pictures of a table lie: as they are named, beside the table, or in `folder`.

    They are turned as they were when they were read.
    """

    table: Path
    folder: Path | None = None

    def crop(self, field: Field) -> Grey:
        """Return what was read: a page, or the box of it; `ImageError` where it has gone."""
        page = self._page(field)
        cut = cut_out(page, field.box, field.source) if field.box else page
        return turned(cut, field.rotate)

    def png(self, field: Field) -> bytes:
        """Return what was read as a PNG file."""
        return _fitted(Image.fromarray(self.crop(field)), _LARGE)

    def surroundings(self, field: Field) -> bytes:
        """Return the page as a small PNG file, with a frame around the box."""
        page = Image.fromarray(self._page(field))
        x, y, width, height = field.box or (0, 0, *page.size)
        thick = max(page.size) // 300 + 1
        frame = (x - thick, y - thick, x + width + thick, y + height + thick)
        ImageDraw.Draw(page).rectangle(frame, outline=0, width=thick)
        return _fitted(Image.fromarray(turned(np.asarray(page), field.rotate)), _SMALL)

    def check(self, field: Field) -> None:
        """Raise `SourceError` where a picture is not where it was."""
        place = self.place(field.source)
        if not (is_uri(place) or Path(place).exists()):
            raise SourceError(
                f"{place} is not there: say with --pictures in which folder the pictures lie now"
            )

    def place(self, source: str) -> str:
        """Return where a picture lies; a manifest has named it from its own folder.

        In `folder` it is the longest end of its path that is there.
        """
        if is_uri(source):
            return source
        if self.folder is not None:
            named = Path(source)
            parts = named.relative_to(named.anchor).parts
            ends = (self.folder.joinpath(*parts[at:]) for at in range(len(parts)))
            return str(next(filter(Path.exists, ends), self.folder / named.name))
        beside = self.table.parent / source
        return str(beside) if beside.exists() and not Path(source).exists() else source

    def only_place(self, source: str) -> Path:
        """Return where a picture lies; `SettingError` if that may be either of two, or a bucket."""
        place = Path(self.place(source))
        if is_uri(source):
            raise SettingError(f"{source} is in a bucket: delete it there")
        beside = self.table.parent / source
        both = self.folder is None and place.exists() and beside.exists()
        if both and not place.samefile(beside):
            raise SettingError(f"{source} is {place.absolute()} or {beside}: say --pictures")
        return place

    def _page(self, field: Field) -> Grey:
        return open_page(self.place(field.source), field.page)


def _fitted(image: Image.Image, longest: int) -> bytes:
    """Return a picture as a PNG file that is at most so many pixels wide and high."""
    image.thumbnail((longest, longest))
    return as_png(np.asarray(image))
