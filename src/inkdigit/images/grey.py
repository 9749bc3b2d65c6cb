"""What a grey page is, and how large one may be."""

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ImageError

Grey = npt.NDArray[np.uint8]

MAX_PIXELS = 64_000_000


def check_size(height: int, width: int, name: str, max_pixels: int) -> None:
    """Raise `ImageError` for a picture without pixels, or with more than `max_pixels`."""
    if height < 1 or width < 1:
        raise ImageError(f"{name} is empty ({width}×{height} pixels)")
    if height * width > max_pixels:
        raise ImageError(
            f"{name} has {height * width:,} pixels ({width}×{height}), more than {max_pixels:,}: "
            "shrink it, or raise max_pixels (--max-pixels)"
        )
