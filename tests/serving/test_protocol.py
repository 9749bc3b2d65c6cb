"""What the parser of HTTP itself does not bound."""

import asyncio
import re
import socket
from contextlib import suppress

import pytest
import uvicorn
from drawing import png
from running import Running
from starlette.responses import PlainTextResponse
from test_hostile import received, send

from inkdigit.serving import protocol
from inkdigit.serving.protocol import BoundedProtocol

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LETTERS = b"x" * 1000
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def answer(service: Running, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        for piece in pieces:
            send(client, piece)
        return received(client)


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (HEALTH[:-2] + b"X: ", LETTERS),
        (HEALTH[:-2], LETTERS),
        (HEALTH[:-2], b"X: " + LETTERS + b"\r\n"),
        (b"GET /", LETTERS),
        (b"", b"\r\n" * 500),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: " + LETTERS + b"\r\n"),
        (CHUNKED + b"1;", LETTERS),
    ],
    ids=["value", "name", "headers", "path", "lines before", "trailer", "size of a chunk"],
)
def test_what_does_not_end_is_refused(begun: bytes, piece: bytes, service: Running) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(begun)
        client.settimeout(0.05)
        # Piece by piece, for only what is refused meanwhile is not kept.
        for _ in range(100):
            send(client, piece)
            try:
                refusal = client.recv(65536)
                break
            except (TimeoutError, ConnectionResetError):
                continue
        assert refusal.startswith(b"HTTP/1.1 400 ")
        assert refusal.endswith(b"The head of the request is too large.")


def test_requests_may_follow_before_an_answer_but_not_without_end(service: Running) -> None:
    assert answer(service, HEALTH * 9 + LAST).count(b"HTTP/1.1 200 OK") == 10
    assert answer(service, HEALTH * 1000).startswith(b"HTTP/1.1 400 ")


def test_an_offer_to_speak_http_2_is_passed_over(service: Running) -> None:
    picture = png("5")
    for offer in (b"Upgrade: h2c", b"UPGRADE:h2c"):
        head = (
            b"POST /v1/read HTTP/1.1\r\nHost: x\r\n%s\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"HTTP2-Settings: AA\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
        )
        both = answer(service, head % (offer, len(picture)), picture, LAST)
        assert re.findall(rb"HTTP/1.1 (\d+)", both) == [b"200", b"200"]
        assert b'"text": "5"' in both


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_body_that_looks_like_a_head_stays_as_it_is(cut: int, service: Running) -> None:
    """Were an offer in it rewritten, it would grow, and its end be taken for another request."""
    body = b"x" + b"\r\nUpgrade: a" * 20 + b"\r\n\r\n" + HEALTH
    whole = HEALTH.replace(b"GET /health", b"POST /v1/read")[:-2]
    whole += b"Content-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(whole[:-cut])
        # Once this is answered, the first piece was taken alone.
        service.get("/health")
        client.sendall(whole[-cut:] + body)
        client.sendall(LAST)
        assert re.findall(rb"HTTP/1.1 (\d+)", received(client)) == [b"422", b"200"]


def test_an_offer_that_hides_is_refused(service: Running) -> None:
    offered = HEALTH[:-2] + b"Connection: Upgrade\r\nUpg"
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        client.sendall(offered)
        # Once this is answered, the first piece was taken alone.
        service.get("/health")
        client.sendall(b"rade: h2c\r\n\r\n")
        assert received(client).startswith(b"HTTP/1.1 400 ")


def test_a_head_is_sent_with_its_body(service: Running) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        for _ in range(20):
            client.sendall(HEALTH)
            assert client.recv(65536).endswith(b'{"status":"ok"}')


def test_connections_beyond_a_bound_are_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 2)

    async def check() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            PlainTextResponse("fine"), http=BoundedProtocol, ws="none", log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        talks = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        with suppress(ConnectionResetError):
            assert await talks[2][0].read() == b""
        for reader, writer in talks[:2]:
            writer.write(LAST)
            assert (await reader.read()).endswith(b"fine")
        for _, writer in talks:
            writer.close()
        server.should_exit = True
        await serving

    asyncio.run(check())
