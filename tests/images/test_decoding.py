"""Pictures of every format and mode, and the pages of a TIFF, through Pillow."""

import io
import struct
import threading
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image
from samples import COLOURS, RAMP, Bytes, encoded, farthest, luma, png, shades_of

from documents import SHADES, document
from inkdigit.errors import ImageError
from inkdigit.images import MAX_PIXELS, count_pages, open_grey, open_pages


@pytest.mark.parametrize(
    ("kind", "options", "bound"),
    [
        ("PNG", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
        ("PPM", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 12),
        ("WEBP", {"quality": 95}, 12),
        ("AVIF", {"quality": 95}, 12),
        ("JPEG2000", {}, 0),
    ],
)
def test_grey_comes_back_from_every_format(
    kind: str, options: dict[str, object], bound: float, tmp_path: Path
) -> None:
    content = encoded(Image.fromarray(RAMP), kind, **options)
    path = tmp_path / "picture.anything"
    path.write_bytes(content)
    for source in (content, io.BytesIO(content), path, str(path)):
        assert farthest(open_grey(source), RAMP) <= bound


@pytest.mark.parametrize("mode", ["L", "LA", "PA", "La", "RGB", "RGBA", "RGBa", "CMYK", "HSV"])
def test_grey_comes_back_from_every_mode(mode: str) -> None:
    grey = Image.fromarray(RAMP)
    steps = {"PA": ["P"], "La": ["LA"], "RGBa": ["RGBA"], "HSV": ["RGB"]}
    for step in [*steps.get(mode, []), mode]:
        grey = grey.convert(step)
    assert farthest(open_grey(grey), RAMP) <= 1


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "PNG"), ("RGB", "TIFF"), ("RGBA", "PNG")])
def test_colours_become_their_luma(mode: str, kind: str) -> None:
    content = encoded(Image.fromarray(COLOURS).convert(mode), kind)
    assert farthest(open_grey(content), luma(COLOURS)) <= 1


def test_a_palette_is_looked_up() -> None:
    indexed = Image.fromarray(COLOURS).quantize(16)
    table = np.array(indexed.getpalette(), np.uint8).reshape(-1, 3)
    expected = luma(table[np.asarray(indexed)])
    for kind in ("PNG", "GIF", "BMP"):
        assert farthest(open_grey(encoded(indexed, kind)), expected) <= 1


def test_cmyk_jpeg() -> None:
    flat = Image.new("CMYK", (16, 16), (0, 0, 0, 200))
    assert farthest(open_grey(encoded(flat, "JPEG")), np.full((16, 16), 55)) <= 2


def test_one_bit_is_black_and_white() -> None:
    bits = RAMP > 127
    for kind, options in (("PNG", {}), ("TIFF", {"compression": "group4"}), ("BMP", {})):
        content = encoded(Image.fromarray(bits), kind, **options)
        assert farthest(open_grey(content), bits * 255) == 0


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    deep = RAMP.astype(np.uint16) * 257
    assert farthest(open_grey(encoded(Image.fromarray(deep), kind)), RAMP) == 0


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_every_png_of_sixteen_bits(kind: int, channels: int) -> None:
    values = np.full((24, 30, channels), 65535, ">u2")
    colours = channels - (channels in {2, 4})
    values[..., :colours] = RAMP[..., None].astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    assert farthest(open_grey(png(30, 24, 16, kind, rows)), RAMP) == 0


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_tiffs_in_other_spaces_of_colour(mode: str) -> None:
    bands = [Image.fromarray(band) for band in (RAMP, *[np.full_like(RAMP, 128)] * 2)]
    content = encoded(Image.merge(mode, bands), "TIFF")
    if mode == "YCbCr" and int(PIL.__version__.partition(".")[0]) < 13:
        with pytest.raises(ImageError, match="is broken"):  # refused, and not misread
            open_grey(content)
    else:
        assert farthest(open_grey(content), RAMP) <= 2


@pytest.mark.parametrize("white", [1, 255, 65535])
def test_float_pictures_in_each_usual_range(white: int) -> None:
    content = encoded(Image.fromarray((RAMP / 255 * white).astype(np.float32)), "TIFF")
    assert farthest(open_grey(content), RAMP) <= 1


