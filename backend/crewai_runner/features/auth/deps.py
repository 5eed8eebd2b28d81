"""Authorization of endpoints (`Annotated[Principal, Depends(Requires(Scope.X))]`), and browser sessions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.openapi.models import HTTPBearer
from starlette.requests import HTTPConnection

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.cookies import check_not_cross_site, get_client, get_session_cookie
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.auth.external_sessions import ExternalSignIn
from crewai_runner.features.auth.open_streams import HasSameRights, get_rights_check
from crewai_runner.features.auth.schemas import StartedSession
from crewai_runner.features.auth.service import AuthDeps, check_scope
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import Provided
from crewai_runner.http.scopes import ScopeRequirement


class Requires(ScopeRequirement):
    """A dependency that returns the authenticated principal. Raises ScopeMissing (403) without the scope.

    It declares the bearer scheme in the OpenAPI document; AuthMiddleware checks the token.
    """

    scope: Scope
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


async def _rights_check(request: Request) -> HasSameRights:
    return get_rights_check(request)


RightsCheck = Annotated[HasSameRights, Depends(_rights_check)]
"""For endpoints that wait before their response begins: whether the caller still has its rights."""


@dataclass(frozen=True, slots=True)
class RequestingBrowser:
    """The browser that sent a request."""

    sessions: BrowserSessions
    request: Request
    response: Response

    async def sign_in(
        self,
        principal: Principal,
        *,
        remember: bool,
        external: ExternalSignIn | None = None,
        is_continued: bool = False,
    ) -> StartedSession:
        """Begin a session and set its cookie; a session that the request already has ends.

        So a cookie that someone else knows never becomes that of a new session. `external` is the sign-in at
        an issuer that it begins with; with `is_continued` it is that of the session that ends.
        """
        previous = get_session_cookie(self.request, self.sessions)
        started = await self.sessions.start(
            principal,
            remember=remember,
            client=get_client(self.request),
            external=external,
            continued=previous if is_continued else None,
        )
        if previous is not None:
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

    def find_principal(self) -> Principal | None:
        """Return who sends the request, at paths that need no credentials."""
        principal = self.request.scope.get("principal")
        return principal if isinstance(principal, Principal) else None

    def check_not_cross_site(self) -> None:
        """Raise CrossSiteRequest if a page of another site sent this request."""
        check_not_cross_site(self.request)

    def get_address(self) -> str:
        return get_client_address(self.request.scope)

    def get_short_cookie(self, name: str) -> str | None:
        """Return a cookie of `set_short_cookie`."""
        return self.request.cookies.get(self._name_short_cookie(name))

    def set_short_cookie(self, name: str, value: str, seconds: int) -> None:
        """Set a cookie that requests of this server's own pages send for some seconds; 0 deletes it."""
        self.response.set_cookie(
            self._name_short_cookie(name),
            value,
            max_age=seconds,
            secure=self.request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    def _name_short_cookie(self, name: str) -> str:
        # With the prefix, browsers refuse such a cookie from other hosts of the domain.
        prefix = "__Host-" if self.request.url.scheme == "https" else ""
        return f"{prefix}{self.sessions.cookie_name}_{name}"

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
