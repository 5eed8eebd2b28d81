"""Starts simultaneous requests a few at a time, so that health checks are answered between them."""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

MAX_STARTS = 4
"""Requests that start in one iteration of the event loop; each takes some milliseconds until it waits."""


class GradualStartMiddleware:
    """Delays requests that arrive together with many others, in the order of their arrival.

    The event loop would start all of them before it reads its sockets again: 150 uploads delay a health check
    by more than a second on a small machine. `exempt` are paths that never wait.
    """

    def __init__(self, app: ASGIApp, exempt: frozenset[str]) -> None:
        self._app, self._exempt = app, exempt
        self._started = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] not in self._exempt:
            await self._wait_for_start()
        await self._app(scope, receive, send)

    async def _wait_for_start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._started == 0:
            loop.call_soon(self._start_next)
        if self._started < MAX_STARTS:
            self._started += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _start_next(self) -> None:
        """Called once in each iteration for as long as requests start or wait."""
        self._started = 0
        while self._waiting and self._started < MAX_STARTS:
            turn = self._waiting.popleft()
            if not turn.done():  # cancelled
                turn.set_result(None)
                self._started += 1
        if self._started:
            asyncio.get_running_loop().call_soon(self._start_next)
