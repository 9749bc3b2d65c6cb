"""What the page that watches a training asks, over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from inkdigit.learning.explainer.page import PAGE as EXPLAINER
from inkdigit.serving.local import local_api
from inkdigit.serving.problems import AsciiJSONResponse
from inkdigit.watching.watch import Experiment, Watch

PAGE = Path(__file__).with_name("page")
_LOOK_SECONDS = 0.06


class Change(BaseModel):
    """What the next epoch is to have."""

    learning_rate: float | None = None
    batch_size: int | None = None


def create_api(watch: Watch) -> FastAPI:
    """Return the API."""
    api = local_api()
    api.mount("/explainer", StaticFiles(directory=EXPLAINER))

    @api.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_events(watch), media_type="text/event-stream")

    @api.post("/pause")
    async def pause(paused: Annotated[bool, Body()], steps: Annotated[int, Body()] = 0) -> Response:
        """Hold the training, let it go, or let it do so many steps."""
        watch.pause(paused=paused, steps=steps)
        return AsciiJSONResponse({})

    @api.post("/change")
    async def change(asked: Change) -> Response:
        watch.change(**asked.model_dump(exclude_none=True))
        return AsciiJSONResponse({})

    @api.post("/experiment")
    async def experiment(
        kind: Annotated[Experiment, Body()], amount: Annotated[float, Body()] = 0
    ) -> Response:
        """Put an experiment behind others: so many digits, or per cent of wrong labels."""
        watch.ask(kind, amount)
        return AsciiJSONResponse({})

    return api


async def _events(watch: Watch) -> AsyncIterator[str]:
    """Yield what is new, as server-sent events: whoever is slow misses what is old by then."""
    seen: dict[str, Any] = {}
    curve, sent = watch.curve, 0
    watch.clients += 1
    try:
        while "ended" not in seen:
            new = {
                name: part for name, part in list(watch.told.items()) if part is not seen.get(name)
            }
            seen |= new
            if curve is not watch.curve:
                curve, sent = watch.curve, 0
            if points := curve[sent:]:
                new["curve"] = {"from": sent, "points": points}
                sent += len(points)
            if new:
                yield f"data: {json.dumps(new)}\n\n"
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        watch.clients -= 1
