"""The mode for a class: what pupils draw on their phones is kept, each under his name."""

import asyncio
from collections import Counter
from functools import partial
from io import BytesIO
from typing import Annotated
from zipfile import ZipFile

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from inkdigit.classroom.collection import Collection
from inkdigit.serving.operations import PAGE
from inkdigit.serving.problems import AsciiJSONResponse, several
from inkdigit.serving.service import service_of
from inkdigit.serving.uploads import receive_body


class Asked(BaseModel):
    """Who draws; on which phone, that has made a token for itself; and which digit."""

    name: str
    token: str = Field(pattern="^[0-9a-f]{16}$")
    digit: str = Field("0", pattern="^[0-9]$")


_Asked = Annotated[Asked, Query()]


def create_router(collection: Collection) -> APIRouter:
    """Return the page and what it asks for; what is drawn goes into a class's folder."""
    router = APIRouter(include_in_schema=False)

    def state(asked: Asked) -> Response:
        mine = Counter(path.parent.name for path in collection.drawn(asked.name, asked.token))
        return AsciiJSONResponse({"mine": mine, "all": len(collection.on_phones())})

    @router.get("/")
    async def page() -> Response:
        return FileResponse(PAGE / "collect.html")

    @router.post("/class/join")
    def join(asked: _Asked) -> Response:
        return state(asked)

    @router.post("/class/draw")
    async def draw(request: Request, asked: _Asked) -> Response:
        service = service_of(request)
        with service.memory.share() as take:
            body = await receive_body(request, service.settings, take, most=1, beyond=several())
            picture, most = body.uploads[0].content, service.settings.max_pixels
            who = asked.name, asked.token, asked.digit
            with service.places.share(1):
                await service.batcher.run(partial(collection.draw, *who, picture, most))
        return await asyncio.to_thread(state, asked)

    @router.post("/class/forget")
    def forget(asked: _Asked) -> Response:
        collection.forget(asked.name, asked.token)
        return state(asked)

    @router.get("/class/mine.zip")
    def mine(asked: _Asked) -> Response:
        content = BytesIO()
        with ZipFile(content, "w") as archive:
            for path in collection.drawn(asked.name, asked.token):
                archive.write(path, path.relative_to(collection.folder))
        return Response(content.getvalue(), media_type="application/zip")

    return router
