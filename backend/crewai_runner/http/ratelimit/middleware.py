"""Holds known callers to their rate, and tells them on every answer how they stand."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.principal import Principal
from crewai_runner.http.problems import respond
from crewai_runner.http.ratelimit.errors import RateLimited
from crewai_runner.http.ratelimit.port import Rate, RateLimiter, Verdict

HEADERS = ("RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""What the answers carry; pages of other origins may read them."""

POLICY = "default"
TRY_AGAIN_LATER = 1013


class RateLimit:
    """Stands behind the door: only who has come through it has a bucket, so memory is bounded.

    A request costs one token whatever it answers with; a stream or a WebSocket costs one when it is
    opened. The limiter is `app.state.rate_limiter`; without one nobody is counted.
    """

    def __init__(self, app: ASGIApp, rate: Rate) -> None:
        self._app = app
        self._policy = [
            (b"ratelimit-policy", f'"{POLICY}";q={rate.burst};w={rate.window_seconds}'.encode()),
            (b"ratelimit-limit", b"%d" % rate.burst),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal = scope.get("principal")
        limiter: RateLimiter | None = getattr(scope["app"].state, "rate_limiter", None)
        if limiter is None or not isinstance(principal, Principal):
            await self._app(scope, receive, send)
            return
        verdict = await limiter.take(f"{principal.workspace_id}/{principal.subject}")
        headers = self._headers(verdict)

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if verdict.allowed:
            await self._app(scope, receive, send_with_headers)
        else:
            await self._refuse(verdict, scope, receive, send_with_headers)

    def _headers(self, verdict: Verdict) -> list[tuple[bytes, bytes]]:
        return [
            *self._policy,
            (b"ratelimit", b'"default";r=%d;t=%d' % (verdict.remaining, verdict.reset_seconds)),
            (b"ratelimit-remaining", b"%d" % verdict.remaining),
            (b"ratelimit-reset", b"%d" % verdict.reset_seconds),
        ]

    @staticmethod
    async def _refuse(verdict: Verdict, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            if "websocket.http.response" not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": RateLimited.title})
                return
        seconds = verdict.retry_seconds
        words = f"This key has used up its requests; try again in {seconds} s."
        headers = {"Retry-After": str(seconds)}
        response = respond(
            HTTPConnection(scope),
            RateLimited.status,
            RateLimited.slug,
            RateLimited.title,
            words,
            {"headers": headers},
        )
        await response(scope, receive, send)
