"""Sheets of pictures, each with what was read in it."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from benchmarks.pictures import Picture
from inkdigit import Reader, Reading
from inkdigit.errors import InkdigitError
from inkdigit.images import Grey, open_grey

COLUMNS = 6
WIDTH, HEIGHT, CAPTION = 190, 62, 22
COLOURS = {"accepted": "#1a7f37", "review": "#9a6700", "rejected": "#cf222e"}


@dataclass(frozen=True)
class Tile:
    """What is seen, above each other, and below it what was read, in the colour of its status."""

    shown: list[Grey]
    caption: str
    colour: str


def tile(picture: Picture, reading: Reading, right: bool, shown: list[Grey]) -> Tile:
    """Return the tile of a reading, which says what stands there where that is something else."""
    truth = "" if right else f"   is {picture.text or 'nothing'}"
    caption = f"{reading.text or 'nothing'}   {reading.confidence:.3f}{truth}"
    return Tile(shown, caption, COLOURS[reading.status])


def mistake(picture: Picture, read: str, confidence: float, *, single: bool) -> Tile:
    """Return the tile of a mistake: the picture, and what the network was shown of it."""
    caption = f"{Path(str(picture.source)).name[-20:]}: {picture.text or 'none'}"
    try:
        shown = [open_grey(picture.source), Reader.load().preprocess(picture.source, single=single)]
    except InkdigitError as error:
        return Tile([], f"{caption}: {error}", COLOURS["rejected"])
    return Tile(shown, f"{caption} read {read or 'nothing'} {confidence:.3f}", "black")


def sheet(tiles: list[Tile]) -> Image.Image:
    """Return tiles in a grid."""
    high = HEIGHT * max((len(tile.shown) for tile in tiles), default=1) + CAPTION
    rows = max(1, -(-len(tiles) // COLUMNS))
    page = Image.new("RGB", (COLUMNS * WIDTH, rows * high), "white")
    draw = ImageDraw.Draw(page)
    for place, one in enumerate(tiles):
        x, y = place % COLUMNS * WIDTH, place // COLUMNS * high
        for number, grey in enumerate(one.shown):
            fitted = ImageOps.contain(Image.fromarray(grey), (WIDTH - 10, HEIGHT - 4))
            page.paste(fitted, (x + 4, y + 2 + number * HEIGHT))
        font = _fitting(one.caption, WIDTH - 10)
        draw.text((x + 4, y + high - 21), one.caption, one.colour, font)
    return page.quantize(128)


def _fitting(caption: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    fonts = [ImageFont.load_default(size) for size in range(13, 7, -1)]
    return next((font for font in fonts if font.getlength(caption) <= width), fonts[-1])
