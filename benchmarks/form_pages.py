"""Forms that are drawn: blanks with known fields, filled in by hands, and scanned in simulation."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from inkdigit.documents.template import PER_MM, BoxMm, Field, Page, Template
from inkdigit.images import Grey
from inkdigit.learning.datasets import Digits

Floats = npt.NDArray[np.float64]
FONTS = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans:bold", "DejaVu Serif:italic", "STIXGeneral")
SIZES = ((210, 297), (148, 210), (216, 279), (297, 210))
WORDS = (  # noqa: SIM905
    "name address of applicant please write clearly in black office use only date amount total "
    "number claim section part item description quantity unit price signature received approved "
    "department reference period from until weekly hours rate sum carried forward see note overleaf"
).split()
INK = 30


@dataclass
class DrawnForm:
    """A blank and its template's fields and rules."""

    print: Grey
    size: tuple[int, int]
    fields: list[Field] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def save(self, folder: Path, name: str) -> Template:
        """Write the template into a folder, and return it as it is loaded."""
        page = Page(width=self.size[0], height=self.size[1], print=f"{name}.form.1.png")
        template = Template(
            name=name, pages=(page,), fields=tuple(self.fields), rules=tuple(self.rules)
        )
        path = folder / f"{name}.form.json"
        template.save(path, [self.print])
        return Template.load(path)


@lru_cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont(name), size)


class _Sheet:
    """Draws on a page in mm."""

    def __init__(self, size: tuple[int, int], font: str) -> None:
        self.size, self.font = size, font
        self.image = Image.new("L", (round(size[0] * PER_MM), round(size[1] * PER_MM)), 255)
        self.pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, words: str, mm: float = 3.5) -> float:
        font = _font(self.font, round(mm * PER_MM))
        self.pen.text((x * PER_MM, y * PER_MM), words, INK, font)
        return x + font.getlength(words) / PER_MM

    def box(self, x: float, y: float, width: float, height: float, line: float = 0.3) -> None:
        corners = [round(v * PER_MM) for v in (x, y, x + width, y + height)]
        self.pen.rectangle(corners, outline=INK, width=max(1, round(line * PER_MM)))

    def comb(self, x: float, y: float, cells: int, width: float, height: float) -> None:
        for i in range(cells):
            self.box(x + i * width, y, width, height)

    def rule(self, x: float, y: float, length: float) -> None:
        self.box(x, y, length, 0.3)


