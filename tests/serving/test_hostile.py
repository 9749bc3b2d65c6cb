"""Attacks in a short form: never a 5xx or a traceback, and it reads right afterwards."""

import gzip
import io
import re
import socket
import struct
import zlib
from collections.abc import Iterator

import pytest
from drawing import as_file, document, drawn, png
from PIL import Image
from running import Running, received, send

PICTURE = png("5")
BOMB = gzip.compress(bytes(50_000_000))


def head(*lines: str, path: str = "/v1/read", method: str = "POST") -> bytes:
    """Return the head of a request."""
    first = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close"]
    return "\r\n".join([*first, *lines, "", ""]).encode("latin-1")


def sized(body: bytes, kind: str = "image/png", **options: str) -> bytes:
    return head(f"Content-Type: {kind}", f"Content-Length: {len(body)}", **options) + body


def form(*parts: bytes, boundary: bytes = b"b", end: bytes = b"--b--\r\n", **options: str) -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end
    return sized(body, f"multipart/form-data; boundary={boundary.decode()}", **options)


def part(name: str = 'name="file"; filename="a.png"', content: bytes = PICTURE) -> bytes:
    disposition = f"Content-Disposition: form-data; {name}\r\n\r\n"
    return disposition.encode("utf-8", "surrogateescape") + content


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG of very many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(bytes(5_000_000), 9)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def ring_of_pages() -> bytes:
    """Return a TIFF whose second page says that the next one is itself."""
    content = bytearray(document(["1", "2"]))
    first = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[first : first + 2])[0]
    link = first + 2 + 12 * count
    second = struct.unpack("<I", content[link : link + 4])[0]
    count = struct.unpack("<H", content[second : second + 2])[0]
    at = second + 2 + 12 * count
    content[at : at + 4] = struct.pack("<I", second)
    return bytes(content)


def huge_text_in_png() -> bytes:
    """Return a PNG with a compressed comment that is large once it is unpacked."""
    comment = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
    return PICTURE[:33] + comment + PICTURE[33:]


