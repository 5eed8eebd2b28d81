"""Endpoints that start and end the session of a browser."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Browser, Requires
from crewai_runner.features.auth.schemas import StartedSession, StartSession
from crewai_runner.http.prefixed_router import PrefixedRouter

router = PrefixedRouter(prefix="/session", tags=["session"])
SignedIn = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


@router.post("", status_code=201)
async def start_session(principal: SignedIn, body: StartSession, browser: Browser) -> StartedSession:
    """Exchange the API key of this request for a session cookie.

    For browsers: the cookie is HttpOnly and SameSite=Strict, so scripts cannot read it and other sites cannot
    use it. Requests with the cookie need no API key; those that change something need the CSRF token.
    A session that the request already has ends.
    """
    return await browser.sign_in(principal, remember=body.remember)


@router.delete("", status_code=204)
async def end_session(principal: SignedIn, browser: Browser) -> None:  # noqa: ARG001  # the right is the point
    """End the session of this request's cookie, and delete the cookie."""
    await browser.sign_out()