def draw_form(seed: int, *, marks: int = 10) -> DrawnForm:
    """Return a form with a comb, open fields, check boxes, and marks whose sum is the total."""
    rng = np.random.default_rng(seed)
    size = SIZES[seed % len(SIZES)]
    sheet = _Sheet(size, FONTS[seed % len(FONTS)])
    width, height = size

    def words(least: int, most: int) -> str:
        return " ".join(rng.choice(WORDS, rng.integers(least, most)))

    form = DrawnForm(np.asarray(sheet.image), size)
    sheet.text(15, 10, words(2, 5).upper(), 5.5)
    for line in range(3):
        sheet.text(15, 20 + 5 * line, words(5, 8), 2.8)
    sheet.text(15, 38, f"{words(1, 2)} no.")
    sheet.comb(60, 37, 7, 5.5, 7)
    form.fields.append(Field(name="number", page=1, box=(60, 37, 38.5, 7), kind="comb", cells=7))
    sheet.text(15, 49, f"{words(1, 2)} (day month year)", 3)
    sheet.rule(75, 55, 40)
    form.fields.append(Field(name="amount", page=1, box=(75, 46.5, 40, 9), kind="number"))
    for i in range(4):
        sheet.box(15 + 32 * i, 60, 4, 4)
        sheet.text(21 + 32 * i, 60, words(1, 2)[:12], 3)
        form.fields.append(
            Field(name=f"c{i + 1}", page=1, box=(15 + 32 * i, 60, 4, 4), kind="check")
        )
    columns = 1 if height > 250 else 2
    for i in range(marks + 1):
        name = "total" if i == marks else f"q{i + 1}"
        x, y = 15 + (i % columns) * 64, 70 + (i // columns) * 10
        sheet.box(x, y, 60, 10)
        sheet.text(x + 2, y + 3, name.upper() if i == marks else words(1, 3)[:14], 3)
        cells = 3 if i == marks else 2
        sheet.comb(x + 60 - 7 * cells, y + 0.75, cells, 6.5, 8.5)
        box = (x + 60.0 - 7 * cells, y + 0.75, 6.5 * cells, 8.5)
        form.fields.append(Field(name=name, page=1, box=box, kind="comb", cells=cells))
    form.rules.append(f"total = sum(q1..q{marks})")
    for line in range(int(height - 14 - (y + 14)) // 6):
        sheet.text(15, y + 14 + 6 * line, words(4, 8), 2.6)
    if width > 200:
        for line in range(8):
            sheet.text(150, 40 + 7 * line, words(1, 4), 2.6)
    form.print = np.asarray(sheet.image).copy()
    return form


def claim_form() -> DrawnForm:
    """Return the form of the documents: a member's number, a day, three amounts and their sum."""
    sheet = _Sheet((148, 105), FONTS[0])
    form = DrawnForm(np.asarray(sheet.image), sheet.size)
    sheet.text(12, 9, "Claim for expenses", 6)
    sheet.text(12, 18, "Please write one digit in each box. Amounts in whole euros.", 2.8)
    rows = ("Travel", "Meals", "Lodging", "Total")
    combs = [("member", "Member no.", 26.0, 6), ("day", "Day (day month year)", 36.0, 8)]
    combs += [(row.lower(), row, 52.0 + 10 * i, 4) for i, row in enumerate(rows)]
    for name, label, y, cells in combs:
        sheet.text(12, y + 2, label, 3.2)
        sheet.comb(62, y, cells, 6, 7)
        box = (62.0, y, 6.0 * cells, 7.0)
        form.fields.append(Field(name=name, page=1, box=box, kind="comb", cells=cells))
    sheet.box(108, 84.5, 4, 4)
    sheet.text(114, 84.5, "Receipts added", 3)
    form.fields.append(Field(name="receipts", page=1, box=(108, 84.5, 4, 4), kind="check"))
    sheet.text(12, 95, "Send it to the office until the tenth of the month.", 2.6)
    form.print = np.asarray(sheet.image).copy()
    return form


def fill(seed: int, form: DrawnForm, digits: Digits) -> tuple[Grey, dict[str, str]]:
    """Return a form filled in with some of these digits, and the text of each field.

    A check box is ticked in half of the cases, and of three marks one has a single digit.
    """
    rng = np.random.default_rng(seed)
    page, texts = form.print.astype(np.float64), dict[str, str]()
    marks = [one.name for one in form.fields if one.name.startswith("q")]
    values = {name: int(rng.integers(10 if rng.random() < 1 / 3 else 100)) for name in marks}
    values["total"] = sum(values.values())
    pen = rng.uniform(0.55, 0.95)
    for one in form.fields:
        if one.kind == "check":
            text = str(rng.integers(2))
        else:
            text = str(values.get(one.name, rng.integers(10**6, 10**7)))
            text = text[: int(rng.integers(2, 7))] if one.kind == "number" else text
        texts[one.name] = text
        _enter(rng, page, one, text, digits, pen)
    return np.asarray(page, np.uint8), texts


def fill_in(seed: int, form: DrawnForm, texts: dict[str, str], digits: Digits) -> Grey:
    """Return a form filled in with these texts; a field without one stays blank."""
    rng = np.random.default_rng(seed)
    page, pen = form.print.astype(np.float64), rng.uniform(0.55, 0.95)
    for one in form.fields:
        _enter(rng, page, one, texts.get(one.name, ""), digits, pen)
    return np.asarray(page, np.uint8)


def _enter(
    rng: np.random.Generator, page: Floats, one: Field, text: str, digits: Digits, pen: float
) -> None:
    """Write a text into a field, or tick it."""
    if one.kind == "check":
        if text == "1":
            _tick(rng, page, one.box, pen)
        return
    places = one.cell_boxes[one.cells - len(text) :] if one.cells else _places(rng, one, len(text))
    for symbol, box in zip(text, places, strict=True):
        among = np.flatnonzero(digits.labels == int(symbol))
        _write(rng, page, digits.images[rng.choice(among)], box, pen)


def _places(rng: np.random.Generator, one: Field, count: int) -> list[BoxMm]:
    """Return where the digits of a number stand in an open field."""
    left, top, _, height = one.box
    step = rng.uniform(4.2, 5.2)
    return [(left + 2 + i * step, top + 1, step, height - 1.5) for i in range(count)]


def _write(rng: np.random.Generator, page: Floats, digit: Grey, box: BoxMm, pen: float) -> None:
    """Write a digit into a box; now and then it touches the box's rules."""
    left, top, width, height = box
    tall = min(rng.uniform(0.6, 0.95) * height, 1.35 * width)
    size = round(tall * PER_MM * 28 / 20)
    ink = cv2.resize(digit, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    ink = cv2.GaussianBlur(np.clip((ink - 60) * 1.8, 0, 255), (0, 0), 0.6)
    x = round((left + width / 2 + rng.normal(0, 0.04) * width) * PER_MM - size / 2)
    y = round((top + height / 2 + rng.normal(0, 0.05) * height) * PER_MM - size / 2)
    page[y : y + size, x : x + size] *= 1 - pen * ink / 255


def _tick(rng: np.random.Generator, page: Floats, box: BoxMm, pen: float) -> None:
    """Draw a cross or a tick."""
    ways = (((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)),)
    ways += (((0.1, 0.5), (0.4, 0.9), (0.4, 0.9), (1.1, -0.1)),)
    ends = np.array(ways[rng.integers(2)]) + rng.normal(0, 0.06, (4, 2))
    points = np.rint((np.array(box[:2]) + ends * box[2:]) * PER_MM * 16).astype(int)
    ink = np.zeros(page.shape, np.uint8)
    for start, end in (points[:2], points[2:]):
        cv2.line(ink, start, end, 255, 4, cv2.LINE_AA, 4)
    page *= 1 - pen * ink / 255


def warp(seed: int, print_: Grey, *, hard: bool = True) -> tuple[Grey, Floats]:
    """Return a simulated photograph of a page, and the homography in pixels that made it.

    All turns, 60 to 140 %, perspective up to 6 %, an edge cropped by up to 8 %, shadow, blur, noise
    and JPEG. One that is not `hard` is a scan: a little askew, with light noise.
    """
    rng = np.random.default_rng(seed)
    height, width = print_.shape
    scale = rng.uniform(0.6, 1.4) if hard else rng.uniform(0.9, 1.1)
    tilt = np.deg2rad(rng.choice([0, 90, 180, 270]) + rng.uniform(-4, 4))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.06, 0.06, (4, 2)) * min(width, height) * hard
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    moved = moved @ turn.T * scale
    moved -= moved.min(axis=0)
    size = moved.max(axis=0)
    cropped = rng.uniform(0, 0.08) * hard * size * (np.arange(2) == rng.integers(2))
    moved -= cropped * rng.integers(2)
    size = np.maximum(1, np.rint(size - cropped)).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    page = cv2.GaussianBlur(print_, (0, 0), 0.45 / scale) if scale < 1 else print_
    desk = int(rng.integers(30, 250))
    scan = cv2.warpPerspective(page, matrix, tuple(size.tolist()), borderValue=desk)
    return _photographed(rng, np.asarray(scan), hard=hard), np.asarray(matrix, np.float64)


def _photographed(rng: np.random.Generator, scan: Grey, *, hard: bool) -> Grey:
    """Return a picture with a shadow, blur, noise and the traces of JPEG."""
    height, width = scan.shape
    dark, blurred, noisy = (0.55, 1.5, 8) if hard else (0.9, 0.6, 3)
    light = cv2.resize(rng.uniform(dark, 1, (3, 3)).astype(np.float32), (width, height))
    seen = cv2.GaussianBlur(scan * light, (0, 0), rng.uniform(0.3, blurred))
    seen = (seen + rng.normal(0, rng.uniform(1, noisy), scan.shape)).clip(0, 255)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
    _, coded = cv2.imencode(".jpg", seen.astype(np.uint8), quality)
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
