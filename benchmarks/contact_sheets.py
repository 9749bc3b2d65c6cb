"""Contact sheets of mistakes: each picture, what the network was shown of it, and what it said."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inkdigit.errors import InkdigitError
from inkdigit.images import Grey, open_grey
from inkdigit.reading.preprocessing.digit import normalise
from inkdigit.reading.preprocessing.line import extract_line

SHOWN = 60
_COLUMNS = 5
_WIDTH, _HEIGHT = 240, 190
_PICTURE, _SHOWN_TO = (230, 90), (230, 60)


@dataclass(frozen=True)
class Mistake:
    """A picture that was read wrong."""

    path: Path
    text: str
    read: str
    confidence: float


def write_sheet(mistakes: list[Mistake], path: Path, *, single: bool) -> None:
    """Write the surest mistakes as one PNG; an empty one where there are none."""
    worst = sorted(mistakes, key=lambda mistake: -mistake.confidence)[:SHOWN]
    rows = max(1, -(-len(worst) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * _WIDTH, rows * _HEIGHT), "white")
    for number, mistake in enumerate(worst):
        row, column = divmod(number, _COLUMNS)
        sheet.paste(tile(mistake, single=single), (column * _WIDTH, row * _HEIGHT))
    sheet.save(path)


def tile(mistake: Mistake, *, single: bool) -> Image.Image:
    """Return a picture, what was shown of it, and what was read."""
    out = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    try:
        page = open_grey(mistake.path)
        out.paste(_fitted(Image.fromarray(page), _PICTURE), (5, 20))
        out.paste(_fitted(Image.fromarray(_shown(page, single)), _SHOWN_TO), (5, 115))
    except InkdigitError as error:
        ImageDraw.Draw(out).text((5, 40), str(error)[:40], "red")
    says = f"{mistake.text or 'none'} read {mistake.read or 'nothing'} {mistake.confidence:.3f}"
    draw = ImageDraw.Draw(out)
    draw.text((5, 2), says, "black", font=ImageFont.load_default(14))
    draw.text((5, 176), mistake.path.name[-38:], "grey", font=ImageFont.load_default(10))
    return out


def _shown(page: Grey, single: bool) -> Grey:
    if single:
        return normalise(page)
    found = extract_line(page)
    return found.pixels if found else np.zeros((32, 32), np.uint8)


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[0] / picture.width, size[1] / picture.height)
    fitted = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(fitted, Image.Resampling.LANCZOS)
