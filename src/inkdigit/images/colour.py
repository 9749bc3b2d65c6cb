"""From colours to the grey that shows the ink, and from transparency to paper."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.images.grey import Grey

_Floats = npt.NDArray[np.float32]

# ITU-R 601, as Pillow's mode L.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)

# Colours are judged on about so many pixels,
_SAMPLE = 50_000
# by the strongest edges: this share of all, that is enough for one digit on a whole page.
_STRONGEST, _FEWEST = 1 / 1000, 16
# Plain luminance is good enough with edges this high (of 255), or this share of those in colour
# (black ink has 0.58, yellow on white 0.15); and edges lower than this in colour are noise.
_GOOD_EDGE, _GOOD_SHARE, _NOISE = 48, 0.35, 30

# A pixel is opaque from this share of the greatest opacity; its colour is pure from that.
_OPAQUE, _PURE = 0.5, 0.95
# What is opaque is a page, and not strokes, where it fills this share of its box,
_PAGE_FILL = 0.5
# and more than this share of its pixels lies this far (of 255) from its commonest colour.
_OTHERS, _FAR = 1 / 2000, 64


def grey_from_colours(picture: Image.Image) -> Grey:
    """Return grey `uint8 (height, width)`, a copy, of a picture in mode L, RGB or RGBA.

    Luminance where that shows the ink. Else the colours along the line on which they differ most,
    paper light: so blue shows on a brown as dark as itself, and yellow on white. Transparent parts
    are laid on paper that the ink stands out from.
    """
    if picture.mode == "RGBA":
        picture = _on_paper(picture)
    plain = picture.convert("L")
    weights = _weights(picture, plain) if picture.mode == "RGB" else None
    return np.array(picture.convert("L", weights) if weights else plain)


def _weights(picture: Image.Image, plain: Image.Image) -> tuple[float, float, float, float] | None:
    """Return the weights of red, green, blue and 1 in the grey, or None for luminance."""
    factor = max(1, math.isqrt(picture.width * picture.height // _SAMPLE))
    shades = _strongest_edges(np.asarray(plain.reduce(factor))[..., None])
    height = float(np.abs(shades).mean()) if shades.size else 0
    if height >= _GOOD_EDGE:
        return None
    colours = np.asarray(picture.reduce(factor))
    axis, coloured = _main_direction(_strongest_edges(colours))
    if coloured < _NOISE or height >= _GOOD_SHARE * coloured:
        return None
    values = colours.reshape(-1, 3).astype(np.float32) @ axis
    low, high = float(values.min()), float(values.max())
    if values.mean() < (low + high) / 2:
        axis, low, high = -axis, -high, -low
    # No stronger than it is: to stretch the contrast would raise the noise with it.
    gain = min(1, 255 / (high - low))
    red, green, blue = (gain * axis).tolist()
    return red, green, blue, 255 - gain * high


def _strongest_edges(channels: Grey) -> npt.NDArray[np.int16]:
    """Return how pixels two apart differ, `(channels, n)`, where most: ink does, shade does not."""
    planes = np.moveaxis(channels, 2, 0).astype(np.int16, order="C")
    down, across = planes[:, 2:] - planes[:, :-2], planes[:, :, 2:] - planes[:, :, :-2]
    edges = np.concatenate([side.reshape(len(planes), -1) for side in (down, across)], axis=1)
    heights = np.abs(edges).sum(axis=0, dtype=np.int16)
    higher = np.bincount(heights)[::-1].cumsum()
    wanted = max(_FEWEST, round(len(heights) * _STRONGEST))
    least = len(higher) - 1 - int(np.searchsorted(higher, wanted))
    return np.asarray(edges[:, heights >= max(least, 1)])


def _main_direction(edges: npt.NDArray[np.int16]) -> tuple[_Floats, float]:
    """Return the direction, of length 1, in which the edges are highest, and how high."""
    values = edges.astype(np.float32)
    powers, directions = np.linalg.eigh(values @ values.T / max(values.shape[1], 1))
    return directions[:, -1], math.sqrt(max(powers[-1], 0))


def _on_paper(picture: Image.Image) -> Image.Image:
    pixels = np.asarray(picture)
    if pixels[..., 3].min() == 255:
        return picture.convert("RGB")
    paper = _paper(pixels) if pixels[..., 3].any() else _WHITE
    return Image.alpha_composite(Image.new("RGBA", picture.size, paper), picture).convert("RGB")


def _paper(pixels: Grey) -> tuple[int, ...]:
    """Return the colour to lay under `(height, width, 4)` that is transparent in part.

    Under a page, which is opaque over a wide area and of more than one colour, or light, its own
    commonest colour. Under strokes, white or black, whichever is farther from them.
    """
    step = max(1, math.isqrt(pixels[..., 3].size // _SAMPLE))
    sample = pixels[::step, ::step]
    alpha = sample[..., 3]
    if not alpha.any():
        sample, alpha = pixels, pixels[..., 3]
    colours = sample[alpha >= _PURE * alpha.max()][:, :3].astype(np.float32)
    commonest: _Floats = np.median(colours, axis=0)
    if _is_page(alpha >= _OPAQUE * alpha.max(), colours, commonest):
        return tuple(np.rint(commonest).astype(int).tolist())
    ink = np.average(sample[..., :3] @ _LUMA, weights=alpha)
    return _WHITE if ink <= 127 else _BLACK


def _is_page(opaque: npt.NDArray[np.bool_], colours: _Floats, commonest: _Floats) -> bool:
    rows, columns = np.flatnonzero(opaque.any(axis=1)), np.flatnonzero(opaque.any(axis=0))
    area = np.count_nonzero(opaque)
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    far = np.abs(colours - commonest).max(axis=1) > _FAR
    if float(far.mean()) > _OTHERS and area >= _PAGE_FILL * box:
        return True
    edge = np.concatenate([opaque[0], opaque[-1], opaque[:, 0], opaque[:, -1]])
    light = float(commonest @ _LUMA) > 127
    return bool(light and area >= _PAGE_FILL * opaque.size and not edge.all())
