"""Middleware for every request: request id, access log, security headers, body limit, unhandled errors."""

import re
import time
import uuid
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import TooLarge
from crewai_runner.core.logging import get_logger
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.problems import error_response, unhandled_error_response

log = get_logger("crewai_runner.access")
_CONFIDENTIAL_PATH = re.compile(r"^/hooks/.*", re.DOTALL)
"""The address of a trigger is confidential."""
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,128}$")

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
CLIENT_CLOSED_REQUEST = 499
"""The status, as nginx writes it, of a request whose client disconnected before the response."""
MAX_FULL_BODIES = 16
MAX_FULL_UPLOADS = 3
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


class RequestContextMiddleware:
    """Adds the request id (the client's, if it is well formed), the access log and security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        client_id = Headers(scope=scope).get("x-request-id", "")
        request_id = client_id if _REQUEST_ID.match(client_id) else uuid.uuid4().hex
        scope["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in SECURITY_HEADERS.items():
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
                        path=_CONFIDENTIAL_PATH.sub("/hooks/…", scope["path"]),
                        client=get_client_address(scope),
                        status=int(status),
                        ms=round((time.perf_counter() - started) * 1000, 1),
                    )


class UnhandledErrorMiddleware:
    """Responds to unhandled exceptions with an opaque 500 that carries the usual headers.

    A client that disconnects while its body is read is no error of the server.

    Starlette's own handler is outside of all middleware: its response would have no request id and no CORS
    headers, and the connection would be closed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response_started = False

        async def tracking_send(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self._app(scope, receive, tracking_send)
        except ClientDisconnect:
            if not response_started:  # it reaches no client; its status is for the log and the metrics
                await Response(status_code=CLIENT_CLOSED_REQUEST)(scope, receive, send)
        except Exception as error:
            if response_started:
                raise  # closes the connection, so that the client notices the truncated response
            await unhandled_error_response(Request(scope), error)(scope, receive, send)


ARCHIVE_HINT = (
    " Of an archive only YAML, JSON, TOML and Python files are read: leave out images, data and environments."
)


@dataclass(slots=True)
class BodyLimit:
    """The largest body of a group of routes, in bytes, and what all their bodies may hold together."""

    size: int
    total: int
    setting: str = ""
    held: int = 0


class BodyLimitMiddleware:
    """Rejects bodies above the limit, with or without a Content-Length.

    All bodies that the process holds at the same time are limited to `MAX_FULL_BODIES` times that (503): slow
    uploads must not use up the memory. Paths that match `uploads` have the limit `upload_limit` if it is
    larger, and a total of `MAX_FULL_UPLOADS` times that.
    """

    def __init__(
        self, app: ASGIApp, limit: int, uploads: re.Pattern[str] | None = None, upload_limit: int = 0
    ) -> None:
        self._app, self._uploads = app, uploads
        self._usual = BodyLimit(limit, limit * MAX_FULL_BODIES, " (MAX_REQUEST_BYTES)")
        size = max(limit, upload_limit)
        self._of_uploads = BodyLimit(size, size * MAX_FULL_UPLOADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._find_limit(scope)
        headers = Headers(scope=scope)
        is_zip = limit is self._usual and headers.get("content-type", "").startswith("application/zip")
        hint = ARCHIVE_HINT if is_zip else ""
        error = TooLarge(f"The body exceeds the limit of {limit.size} bytes{limit.setting}.{hint}")
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit.size:
            await error_response(Request(scope), error)(scope, receive, send)
            return
        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            limit.held += size
            # FastAPI turns any other exception raised while reading into a 400.
            if received > limit.size:
                raise HTTPException(error.status, error.detail)
            if limit.held > limit.total:
                raise HTTPException(503, "Too many large requests at once.", {"Retry-After": "5"})
            return message

        try:
            await self._app(scope, counting_receive, send)
        finally:
            limit.held -= received

    def _find_limit(self, scope: Scope) -> BodyLimit:
        is_upload = (
            self._uploads is not None
            and scope["method"] == "POST"
            and self._uploads.fullmatch(scope["path"]) is not None
        )
        return self._of_uploads if is_upload else self._usual
