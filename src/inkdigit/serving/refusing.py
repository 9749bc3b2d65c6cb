"""Refuses in a rush, before anything is done that costs more than to refuse."""

from collections.abc import Callable, Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from inkdigit.serving.problems import Problem, ProblemResponse


class Refuser:
    """ASGI middleware; asks `check_room` before each request for one of these routes."""

    def __init__(
        self, app: ASGIApp, routes: Iterable[BaseRoute], check_room: Callable[[], None]
    ) -> None:
        self._app, self._check_room = app, check_room
        self._routes = {route.path: route for route in routes if isinstance(route, Route)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer what `check_room` raises."""
        route = self._routes.get(scope.get("path", ""))
        try:
            if route:
                self._check_room()
        except Problem as problem:
            scope["route"] = route
            await ProblemResponse(problem, scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
