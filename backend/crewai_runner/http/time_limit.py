"""How long a request may take, its body included, until its answer begins."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import AppError, Unavailable
from crewai_runner.http.problems import respond

_LIMIT = "crewai_runner.time_limit"


class RequestTimeout(Unavailable):
    slug = "request-timeout"
    title = "The request took too long"


class BodyTooSlow(AppError):
    status = HTTPStatus.REQUEST_TIMEOUT
    slug = "body-too-slow"
    title = "The body came too slowly"


class TimeLimit:
    """Cancels the work on a request that takes longer, so that its transaction is rolled back.

    The limit ends when the answer begins: streams and downloads may take as long as they like. An
    endpoint that waits for a run or a person has its limit lifted by `disable_timeout`.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reading = False

        async def watched_receive() -> Message:
            nonlocal reading
            reading = True
            message = await receive()
            reading = False
            return message

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                if limit.expired():
                    await asyncio.sleep(0)  # called off already: the cancellation comes through here
                limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as limit:
                scope[_LIMIT] = limit
                await self._app(scope, watched_receive, watched_send)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._refuse(BodyTooSlow if reading else RequestTimeout, scope, receive, send)

    async def _refuse(self, kind: type[AppError], scope: Scope, receive: Receive, send: Send) -> None:
        words = f"It was not done within {self._seconds:g} s, the limit of this server, and was called off."
        # What is still to come of the body must not be waited for.
        headers = {"Connection": "close"} if kind is BodyTooSlow else {"Retry-After": "5"}
        response = respond(Request(scope), kind.status, kind.slug, kind.title, words, {"headers": headers})
        await response(scope, receive, send)


def disable_timeout(scope: Scope) -> None:
    """Let this request take as long as it needs."""
    limit = scope.get(_LIMIT)
    if isinstance(limit, asyncio.Timeout) and not limit.expired():
        limit.reschedule(None)
