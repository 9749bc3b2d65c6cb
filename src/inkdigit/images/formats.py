"""What kind a file is of, by its first bytes: one that is opened here, or what to do with it."""

import re

from inkdigit.images.sources import may_have_pages

# PNG, JPEG, GIF, BMP, WebP, PPM and its siblings, AVIF, JPEG 2000 as a file and bare.
_PICTURE = re.compile(
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8|BM.{4}\0{4}|RIFF.{4}WEBP|P[1-6f]\s+[#\d]"
    rb"|.{4}ftypavi[fs]|\0{3}\x0cjP  |\xff\x4f\xff\x51",
    re.DOTALL,
)
# The brands of HEIF (ISO/IEC 23008-12), by the codec of phones or by the container alone.
_HEIF = rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)"

# Bytes within which a file tells what it is.
_HEAD = 4096
CAMERA_RAW = "a camera's raw picture: export it as JPEG"
# Pictures all the same, though nothing here opens them.
_FOREIGN_PICTURES = {
    rb"\xff\x0a|\0\0\0\x0cJXL ": "a JPEG XL picture: save it as PNG or JPEG",
    rb"II\*\0.{4}CR|....ftypcrx|II(RS|RO|U\0)|FUJIFILMCCD|FOVb|\0MRM":
        CAMERA_RAW,
    rb"8BPS|gimp xcf|\0\0\x01\0|\x76\x2f\x31\x01|.{128}DICM":
        "a picture of another program, such as Photoshop or GIMP: export it as PNG",
    rb"(?i:(\xef\xbb\xbf)?\s*(<\?xml.{,2000})?(<!--.{,2000})?<svg)"
    rb"|\x01\0\0\0.{36} EMF|\xd7\xcd\xc6\x9a":
        "a drawing (SVG, EMF or WMF): export it as PNG",
}  # fmt: skip
_KINDS = {
    **_FOREIGN_PICTURES,
    rb"(?i:(\xef\xbb\xbf)?\s*(<!doctype html|<html))": "a web page: save the picture itself",
    rb"%!PS|\xc5\xd0\xd3\xc6|AT&TFORM": "a PostScript or DjVu document: save it as PDF",
    rb"PK\x03\x04.*(word|xl|ppt)/|PK\x03\x04.{26}mimetype|\xd0\xcf\x11\xe0|\{\\rtf":
        "an office document: save it as PDF",
    rb"PK\x03\x04|\x1f\x8b|BZh|7z\xbc\xaf|Rar!|\xfd7zXZ": "an archive: unpack it first",
    rb"....ftyp(?!avi[fs])|RIFF....AVI |\x1a\x45\xdf\xa3": "a video: save one picture of it",
    rb"\x93NUMPY": "an array of NumPy: load it and hand over the array",
    rb"version https://git-lfs": "a pointer of Git LFS: fetch the picture with git lfs pull",
}  # fmt: skip


def is_heif(content: bytes) -> bool:
    """Say whether the bytes are a HEIF file's, such as a HEIC photo of a phone."""
    return re.match(_HEIF, content, re.DOTALL) is not None


def is_picture(head: bytes) -> bool:
    r"""Return whether a file that begins so is a picture or a document, be it opened here or not.

    >>> is_picture(b"GIF89a"), is_picture(b"8BPS"), is_picture(b"PK\3\4")
    (True, True, False)
    """
    known = _PICTURE.match(head) or is_heif(head) or may_have_pages(head)
    return bool(known or _kind(_FOREIGN_PICTURES, head))


def foreign_kind(content: bytes) -> str:
    """Return what a file of another kind is, and what to do with it; nothing if it is unknown.

    >>> foreign_kind(b"8BPS")
    'a picture of another program, such as Photoshop or GIMP: export it as PNG'
    """
    return _kind(_KINDS, content[:_HEAD])


def _kind(kinds: dict[bytes, str], head: bytes) -> str:
    return next((kind for start, kind in kinds.items() if re.match(start, head, re.DOTALL)), "")
