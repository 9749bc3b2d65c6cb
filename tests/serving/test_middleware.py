import httpx
from drawing import png
from running import Running, until


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
    everything = "".join(service.lines)
    assert "secret-name" not in everything
    assert "40719" not in everything
