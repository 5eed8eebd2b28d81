"""Requests, counted and timed by the template of their route, never by their path."""

import time

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.features.metrics.requests import RequestMetrics

NO_ROUTE = "none"
GONE = "499"
"""The status, as nginx writes it, of a request whose client went away before the answer began."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STREAM = b"text/event-stream"


class RequestCounting:
    """The outermost middleware: it sees every answer, those of the door and of defects too.

    It writes to `app.state.telemetry`; without one nothing is counted.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        telemetry = None if scope["type"] == "lifespan" else getattr(scope["app"].state, "telemetry", None)
        if telemetry is None:
            await self._app(scope, receive, send)
            return
        watched = _Exchange(send, telemetry.requests)
        began = time.perf_counter()
        try:
            await self._app(scope, receive, watched.send)
        finally:
            watched.count(scope, _template(scope), time.perf_counter() - began, began)


class _Exchange:
    """One request and what is sent for it."""

    __slots__ = ("_metrics", "_open", "_send", "_started", "_status")

    def __init__(self, send: Send, metrics: RequestMetrics) -> None:
        self._send, self._metrics = send, metrics
        self._status, self._started = GONE, 0.0
        self._open: Gauge | None = None

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._status = str(message["status"])
            if _is_stream(message):
                self._begin_stream(self._metrics.sse)
        elif kind == "websocket.accept":
            self._begin_stream(self._metrics.websocket)
        await self._send(message)

    def _begin_stream(self, readers: Gauge) -> None:
        self._started, self._open = time.perf_counter(), readers
        readers.inc()

    def count(self, scope: Scope, route: str, seconds: float, began: float) -> None:
        """The exchange is over."""
        metrics = self._metrics
        if self._open is not None:
            self._open.dec()
            metrics.stream_start(route).observe(self._started - began)
        if scope["type"] != "http":
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics.total(method, route, self._status).inc()
        if self._open is None:
            metrics.seconds(method, route).observe(seconds)


def _template(scope: Scope) -> str:
    """The path of the route that was chosen, with the prefix under which it was included."""
    if scope.get("route") is None:
        return NO_ROUTE
    # The route itself does not know the prefix; the public way to ask builds every route first.
    context = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(context, "path", None) or getattr(scope["route"], "path", NO_ROUTE))


def _is_stream(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(_STREAM) for name, value in message["headers"])
