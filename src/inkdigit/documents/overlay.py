"""A template drawn over a scan, for people: where its fields lie, and what is doubted."""

from collections.abc import Iterator

from PIL import Image, ImageDraw, ImageFont

from inkdigit.documents.landmarks import fitted
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.errors import ImageError
from inkdigit.images import Source, open_pages

# Okabe and Ito's; nothing is told by colour alone.
_SURE, _DOUBTED = "#006b4a", "#b34700"
_SIDE, _CAPTION = 1400, 26


def checked(registrar: Registrar, source: Source, name: str) -> Iterator[tuple[str, Image.Image]]:
    """Yield a sentence on each page of a document, and the page with the template drawn over it.

    Raises `ImageError` for what cannot be opened.
    """
    pages = open_pages(source)
    for number, page in enumerate(pages, start=1):
        named = f"{name}, page {number}" if len(pages) > 1 else name
        try:
            found = registrar.register(page)
        except ImageError as error:
            said = f"{named}: refused, {error}"
            yield said, _captioned(Image.fromarray(fitted(page, _SIDE)).convert("RGB"), said)
        else:
            yield _drawn(found, named)


def _drawn(found: Registration, name: str) -> tuple[str, Image.Image]:
    found = found.on(fitted(found.scan, _SIDE))
    image = Image.fromarray(found.scan).convert("RGB")
    pen, doubts = ImageDraw.Draw(image), list[str]()
    for field in found.blank.fields:
        doubt = found.doubt_at(field.box)
        doubts += [f"{field.name}: {doubt}"] if doubt else []
        for box in field.cell_boxes:
            points = [tuple(point) for point in found.corners(box).tolist()]
            pen.polygon(points, outline=_DOUBTED if doubt else _SURE, width=3 if doubt else 2)
        pen.text(points[0], field.name, _DOUBTED if doubt else _SURE, anchor="ld")
    said = (
        f"{name}: {found.blank}, {found.share:.0%} of its print found again within "
        f"{found.residual:.1f} mm"
    )
    return "; ".join([said, *doubts]), _captioned(image, said)


def _captioned(image: Image.Image, said: str) -> Image.Image:
    page = Image.new("RGB", (image.width, image.height + _CAPTION), "white")
    page.paste(image, (0, _CAPTION))
    ImageDraw.Draw(page).text((4, 4), said, "black", ImageFont.load_default(14))
    return page
