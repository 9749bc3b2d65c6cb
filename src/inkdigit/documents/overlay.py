"""A template drawn over a scan, for people: where its fields lie, and what is doubted."""

from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont, ImageOps

from inkdigit.documents.doubts import doubt_of
from inkdigit.documents.landmarks import fitted
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.errors import ImageError
from inkdigit.images import Source, open_pages

# Okabe and Ito's; nothing is told by colour alone.
_SURE, _DOUBTED = "#006b4a", "#b34700"
_SIDE, _CAPTION = 1400, 26


def checked(
    registrar: Registrar, source: Source, name: str
) -> Iterator[tuple[str, bool, Image.Image]]:
    """Yield a sentence on each page, whether it is refused, and it with the template drawn over it.

    Raises `ImageError` for what cannot be opened.
    """
    for number, page in enumerate(open_pages(source), start=1):
        try:
            found = registrar.register(page)
            image, said = _drawn(found)
            is_refused = False
        except ImageError as error:
            image, said = Image.fromarray(fitted(page, _SIDE)).convert("RGB"), f"refused, {error}"
            is_refused = True
        said = f"{name}, page {number}: {said}"
        framed = ImageOps.expand(image, (0, _CAPTION, 0, 0), "white")
        ImageDraw.Draw(framed).text((4, 4), said, "black", ImageFont.load_default(14))
        yield said, is_refused, framed


def _drawn(found: Registration) -> tuple[Image.Image, str]:
    small = found.on(fitted(found.scan, _SIDE))
    image = Image.fromarray(small.scan).convert("RGB")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    said = [f"{found.blank}, {found.share:.0%} of its print within {found.residual:.1f} mm"]
    for field in found.blank.fields:
        doubt = doubt_of(field, found)
        said += [f"{field.name}: {doubt}"] if doubt else []
        colour, width = (_DOUBTED, 4) if doubt else (_SURE, 2)
        for box in field.cell_boxes:
            points = [tuple(point) for point in small.corners(box).tolist()]
            pen.polygon(points, outline=colour, width=width)
        left, top = small.corners(field.box).min(axis=0).tolist()
        pen.rectangle(pen.textbbox((left, top), field.name, font, "ls"), "white")
        pen.text((left, top), field.name, colour, font, "ls")
    return image, "; ".join(said)
