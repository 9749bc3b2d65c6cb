"""The mode for a class: what pupils draw on their phones is kept, each under his name."""

import asyncio
from collections import Counter
from io import BytesIO
from typing import Annotated, Any
from zipfile import ZipFile

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from inkdigit.classroom.collection import Collection
from inkdigit.serving.operations import PAGE
from inkdigit.serving.problems import AsciiJSONResponse, Problem
from inkdigit.serving.service import service_of
from inkdigit.serving.uploads import receive_body


class Asked(BaseModel):
    """Who draws, on which phone; and which digit."""

    name: str
    token: str = ""
    digit: str = Field("0", pattern="^[0-9]$")


_Asked = Annotated[Asked, Query()]


def create_router(collection: Collection) -> APIRouter:
    """Return the page and what it asks for; what is drawn goes into a class's folder."""
    router = APIRouter(include_in_schema=False)

    def state(asked: Asked, **more: Any) -> Response:
        mine = Counter(path.parent.name for path in collection.drawn(asked.name))
        return AsciiJSONResponse({"mine": mine, "all": len(collection.drawn()), **more})

    @router.get("/")
    async def page() -> Response:
        return FileResponse(PAGE / "collect.html")

    @router.post("/class/join")
    def join(asked: _Asked) -> Response:
        return state(asked, token=collection.join(asked.name, asked.token))

    @router.post("/class/draw")
    async def draw(request: Request, asked: _Asked) -> Response:
        service = service_of(request)
        with service.memory.share() as take:
            refusal = Problem(422, "there are several pictures: send one")
            body = await receive_body(request, service.settings, take, most=1, refusal=refusal)
            picture, most = body.uploads[0].content, service.settings.max_pixels

            def keep() -> Response:
                collection.join(asked.name, asked.token)
                collection.draw(asked.name, asked.digit, picture, most)
                return state(asked)

            return await asyncio.to_thread(keep)

    @router.post("/class/forget")
    def forget(asked: _Asked) -> Response:
        collection.join(asked.name, asked.token)
        collection.forget(asked.name)
        return state(asked)

    @router.get("/class/mine.zip")
    def mine(asked: _Asked) -> Response:
        collection.join(asked.name, asked.token)
        content = BytesIO()
        with ZipFile(content, "w") as archive:
            for path in collection.drawn(asked.name):
                archive.write(path, path.relative_to(collection.folder))
        return Response(content.getvalue(), media_type="application/zip")

    return router
