"""API endpoints of the caller's own account."""

from http import HTTPStatus

from crewai_runner.features.auth.deps import Browser
from crewai_runner.features.auth.errors import PersonNeeded
from crewai_runner.features.auth.schemas import StartedSession
from crewai_runner.features.people.deps import Account, AccountToRead
from crewai_runner.features.people.errors import (
    AlreadyMember,
    CodeWrong,
    LastOwner,
    LinkInvalid,
    PasswordWrong,
    SessionNotFound,
    TotpState,
    WorkspaceNotYours,
)
from crewai_runner.features.people.privacy_schemas import PersonalData, RemovedPerson
from crewai_runner.features.people.schemas import (
    InvitationToken,
    Me,
    PasswordChange,
    PasswordOnly,
    SecondFactorConfirm,
    SecondFactorConfirmed,
    SecondFactorStart,
    SessionList,
    WorkspaceChoice,
    WorkspaceSummary,
)
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/me", tags=["me"])


@router.get("")
async def get_me(account: AccountToRead) -> Me:
    """Who is calling, in which workspace, and what they may do there."""
    return await account.describe()


@router.post("/workspace", responses=problems(WorkspaceNotYours, PersonNeeded))
async def enter_workspace(body: WorkspaceChoice, account: AccountToRead, browser: Browser) -> StartedSession:
    """Continue in another workspace: a new session begins there, and that of this request ends."""
    principal = await account.enter(body.workspace_id)
    return await browser.sign_in(principal, remember=False, is_continued=True)


@router.post(
    "/invitations",
    status_code=HTTPStatus.CREATED,
    responses=problems(LinkInvalid, AlreadyMember, PersonNeeded),
)
async def join_workspace(body: InvitationToken, account: Account) -> WorkspaceSummary:
    """Accept an invitation to another workspace that was made for your e-mail address."""
    return await account.join(body.token.get_secret_value())


@router.get("/export", responses=problems(PersonNeeded))
async def export_own_data(account: Account) -> PersonalData:
    """Export what this server stores about you, and what you have written in runs."""
    return await account.export()


@router.post("/removal", responses=problems(PasswordWrong, PersonNeeded, LastOwner))
async def remove_own_account(body: PasswordOnly, account: Account) -> RemovedPerson:
    """Remove your account for good: sessions, keys, links, second factor and accounts at other issuers.

    What you did stays, under the pseudonym of the answer. The last owner of a workspace cannot leave.
    """
    return await account.remove(body.password.get_secret_value())


@router.get("/sessions")
async def list_own_sessions(account: AccountToRead, browser: Browser) -> SessionList:
    """List the browsers in which you are signed in, newest first."""
    return await account.list_sessions(browser.find_session_hash())


@router.delete(
    "/sessions/{session_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(SessionNotFound)
)
async def end_own_session(session_id: str, account: Account) -> None:
    """Sign a browser out."""
    await account.end_session(session_id)


@router.put("/password", status_code=HTTPStatus.NO_CONTENT, responses=problems(PasswordWrong, PersonNeeded))
async def change_password(body: PasswordChange, account: Account, browser: Browser) -> None:
    """Change your password. Your other sessions end."""
    await account.change_password(body, browser.find_session_hash())


@router.post("/second-factor", responses=problems(PasswordWrong, TotpState, PersonNeeded))
async def start_second_factor(body: PasswordOnly, account: Account) -> SecondFactorStart:
    """Begin to set up an authenticator app (TOTP). It counts once a code has confirmed it."""
    return await account.start_second_factor(body.password.get_secret_value())


@router.post("/second-factor/confirm", responses=problems(CodeWrong, TotpState, PersonNeeded))
async def confirm_second_factor(body: SecondFactorConfirm, account: Account) -> SecondFactorConfirmed:
    """Activate the second factor with a code from the app; the answer has the recovery codes."""
    return await account.confirm_second_factor(body.code)


@router.post(
    "/second-factor/remove",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(PasswordWrong, PersonNeeded),
)
async def remove_second_factor(body: PasswordOnly, account: Account) -> None:
    """Remove the second factor and its recovery codes."""
    await account.remove_second_factor(body.password.get_secret_value())
