"""Authorization of endpoints (`Annotated[Principal, Depends(Requires(Scope.X))]`), and browser sessions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.cookies import check_not_cross_site, get_client, get_session_cookie
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.auth.schemas import StartedSession
from crewai_runner.features.auth.service import AuthDeps, check_scope
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import Provided


class Requires(SecurityBase):
    """A dependency that returns the authenticated principal. Raises ScopeMissing (403) without the scope.

    It declares the bearer scheme in the OpenAPI document; AuthMiddleware checks the token.
    """

    model = HTTPBearer(description="The API key of this server.")
    scheme_name = "HTTPBearer"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, connection: HTTPConnection) -> Principal:
        principal = connection.scope.get("principal")
        if not isinstance(principal, Principal):
            raise InvalidApiKey
        check_scope(principal, self.scope)
        return principal


@dataclass(frozen=True, slots=True)
class RequestingBrowser:
    """The browser that sent a request."""

    sessions: BrowserSessions
    request: Request
    response: Response

    async def sign_in(self, principal: Principal, *, remember: bool) -> StartedSession:
        """Begin a session and set its cookie; a session that the request already has ends.

        So a cookie that someone else knows never becomes that of a new session.
        """
        started = await self.sessions.start(principal, remember=remember, client=get_client(self.request))
        if (previous := get_session_cookie(self.request, self.sessions)) is not None:
            await self.sessions.end(previous)
        self._set_cookie(started.cookie, started.expires_at if remember else None)
        return StartedSession(csrf_token=started.csrf_token, expires_at=started.expires_at)

    async def sign_out(self) -> None:
        """End the session of the request's cookie, and delete the cookie."""
        if (cookie := get_session_cookie(self.request, self.sessions)) is not None:
            await self.sessions.end(cookie)
        self._set_cookie("", datetime.fromtimestamp(0, tz=UTC))

    def find_session_hash(self) -> str | None:
        """Return the hash of the request's session; None if it has none."""
        return self.sessions.find_token_hash(get_session_cookie(self.request, self.sessions))

    def check_not_cross_site(self) -> None:
        """Raise CrossSiteRequest if a page of another site sent this request."""
        check_not_cross_site(self.request)

    def get_address(self) -> str:
        return get_client_address(self.request.scope)

    def _set_cookie(self, value: str, expires_at: datetime | None) -> None:
        """Set the session cookie; without `expires_at` the browser forgets it when it is closed."""
        self.response.set_cookie(
            self.sessions.cookie_name,
            value,
            expires=expires_at,
            secure=self.request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


async def _browser(
    deps: Annotated[AuthDeps, Depends(Provided(AuthDeps))], request: Request, response: Response
) -> RequestingBrowser:
    return RequestingBrowser(deps.browser_sessions, request, response)


Browser = Annotated[RequestingBrowser, Depends(_browser)]
