"""What happens around every request: its id, its log line, its size limit, safe headers."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import TooLarge
from crewai_runner.core.logging import get_logger
from crewai_runner.http.problems import defect, respond

log = get_logger("crewai_runner.access")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,128}$")

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class RequestScope:
    """Gives every request an id (the caller's, when it is a sane one), a log line and safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        scope["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", API_POLICY)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                if scope["type"] == "http":
                    log.info(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=int(status),
                        ms=round((time.perf_counter() - began) * 1000, 1),
                    )


class UnhandledErrors:
    """Answers a defect with an opaque 500 that has the headers of every other answer.

    The framework's own handler stands outside all middleware: its answer would have no request id, no
    origin that a browser accepts, and would cost the client its connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun:
                raise  # the answer breaks off, and the client must notice
            await defect(Request(scope), error)(scope, receive, send)


class BodyLimit:
    """Refuses a body above the limit, whether its length is declared or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                # FastAPI turns any other exception during reading into a 400.
                raise HTTPException(TooLarge.status, self._words())
            return message

        await self._app(scope, counted, send)

    def _words(self) -> str:
        return f"The body is larger than {self._limit} bytes, the limit of this server (MAX_REQUEST_BYTES)."

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = respond(Request(scope), TooLarge.status, TooLarge.slug, TooLarge.title, self._words(), {})
        await response(scope, receive, send)
