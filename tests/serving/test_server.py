"""The process: how it starts, ends, and shares its work."""

import re
import resource
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from drawing import png
from running import LONG, Running, occupy, received, running, send, until

from inkdigit.serving.server import _listening
from inkdigit.serving.settings import Settings

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CHUNKED = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LETTERS = b"x" * 1000


def test_it_listens_to_this_machine_alone(service: Running) -> None:
    assert service.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("host", "bound"),
    [("::ffff:127.0.0.1", "127.0.0.1"), ("[::ffff:7f00:1]", "127.0.0.1"), ("[::1]", "::1")],
)
def test_an_address_may_be_written_as_in_a_link(
    host: str, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def note(address: tuple[str, int], **how: object) -> socket.socket:
        asked.extend([address[0], how["family"]])
        return socket.socket()

    monkeypatch.setattr(socket, "create_server", note)
    with _listening(Settings(host=host)):
        assert asked == [bound, socket.AF_INET6 if ":" in bound else socket.AF_INET]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_was_begun_be_finished(sign: signal.Signals) -> None:
    with running() as service, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.read, LONG, name="a.tif")
        until(lambda: service.figure("inkdigit_queue") == 1)
        service.process.send_signal(sign)
        assert len(answer.result().json()["pages"]) == 30
        assert service.process.wait(60) == (0 if sign == signal.SIGTERM else 130)
        with pytest.raises(httpx.ConnectError):
            service.get("/health")
    assert "Traceback" not in "".join(service.lines)


def test_a_client_that_hangs_up_frees_its_place() -> None:
    with running("--queue", "2", "--max-files", "2") as service:
        clients = occupy(service, 2)
        assert service.read(png("1")).status_code == 503
        for client in clients:
            client.close()
        until(lambda: service.figure("inkdigit_queue") == 0)
        # Nobody went on reading for them: what was begun is known, but for a page of each.
        begun = service.figure("inkdigit_batch_pictures_sum")
        assert 0 <= begun - service.figure("inkdigit_readings_total") <= 2
        assert service.read(png("1")).status_code == 200
        assert service.figure("inkdigit_batch_pictures_sum") == begun + 1


def test_it_bears_more_connections_than_a_process_may_usually_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with running() as service, ExitStack() as clients:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for _ in range(400):
                address = ("127.0.0.1", service.port)
                clients.enter_context(socket.create_connection(address)).sendall(b"GET")
            assert service.read(png("1")).json()["text"] == "1"
        assert "Traceback" not in "".join(service.lines)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_workers_share_the_port_and_the_figures() -> None:
    with running("--workers", "2") as service:
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda _: service.read(png("56")).json()["text"], range(30)))
        assert set(texts) == {"56"}
        assert service.figure("inkdigit_readings_total") == 30
        service.process.terminate()
        assert service.process.wait(60) == 0
    assert "Traceback" not in "".join(service.lines)


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with running("--workers", "2", TMPDIR=str(tmp_path)) as service:
        service.process.kill()
        until(lambda: refused(service.port), 20)


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_model_of_ones_own_is_served(tmp_path: Path) -> None:
    from inkdigit.reading.reader import SINGLE_MODEL

    with running("--model", str(SINGLE_MODEL)) as service:
        assert service.read(png("7"), single=True).json()["text"] == "7"
        assert service.read(png("7")).json()["text"] == "7"
        assert service.read(png("75")).json()["status"] != "accepted"


def test_it_imports_no_training_library() -> None:
    code = "import sys, inkdigit.serving.server; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert not modules & {"tensorflow", "keras", "matplotlib", "scipy", "pandas", "jax"}


# HTTP, as uvicorn and h11 take it with our settings


def answer(service: Running, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
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
    assert service.get("/health").status_code == 200


def test_requests_that_follow_before_an_answer_are_answered_in_turn(service: Running) -> None:
    assert answer(service, HEALTH * 9 + LAST).count(b"HTTP/1.1 200 OK") == 10
    assert answer(service, HEALTH * 1000 + LAST).count(b"HTTP/1.1 200 OK") == 1001


def test_what_is_sent_ahead_is_not_kept() -> None:
    """While a document is read, what follows it waits on the client's side."""
    with running() as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
            head = b"POST /v1/read HTTP/1.1\r\nHost: x\r\nContent-Type: image/tiff\r\n"
            client.sendall(b"%sContent-Length: %d\r\n\r\n" % (head, len(LONG)) + LONG)
            until(lambda: service.figure("inkdigit_queue") == 1)
            client.settimeout(0.2)
            sent = 0
            with suppress(TimeoutError):
                while sent < 100_000_000:
                    sent += client.send(HEALTH * 1000)
        assert sent < 20_000_000  # what is on its way between two sockets included


def test_an_offer_to_speak_another_protocol_is_passed_over(service: Running) -> None:
    picture = png("5")
    for offer in (b"Upgrade: h2c", b"UPGRADE:h2c", b"Upgrade: websocket"):
        head = (
            b"POST /v1/read HTTP/1.1\r\nHost: x\r\n%s\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            b"HTTP2-Settings: AA\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
        )
        both = answer(service, head % (offer, len(picture)), picture, LAST)
        assert re.findall(rb"HTTP/1.1 (\d+)", both) == [b"200", b"200"]
        assert b'"text": "5"' in both


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_body_that_looks_like_a_request_is_none(cut: int, service: Running) -> None:
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


def test_what_is_no_http_is_refused_in_plain_text(service: Running) -> None:
    for sent in (b"hello\r\n\r\n", HEALTH[:-2] + b"Content-Length: x\r\n\r\n"):
        refusal = answer(service, sent)
        assert refusal.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: text/plain" in refusal.lower()
        assert b"content-security-policy" not in refusal.lower()


def test_connections_beyond_a_bound_are_refused() -> None:
    lower = "from inkdigit.serving import server; server.MAX_CONNECTIONS = 4"
    with running(before=lower) as service, ExitStack() as clients:
        address = ("127.0.0.1", service.port)
        first, second, _ = [
            clients.enter_context(socket.create_connection(address, timeout=60)) for _ in range(3)
        ]
        assert answer(service, LAST).startswith(b"HTTP/1.1 503 ")
        first.sendall(LAST)
        assert received(first).startswith(b"HTTP/1.1 200 ")
        first.close()
        second.sendall(LAST)
        assert received(second).endswith(b'{"status":"ok"}')
