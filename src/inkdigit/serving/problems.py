"""Every refusal as problem JSON (RFC 9457): which error has which status is said here alone."""

import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from inkdigit.errors import InkdigitError, shown
from inkdigit.serving.quota import Unavailable

# What nginx logs where a client has gone before its answer; nobody receives it.
CLIENT_GONE = 499
_RETRY_SECONDS = "1"
# The name that RFC 9457 gives it: its status, a sentence, and headers if it needs any.
Problem = HTTPException
_TITLES = {status.value: status.phrase for status in HTTPStatus}


def too_large(limit: int) -> Problem:
    """Return the refusal of a body of more bytes than may be."""
    return Problem(413, f"the request is larger than {limit:,} bytes: shrink or split it")


def too_many(most: int) -> Problem:
    """Return the refusal of a batch of more files than may be."""
    return Problem(413, f"the batch has more than {most:,} file{'s' * (most > 1)}: split it")


def several(hint: str = "") -> Problem:
    """Return the refusal of more files than one, with what else to do."""
    return Problem(422, f"there are several files: send one{hint}")


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
            "title": _TITLES.get(problem.status_code, "Error"),
            "status": problem.status_code,
            "detail": problem.detail,
            "instance": f"urn:request:{scope['state']['request_id']}",
        }
        super().__init__(body, problem.status_code, problem.headers)


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


def _http(request: Request, error: Problem) -> Problem:
    path, scope = request.url.path[:200], request.scope
    # A mount adds its own path to the root's. The pages of this machine have no documents.
    root = scope.get("app_root_path", scope.get("root_path", ""))
    see = f": see {root}/docs" if request.app.openapi_url else ""
    known = {
        404: f"there is nothing at {path}{see}",
        405: f"{path} does not take {request.method}{see}",
    }
    detail = known.get(error.status_code, error.detail)
    return Problem(error.status_code, detail, error.headers)


def _invalid(_: Request, error: RequestValidationError) -> Problem:
    """Say of the first value that is none what it is called, as FastAPI found it."""
    first = error.errors()[0]
    name = next((f"{part}" for part in first["loc"][1:2] if isinstance(part, str)), "the body")
    told = {"missing": f"{name} is missing", "json_invalid": "the body is no JSON"}
    return Problem(422, told.get(first["type"], f"{name} cannot be {shown(first['input'])}"))


_PROBLEMS: dict[type[Exception], Callable[[Request, Any], Problem]] = {
    Unavailable: lambda _, error: unavailable(error),
    InkdigitError: lambda _, error: Problem(error.http_status, str(error)),
    Problem: _http,
    RequestValidationError: _invalid,
    Exception: lambda *_: Problem(500, "something went wrong in the service: see its log"),
}
