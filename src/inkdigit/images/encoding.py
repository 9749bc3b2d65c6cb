"""From a grey page back to a file."""

import io

from PIL import Image

from inkdigit.images.grey import Grey


def as_png(page: Grey) -> bytes:
    """Return `uint8 (height, width)` as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "PNG")
    return stream.getvalue()
