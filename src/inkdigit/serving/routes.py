"""The API: `/v1/read` and `/v1/read/batch`."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from secrets import compare_digest
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import ClientDisconnect

from inkdigit.documents.forms import check_form_options
from inkdigit.reading.options import ReadOptions
from inkdigit.serving.batching import Unavailable
from inkdigit.serving.problems import AsciiJSONResponse, Problem
from inkdigit.serving.request_options import FORM, SHOWN, Pairs, gathered, schemas
from inkdigit.serving.schemas import Batch, Document, Forms, ProblemDetails, Reading
from inkdigit.serving.service import Service, service_of
from inkdigit.serving.uploads import receive_body

_BINARY = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_OPTIONS = schemas()
_NAMED = {"type": "object", "properties": {"file": _BASE64, "name": {"type": "string"}}}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of a form or of JSON: what is sent, and any of the options."""
    members = properties | _OPTIONS
    return {"schema": {"type": "object", "required": [required], "properties": members}}


_ONE_FILE = {
    "multipart/form-data": _object("file", file=_BINARY),
    "application/json": _object("file", file=_BASE64, name={"type": "string"}),
    "image/*": {"schema": _BINARY},
    "application/pdf": {"schema": _BINARY},
}
_FILES = {
    "multipart/form-data": _object("files", files={"type": "array", "items": _BINARY}),
    "application/json": _object(
        "files", files={"type": "array", "items": {"anyOf": [_BASE64, _NAMED]}}
    ),
}
_PROBLEM = {"application/problem+json": {"schema": ProblemDetails.model_json_schema()}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The API key is missing or wrong", "content": _PROBLEM},
    408: {"description": "The body arrived too slowly", "content": _PROBLEM},
    413: {"description": "The body is too large, or holds too many files", "content": _PROBLEM},
    415: {"description": "The content type is not taken", "content": _PROBLEM},
    422: {"description": "No picture that can be read, or no sense", "content": _PROBLEM},
    503: {"description": "Busy, or not ready: see Retry-After", "content": _PROBLEM},
}


_PARAMETERS = [
    {"name": name, "in": "query", "description": about["description"], "schema": about}
    for name, about in _OPTIONS.items()
]


async def _options(service: Service, *said: Pairs) -> tuple[ReadOptions, dict[str, Any]]:
    """Return the options that are said, and what else is asked of the service.

    Raises `Problem` or `SettingError` where they make no sense.
    """
    asked = gathered(*said)
    more = {name: asked.pop(name) for name in (SHOWN, FORM) if name in asked}
    options = partial(ReadOptions, **asked, max_pixels=service.settings.max_pixels)
    if "pattern" in asked or "check" in asked:
        read = await asyncio.to_thread(options)  # to compile a pattern may take a while
    else:
        read = options()
    if FORM in more:
        check_form_options(read)
        if more.get(SHOWN):
            raise Problem(422, "of a form nothing is shown: leave out shown")
    return read, more


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


_T = TypeVar("_T")

router = APIRouter(prefix="/v1", dependencies=[Depends(_check_key)], responses=_REFUSALS)


@router.post(
    "/read",
    summary="Read one picture or document",
    responses={200: {"model": Reading | Document | Forms}},
    openapi_extra={
        "parameters": _PARAMETERS,
        "requestBody": {"required": True, "content": _ONE_FILE},
    },
)
async def read(request: Request) -> AsciiJSONResponse:
    """Read the number in a picture: multipart `file`, JSON with base64, or the picture itself.

    A document of several pages gives `pages`, and a form `rows`, one for each field. Options stand
    in the query, the form or the JSON.
    """
    service, query = service_of(request), request.query_params.multi_items()
    await _options(service, query)  # before anything arrives
    several = Problem(422, "there are several files: send them to /v1/read/batch")
    with service.memory.share() as take:
        body = await receive_body(request, service.settings, take, most=1, refusal=several)
        options, more = await _options(service, query, body.options)
        answer = service.read(body.uploads[0], options, **more)
        return AsciiJSONResponse(await _in_time(request, answer, service.settings.timeout))


@router.post(
    "/read/batch",
    summary="Read several files",
    responses={200: {"model": Batch}},
    openapi_extra={"parameters": _PARAMETERS, "requestBody": {"required": True, "content": _FILES}},
)
async def read_batch(request: Request) -> AsciiJSONResponse:
    """Read several files of a multipart form or of JSON: one result or error each, in order."""
    service, query = service_of(request), request.query_params.multi_items()
    await _options(service, query)
    most = service.settings.max_files
    refusal = Problem(413, f"there are more than {most:,} files: split them")
    with service.memory.share() as take:
        body = await receive_body(request, service.settings, take, most=most, refusal=refusal)
        options, more = await _options(service, query, body.options)
        answers = service.read_all(body.uploads, options, **more)
        results = await _in_time(request, answers, service.settings.timeout)
        return AsciiJSONResponse({"results": results})


class ReadingTooSlow(Unavailable):
    """The reading was not there in time."""


async def _in_time(request: Request, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
    """Return what the work gives, unless it takes too long or its client goes."""
    reading = asyncio.create_task(work)
    leaving = asyncio.create_task(_leaving(request))
    try:
        async with asyncio.timeout(seconds):
            await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        raise ReadingTooSlow(f"reading took longer than {seconds:g} seconds") from None
    finally:
        leaving.cancel()
        if not reading.done():
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
    if reading.cancelled():
        raise ClientDisconnect
    return reading.result()


async def _leaving(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