# Each is what one connection sends, and which statuses may answer; None: it may just be closed.
ATTACKS: dict[str, tuple[bytes, set[int | None]]] = {
    "a form without end": (form(part(), end=b""), {422}),
    "a form without boundary": (sized(b"--b--", "multipart/form-data"), {422}),
    "a form with another boundary": (form(part(), boundary=b"other"), {422}),
    "a form without files": (form(part('name="file"', b"x")), {422}),
    "a form without names": (form(b"\r\n\r\nx"), {422}),
    "a form of many fields": (form(*[part('name="a"', b"x")] * 20_000), {413}),
    "a form of many files": (form(*[part(content=b"")] * 20_000), {422}),
    "a batch of many files": (form(*[part(content=b"")] * 20_000, path="/v1/read/batch"), {413}),
    "a field that is large": (form(part('name="a"', bytes(2_000_000))), {413}),
    "a header of a part that is endless": (form(b"A: " + b"x" * 500_000), {422}),
    "a form in a codec that fails": (form(part(), boundary=b"b; charset=undefined"), {200}),
    "a form in a codec that takes minutes": (
        form(part(), part('name="a"', b"a-" + b"b" * 900_000), boundary=b"b; charset=punycode"),
        {422}),
    "a bomb": (
        head("Content-Type: image/png", "Content-Encoding: gzip", f"Content-Length: {len(BOMB)}")
        + BOMB, {415}),
    "path-like names": (form(part('name="file"; filename="../../etc/passwd"')), {200}),
    "a name of zeros": (form(part('name="file"; filename="\0\0.png"')), {200, 422}),
    "a name that is no text": (form(part('name="file"; filename="\udcff\udcfe"')), {200}),
    "a name that is endless": (form(part(f'name="file"; filename="{"x" * 100_000}"')), {200, 422}),
    "a length that is too short": (head("Content-Type: image/png", "Content-Length: 9") + PICTURE,
                                   {422}),
    "a length that is no number": (head("Content-Type: image/png", "Content-Length: x"), {400}),
    "a length below zero": (head("Content-Type: image/png", "Content-Length: -1"), {400}),
    "two lengths": (head("Content-Length: 1", "Content-Length: 2") + b"ab", {400}),
    "a length and chunks": (head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
                            {400, 415}),
    "a chunk of no size": (head("Transfer-Encoding: chunked") + b"zz\r\n", {400, 415}),
    "huge headers": (head(*[f"X-{i}: {'x' * 1000}" for i in range(500)]), {400, None}),
    # A head that arrives at once, up to the 256 kB that asyncio reads at a time, may be taken.
    "a huge path": (head(path="/" + "a" * 100_000), {400, 404}),
    "thousands of headers": (head(*["a: b"] * 20_000), {400, 415}),
    "a path that is larger still": (head(path="/" + "a" * 10_000_000), {400, None}),
    "no HTTP": (b"\x16\x03\x01\x02\x00 hello\r\n\r\n", {400}),
    "nulls in the path": (head(path="/v1/read%00?pattern=%00", method="GET"), {404}),
    "folders in the path": (head(path="/page/../../../../etc/passwd", method="GET"), {404}),
    "folders in the path, hidden": (head(path="/page/..%2f..%2fsettings.py", method="GET"), {404}),
    "a pattern that is endless": (sized(PICTURE, path="/v1/read?pattern=" + "(1|" * 3000), {422}),
    "a pattern that explodes": (sized(PICTURE, path="/v1/read?pattern=%5Cd%7B99999%7D%7B9999%7D"),
                                {422}),
    "a check that is a module": (sized(PICTURE, path="/v1/read?check=os.path"), {422}),
    "a confidence that is none": (sized(PICTURE, path="/v1/read?min_confidence=nan"), {422}),
    "a bomb of pixels": (sized(bomb(60_000, 60_000)), {422}),
    "a bomb of a few rows": (sized(bomb(7_000, 9_000)), {422, 200}),
    "a bomb of text": (sized(huge_text_in_png()), {422, 200}),
    "a ring of pages": (sized(ring_of_pages(), "image/tiff"), {200, 422}),
    "a picture that was cut": (sized(PICTURE[: len(PICTURE) // 2]), {422}),
    "a PDF that is none": (sized(b"%PDF-1.7\n%%EOF", "application/pdf"), {422}),
    "a picture of nothing": (sized(b""), {422}),
    "a picture of 1 × 1": (sized(as_file(Image.new("L", (1, 1)))), {200}),
    "deep JSON": (sized(b"[" * 500_000, "application/json"), {422}),
    "JSON with surrogates": (sized(b'{"file": "", "name": "\\ud800"}', "application/json"), {422}),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_a_clean_answer(name: str, service: Running) -> None:
    sent, expected = ATTACKS[name]
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        send(client, sent)
        answer = received(client)
    assert b"Traceback" not in answer
    found = re.match(rb"HTTP/1.1 (\d{3})", answer)
    assert (int(found[1]) if found else None) in expected, answer[:500]
    assert service.read(PICTURE).json()["text"] == "5"


def test_the_ring_of_pages_is_one() -> None:
    plain, ring = document(["1", "2"]), ring_of_pages()
    assert len(ring) == len(plain)
    assert ring != plain


def cut(content: bytes, step: int) -> Iterator[bytes]:
    yield from (content[:end] for end in range(0, len(content), step))


def test_what_is_cut_anywhere_is_refused_or_read(service: Running) -> None:
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"):
        content = as_file(drawn("5", 20), kind)
        for piece in cut(content, len(content) // 6):
            assert service.read(piece).status_code in {200, 422}
    stream = io.BytesIO()
    drawn("5", 20).save(stream, "PDF")
    for piece in cut(stream.getvalue(), len(stream.getvalue()) // 6):
        assert service.read(piece).status_code in {200, 422}
