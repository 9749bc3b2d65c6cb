"""A page for the people at this machine, below a secret path: of a review, of a form."""

import logging
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.routing import Mount

from inkdigit.serving.middleware import AccessLog
from inkdigit.serving.operations import PAGE
from inkdigit.serving.problems import add_problem_handlers
from inkdigit.serving.server import serve
from inkdigit.serving.settings import Settings


def local_api() -> FastAPI:
    """Return what a page asks, without any question yet, and without documents."""
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def serve_locally(
    api: FastAPI, page: Path, tell: Callable[[str], None], *, port: int = 0, open: bool = False
) -> None:
    """Serve a page and what it asks until Ctrl-C, with the middleware and style of the service.

    `tell` is called with its address, which is a secret, in a sentence. The port is a free one by
    default; `open` opens the page in the browser.
    """
    token = token_urlsafe()
    api.mount("/page", StaticFiles(directory=PAGE))
    api.mount("/", StaticFiles(directory=page, html=True))
    add_problem_handlers(api)

    def announce(address: str) -> None:
        tell(f"the page is at {address}/{token}/ (Ctrl-C ends it)")
        if open:
            webbrowser.open(f"{address}/{token}/")

    def make_app(_: object) -> AccessLog:
        # Who uses it reads the terminal, and asks for a picture a second.
        logging.getLogger("inkdigit.requests").setLevel(logging.WARNING)
        return AccessLog(Starlette(routes=[Mount(f"/{token}", api)]))

    with suppress(KeyboardInterrupt):
        serve(Settings(port=port), announce, make_app)
