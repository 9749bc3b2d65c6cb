import httpx
from running import running


def test_only_the_origins_that_are_named_may_ask() -> None:
    with running("--cors-origins", "http://a.example, http://b.example") as service:
        for name, allowed in (("a", True), ("b", True), ("c", False)):
            origin = f"http://{name}.example"
            headers = httpx.get(f"{service.url}/health", headers={"Origin": origin}).headers
            assert (headers.get("access-control-allow-origin") == origin) is allowed
