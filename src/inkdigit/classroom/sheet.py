"""The sheet: a form with a row of boxes for each digit, and a page of it for each pupil.

`sheet.form.json` beside this module is its template, `sheet.form.1.png` its blank.
"""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from inkdigit.classroom.names import as_name
from inkdigit.documents.markers import code_of, code_picture
from inkdigit.documents.registration import Registration
from inkdigit.documents.template import Template
from inkdigit.errors import ImageError, SettingError, shown
from inkdigit.files import write_atomically

_FILE = Path(__file__).with_name("sheet.form.json")
TEMPLATE = Template.load(_FILE)
# Where the name stands, and the code twice: photographs lack an edge now and then.
*_, _NAME, _CODE, _AGAIN = (field.box for field in TEMPLATE.fields)
# In mm: the white around a code in its box, and how high letters are at most.
_MARGIN, _LETTERS = 4.0, 8.0


def write_sheets(path: Path, class_: str, names: Iterable[str], count: int = 1) -> None:
    """Write a PDF with `count` sheets for each pupil of a class, A4.

    Raises `SettingError` for a name that no font here can print, `OutputError` for a path that
    can't be written.
    """
    first, *others = [_page(class_, name, n) for name in names for n in range(1, count + 1)]
    dpi = 25.4 * first.width / TEMPLATE.pages[0].width
    save = partial(first.save, format="PDF", save_all=True, append_images=others, resolution=dpi)
    write_atomically(path, save)


def pupil_of(found: Registration) -> tuple[str, str, int]:
    """Return class, pupil and number of a sheet; `ImageError` where its code can't be read."""
    copy = found.copy(_CODE, _AGAIN)
    if not (said := re.fullmatch(r"([^/]+)/([^/]+)/([1-9]\d?)", copy)):
        raise ImageError(f"the code {shown(copy)} is that of no pupil")
    return as_name(said[1]), as_name(said[2]), int(said[3])


def _page(class_: str, name: str, number: int) -> Image.Image:
    page = Image.open(_FILE.with_name(TEMPLATE.pages[0].print))
    mm = page.width / TEMPLATE.pages[0].width
    code = Image.fromarray(code_picture(code_of(TEMPLATE.name, 1, f"{class_}/{name}/{number}")))
    for left, top, width, height in (_CODE, _AGAIN):
        side = round((min(width, height) - 2 * _MARGIN) * mm)
        corner = round((left + _MARGIN) * mm), round((top + _MARGIN) * mm)
        page.paste(code.resize((side, side), Image.Resampling.NEAREST), corner)
    said, (left, top, width, _) = f"{name}, {class_}, sheet {number}", (mm * one for one in _NAME)
    font = ImageFont.truetype(_font(said), _LETTERS * mm)
    font = font.font_variant(size=font.size * min(1, width / font.getlength(said)))
    ImageDraw.Draw(page).text((left, top + _MARGIN * mm), said, 0, font)
    return page.convert("1", dither=Image.Dither.NONE)


def _font(name: str) -> str:
    """Return the file of a font with the letters of a name, matplotlib's own where it has them."""
    fonts = sorted(fontManager.ttflist, key=lambda font: font.name != "DejaVu Sans")
    for font in [font for font in fonts if "Last Resort" not in font.name]:
        if set(map(ord, name)) <= FT2Font(font.fname).get_charmap().keys():
            return font.fname
    raise SettingError(f"no font here has the letters of {name}: install one, such as Noto Sans")
