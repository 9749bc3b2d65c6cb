import io
import os
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL
import pytest
from PIL import Image

from inkdigit.errors import ImageError
from inkdigit.images import MAX_PIXELS, Source, open_grey

Bytes = npt.NDArray[np.uint8]
RAMP: Bytes = np.linspace(0, 255, 24 * 30).round().astype(np.uint8).reshape(24, 30)
SINCE_PILLOW_13 = pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13, reason="older ones refuse uncompressed YCbCr"
)
COLOURS: Bytes = np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def luma(rgb: Bytes) -> npt.NDArray[np.float64]:
    """ITU-R 601, by hand."""
    return rgb[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114]


def farthest(found: Bytes, expected: npt.ArrayLike) -> float:
    assert found.dtype == np.uint8
    assert found.shape == np.shape(expected)
    return float(np.abs(found.astype(np.float64) - np.asarray(expected, np.float64)).max())


# Formats and modes


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


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_upper_bits_may_be_empty(bits: int) -> None:
    values = np.round(RAMP / RAMP.max() * (2**bits - 1))
    expected = RAMP / RAMP.max() * 255
    for given in (
        values.astype(np.uint16),
        encoded(Image.fromarray(values.astype(np.uint16)), "PNG"),
        encoded(Image.fromarray(values.astype(np.int32)), "TIFF"),
    ):
        assert farthest(open_grey(given), expected) <= 1


def png(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + packed


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_every_png_of_sixteen_bits(kind: int, channels: int) -> None:
    values = np.full((24, 30, channels), 65535, ">u2")
    colours = channels - (channels in {2, 4})
    values[..., :colours] = RAMP[..., None].astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    assert farthest(open_grey(png(30, 24, 16, kind, rows)), RAMP) == 0


@pytest.mark.parametrize("mode", [pytest.param("YCbCr", marks=SINCE_PILLOW_13), "LAB"])
def test_tiffs_in_other_spaces_of_colour(mode: str) -> None:
    bands = [Image.fromarray(band) for band in (RAMP, *[np.full_like(RAMP, 128)] * 2)]
    assert farthest(open_grey(encoded(Image.merge(mode, bands), "TIFF")), RAMP) <= 2


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


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(RAMP), Image.fromarray(255 - RAMP)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert farthest(open_grey(content), RAMP) <= 1


# Orientation and transparency


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


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (90, 255), (255, 0), (200, 0)])
def test_ink_on_nothing_is_laid_on_paper_that_it_stands_out_from(ink: int, paper: int) -> None:
    drawn = np.zeros((20, 20, 4), np.uint8)
    drawn[5:15, 8:12] = (ink, ink, ink, 255)
    drawn[4, 8:12] = (ink, ink, ink, 128)
    expected = np.full((20, 20), paper)
    expected[5:15, 8:12] = ink
    expected[4, 8:12] = round(ink * 128 / 255 + paper * 127 / 255)
    for source in (drawn, Image.fromarray(drawn), encoded(Image.fromarray(drawn), "PNG")):
        assert farthest(open_grey(source), expected) <= 1


def test_what_lies_under_full_transparency_does_not_show() -> None:
    hidden = np.dstack([COLOURS, np.zeros(COLOURS.shape[:2], np.uint8)])
    assert farthest(open_grey(hidden), np.full(COLOURS.shape[:2], 255)) == 0


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


# Arrays


@pytest.mark.parametrize(
    "array",
    [
        RAMP,
        RAMP[..., None],
        np.dstack([RAMP] * 3),
        np.dstack([RAMP] * 3 + [np.full_like(RAMP, 255)]),
        RAMP.astype(np.uint16) * 257,
        (RAMP.astype(np.uint16) * 257).astype(">u2"),
        RAMP / 255,
        (RAMP / 255).astype(np.float32),
        np.asfortranarray(RAMP),
    ],
)
def test_arrays_of_each_kind(array: npt.NDArray[np.generic]) -> None:
    assert farthest(open_grey(array), RAMP) == 0


def test_an_array_may_miss_0_to_1_by_rounding() -> None:
    values = (RAMP / 255).astype(np.float32)
    values[0, 0], values[-1, -1] = -1e-6, 1 + 1e-6
    assert farthest(open_grey(values), RAMP) == 0


def test_bool_and_half_floats() -> None:
    assert farthest(open_grey(RAMP > 99), (RAMP > 99) * 255) == 0
    assert farthest(open_grey((RAMP / 255).astype(np.float16)), RAMP) <= 1


