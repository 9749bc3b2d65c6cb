"""Pictures of numbers, drawn stroke by stroke."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw
from strokes import strokes_of


def drawn(text: str, size: int = 60) -> Image.Image:
    """Return a picture of a number, black on white; blank for an empty text."""
    page = Image.new("L", (round(size * (0.85 * len(text) + 1)), 2 * size), 255)
    pen = ImageDraw.Draw(page)
    for stroke in strokes_of(text, size / 2, size / 2, size):
        pen.line(stroke, fill=0, width=max(2, size // 12), joint="curve")
    return page


def as_file(page: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture as the bytes of a file."""
    stream = io.BytesIO()
    page.save(stream, kind, **options)
    return stream.getvalue()


def png(text: str, size: int = 60) -> bytes:
    """Return a drawn number as a PNG file."""
    return as_file(drawn(text, size))


def document(texts: Sequence[str], kind: str = "TIFF", size: int = 60) -> bytes:
    """Return a document with a number on each page."""
    first, *others = (drawn(text, size) for text in texts)
    return as_file(first, kind, save_all=True, append_images=others)
