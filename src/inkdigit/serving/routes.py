"""The API: `/v1/read` and `/v1/read/batch`."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from secrets import compare_digest
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect

from inkdigit.serving.problems import AsciiJSONResponse, Problem, several, too_many
from inkdigit.serving.quota import Unavailable
from inkdigit.serving.request_options import Asked, Pairs, gathered, schemas
from inkdigit.serving.schemas import Batch, Document, Forms, ProblemDetails, Reading
from inkdigit.serving.service import Service, service_of
from inkdigit.serving.uploads import Upload, receive_body

# What the OpenAPI says of bodies and refusals.
_TOLD = json.loads(Path(__file__).with_name("openapi.json").read_text("utf-8"))
_OPTIONS = schemas()
_PARAMETERS = [
    {"name": name, "in": "query", "description": about["description"], "schema": about}
    for name, about in _OPTIONS.items()
]
_PROBLEM = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    int(status): {"description": told, "content": _PROBLEM}
    for status, told in _TOLD["refusals"].items()
}


def _described(bodies: dict[str, Any]) -> dict[str, Any]:
    """Return what the OpenAPI says of a request: options may stand in its query and its body."""
    for body in bodies.values():
        if "properties" in body["schema"]:
            body["schema"]["properties"] |= _OPTIONS
    return {"parameters": _PARAMETERS, "requestBody": {"required": True, "content": bodies}}


async def _asked(service: Service, *said: Pairs) -> Asked:
    """Return what is said, checked; raises `Problem` or `SettingError` where it makes no sense."""
    found = gathered(*said)
    asked = partial(Asked.of, found, service.settings.max_pixels)
    # To compile a pattern may take a while.
    slow = {"pattern", "pattern_column", "check"} & found.keys()
    return await asyncio.to_thread(asked) if slow else asked()


_HeaderKey = Annotated[str | None, Security(APIKeyHeader(name="X-API-Key", auto_error=False))]
_BearerKey = Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))]


async def _check_key(request: Request, header: _HeaderKey, bearer: _BearerKey) -> None:
    keys = [key.encode() for key in service_of(request).settings.api_keys]
    sent = [header or "", bearer.credentials if bearer else ""]
    # The bytes of a header arrive as latin-1, whatever they are. All are compared, so that the time
    # tells nothing.
    same = [compare_digest(given.encode("latin-1"), key) for given in sent for key in keys]
    if keys and not any(same):
        detail = "the API key is missing or wrong: send it as X-API-Key or as a bearer token"
        raise Problem(401, detail, {"WWW-Authenticate": "Bearer"})


router = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)], responses=_REFUSALS)


@router.post(
    "/read",
    summary="Read one picture or document",
    responses={200: {"model": Reading | Document | Forms}},
    openapi_extra=_described(_TOLD["read"]),
)
async def read(request: Request) -> AsciiJSONResponse:
    """Read the number in a picture: multipart `file`, JSON with base64, or the picture itself.

    A document of several pages gives `pages`. A form gives `rows`, one for each field, and so does
    `find`, one for each number of a page. Options stand in the query, the form or the JSON.
    """
    service = service_of(request)
    beyond = several(", or several to /v1/read/batch")
    return await _answer(
        request, lambda files, asked: service.read(files[0], asked), most=1, beyond=beyond
    )


@router.post(
    "/read/batch",
    summary="Read several files",
    responses={200: {"model": Batch}},
    openapi_extra=_described(_TOLD["batch"]),
)
async def read_batch(request: Request) -> AsciiJSONResponse:
    """Read several files of a multipart form or of JSON: one result or error each, in order."""
    service, most = service_of(request), service_of(request).settings.max_files
    return await _answer(request, service.read_all, most=most, beyond=too_many(most))


_Work = Coroutine[Any, Any, dict[str, Any]]


async def _answer(
    request: Request, read: Callable[[list[Upload], Asked], _Work], *, most: int, beyond: Problem
) -> AsciiJSONResponse:
    """Receive at most so many files, read them, and answer."""
    service, query = service_of(request), request.query_params.multi_items()
    await _asked(service, query)  # before anything arrives
    with service.memory.share() as take:
        body = await receive_body(request, service.settings, take, most=most, beyond=beyond)
        work = read(body.uploads, await _asked(service, query, body.options))
        return AsciiJSONResponse(await _in_time(request, work, service.settings.timeout))


class ReadingTooSlow(Unavailable):
    """The reading was not there in time."""


async def _in_time(request: Request, work: _Work, seconds: float) -> dict[str, Any]:
    """Return what the work gives, unless it takes too long or its client goes."""
    reading, leaving = asyncio.create_task(work), asyncio.create_task(_leaving(request))
    tasks = {reading, leaving}
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            return reading.result()
        if leaving.done():
            raise ClientDisconnect
        raise ReadingTooSlow(f"reading took longer than {seconds:g} seconds")
    finally:
        for task in tasks:
            task.cancel()


async def _leaving(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
