"""HEIC photos, and files that are no pictures to be read here."""

import io
import struct
import sys
import zipfile
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from samples import COLOURS, RAMP, Bytes, encoded, farthest, luma

from inkdigit.errors import ImageError, MissingExtraError
from inkdigit.images import count_pages, open_grey
from inkdigit.images.formats import foreign_kind

pillow_heif.register_heif_opener()


def heif(picture: Bytes, **options: object) -> bytes:
    return encoded(Image.fromarray(picture), "HEIF", quality=-1, **options)


def test_a_heic_photo_is_read() -> None:
    assert farthest(open_grey(heif(RAMP)), RAMP) == 0
    assert farthest(open_grey(heif(COLOURS, chroma=444)), luma(COLOURS)) <= 2


def test_the_primary_picture_of_a_heic_is_read() -> None:
    two = heif(RAMP, save_all=True, append_images=[Image.fromarray(255 - RAMP)], primary_index=1)
    assert count_pages(two) == 1
    assert farthest(open_grey(two), 255 - RAMP) == 0


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (3, lambda a: np.rot90(a, 2)),
        (5, np.transpose),
        (6, np.rot90),
        (8, lambda a: np.rot90(a, 3)),
    ],
)
def test_a_photo_is_turned_upright_once(
    kind: str, orientation: int, stored: Callable[[Bytes], Bytes]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(np.ascontiguousarray(stored(RAMP)))
    best = {"AVIF": 100, "HEIF": -1}[kind]
    assert farthest(open_grey(encoded(picture, kind, exif=exif.tobytes(), quality=best)), RAMP) <= 2


@pytest.mark.parametrize("side", [9_500, 65_000])
def test_a_heic_is_refused_before_it_is_decoded_if_it_is_too_large(side: int) -> None:
    content = heif(RAMP)
    start = content.index(b"ispe") + 8
    bomb = content[:start] + struct.pack(">II", side, side) + content[start + 8 :]
    with pytest.raises(ImageError, match=rf"{side}×{side}\), more than 64,000,000"):
        open_grey(bomb)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_heic_that_was_cut_off_is_refused(kept: float) -> None:
    content = heif(COLOURS)
    with pytest.raises(ImageError, match=r"is broken: (it ends early|what is inside is damaged)$"):
        open_grey(content[: int(kept * len(content))])


def test_a_heic_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    said = r"needs pi-heif to read the picture, a HEIC photo: run  pip install 'inkdigit\[heic\]'"
    with pytest.raises(MissingExtraError, match=said):
        open_grey(heif(RAMP))


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return stream.getvalue()


def box(brand: bytes) -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(12)


def tiff(**tags: int) -> bytes:
    return encoded(
        Image.fromarray(RAMP), "TIFF", tiffinfo={int(tag[1:]): value for tag, value in tags.items()}
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\x0a" + bytes(30), "a JPEG XL picture: save it as PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture: save it as PNG"),
        (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw picture: export it as JPEG"),
        (box(b"crx "), "a camera's raw picture: export it as JPEG"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw picture: export it as JPEG"),
        (tiff(t50706=1), "a camera's raw picture: export it as JPEG"),
        (tiff(t254=1, t330=8), "a camera's raw picture: export it as JPEG"),
        (b"8BPS\0\1", "Photoshop or GIMP: export it as PNG"),
        (bytes(128) + b"DICM", "Photoshop or GIMP: export it as PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing"),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "a drawing"),
        (b"\n<!DOCTYPE html><html>", "a web page: save the picture itself"),
        (encoded(Image.fromarray(COLOURS), "EPS"), "a PostScript or DjVu document: save it as PDF"),
        (archive("[Content_Types].xml", "word/document.xml"), "an office document: save it as PDF"),
        (archive("mimetype", "content.xml"), "an office document: save it as PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document: save it as PDF"),
        (archive("a.png"), "an archive: unpack it first"),
        (b"\x1f\x8b\x08", "an archive: unpack it first"),
        (box(b"isom"), "a video: save one picture of it"),
        (b"\x93NUMPY\1\0", "an array of NumPy: load it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS: fetch"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(content: bytes, said: str) -> None:
    with pytest.raises(ImageError) as caught:
        open_grey(content)
    assert str(caught.value).startswith("the picture is a")
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", bytes(200), b"\x89PNG", box(b"avif")])
def test_what_is_of_no_known_kind_gets_no_name(content: bytes) -> None:
    assert foreign_kind(content) == ""
