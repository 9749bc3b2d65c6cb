import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from inkdigit.errors import ImageError
from inkdigit.images import Source, open_grey

Bytes = npt.NDArray[np.uint8]
RAMP: Bytes = np.linspace(0, 255, 24 * 30).round().astype(np.uint8).reshape(24, 30)
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
        ("text.png", "not a picture in a format that can be read"),
        ("empty.png", "not a picture in a format that can be read"),
        (".", "Is a directory"),
    ]:
        with pytest.raises(ImageError, match=said) as caught:
            open_grey(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_truncated_files(kind: str, tmp_path: Path) -> None:
    content = encoded(Image.fromarray(COLOURS).resize((200, 200)), kind)
    for share in (0.05, 0.5, 0.9):
        (tmp_path / "half").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ImageError, match=r"half (is broken|cannot|is not a picture)"):
            open_grey(tmp_path / "half")


def test_a_format_that_another_program_would_open_is_refused() -> None:
    with pytest.raises(ImageError, match="not a picture in a format that can be read"):
        open_grey(encoded(Image.fromarray(COLOURS), "EPS"))


def bomb(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(b"\0" * 99), b"IEND": b""}
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + packed


@pytest.mark.parametrize("side", [100_000, 9_500])
def test_a_bomb_is_refused_unopened(side: int) -> None:
    with pytest.raises(ImageError, match="pixels"):
        open_grey(bomb(side, side))


def test_the_limit_on_pixels_holds_for_every_source() -> None:
    sources: list[Source] = [RAMP, Image.fromarray(RAMP), encoded(Image.fromarray(RAMP), "PNG")]
    for source in sources:
        assert open_grey(source, max_pixels=RAMP.size).shape == RAMP.shape
        with pytest.raises(ImageError, match=r"720 pixels \(30×24\), more than 719"):
            open_grey(source, max_pixels=RAMP.size - 1)


def test_damaged_files_are_read_or_refused_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    colours, grey = Image.fromarray(COLOURS), Image.fromarray(RAMP)
    whole = [
        *(encoded(colours, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM", "TIFF")),
        *(encoded(grey.convert(mode), "TIFF") for mode in ("I", "F", "CMYK")),
        encoded(colours.convert("P"), "PNG"),
    ]
    refused = 0
    for trial in range(1500):
        content = bytearray(whole[trial % len(whole)])
        for place in rng.integers(0, min(len(content), 300), rng.integers(1, 5)):
            content[place] = rng.integers(256)
        try:
            open_grey(bytes(content), max_pixels=1_000_000)
        except ImageError:
            refused += 1
    assert 100 < refused < 1400
