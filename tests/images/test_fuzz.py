"""Damaged files of every format are read or refused, and nothing else.

Briefly with the tests; for longer by hand: `python tests/images/test_fuzz.py --seconds 300`.
"""

import argparse
import collections
import io
import itertools
import re
import sys
import time
from collections.abc import Iterator

import numpy as np
import pillow_heif
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image

from documents import filled_form
from inkdigit.errors import ImageError
from inkdigit.images import open_pages

MAX_PIXELS = 1_000_000
SLOWEST_S = 5.0

outcomes: collections.Counter[str] = collections.Counter()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def whole_files() -> Iterator[bytes]:
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 15, 3), np.uint8))
    grey, clear = colours.convert("L"), colours.copy()
    clear.putalpha(grey)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    noted = {"exif": exif, "save_all": True, "append_images": [colours]}
    yield from (encoded(colours, kind) for kind in ("BMP", "GIF", "JPEG", "PPM", "PDF", "TIFF"))
    yield from (encoded(colours, kind, **noted) for kind in ("PNG", "WEBP", "TIFF", "PDF", "MPO"))
    yield filled_form()
    yield from (encoded(clear, kind, exif=exif.tobytes()) for kind in ("AVIF", "HEIF"))
    yield from (encoded(picture, "JPEG2000") for picture in (clear, deep))
    yield encoded(colours, "JPEG", exif=exif, progressive=True)
    yield from (encoded(clear, kind) for kind in ("PNG", "TIFF", "WEBP"))
    yield from (encoded(colours.convert("CMYK"), kind) for kind in ("JPEG", "TIFF", "PDF"))
    yield from (encoded(colours.convert("P"), kind) for kind in ("PNG", "BMP", "TIFF"))
    yield from (encoded(grey.convert(mode), "TIFF") for mode in ("I", "F"))
    yield from (encoded(deep, kind) for kind in ("PNG", "TIFF", "PPM"))
    yield from (encoded(grey.convert("1"), kind) for kind in ("PNG", "BMP", "PDF"))
    yield encoded(colours.convert("P"), "GIF", transparency=3, save_all=True, append_images=[grey])
    for packing in ("tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"):
        yield encoded(colours, "TIFF", compression=packing)
    for packing in ("group3", "group4"):
        yield encoded(grey.convert("1"), "TIFF", compression=packing)


pillow_heif.register_heif_opener()
WHOLE = list(whole_files())
ODD_BYTES = st.sampled_from([0x00, 0x01, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)
LENGTHS = st.integers(1, 12)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a file with a few bytes set, cut out, doubled, put in, or spliced from another."""
    content = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 6))):
        # Headers matter most, and in a TIFF or PDF they lie at the end.
        place = draw(st.integers(0, len(content)) | st.integers(0, min(len(content), 64)))
        place = len(content) - place if draw(st.booleans()) else place
        beyond = min(len(content), place + draw(LENGTHS))
        match draw(st.sampled_from(["set", "set", "set", "cut", "end", "double", "put", "splice"])):
            case "set":
                content[place : place + 1] = bytes([draw(ODD_BYTES)])
            case "cut":
                del content[place:beyond]
            case "end":
                del content[place:]
            case "double":
                content[place:place] = content[place:beyond] * draw(LENGTHS)
            case "put":
                content[place:place] = bytes(draw(st.lists(ODD_BYTES, max_size=12)))
            case _:
                other = draw(st.sampled_from(WHOLE))
                start = draw(st.integers(0, len(other)))
                content[place:beyond] = other[start : start + draw(LENGTHS) ** 2]
    return bytes(content)


# What is said of a file, in our words and not in those of a library.
SAID = re.compile(
    r"(the picture|page \d+ of the picture) ("
    r"is broken: (it ends early|what is inside is damaged|the PDF is .*|it measures .*)"
    r"|is broken or needs more memory than there is|is (a|an) .+: .+|is encrypted: .+"
    r"|is not a picture that can be read .+|is empty .+|holds NaN or infinite values"
    r"|has .+ pixels.*: shrink it)"
)


def note(outcome: str, error: ImageError) -> None:
    assert SAID.fullmatch(str(error)), str(error)
    outcomes[outcome] += 1


def read_or_refuse(content: bytes) -> None:
    start = time.thread_time()
    try:
        pages = open_pages(content, max_pixels=MAX_PIXELS)
    except ImageError as error:
        note("refused", error)
        return
    for _ in range(len(pages)):
        try:
            grey = next(pages)
        except ImageError as error:
            note("page refused", error)
        else:
            assert grey.dtype == np.uint8
            assert grey.ndim == 2
            assert 0 < grey.size <= MAX_PIXELS
            outcomes["page read"] += 1
    assert time.thread_time() - start < SLOWEST_S


def test_the_files_are_whole() -> None:
    for content in WHOLE:
        assert all(page.size for page in open_pages(content))


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(damaged())
def test_a_damaged_file_is_read_or_refused(content: bytes) -> None:
    read_or_refuse(content)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(WHOLE), st.binary(max_size=200), st.integers(0, 40))
def test_a_beginning_followed_by_anything_is_read_or_refused(
    whole: bytes, rest: bytes, kept: int
) -> None:
    read_or_refuse(whole[:kept] + rest)


def run_for(seconds: float, first_seed: int) -> None:
    """Try damaged files until the time is over, or one is neither read nor refused."""
    end = time.monotonic() + seconds
    for number in itertools.count(first_seed):
        once = settings(
            max_examples=2000,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        seed(number)(once(given(damaged())(read_or_refuse)))()
        sys.stdout.write(f"seed {number}: {dict(outcomes)}\n")
        sys.stdout.flush()
        if time.monotonic() > end:
            break


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    run_for(arguments.seconds, arguments.seed)
