"""Digits as one PNG in a page, from which it cuts them."""

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.reading.preprocessing.digit import SIZE

_COLUMNS = 20


def sheet_of(images: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Return digits `(n, 28, 28)` side by side in rows of so many `columns`, as a PNG."""
    blank = np.zeros(
        (-len(images) % _COLUMNS or _COLUMNS * (not len(images)), SIZE, SIZE), np.uint8
    )
    rows = np.concatenate([images, blank]).reshape(-1, _COLUMNS, SIZE, SIZE)
    stream = io.BytesIO()
    sheet = rows.transpose(0, 2, 1, 3).reshape(-1, _COLUMNS * SIZE)
    Image.fromarray(sheet).save(stream, "PNG", optimize=True)
    return {"columns": _COLUMNS, "sheet": base64.b64encode(stream.getvalue()).decode()}
