"""The access log, the lingering close and the load shedding, as clients see them."""

import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from drawing import png
from running import Running, occupy, received, running, send, until

PICTURE, ORIGIN = png("5"), "https://a.example"


def test_every_answer_has_an_id_and_guards_the_browser(service: Running) -> None:
    for path in ("/", "/health", "/nowhere", "/page/main.js", "/docs"):
        headers = service.get(path).headers
        assert len(headers["x-request-id"]) == 32
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_an_id_that_was_given_is_kept_if_it_is_one(service: Running) -> None:
    for given, kept in (("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)):
        headers = httpx.get(f"{service.url}/health", headers={"X-Request-ID": given}).headers
        assert (headers["x-request-id"] == given) is kept


def test_logs_are_json_and_hold_nothing_of_the_picture(service: Running) -> None:
    headers = {"X-Request-ID": "find-me"}
    files = {"file": ("secret-name.png", png("40719"))}
    url = f"{service.url}/v1/read?pattern=%5Cd%7B5%7D"
    assert httpx.post(url, files=files, headers=headers).json()["text"] == "40719"

    def lines() -> list[dict[str, object]]:
        return [line for line in service.logged() if line.get("request_id") == "find-me"]

    until(lambda: bool(lines()))
    (line,) = lines()
    known = {"method": "POST", "route": "/v1/read", "status": 200, "level": "INFO"}
    assert line.items() >= known.items()
    assert set(line) == {*known, "time", "logger", "message", "request_id", "ms"}
    # An id made up at random may hold any digits.
    everything = re.sub(r'"request_id": "\w+"', "", "".join(service.lines))
    assert "secret-name" not in everything
    assert "40719" not in everything


def test_a_client_that_is_refused_may_finish_sending_and_hears_why(narrow: Running) -> None:
    for kind, status in ((b"image/png", b"413"), (b"text/plain", b"415")):
        with socket.create_connection(("127.0.0.1", narrow.port), timeout=60) as client:
            client.sendall(begun(kind, 700_000) + bytes(700_000))
            assert received(client)[9:12] == status


def test_what_a_refused_client_may_send_is_bounded(narrow: Running) -> None:
    """Four times the largest request; beyond, the answer may be lost, and nothing is read on."""
    sent = 0
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=60) as client:
        client.sendall(begun(b"text/plain", 1_000_000_000))
        while sent < 100_000_000 and send(client, bytes(1_000_000)):
            sent += 1_000_000
    assert sent < 20_000_000  # what is on its way between two sockets included
    assert narrow.read(PICTURE).status_code == 200


def test_a_client_that_asks_before_it_sends_is_answered_at_once(narrow: Running) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=60) as client:
        head = begun(b"text/plain", 100_000)
        client.sendall(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        # It waits for this, and sends nothing.
        assert client.recv(65536)[9:12] == b"415"


def begun(kind: bytes, length: int) -> bytes:
    """Return the head of a request that goes on."""
    return (
        b"POST /v1/read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, length)
    )


def test_a_full_queue_refuses_before_it_looks_at_what_is_asked() -> None:
    flags = ["--queue", "2", "--max-files", "2", "--cors-origins", ORIGIN]
    with running(*flags, INKDIGIT_API_KEYS="key") as service:
        clients = occupy(service, 2)
        headers = {"X-Request-ID": "rush", "Origin": ORIGIN}
        # Neither the key, nor the query, nor the content type is right.
        for path in ("/v1/read?nonsense=1", "/v1/read/batch"):
            refused = httpx.post(service.url + path, content=PICTURE, headers=headers)
            assert refused.status_code == 503
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["retry-after"] == "1"
            assert refused.headers["access-control-allow-origin"] == ORIGIN
            problem = refused.json()
            assert problem["instance"] == "urn:request:rush"
            assert problem["detail"] == "the service is busy: try again in a moment"
        # What is no work for the readers is answered as ever.
        assert service.get("/health").status_code == 200
        assert service.get("/v1/nothing").status_code == 404
        counted = 'inkdigit_requests_total{method="POST",route="/v1/read",status="503"} 1.0'
        assert counted in service.get("/metrics").text
        until(lambda: "rush" in "".join(service.lines))
        for client in clients:
            client.close()
        until(lambda: service.figure("inkdigit_queue") == 0)
        assert httpx.post(f"{service.url}/v1/read", headers=headers).status_code == 401


@pytest.fixture(scope="module")
def prefixed() -> Iterator[Running]:
    with running("--root-path", "/digits/") as started:
        yield started


@pytest.mark.parametrize("path", ["/", "/digits/"])  # taken away by the proxy, or left
def test_behind_a_path_prefix_all_is_there_and_told_with_it(prefixed: Running, path: str) -> None:
    url = prefixed.url + path
    assert httpx.get(f"{url}health").json() == {"status": "ok"}
    assert httpx.get(f"{url}openapi.json").json()["servers"] == [{"url": "/digits"}]
    assert "pad.js" in httpx.get(f"{url}page/main.js").text
    assert httpx.get(f"{url}swagger/swagger-ui.css").status_code == 200
    moved = httpx.get(f"{url}health/")
    assert (moved.status_code, moved.headers["location"]) == (307, f"{prefixed.url}/digits/health")
    read = httpx.post(f"{url}v1/read", files={"file": png("12")}, timeout=60)
    assert read.json()["text"] == "12"


def test_a_proxy_may_say_the_prefix(service: Running, prefixed: Running) -> None:
    def servers(url: str, said: str) -> object:
        headers = {"X-Forwarded-Prefix": said}
        return httpx.get(f"{url}/openapi.json", headers=headers).json().get("servers")

    assert servers(service.url, "/a/b/") == [{"url": "/a/b"}]
    assert servers(service.url, "//evil.example") is None
    assert servers(service.url, "https://evil.example") is None
    assert service.get("/openapi.json").json().get("servers") is None
    assert servers(prefixed.url, "/other") == [{"url": "/digits"}]


def test_a_rush_behind_a_prefix_is_refused_as_cheaply() -> None:
    with running("--root-path", "/digits", "--queue", "2", "--max-files", "2") as full:
        clients = occupy(full, 2)
        refused = httpx.post(f"{full.url}/digits/v1/read", content=b"not even looked at")
        assert refused.status_code == 503
        assert 'route="/v1/read",status="503"' in full.get("/metrics").text
        for client in clients:
            client.close()
