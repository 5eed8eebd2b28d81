"""Endpoints that start and end the session of a browser."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.cookies import get_session_cookie
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.auth.schemas import StartedSession, StartSession
from crewai_runner.features.auth.service import AuthDeps
from crewai_runner.http.deps import Provided
from crewai_runner.http.prefixed_router import PrefixedRouter

router = PrefixedRouter(prefix="/session", tags=["session"])
SignedIn = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Deps = Annotated[AuthDeps, Depends(Provided(AuthDeps))]


@router.post("", status_code=201)
async def start_session(
    principal: SignedIn, body: StartSession, deps: Deps, request: Request, response: Response
) -> StartedSession:
    """Exchange the API key of this request for a session cookie.

    For browsers: the cookie is HttpOnly and SameSite=Strict, so scripts cannot read it and other sites cannot
    use it. Requests with the cookie need no API key; those that change something need the CSRF token.
    A session that the request already has ends.
    """
    browser_sessions = deps.browser_sessions
    started = await browser_sessions.start(principal, remember=body.remember)
    if (previous := get_session_cookie(request, browser_sessions)) is not None:
        await browser_sessions.end(previous)
    lasting = started.expires_at if body.remember else None
    _set_cookie(request, response, browser_sessions, started.cookie, lasting)
    return StartedSession(csrf_token=started.csrf_token, expires_at=started.expires_at)


@router.delete("", status_code=204)
async def end_session(principal: SignedIn, deps: Deps, request: Request, response: Response) -> None:  # noqa: ARG001  # the right is the point
    """End the session of this request's cookie, and delete the cookie."""
    if (cookie := get_session_cookie(request, deps.browser_sessions)) is not None:
        await deps.browser_sessions.end(cookie)
    _set_cookie(request, response, deps.browser_sessions, "", datetime.fromtimestamp(0, tz=now().tzinfo))


def _set_cookie(
    request: Request,
    response: Response,
    browser_sessions: BrowserSessions,
    value: str,
    expires_at: datetime | None,
) -> None:
    """Set the session cookie; without `expires_at` the browser forgets it when it is closed."""
    response.set_cookie(
        browser_sessions.cookie_name,
        value,
        expires=expires_at,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
