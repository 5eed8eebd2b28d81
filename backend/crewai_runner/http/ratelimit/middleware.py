"""Middleware that limits the request rate of authenticated callers."""

from collections.abc import Sequence

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.principal import Principal
from crewai_runner.http.problems import error_response
from crewai_runner.http.ratelimit.errors import RateLimited
from crewai_runner.http.ratelimit.port import Rate, RateLimitDecision, RateLimiter

HEADERS = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""The response headers; CORS exposes them to other origins."""

POLICY = "default"
TRY_AGAIN_LATER = 1013
"""Close code of WebSockets (RFC 6455 registry)."""


class RateLimitMiddleware:
    """Must be inside the authentication middleware: only authenticated callers get a bucket.

    Each request costs one token, whatever its response; so does opening a stream or a WebSocket. The limiter
    is `app.state.rate_limiter`; None disables the limit. `unlimited` are paths that cost nothing.
    """

    def __init__(self, app: ASGIApp, rate: Rate, unlimited: Sequence[str] = ()) -> None:
        self._app, self._unlimited = app, frozenset(unlimited)
        self._policy = [
            (b"ratelimit-policy", f'"{POLICY}";q={rate.burst};w={rate.window_seconds}'.encode()),
            (b"ratelimit-limit", b"%d" % rate.burst),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = scope.get("principal")
        limiter: RateLimiter | None = getattr(scope["app"].state, "rate_limiter", None)
        is_unlimited = scope.get("path") in self._unlimited
        if limiter is None or is_unlimited or not isinstance(principal, Principal):
            await self._app(scope, receive, send)
            return
        decision = await limiter.take(f"{principal.workspace_id}/{principal.subject}")
        headers = [
            *self._policy,
            (b"ratelimit", b'"default";r=%d;t=%d' % (decision.remaining, decision.reset_seconds)),
            (b"ratelimit-remaining", b"%d" % decision.remaining),
            (b"ratelimit-reset", b"%d" % decision.reset_seconds),
        ]

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if decision.allowed:
            await self._app(scope, receive, send_with_headers)
        else:
            await self._reject(decision, scope, receive, send_with_headers)

    @staticmethod
    async def _reject(decision: RateLimitDecision, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            if "websocket.http.response" not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": RateLimited.title})
                return
        seconds = decision.retry_seconds
        error = RateLimited(
            f"Rate limit exceeded for this API key. Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )
        await error_response(HTTPConnection(scope), error)(scope, receive, send)
