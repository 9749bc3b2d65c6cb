"""A page for the people at this machine, below a secret path: of a review, a form, a training."""

import logging
import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from secrets import token_urlsafe

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.routing import Mount

from inkdigit.serving.middleware import AccessLog
from inkdigit.serving.operations import PAGE
from inkdigit.serving.problems import add_problem_handlers
from inkdigit.serving.server import serve, serving_beside
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
    with suppress(KeyboardInterrupt):
        serve(Settings(port=port), *_page(api, page, tell, open=open))


def served_beside(
    api: FastAPI, page: Path, tell: Callable[[str], None], *, port: int = 0, open: bool = False
) -> AbstractContextManager[None]:
    """Serve a page as `serve_locally` does, while a block runs."""
    return serving_beside(Settings(port=port), *_page(api, page, tell, open=open))


def _page(
    api: FastAPI, page: Path, tell: Callable[[str], None], *, open: bool
) -> tuple[Callable[[str], None], Callable[[object], AccessLog]]:
    """Return what announces a page, and what makes its application."""
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

    return announce, make_app
