"""Answers /health while the application is still being imported.

Importing the web framework, the storage and the features takes seconds on a small machine. Meanwhile
/health is answered immediately and every other request waits.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send  # imports no other module of Starlette

from crewai_runner.core.waiting import wait_event

if TYPE_CHECKING:
    from starlette.applications import Starlette

START_TIMEOUT_SECONDS = 60.0
HEALTHY = b'{"status":"healthy"}'
_PROBLEM = (
    '{"type":"https://crewai-runner.dev/problems/unavailable","title":"Service unavailable","status":503,'
    '"detail":"%s"}'
)
STARTING = (_PROBLEM % "The server is still starting; try again in a moment.").encode()
# The reason is not for anonymous clients: it can name hosts and files.
FAILED = (_PROBLEM % "The server could not start; its log says why.").encode()
MakeApp = Callable[[], "Starlette"]
"""Imports and creates the application; called in a thread."""


class StartupApp:
    """An ASGI application that loads another one and then forwards to it.

    `on_ready` is called with the application once its lifespan has started, `on_failure` with the exception
    if it does not start: then every later request except /health is answered 503.
    """

    def __init__(
        self,
        make_app: MakeApp,
        on_ready: Callable[["Starlette"], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._make_app, self._on_ready, self._on_failure = make_app, on_ready, on_failure
        self._app: ASGIApp | None = None
        self._is_settled = asyncio.Event()
        self._has_failed = False
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/health":
            await _respond(send, 200, b"application/json", HEALTHY)
        else:
            await self._wait_and_forward(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._running = asyncio.create_task(self._run(), name="application")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._stop.set()
        with contextlib.suppress(Exception):
            await self._running
        await send({"type": "lifespan.shutdown.complete"})

    async def _run(self) -> None:
        """Import the application in a thread, then run its lifespan until the server stops."""
        try:
            app = await asyncio.to_thread(self._make_app)
            async with app.router.lifespan_context(app):
                self._app = app
                self._is_settled.set()
                self._on_ready(app)
                await self._stop.wait()
        except Exception as error:
            self._app = None
            self._has_failed = True
            self._on_failure(error)
            self._is_settled.set()
            raise

    async def _wait_and_forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        await wait_event(self._is_settled, START_TIMEOUT_SECONDS)
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _respond(send, 503, b"application/problem+json", FAILED if self._has_failed else STARTING)
        else:
            await send({"type": "websocket.close", "code": 1013})


async def _respond(send: Callable[[Message], Awaitable[None]], status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"x-content-type-options", b"nosniff"), (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
