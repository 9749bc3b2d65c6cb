"""Which error is answered by which status; every refusal of the service is problem JSON."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from running import Running, problem

from inkdigit import errors
from inkdigit.serving.local import local_api
from inkdigit.serving.middleware import AccessLog
from inkdigit.serving.operations import PAGE
from inkdigit.serving.problems import Problem, add_problem_handlers
from inkdigit.serving.quota import QuotaFull
from inkdigit.serving.routes import ReadingTooSlow
from inkdigit.serving.service import NotReady


def answer_to(error: Exception) -> httpx.Response:
    """Return what a client gets where this error is raised."""
    app = FastAPI()

    @app.get("/")
    async def fail() -> None:
        raise error

    return answer_of(app)


def answer_of(app: FastAPI, path: str = "/", **sent: Any) -> httpx.Response:
    """Return what an application answers, a GET or a POST of what is sent."""
    add_problem_handlers(app)

    async def ask() -> httpx.Response:
        # Starlette answers a bug, and raises it once more for the server to log.
        transport = httpx.ASGITransport(AccessLog(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.request("POST" if sent else "GET", path, **sent)

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", [QuotaFull, NotReady, ReadingTooSlow])
def test_what_cannot_be_had_now_is_503_and_says_when_to_ask_again(
    kind: Callable[[str], Exception],
) -> None:
    refused = answer_to(kind("a moment"))
    assert problem(refused, 503) == "a moment"
    assert refused.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "error",
    [errors.SettingError("no"), errors.ImageError("no"), errors.ModelError("no"),
     errors.MissingExtraError("pdf", "pypdfium2")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_errors_of_inkdigit_have_the_status_that_they_name(error: errors.InkdigitError) -> None:
    assert problem(answer_to(error), error.http_status) == str(error)


def test_a_bug_is_500_and_tells_the_client_nothing() -> None:
    told = problem(answer_to(ZeroDivisionError("secret")), 500)
    assert told == "something went wrong in the service: see its log"


def test_a_problem_may_bring_headers_and_any_status() -> None:
    refused = answer_to(Problem(499, "gone", {"X-A": "b"}))
    assert problem(refused, 499) == "gone"
    assert (refused.headers["x-a"], refused.json()["title"]) == ("b", "Error")


def test_a_page_of_this_machine_names_no_documents() -> None:
    app = local_api()
    app.mount("/page", StaticFiles(directory=PAGE))
    for path in ("/none", "/page/none.js"):
        assert problem(answer_of(app, path), 404) == f"there is nothing at {path}"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"json": {}}, "count is missing"),
        ({"json": {"count": "many"}}, "count cannot be 'many'"),
        ({"json": {"count": 1, "said": {"a": "1"}}}, "said cannot be 'a'"),
        ({"content": "{", "headers": {"content-type": "application/json"}}, "the body is no JSON"),
        ({"json": [1]}, "the body cannot be [1]"),
    ],
)
def test_what_a_page_asks_is_checked_in_a_sentence(sent: dict[str, Any], sentence: str) -> None:
    app = local_api()

    @app.post("/")
    def ask(asked: Asked) -> None: ...

    assert problem(answer_of(app, **sent), 422) == sentence


class Asked(BaseModel):
    count: int
    said: dict[int, str] = Field(default={})


def test_other_paths_methods_and_options_are_problems_too(service: Running) -> None:
    assert "there is nothing at /v2/read" in problem(service.get("/v2/read"), 404)
    assert "does not take GET" in problem(service.get("/v1/read"), 405)
    told = problem(service.get("/page/none.js"), 404)
    assert told == "there is nothing at /page/none.js: see /docs"
    prefixed = httpx.get(f"{service.url}/page/none.js", headers={"X-Forwarded-Prefix": "/digits"})
    assert problem(prefixed, 404).endswith("/page/none.js: see /digits/docs")
    long = problem(service.get("/" + "a" * 5000), 404)
    assert len(long) < 300
