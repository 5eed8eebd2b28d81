"""Authenticates every request to a protected path."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from crewai_runner.core.errors import AppError, Unauthenticated
from crewai_runner.core.principal import Principal
from crewai_runner.db.failures import is_database_unavailable
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.auth.cookies import (
    check_page_origin,
    check_request_origin,
    check_same_site,
    get_session_cookie,
)
from crewai_runner.features.auth.open_streams import RightsChanged, recheck_rights, set_rights_check
from crewai_runner.features.auth.service import AuthDeps
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import provided
from crewai_runner.http.problems import error_response

SUBPROTOCOL_PREFIX = "bearer."


class AuthMiddleware:
    """Authenticates before routing, before reading the body and before accepting a WebSocket.

    Browsers cannot set headers on a WebSocket, so there the token may also be sent as the
    subprotocol `bearer.<token>` in addition to `crewai-runner`. The dashboard sends a session cookie
    instead. An Authorization header takes precedence over the cookie. Requests to an `optional` path need no
    key, but a valid one identifies their caller. Pages of other origins may not use those in `same_origin`.
    """

    def __init__(
        self,
        app: ASGIApp,
        protected: Sequence[str],
        optional: Sequence[str] = (),
        same_origin: Sequence[str] = (),
    ) -> None:
        self._app, self._same_origin = app, frozenset(same_origin)
        self._protected, self._optional = tuple(protected), frozenset(optional)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_request = scope["type"] in ("http", "websocket")
        is_optional = is_request and scope["path"] in self._optional
        if not is_request or not (is_optional or self._is_protected(scope["path"])):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            principal = await self._authenticate(connection)
        except AppError as error:
            if not is_optional:
                await self._reject(error, scope, receive, send)
                return
        except Exception as error:
            # Readiness tells of an unavailable database; it must not fail for want of the session's row.
            if not (is_optional and is_database_unavailable(error)):
                raise
        else:
            scope["principal"] = principal
            has_same_rights = partial(self._has_same_rights, connection, principal)
            set_rights_check(connection, has_same_rights)
            send = recheck_rights(send, has_same_rights)
        with suppress(RightsChanged):
            await self._app(scope, receive, send)

    async def _authenticate(self, connection: HTTPConnection) -> Principal:
        deps = provided(connection, AuthDeps)
        if connection.scope["path"] in self._same_origin:
            check_request_origin(connection, deps.allowed_origins)
        principal = await _find_principal(connection, deps)
        cookie = get_session_cookie(connection, deps.browser_sessions)
        if cookie is not None and _get_authorization(connection.scope) is None:
            check_same_site(connection, cookie, deps.browser_sessions)
        return principal

    async def _has_same_rights(self, connection: HTTPConnection, principal: Principal) -> bool:
        try:
            return await _find_principal(connection, provided(connection, AuthDeps)) == principal
        except Unauthenticated:
            return False
        except Exception as error:
            # A stream outlives an outage of the database, and other guesses from its address.
            if not isinstance(error, AppError) and not is_database_unavailable(error):
                raise
            return True

    def _is_protected(self, path: str) -> bool:
        return any(path == root or path.startswith(root + "/") for root in self._protected)

    @staticmethod
    async def _reject(error: AppError, scope: Scope, receive: Receive, send: Send) -> None:
        get_entry().problem = error.slug
        if scope["type"] == "websocket":
            await receive()
            # Only a 429 has something to say, when to try again; anything else is refused without a word.
            has_response = "websocket.http.response" in scope.get("extensions", {})
            if error.status != HTTPStatus.TOO_MANY_REQUESTS or not has_response:
                await send({"type": "websocket.close", "code": 1008, "reason": error.title})
                return
        await error_response(HTTPConnection(scope), error)(scope, receive, send)


async def _find_principal(connection: HTTPConnection, deps: AuthDeps) -> Principal:
    authorization = _get_authorization(connection.scope)
    cookie = get_session_cookie(connection, deps.browser_sessions)
    if authorization is None and cookie is not None:
        return await deps.browser_sessions.authenticate(cookie)
    check_page_origin(connection, deps.allowed_origins)
    return await deps.authenticator.authenticate(authorization, get_client_address(connection.scope))


def _get_authorization(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    if scope["type"] == "websocket" and "authorization" not in headers:
        offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
        token = next((part for part in offered if part.startswith(SUBPROTOCOL_PREFIX)), None)
        return None if token is None else f"Bearer {token.removeprefix(SUBPROTOCOL_PREFIX)}"
    return headers.get("authorization")
