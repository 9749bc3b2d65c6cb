"""What the page of a review asks, over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

from inkdigit.review.pictures import Pictures
from inkdigit.review.pile import Pile
from inkdigit.serving.local import local_api
from inkdigit.serving.problems import AsciiJSONResponse

PAGE = Path(__file__).with_name("page")
# Fields that a page holds, whose pictures it has fetched before they are shown.
_AHEAD = 20


class Asked(BaseModel):
    """Who asks; and what they say of a field that they hold, after how many milliseconds."""

    who: str = Field(min_length=1, max_length=60)
    row: int = 0
    new: str = ""
    ms: int = 0


def create_api(pile: Pile, pictures: Pictures, tell: Callable[[], str]) -> FastAPI:
    """Return the API; `tell` says how far the review is, where it says more than counts."""
    app = local_api()

    def state(**more: Any) -> Response:
        return AsciiJSONResponse({**pile.counts, "told": tell(), **more})

    @app.post("/take")
    def take(asked: Asked) -> Response:
        return state(fields=pile.take(asked.who, _AHEAD))

    @app.post("/decide")
    def decide(asked: Asked) -> Response:
        pile.decide(asked.who, asked.row, asked.new, asked.ms)
        return take(asked)

    @app.post("/back")
    def back(asked: Asked) -> Response:
        return state(field=pile.back(asked.who))

    @app.get("/picture/{row}")
    def picture(row: int) -> Response:
        return Response(pictures.png(pile.field(row)), media_type="image/png")

    @app.get("/surroundings/{row}")
    def surroundings(row: int) -> Response:
        return Response(pictures.surroundings(pile.field(row)), media_type="image/png")

    return app
