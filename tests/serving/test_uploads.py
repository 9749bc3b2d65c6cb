"""How a body becomes files: in three ways, counted, in time, and never on a disk."""

import asyncio
import base64
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from drawing import png
from fastapi import Request
from running import Running, received, running, send
from test_hostile import form, head, part, sized

from inkdigit.serving.problems import Problem, too_many
from inkdigit.serving.quota import Quota, QuotaFull
from inkdigit.serving.settings import Settings
from inkdigit.serving.uploads import Upload, decode_base64, receive_body

PICTURE = png("5")


def room(limit: int) -> Quota:
    return Quota(limit, "busy with other pictures")


def uploads_of(sent: bytes, memory: Quota, piece: int = 65_536) -> list[Upload]:
    """Return the files in a request that arrives in pieces."""
    begun, _, body = sent.partition(b"\r\n\r\n")
    pieces = [body[i : i + piece] for i in range(0, len(body), piece)]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    headers = [line.partition(b": ") for line in begun.split(b"\r\n")[1:]]
    scope = {"type": "http", "headers": [(name.lower(), value) for name, _, value in headers]}

    async def received_uploads() -> list[Upload]:
        with memory.share() as take:
            request, beyond = Request(scope, receive), too_many(2)
            received = await receive_body(request, Settings(), take, most=2, beyond=beyond)
            assert memory.taken == len(body)
            return received.uploads

    return asyncio.run(received_uploads())


def test_nothing_of_a_form_reaches_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[object] = []
    monkeypatch.setattr(SpooledTemporaryFile, "rollover", rolled.append)
    contents = [bytes(3_000_000), b"\1" * 2_000_000]
    names = ['name="file"; filename="a.png"', 'name="file"; filename="b.png"']
    memory = room(10_000_000)
    files = [part(name, content) for name, content in zip(names, contents, strict=True)]
    uploads = uploads_of(form(*files, part('name="a"', b"passed over")), memory)
    assert uploads == [Upload("a.png", contents[0]), Upload("b.png", contents[1])]
    assert not rolled
    assert memory.taken == 0


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_a_form_may_come_in_any_pieces(piece: int) -> None:
    assert uploads_of(form(part()), room(100_000), piece) == [Upload("a.png", PICTURE)]


@pytest.mark.parametrize(
    "boundary", ["b", '"b"', "b; charset=punycode", "b; charset*=utf-8''undefined", 'b; x="charset']
)
def test_names_are_utf_8_whatever_charset_is_said(boundary: str) -> None:
    name = 'name="file"; filename="a€.png"'
    sent = form(part(name)).replace(b"boundary=b", b"boundary=" + boundary.encode())
    assert uploads_of(sent, room(100_000)) == [Upload("a€.png", PICTURE)]


@pytest.mark.parametrize("boundary", ["a b", "(a)'+_,-./:=?", "a;b", "a\\\\b", 'a\\"b'])
def test_a_boundary_may_need_quotes(boundary: str) -> None:
    bare = boundary.replace("\\", "", 1) if "\\" in boundary else boundary
    sent = form(part()).replace(b"--b", b"--" + bare.encode())
    sent = sent.replace(b"boundary=b", f'boundary="{boundary}"'.encode())
    assert uploads_of(sent, room(100_000)) == [Upload("a.png", PICTURE)]


def test_memory_is_held_to_its_limit_and_given_back() -> None:
    memory = room(1000)
    for sent in (sized(bytes(1001)), form(part(content=bytes(2000)))):
        with pytest.raises(QuotaFull, match="busy with other pictures"):
            uploads_of(sent, memory)
        assert memory.taken == 0
    assert uploads_of(sized(bytes(1000)), memory)[0].content == bytes(1000)


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        (form(*[part()] * 3), 413, "more than 2 files"),
        # It is counted before anything of it is decoded.
        (sized(b'{"files": ["!", "!", "!"]}', "application/json"), 413, "more than 2 files"),
        (form(*[part('name="a"', b"x")] * 101), 413, "more than 100 fields that are no files"),
        (
            form(part('name="a"', bytes(2**20 + 1))),
            413,
            "over 1 MB in one of them: send pictures as files",
        ),
        (form(part(), end=b""), 422, "the multipart form is broken"),
        (form(part('name="a"', b"x")), 422, "holds no file"),
        (sized(b"x", "text/html"), 415, "the content type 'text/html' is not taken"),
        (sized(b"{}", "application/json"), 422, "the JSON is not as expected"),
    ],
)
def test_each_limit_has_its_own_refusal(sent: bytes, status: int, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence) as caught:
        uploads_of(sent, room(3_000_000))
    assert caught.value.status_code == status