@pytest.mark.parametrize("factor", [1, 257])
def test_integer_pictures_of_32_bits(factor: int) -> None:
    content = encoded(Image.fromarray(RAMP.astype(np.int32) * factor), "TIFF")
    assert farthest(open_grey(content), RAMP) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_float_pictures_must_be_finite(bad: float) -> None:
    values = (RAMP / 255).astype(np.float32)
    values[3, 4] = bad
    with pytest.raises(ImageError, match="NaN or infinite"):
        open_grey(encoded(Image.fromarray(values), "TIFF"))
    with pytest.raises(ImageError, match="NaN or infinite"):
        open_grey(values)


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda a: np.rot90(a, 1)),
        (7, lambda a: np.rot90(a, 2).T),
        (8, lambda a: np.rot90(a, -1)),
    ],
)
def test_exif_orientation_is_applied(orientation: int, stored: Callable[[Bytes], Bytes]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored(RAMP)))
    assert farthest(open_grey(encoded(image, "PNG", exif=exif)), RAMP) == 0
    assert farthest(open_grey(encoded(image, "JPEG", quality=95, exif=exif)), RAMP) <= 12


def test_one_colour_of_a_palette_may_be_transparent() -> None:
    indexed = Image.new("P", (8, 8), 0)
    indexed.putpalette([9, 9, 9, 40, 40, 40])
    indexed.putpixel((3, 2), 1)
    expected = np.full((8, 8), 255)
    expected[2, 3] = 40
    for kind in ("PNG", "GIF"):
        assert farthest(open_grey(encoded(indexed, kind, transparency=0)), expected) == 0
    content = encoded(indexed, "PNG", transparency=bytes([0, 255]))
    assert farthest(open_grey(content), expected) == 0


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert farthest(open_grey(content), RAMP) <= 1


def test_animations_are_their_first_frame() -> None:
    for kind in ("GIF", "PNG", "WEBP"):
        content = document(kind, lossless=True)
        assert count_pages(content) == 1
        assert open_grey(content).mean() == pytest.approx(10, abs=1)


def test_a_photo_with_a_second_picture_inside_is_one_page() -> None:
    assert shades_of(open_pages(document("MPO"))) == [10]


def test_thumbnails_of_a_tiff_are_no_pages() -> None:
    frames = [Image.new("L", (40, 60), shade) for shade in SHADES]
    frames[1].encoderinfo = {"tiffinfo": {254: 1}}
    stream = io.BytesIO()
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    assert shades_of(open_pages(stream.getvalue())) == [10, 200]


