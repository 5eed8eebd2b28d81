"""The time limit of requests, from their first byte to the start of the response."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.errors import AppError, Unavailable
from crewai_runner.http.problems import error_response

_SCOPE_KEY = "crewai_runner.time_limit"


class RequestTimeout(Unavailable):
    slug = "request-timeout"
    title = "Request timed out"


class BodyTooSlow(AppError):
    status = HTTPStatus.REQUEST_TIMEOUT
    slug = "body-too-slow"
    title = "Request body received too slowly"


class TimeLimitMiddleware:
    """Cancels requests that take too long, so that their transaction is rolled back.

    The limit ends with the start of the response: streams and downloads may take any time. Endpoints that
    wait for a run or a person disable it with `disable_timeout`.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_reading = False

        async def tracking_receive() -> Message:
            nonlocal is_reading
            is_reading = True
            message = await receive()
            is_reading = False
            return message

        async def limited_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                if timeout.expired():
                    await asyncio.sleep(0)  # raises a pending cancellation
                timeout.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as timeout:
                scope[_SCOPE_KEY] = timeout
                await self._app(scope, tracking_receive, limited_send)
        except TimeoutError:
            if not timeout.expired():
                raise
            error = self._slow_body_error() if is_reading else self._timeout_error()
            await error_response(Request(scope), error)(scope, receive, send)

    def _slow_body_error(self) -> AppError:
        # Closing the connection discards the rest of the body.
        return BodyTooSlow(
            f"The body was not received within {self._seconds:g} s and the request was cancelled.",
            headers={"Connection": "close"},
        )

    def _timeout_error(self) -> AppError:
        return RequestTimeout(
            f"The request exceeded the limit of {self._seconds:g} s and was cancelled.",
            headers={"Retry-After": "5"},
        )


def disable_timeout(scope: Scope) -> None:
    """Remove the time limit of this request."""
    timeout = scope.get(_SCOPE_KEY)
    if isinstance(timeout, asyncio.Timeout) and not timeout.expired():
        timeout.reschedule(None)
