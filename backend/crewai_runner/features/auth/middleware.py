"""The door of the whole API: nothing below the protected paths is reached without a token."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from crewai_runner.core.errors import AppError
from crewai_runner.features.auth.service import AuthDeps
from crewai_runner.http.deps import provided
from crewai_runner.http.problems import error_response

SUBPROTOCOL_PREFIX = "bearer."


class AuthMiddleware:
    """Authenticates before routing, body reading and WebSocket acceptance.

    A browser cannot set headers on a WebSocket, so there the token may also come as the
    subprotocol `bearer.<token>`, offered beside `crewai-runner`.
    """

    def __init__(self, app: ASGIApp, protected: Sequence[str]) -> None:
        self._app = app
        self._protected = tuple(protected)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self._guards(scope["path"]):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        client = connection.client.host if connection.client else "unknown"
        try:
            authenticator = provided(connection, AuthDeps).authenticator
            principal = authenticator.authenticate(_authorization(scope), client)
        except AppError as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        scope["principal"] = principal
        await self._app(scope, receive, send)

    def _guards(self, path: str) -> bool:
        return any(path == root or path.startswith(root + "/") for root in self._protected)

    @staticmethod
    async def _refuse(refusal: AppError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.title})
            return
        request = Request(scope, receive)
        await error_response(request, refusal)(scope, receive, send)


def _authorization(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    if scope["type"] == "websocket" and "authorization" not in headers:
        offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
        token = next((part for part in offered if part.startswith(SUBPROTOCOL_PREFIX)), None)
        return None if token is None else f"Bearer {token.removeprefix(SUBPROTOCOL_PREFIX)}"
    return headers.get("authorization")
