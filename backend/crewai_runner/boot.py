"""Answers /health from the first moment, while the application is still being imported.

Importing the web framework, the storage and the features takes seconds on a small machine. Until it is
done, liveness is answered at once and every other request waits.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send  # types only: the package costs nothing

from crewai_runner.core.waiting import wait_event

PATIENCE_SECONDS = 60.0
HEALTHY = b'{"status":"healthy"}'
STARTING = (
    b'{"type":"https://crewai-runner.dev/problems/unavailable","title":"Service unavailable","status":503,'
    b'"detail":"The server is still starting; try again in a moment."}'
)

FAILED = {
    "type": "https://crewai-runner.dev/problems/unavailable",
    "title": "Service unavailable",
    "status": 503,
}
MakeApp = Callable[[], Any]
"""Imports and builds the application (a FastAPI); called in a thread."""


class StartupApp:
    """An ASGI application that becomes another one.

    `on_ready` is called with it once its lifespan has begun; `on_failure` with what went wrong. The words
    it gives back are for everybody: from then on every request but /health is answered 503 with them.
    """

    def __init__(
        self,
        make_app: MakeApp,
        on_ready: Callable[[Any], None],
        on_failure: Callable[[BaseException], str],
    ) -> None:
        self._make_app, self._on_ready, self._on_failure = make_app, on_ready, on_failure
        self._app: ASGIApp | None = None
        self._settled = asyncio.Event()
        self._failure: str | None = None
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/health":
            await _answer(send, 200, b"application/json", HEALTHY)
        else:
            await self._when_up(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._life = asyncio.create_task(self._live(), name="application")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop.set()
        with contextlib.suppress(Exception):
            await self._life
        await send({"type": "lifespan.shutdown.complete"})

    async def _live(self) -> None:
        """Import the application in a thread, then run its own lifespan to the end."""
        try:
            app = await asyncio.to_thread(self._make_app)
            async with app.router.lifespan_context(app):
                self._app = app
                self._settled.set()
                self._on_ready(app)
                await self._stop.wait()
        except Exception as error:
            self._app = None
            self._failure = self._on_failure(error)
            self._settled.set()
            raise

    async def _when_up(self, scope: Scope, receive: Receive, send: Send) -> None:
        await wait_event(self._settled, PATIENCE_SECONDS)
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer(send, 503, b"application/problem+json", self._why_not())
        else:
            await send({"type": "websocket.close", "code": 1013})

    def _why_not(self) -> bytes:
        if self._failure is None:
            return STARTING
        return json.dumps({**FAILED, "detail": f"The server could not start: {self._failure}"}).encode()


async def _answer(
    send: Callable[[dict[str, Any]], Awaitable[None]], status: int, kind: bytes, body: bytes
) -> None:
    headers = [(b"content-type", kind), (b"x-content-type-options", b"nosniff"), (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
