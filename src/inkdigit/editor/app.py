"""What the page of a form's template asks, over HTTP."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel

from inkdigit.editor.file import TemplateFile
from inkdigit.errors import SettingError
from inkdigit.serving.local import local_api
from inkdigit.serving.problems import AsciiJSONResponse

PAGE = Path(__file__).with_name("page")


class Drawn(BaseModel):
    """A template as it was drawn, and the digest of the file that it is to be saved over."""

    template: Any
    digest: str | None = None


def create_api(file: TemplateFile) -> FastAPI:
    """Return the API. Its functions are coroutines, so that no two save at a time."""
    api = local_api()

    @api.get("/template")
    async def template() -> Response:
        return AsciiJSONResponse(file.opened())

    @api.get("/blank/{number}")
    async def blank(number: int) -> Response:
        if not 1 <= number <= len(file.blanks):
            raise SettingError(f"there is no page {number} of {len(file.blanks)}")
        return Response(file.blanks[number - 1], media_type="image/png")

    @api.post("/check")
    async def check(drawn: Drawn) -> Response:
        try:
            file.check(drawn.template)
        except SettingError as error:
            return AsciiJSONResponse({"told": str(error)})
        return AsciiJSONResponse({"told": ""})

    @api.post("/save")
    async def save(drawn: Drawn) -> Response:
        return AsciiJSONResponse({"digest": file.save(drawn.template, drawn.digest)})

    return api