def test_a_tiff_whose_frames_go_in_circles_ends() -> None:
    content = bytearray(document("TIFF"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(2)
        last = image.tag_v2.offset
    first = content[4:8]
    entries = int.from_bytes(content[last : last + 2], "little")
    content[last + 2 + 12 * entries :][:4] = first
    assert len(open_pages(bytes(content))) == 3


def test_a_broken_page_does_not_take_the_others_with_it() -> None:
    content = bytearray(document("TIFF", compression="tiff_adobe_deflate"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]
    content[start : start + size] = b"\xff" * size
    pages = open_pages(bytes(content))
    assert (next(pages) == 10).all()
    with pytest.raises(ImageError, match="page 2 of the picture is broken"):
        next(pages)
    assert (next(pages) == 200).all()
    assert next(pages, None) is None


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_the_pages_of_a_tiff_before_its_broken_end_are_read(kept: float) -> None:
    content = document("TIFF")
    pages = open_pages(content[: int(len(content) * kept)])
    with pytest.raises(ImageError, match="is broken"):
        shades_of(pages)


def test_an_image_that_was_closed() -> None:
    image = Image.open(io.BytesIO(encoded(Image.fromarray(RAMP), "PNG")))
    image.close()
    with pytest.raises(ImageError, match="the image is broken: it was closed before it was read"):
        open_grey(image)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("AVIF", {}),
        ("JPEG2000", {}),
        ("PPM", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_truncated_files(kind: str, options: dict[str, object], tmp_path: Path) -> None:
    content = encoded(Image.fromarray(COLOURS).resize((200, 200)), kind, **options)
    for share in (0.001, 0.05, 0.5, 0.9, 0.99):
        (tmp_path / "half").write_bytes(content[: int(len(content) * share) + 1])
        with pytest.raises(ImageError, match=r"half (is broken|is not a picture)") as caught:
            open_grey(tmp_path / "half")
        assert "\n" not in str(caught.value)


def bombs(width: int, height: int) -> dict[str, bytes]:
    """Small files of each format that say they are large."""
    small = Image.fromarray(COLOURS)
    gif, bmp, jpeg = (bytearray(encoded(small, kind)) for kind in ("GIF", "BMP", "JPEG"))
    avif, jpeg2000 = (bytearray(encoded(small, kind)) for kind in ("AVIF", "JPEG2000"))
    size = avif.index(b"ispe") + 8
    # libavif refuses more by itself.
    avif[size : size + 8] = struct.pack(">II", min(width, 9_500), min(height, 9_500))
    size = jpeg2000.index(b"ihdr") + 4
    jpeg2000[size : size + 8] = struct.pack(">II", height, width)
    gif[6:10] = struct.pack("<HH", width, height)
    bmp[18:26] = struct.pack("<ii", width, height)
    size = jpeg.index(b"\xff\xc0") + 5
    jpeg[size : size + 4] = struct.pack(">HH", height, width)
    webp = bytearray(encoded(small, "WEBP", lossless=True))
    most = 2**14 - 1
    webp[21:25] = struct.pack("<I", min(width - 1, most) | min(height - 1, most) << 14)
    tiff = encoded(small, "TIFF")
    for tag, side, new in ((256, 30, width), (257, 24, height)):
        entry = struct.pack("<HHIH", tag, 4, 1, side)
        assert entry in tiff
        tiff = tiff.replace(entry + b"\0\0", struct.pack("<HHII", tag, 4, 1, new))
    return {
        "PNG": png(width, height, 8, 0, b"\0" * 99),
        "PPM": b"P5 %d %d 255 abc" % (width, height),
        "GIF": bytes(gif),
        "BMP": bytes(bmp),
        "JPEG": bytes(jpeg),
        "AVIF": bytes(avif),
        "JPEG2000": bytes(jpeg2000),
        "WEBP": bytes(webp),
        "TIFF": tiff,
    }


@pytest.mark.parametrize("kind", bombs(1, 1))
@pytest.mark.parametrize("side", [65_000, 9_500])
def test_a_bomb_is_refused_unopened(kind: str, side: int) -> None:
    content = bombs(side, side)[kind]
    tracemalloc.start()
    with pytest.raises(ImageError, match=r"pixels.*: shrink it$"):
        open_grey(content)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_image_too_large_is_refused_before_it_is_decoded() -> None:
    said = r"84,640,000 pixels \(9200×9200\), more than 64,000,000 \(max_pixels\): shrink it"
    with (
        Image.open(io.BytesIO(bombs(9_200, 9_200)["PNG"])) as image,
        pytest.raises(ImageError, match=said),
    ):
        open_grey(image)


def test_a_limit_that_was_raised_goes_before_that_of_pillow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    for kind in ("PNG", "TIFF"):
        content = encoded(Image.fromarray(RAMP), kind)
        with pytest.raises(ImageError, match="pixels"):
            open_grey(content)
        assert farthest(open_grey(content, max_pixels=MAX_PIXELS + 1), RAMP) == 0
    assert Image.MAX_IMAGE_PIXELS == 50


def test_a_raised_limit_does_not_outlast_the_call() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda most: attempt(lambda: open_grey(document("TIFF"), page=1, max_pixels=most)),
                [10, 10**10] * 20,
            )
        )
    assert limit == Image.MAX_IMAGE_PIXELS


def attempt(action: Callable[[], object]) -> str:
    try:
        return str(action())
    except ImageError as error:
        return str(error)


def test_warnings_are_as_before_after_threads_overlap(recwarn: pytest.WarningsRecorder) -> None:
    before = list(warnings.filters)
    odd = document("TIFF").replace(b"\x1a\x01\x05\x00", b"\x1a\x01\x09\x00")
    both = threading.Barrier(4)

    def read(_: int) -> None:
        both.wait()
        for _ in range(20):
            count_pages(odd)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    assert list(warnings.filters) == before
    assert not recwarn.list


@pytest.mark.parametrize(("width", "height"), [(1, 1), (30_000, 20), (20, 30_000)])
def test_odd_sizes_open(width: int, height: int) -> None:
    picture = Image.new("RGB", (width, height), (9, 9, 9))
    for kind in ("PNG", "TIFF", "BMP", "GIF", "JPEG", "PPM"):
        assert (open_grey(encoded(picture, kind)) == 9).all()