def test_a_refusal_holds_nothing_of_the_requests_before() -> None:
    caught = []
    for _ in range(2):
        with pytest.raises(Problem, match="not as expected") as told:
            uploads_of(sized(b"{}", "application/json"), room(100))
        caught.append(told.value)
    assert caught[0] is not caught[1]


def test_a_file_comes_in_three_ways(service: Running) -> None:
    content = png("271")
    expected = service.read(content, name="x.png").json()
    url = f"{service.url}/v1/read"
    encoded = base64.b64encode(content).decode()
    for text in (encoded, f"data:image/png;base64,{encoded}"):
        assert httpx.post(url, json={"file": text, "name": "x.png"}).json() == expected
    for kind in ("image/png", "image/jpeg", "application/octet-stream"):
        raw = httpx.post(url, content=content, headers={"Content-Type": kind}).json()
        assert raw == {**expected, "source": "-"}


def test_a_body_that_does_not_come_is_given_up() -> None:
    with running("--timeout", "1.5") as hasty:
        for sent in (sized(PICTURE), form(part())):
            with socket.create_connection(("127.0.0.1", hasty.port), timeout=60) as client:
                client.sendall(sent.replace(b"Content-Length: ", b"Content-Length: 1"))
                answer = received(client)
            assert answer.startswith(b"HTTP/1.1 408")
            assert b"did not arrive within 1.5 seconds" in answer


def test_bytes_are_counted_as_they_arrive(narrow: Running) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=60) as client:
        client.sendall(head("Content-Type: image/png", "Transfer-Encoding: chunked"))
        for _ in range(10):
            send(client, b"10000\r\n" + bytes(65536) + b"\r\n")
        send(client, b"0\r\n\r\n")
        answer = received(client)
    assert answer.startswith(b"HTTP/1.1 413")
    assert narrow.read(PICTURE).status_code == 200


def test_many_parts_are_refused_at_the_first_too_many(service: Running) -> None:
    def answer(path: str, sent: bytes) -> bytes:
        # No more of it comes, and nobody needs it to.
        begun = form(*[sent] * 200, end=b"", path=path)
        begun = begun.replace(b"Content-Length: ", b"Content-Length: 1")
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
            client.sendall(begun)
            return received(client)

    file, field = part(content=b""), part('name="a"', b"x")
    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(answer, ("/v1/read", "/v1/read/batch", "/v1/read"), (file, file, field))
        assert [sent[9:12] for sent in answers] == [b"422", b"413", b"413"]


BYTES = bytes(range(251)) * 3


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(BYTES).decode(),
        base64.encodebytes(BYTES).decode(),
        base64.b64encode(BYTES).decode().rstrip("="),
        base64.urlsafe_b64encode(BYTES).decode(),
        base64.urlsafe_b64encode(BYTES).decode().rstrip("="),
        quote(base64.b64encode(BYTES).decode(), safe=""),
        "data:image/png;base64," + base64.b64encode(BYTES).decode(),
        "\r\n  " + base64.encodebytes(BYTES).decode().replace("\n", "\r\n    "),
    ],
)
def test_base64_as_other_tools_write_it(written: str) -> None:
    for cut in (BYTES, BYTES[:-1], BYTES[:-2]):
        assert decode_base64(base64.b64encode(cut).decode().rstrip("=")) == cut
    assert decode_base64(written) == BYTES


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("aG!k", "holds '!': it is no base64"),
        ("aG k", "holds ' ': a + that was not encoded?"),
        ("aGk=aGk=", "holds '='"),
        ("aGkaG", "ends within a byte"),
        ("Zürich", "holds 'ü'"),
    ],
)
def test_what_is_wrong_with_base64_is_said(written: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        decode_base64(written)