def test_the_answer_is_a_copy() -> None:
    array = RAMP.copy()
    open_grey(array)[:] = 7
    assert (array == RAMP).all()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(9, np.uint8), r"shape \(9,\)"),
        (np.zeros((2, 3, 2), np.uint8), r"shape \(2, 3, 2\)"),
        (np.zeros((1, 2, 3, 4), np.uint8), r"shape \(1, 2, 3, 4\)"),
        (np.zeros((0, 5), np.uint8), "is empty"),
        (np.zeros((5, 0, 3), np.uint8), "is empty"),
        (np.zeros((4, 4), np.int64), "an array of int64"),
        (np.zeros((4, 4), complex), "an array of complex128"),
        (np.full((4, 4), None), "an array of object"),
        (np.full((4, 4), 255.0), r"must lie in 0\.\.1, received 255 to 255"),
        (np.full((4, 4), -0.1), r"must lie in 0\.\.1"),
    ],
)
def test_arrays_that_are_no_picture(array: npt.NDArray[np.generic], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        open_grey(array)


# What cannot be opened


def test_missing_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("This is not a picture.")
    (tmp_path / "empty.png").touch()
    for name, said in [
        ("gone.png", "No such file"),
        ("text.png", "not a picture that can be read"),
        ("empty.png", "is empty"),
        (".", "is a folder"),
    ]:
        with pytest.raises(ImageError, match=said) as caught:
            open_grey(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [None, 7, [[0, 1], [1, 0]], object(), {"a": 1}, ()])
def test_what_is_no_source(source: Source) -> None:
    kind = type(source).__name__
    with pytest.raises(ImageError, match=f"a {kind} is no picture: expected a path, bytes"):
        open_grey(source)


def test_empty_contents() -> None:
    for source in (b"", bytearray(), io.BytesIO()):
        with pytest.raises(ImageError, match=r"the picture is empty \(0 bytes\)"):
            open_grey(source)


def test_names_that_no_file_can_have() -> None:
    for name, said in [
        ("a\0b", "null byte"),
        ("x" * 5000, "x… cannot be opened"),
        ("", "a folder"),
    ]:
        with pytest.raises(ImageError, match=said):
            open_grey(name)


def test_pipes_and_devices_are_read_as_streams_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ImageError, match="is a pipe or a device: open it and hand over"):
            open_grey(path)
    there, back = os.pipe()
    os.write(back, encoded(Image.fromarray(RAMP), "PNG"))
    os.close(back)
    with open(there, "rb", buffering=0) as stream:
        assert farthest(open_grey(stream), RAMP) == 0


def test_an_endless_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkdigit.images.sources.MAX_BYTES", 5_000_000)
    with (
        open("/dev/zero", "rb") as stream,
        pytest.raises(ImageError, match="the picture is larger than 5,000,000 bytes"),
    ):
        open_grey(stream)


def test_a_file_without_permission_to_read(tmp_path: Path) -> None:
    path = tmp_path / "locked.png"
    path.write_bytes(encoded(Image.fromarray(RAMP), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ImageError, match=r"locked.png cannot be opened: Permission denied"):
        open_grey(path)


class Failing(io.RawIOBase):
    def read(self, _: int = -1) -> bytes:
        raise RuntimeError("the line went dead")


def test_streams_that_cannot_be_read() -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    for stream, said in [
        (io.StringIO("x"), "comes as text: open it in binary mode"),
        (closed, "cannot be read: I/O operation on closed file"),
        (Failing(), "cannot be read: the line went dead"),
    ]:
        with pytest.raises(ImageError, match=f"the picture {said}"):
            open_grey(stream)  # type: ignore[arg-type]


def test_a_stream_is_read_from_its_start_and_stays_open() -> None:
    stream = io.BytesIO()
    Image.fromarray(RAMP).save(stream, "PNG")
    assert farthest(open_grey(stream), RAMP) == 0
    assert not stream.closed


def test_an_image_that_was_closed() -> None:
    image = Image.open(io.BytesIO(encoded(Image.fromarray(RAMP), "PNG")))
    image.close()
    with pytest.raises(ImageError, match="the image is broken: Operation on closed image"):
        open_grey(image)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
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


def test_a_format_that_another_program_would_open_is_refused() -> None:
    with pytest.raises(ImageError, match="not a picture that can be read"):
        open_grey(encoded(Image.fromarray(COLOURS), "EPS"))


def bombs(width: int, height: int) -> dict[str, bytes]:
    """Small files of each format that say they are large."""
    small = Image.fromarray(COLOURS)
    gif, bmp, jpeg = (bytearray(encoded(small, kind)) for kind in ("GIF", "BMP", "JPEG"))
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
        "WEBP": bytes(webp),
        "TIFF": tiff,
    }


@pytest.mark.parametrize("kind", bombs(1, 1))
@pytest.mark.parametrize("side", [65_000, 9_500])
def test_a_bomb_is_refused_unopened(kind: str, side: int) -> None:
    content = bombs(side, side)[kind]
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(ImageError, match=r"pixels.*raise max_pixels \(--max-pixels\)"):
        open_grey(content)
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_an_image_too_large_is_refused_before_it_is_decoded() -> None:
    said = r"84,640,000 pixels \(9200×9200\), more than 64,000,000: shrink it, or raise max_pixels"
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


@pytest.mark.parametrize("place", ["PIL.Image.Image.load", "inkdigit.images.colour._weights"])
def test_memory_that_runs_out(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    content = encoded(Image.fromarray(COLOURS), "PNG")
    monkeypatch.setattr(place, fail)
    with pytest.raises(ImageError, match=r"the picture .*needs more memory than there is"):
        open_grey(content)


def test_a_picture_without_pixels() -> None:
    with pytest.raises(ImageError, match=r"the image is empty \(0×5 pixels\)"):
        open_grey(Image.new("RGB", (0, 5)))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (30_000, 20), (20, 30_000)])
def test_odd_sizes_open(width: int, height: int) -> None:
    picture = Image.new("RGB", (width, height), (9, 9, 9))
    for kind in ("PNG", "TIFF", "BMP", "GIF", "JPEG", "PPM"):
        assert (open_grey(encoded(picture, kind)) == 9).all()


def test_the_limit_on_pixels_holds_for_every_source() -> None:
    sources: list[Source] = [RAMP, Image.fromarray(RAMP), encoded(Image.fromarray(RAMP), "PNG")]
    for source in sources:
        assert open_grey(source, max_pixels=RAMP.size).shape == RAMP.shape
        with pytest.raises(ImageError, match=r"720 pixels \(30×24\), more than 719"):
            open_grey(source, max_pixels=RAMP.size - 1)
