"""Draw the pictures of docs/gallery.md: what the packaged models read, and what they do not yet.

    python benchmarks/gallery.py --data mnist --fonts fonts/node_modules --out docs

Nothing is picked by hand: the first pictures that are drawn, and of some thousands the mistakes
that were surest. They are drawn with digits of MNIST's test half and with fonts that the networks
did not learn from.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from inkdigit import Reader, Reading
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import DIGITS

FIRST, MISTAKES, DRAWN = 48, 24, 3000
SEED = 96
CELL = (190, 84)
COLUMNS = 6
COLOURS = {"accepted": "#1a7f37", "review": "#9a6700", "rejected": "#cf222e"}

Grey = npt.NDArray[np.uint8]


def main() -> None:
    """Draw, read, and write one sheet for lines and one for digits, each with its mistakes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    digits = load_dataset(options.data, data_dir=options.data_dir).test
    for single in (False, True):
        drawing = Generator(digits, options.fonts, held_out=True, single=single)
        readings = list(read_drawn(drawing, single=single))
        name = "digits" if single else "lines"
        sheet(readings[:FIRST]).save(options.out / f"gallery-{name}.png", optimize=True)
        sheet(surest_mistakes(readings)).save(
            options.out / f"gallery-{name}-mistakes.png", optimize=True
        )


def read_drawn(drawing: Generator, *, single: bool) -> Iterator[tuple[Grey, str, Reading]]:
    """Yield pictures with what stands in them and what is read."""
    reader, draw = Reader.load(), drawing.pictures()
    for number in range(DRAWN):
        picture, text = draw(np.random.default_rng([SEED, number]))
        yield picture, text, reader.read(picture, single=single)


def is_right(text: str, reading: Reading) -> bool:
    """Return whether a reading is right; a digit that is none is read right if it is rejected."""
    if text == "?":
        return reading.status == "rejected" or not reading.text
    return reading.text == "".join(character for character in text if character in DIGITS)


def surest_mistakes(readings: list[tuple[Grey, str, Reading]]) -> list[tuple[Grey, str, Reading]]:
    """Return the mistakes, the surest first."""
    wrong = [item for item in readings if not is_right(item[1], item[2])]
    return sorted(wrong, key=lambda item: -item[2].confidence)[:MISTAKES]


def sheet(readings: list[tuple[Grey, str, Reading]]) -> Image.Image:
    """Return pictures in a grid, each over what was read, in the colour of its status."""
    width, height = CELL
    rows = -(-len(readings) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    draw = ImageDraw.Draw(page)
    for place, (picture, text, reading) in enumerate(readings):
        x, y = place % COLUMNS * width, place // COLUMNS * height
        shown = ImageOps.contain(Image.fromarray(picture), (width - 10, height - 26))
        page.paste(shown, (x + 4, y + 2))
        mark = "" if is_right(text, reading) else f"   is {text or 'nothing'}"
        caption = f"{reading.text or 'nothing'}   {reading.confidence:.3f}{mark}"
        font = fitting(caption, width - 10)
        draw.text((x + 4, y + height - 21), caption, COLOURS[reading.status], font)
    return page.quantize(128)


def fitting(caption: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the largest font in which a caption is no wider than that, within reason."""
    fonts = [ImageFont.load_default(size) for size in range(13, 7, -1)]
    return next((font for font in fonts if font.getlength(caption) <= width), fonts[-1])


if __name__ == "__main__":
    main()
