"""Every refusal as problem JSON (RFC 9457): which error has which status is said here alone."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from inkdigit.errors import InkdigitError
from inkdigit.serving.batching import Unavailable

# What nginx logs where a client has gone before its answer; nobody receives it.
CLIENT_GONE = 499
_RETRY_SECONDS = "1"
_TITLES = {status.value: status.phrase for status in HTTPStatus}


class Problem(Exception):  # noqa: N818  (the name that RFC 9457 gives it)
    """A request that is refused: its status, a sentence, and headers if it needs any."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def too_large(limit: int) -> Problem:
    """Return the refusal of a body of more bytes than may be."""
    return Problem(413, f"the request is larger than {limit:,} bytes: shrink or split it")


def unavailable(error: Unavailable) -> Problem:
    """Return the refusal of what may well be granted a moment later."""
    return Problem(503, str(error), {"Retry-After": _RETRY_SECONDS})


class AsciiJSONResponse(JSONResponse):
    """JSON as the command line writes it: ASCII with escapes, whatever a file's name holds."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return json.dumps(content).encode()


class ProblemResponse(AsciiJSONResponse):
    """A problem as the response to the request of this scope."""

    media_type = "application/problem+json"

    def __init__(self, problem: Problem, scope: Scope) -> None:
        body = {
            "type": "about:blank",
            "title": _TITLES.get(problem.status, "Error"),
            "status": problem.status,
            "detail": problem.detail,
            "instance": f"urn:request:{scope['state']['request_id']}",
        }
        super().__init__(body, problem.status, problem.headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error leave the application as a problem, and none as a traceback."""
    for kind, problem_of in _PROBLEMS.items():
        app.add_exception_handler(kind, partial(_respond, problem_of))
    app.add_exception_handler(ClientDisconnect, _say_nothing)


async def _respond(
    problem_of: Callable[[Request, Any], Problem], request: Request, error: Exception
) -> Response:
    return ProblemResponse(problem_of(request, error), request.scope)


async def _say_nothing(*_: object) -> Response:
    return Response(status_code=CLIENT_GONE)


def _http(request: Request, error: HTTPException) -> Problem:
    path, docs = request.url.path[:200], f"{request.scope.get('root_path', '')}/docs"
    known = {
        404: f"there is nothing at {path}: see {docs}",
        405: f"{path} does not take {request.method}: see {docs}",
    }
    detail = known.get(error.status_code, error.detail)
    return Problem(error.status_code, detail, error.headers)


_PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    Problem: lambda _, error: error,
    Unavailable: lambda _, error: unavailable(error),
    InkdigitError: lambda _, error: Problem(error.http_status, str(error)),
    HTTPException: _http,
    Exception: lambda *_: Problem(500, "something went wrong in the service: see its log"),
}
