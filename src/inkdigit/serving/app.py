"""The whole service as one ASGI application."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

import inkdigit
from inkdigit.classroom.collection import Collection
from inkdigit.serving import operations, routes
from inkdigit.serving.collecting import create_router
from inkdigit.serving.metrics import forget_process
from inkdigit.serving.middleware import AccessLog, LingeringClose, LoadShedding, Prefix
from inkdigit.serving.problems import add_problem_handlers
from inkdigit.serving.service import Service
from inkdigit.serving.settings import Settings

# How many times the largest request a refused client may go on sending.
_LINGERING = 4


def create_app(settings: Settings) -> AccessLog:
    """Return the application; it warms its models while it answers already."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = Service(settings)
        yield
        service.warming.cancel()
        service.batcher.close()
        forget_process()

    app = FastAPI(
        title="Inkdigit",
        summary="Reads handwritten numbers.",
        version=inkdigit.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    if settings.collect:
        # A teacher reads the terminal, and thirty phones ask all the time.
        logging.getLogger("inkdigit.requests").setLevel(logging.WARNING)
        app.include_router(create_router(Collection(settings.collect)))
    app.include_router(routes.router)
    app.include_router(operations.router)
    operations.add_pages(app)
    add_problem_handlers(app)
    return _around(app, settings)


def _around(app: FastAPI, settings: Settings) -> AccessLog:
    """Return the application with its middleware, from the inside out."""

    def check_room() -> None:
        app.state.service.places.check()

    wrapped: ASGIApp = LoadShedding(app, routes.router.routes, check_room)
    if settings.cors_origins:
        wrapped = CORSMiddleware(
            wrapped,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "X-API-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    wrapped = Prefix(wrapped, settings.root_path)
    return AccessLog(LingeringClose(wrapped, limit=_LINGERING * settings.max_bytes))
