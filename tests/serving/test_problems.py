"""Which error is answered by which status; every refusal of the service is problem JSON."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from running import Running, problem

from inkdigit import errors
from inkdigit.serving.batching import QueueFull
from inkdigit.serving.middleware import AccessLog
from inkdigit.serving.problems import Problem, add_problem_handlers
from inkdigit.serving.routes import ReadingTooSlow
from inkdigit.serving.service import NotReady
from inkdigit.serving.uploads import MemoryFull


def answer_to(error: Exception) -> httpx.Response:
    """Return what a client gets where this error is raised."""
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    async def ask() -> httpx.Response:
        # Starlette answers a bug, and raises it once more for the server to log.
        transport = httpx.ASGITransport(AccessLog(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", [QueueFull, MemoryFull, NotReady, ReadingTooSlow])
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


def test_other_paths_methods_and_options_are_problems_too(service: Running) -> None:
    assert "there is nothing at /v2/read" in problem(service.get("/v2/read"), 404)
    assert "does not take GET" in problem(service.get("/v1/read"), 405)
    long = problem(service.get("/" + "a" * 5000), 404)
    assert len(long) < 300
