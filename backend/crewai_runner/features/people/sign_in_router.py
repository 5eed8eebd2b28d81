"""API endpoints that need no credentials: signing in, accepting invitations, choosing a new password."""

from http import HTTPStatus

from crewai_runner.features.auth.deps import Browser
from crewai_runner.features.auth.errors import TooManySignInFailures
from crewai_runner.features.auth.schemas import StartedSession
from crewai_runner.features.people.deps import SignIns
from crewai_runner.features.people.errors import (
    CodeNeeded,
    CodeWrong,
    LinkInvalid,
    NoWorkspace,
    SignInFailed,
    SignInNeeded,
)
from crewai_runner.features.people.schemas import InvitationAccept, PasswordReset, SignIn, SignInOptions
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

PUBLIC_PATHS = ("/sign-in", "/sign-in/options", "/sign-in/invitation", "/sign-in/password-reset")
router = PrefixedRouter(prefix="/sign-in", tags=["session"])


@router.get("/options")
async def get_sign_in_options(sign_ins: SignIns) -> SignInOptions:
    """How one can sign in to this server, besides with its API key."""
    return await sign_ins.describe_options()


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(SignInFailed, CodeNeeded, CodeWrong, NoWorkspace, TooManySignInFailures),
)
async def sign_in(body: SignIn, sign_ins: SignIns, browser: Browser) -> StartedSession:
    """Sign a browser in with an e-mail address and a password.

    The session is a cookie, as with `POST /session`; it begins in the workspace that the person joined first.
    If the person has a second factor, a request without a `code` is answered with `code-needed` (401).
    """
    principal = await sign_ins.sign_in(body, browser.get_address())
    return await browser.sign_in(principal, remember=body.remember)


@router.post(
    "/invitation",
    status_code=HTTPStatus.CREATED,
    responses=problems(LinkInvalid, SignInNeeded, TooManySignInFailures),
)
async def accept_invitation(body: InvitationAccept, sign_ins: SignIns, browser: Browser) -> StartedSession:
    """Accept an invitation by creating an account, and sign the browser in.

    Someone who has an account signs in, then accepts with `POST /me/invitations`.
    """
    principal = await sign_ins.accept_invitation(body, browser.get_address())
    return await browser.sign_in(principal, remember=False)


@router.post(
    "/password-reset",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(LinkInvalid, TooManySignInFailures),
)
async def reset_password(body: PasswordReset, sign_ins: SignIns, browser: Browser) -> None:
    """Choose a new password with a link. All of the person's sessions end; a second factor stays."""
    await sign_ins.reset_password(body, browser.get_address())
