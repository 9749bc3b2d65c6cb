"""What runs a service: health, readiness, version, figures; and its documents and page."""

from importlib.resources import as_file, files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST

import inkdigit
from inkdigit.serving.metrics import exposition
from inkdigit.serving.service import service_of

PAGE = Path(__file__).with_name("page")
router = APIRouter()


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Whether the process answers")
async def health() -> dict[str, str]:
    """Answer as long as the process lives."""
    return {"status": "ok"}


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready", summary="Whether it can read", responses={503: {"description": "Not yet: warming up"}}
)
async def ready(request: Request) -> dict[str, str]:
    """Answer 503 until the models are warm."""
    _ = service_of(request).reader
    return {"status": "ready"}


@router.get("/version", summary="What is running")
async def version(request: Request) -> dict[str, str]:
    """Return the version of Inkdigit and the name of its model."""
    return {"inkdigit": inkdigit.__version__, "model": service_of(request).reader.model}


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics() -> Response:
    """Return requests, latency, queue, batches and readings."""
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)


@router.head("/", include_in_schema=False)
@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """Return the page to write on."""
    return FileResponse(PAGE / "index.html")


@router.get("/docs", include_in_schema=False)
async def documents() -> FileResponse:
    """Return the page that shows the OpenAPI."""
    return FileResponse(PAGE / "docs.html")


def add_pages(app: FastAPI) -> None:
    """Serve what the page and the documents are made of; Swagger UI from its package."""
    with as_file(files("fastapi_swagger") / "resources") as swagger:
        app.mount("/swagger", StaticFiles(directory=swagger))
    app.mount("/page", StaticFiles(directory=PAGE))
