"""What the page of a review asks, over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from inkdigit.review.forms import Forms
from inkdigit.review.pictures import Pictures
from inkdigit.review.pile import Pile
from inkdigit.serving.local import local_api
from inkdigit.serving.problems import AsciiJSONResponse

PAGE = Path(__file__).with_name("page")
# Fields that a page holds, whose pictures it has fetched before they are shown; and in a grid.
_AHEAD, _GRID = 20, 60


class Asked(BaseModel):
    """Who asks, whether for fields that were read alike, and what they say of which rows.

    It took them so many milliseconds. They are `sure` of what is odd by the form.
    """

    who: str = Field(min_length=1, max_length=60)
    alike: bool = False
    said: dict[int, str] = Field(default={}, max_length=_GRID)
    ms: int = 0
    sure: bool = False


def create_api(pile: Pile, pictures: Pictures, forms: Forms, tell: Callable[[], str]) -> FastAPI:
    """Return the API; `tell` says how far the review is, where it says more than counts."""
    app = local_api()

    def state(**more: Any) -> Response:
        known = {"told": tell(), "formed": bool(forms.names)}
        return AsciiJSONResponse(pile.counts | known | more)

    @app.post("/take")
    def take(asked: Asked) -> Response:
        held = pile.take(asked.who, _GRID if asked.alike else _AHEAD, alike=asked.alike)
        return state(fields=held)

    @app.post("/decide")
    def decide(asked: Asked) -> Response:
        if not asked.sure and (doubt := forms.doubt(asked.said, blind=pile.blind)):
            return state(doubt=doubt)
        pile.decide(asked.who, asked.said, asked.ms)
        return take(asked)

    @app.post("/back")
    def back(asked: Asked) -> Response:
        pile.back(asked.who)
        return take(asked)

    @app.post("/form")
    def form(asked: Asked) -> Response:
        shown = [forms.shown(pile.field(row), new) for row, new in asked.said.items()]
        return state(forms=shown)

    @app.get("/picture/{row}")
    def picture(row: int) -> Response:
        return Response(pictures.png(pile.field(row)), media_type="image/png")

    @app.get("/surroundings/{row}")
    def surroundings(row: int) -> Response:
        return Response(pictures.surroundings(pile.field(row)), media_type="image/png")

    return app
