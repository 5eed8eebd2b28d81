"""API endpoints of signing in at OpenID Connect issuers, and of the identities of an account."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Form

from crewai_runner.features.auth.deps import Browser
from crewai_runner.features.auth.errors import PersonNeeded
from crewai_runner.features.identities.attempts import LIFETIME, name_cookie, open_attempt
from crewai_runner.features.identities.deps import (
    Deps,
    ExternalSignIns,
    Identities,
    IdentitiesToRead,
    Logouts,
    SignedIn,
)
from crewai_runner.features.identities.errors import (
    AccountExists,
    AttemptInvalid,
    EmailNotVerified,
    IdentityNotFound,
    IdentityTaken,
    IdTokenInvalid,
    IssuerNotFound,
    IssuerUnavailable,
    LastSignInMethod,
    LogoutTokenInvalid,
    NoRole,
    PersonDisabled,
)
from crewai_runner.features.identities.schemas import (
    FinishedSignIn,
    IdentityList,
    IssuerAnswer,
    IssuerChoice,
    IssuerRedirect,
    IssuerSignIn,
    SignedOut,
)
from crewai_runner.features.identities.sign_in import BegunSignIn
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

PUBLIC_PATHS = ("/sign-in/issuer", "/sign-in/issuer/callback", "/sign-in/issuer/logout")
router = PrefixedRouter(prefix="/sign-in/issuer", tags=["session"])
own_router = PrefixedRouter(prefix="/me", tags=["me"])


@router.post(
    "",
    **unaudited("It changes nothing here: the answer to it signs in."),
    responses=problems(IssuerNotFound, IssuerUnavailable),
)
async def begin_issuer_sign_in(
    body: IssuerSignIn, sign_ins: ExternalSignIns, browser: Browser, deps: Deps
) -> IssuerRedirect:
    """Begin to sign a browser in at an OpenID Connect issuer, by the authorization code flow with PKCE.

    The browser continues at `url`, within ten minutes; the issuer sends it back to
    `/sign-in/callback/{issuer}` of the dashboard.
    """
    return _redirect(browser, deps, await sign_ins.begin(body.issuer, body.next))


@router.post(
    "/callback",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        AttemptInvalid,
        IdTokenInvalid,
        EmailNotVerified,
        AccountExists,
        NoRole,
        PersonDisabled,
        IdentityTaken,
        IssuerNotFound,
        IssuerUnavailable,
    ),
)
async def finish_issuer_sign_in(
    body: IssuerAnswer, sign_ins: ExternalSignIns, browser: Browser, deps: Deps
) -> FinishedSignIn:
    """Sign the browser in with the answer of the issuer, as `POST /sign-in` does with a password.

    A second factor is the issuer's concern: none is asked for here. The answer works once, and in the browser
    that began.
    """
    name = name_cookie(body.state)
    attempt = open_attempt(deps.cipher, browser.get_short_cookie(name), body.issuer, body.state)
    browser.set_short_cookie(name, "", 0)
    code = body.code.get_secret_value()
    if attempt.person_id is not None:
        await sign_ins.finish_link(attempt, code, body.iss, browser.find_principal())
        return FinishedSignIn(session=None, next=attempt.next)
    entered = await sign_ins.finish(attempt, code, body.iss)
    session = await browser.sign_in(entered.principal, remember=False, external=entered.external)
    return FinishedSignIn(session=session, next=attempt.next)


@router.post("/logout", responses=problems(LogoutTokenInvalid, IssuerUnavailable))
async def end_issuer_sessions(
    logouts: Logouts,
    logout_token: Annotated[str, Form(max_length=100_000, description="Signed by the issuer.")],
) -> None:
    """End the sessions that an issuer has ended (OpenID Connect Back-Channel Logout)."""
    await logouts.end_sessions(logout_token)


@own_router.post("/sign-out")
async def sign_out(principal: SignedIn, logouts: Logouts, browser: Browser) -> SignedOut:  # noqa: ARG001
    """End the session of this request's cookie, as `DELETE /session` does.

    If it began at an issuer, the answer says where the browser ends its session there too.
    """
    url = await logouts.find_sign_out_url(browser.find_session_hash())
    await browser.sign_out()
    return SignedOut(url=url)


@own_router.get("/identities")
async def list_identities(identities: IdentitiesToRead) -> IdentityList:
    """List your accounts at issuers with which you sign in."""
    return await identities.list_all()


@own_router.post(
    "/identities",
    **unaudited("It changes nothing here: the answer to it connects the account."),
    responses=problems(IssuerNotFound, IssuerUnavailable, PersonNeeded),
)
async def begin_linking(
    body: IssuerChoice, sign_ins: ExternalSignIns, principal: SignedIn, browser: Browser, deps: Deps
) -> IssuerRedirect:
    """Begin to connect your account with one at an issuer. The browser continues at `url`."""
    return _redirect(browser, deps, await sign_ins.begin_link(body.issuer, principal))


@own_router.delete(
    "/identities/{identity_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(IdentityNotFound, LastSignInMethod),
)
async def remove_identity(identity_id: str, identities: Identities) -> None:
    """Disconnect your account from one at an issuer.

    Sessions that began there end, and so do the roles that your groups there gave you.
    """
    await identities.remove(identity_id)


def _redirect(browser: Browser, deps: Deps, begun: BegunSignIn) -> IssuerRedirect:
    cookie = begun.attempt.seal(deps.cipher)
    browser.set_short_cookie(name_cookie(begun.attempt.state), cookie, int(LIFETIME.total_seconds()))
    return IssuerRedirect(url=begun.url)
