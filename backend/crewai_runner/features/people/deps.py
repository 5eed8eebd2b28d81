"""FastAPI dependencies of the endpoints of people and of signing in."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Browser, Requires
from crewai_runner.features.people.account import AccountService
from crewai_runner.features.people.members import MemberService
from crewai_runner.features.people.privacy import PrivacyService
from crewai_runner.features.people.sign_in import PeopleDeps, SignInService
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Deps = Annotated[PeopleDeps, Depends(Provided(PeopleDeps))]
Reader = Annotated[Principal, Depends(Requires(Scope.PEOPLE_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.PEOPLE_WRITE))]
Administrator = Annotated[Principal, Depends(Requires(Scope.INSTANCE_ADMIN))]
SignedIn = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


async def _sign_in(deps: Deps, browser: Browser) -> SignInService:
    browser.check_not_cross_site()
    return SignInService(deps)


async def _members_to_read(session: ReadSessionDep, principal: Reader, deps: Deps) -> MemberService:
    return MemberService(session, principal, deps.passwords, deps.issuers)


async def _members(session: SessionDep, principal: Writer, deps: Deps) -> MemberService:
    return MemberService(session, principal, deps.passwords, deps.issuers)


async def _all_members(session: SessionDep, principal: Administrator, deps: Deps) -> MemberService:
    return MemberService(session, principal, deps.passwords, deps.issuers)


async def _privacy(session: SessionDep, principal: Administrator) -> Callable[[str], PrivacyService]:  # noqa: ARG001
    return partial(PrivacyService, session)


async def _account_to_read(session: ReadSessionDep, principal: SignedIn, deps: Deps) -> AccountService:
    return AccountService(session, principal, deps)


async def _account(session: SessionDep, principal: SignedIn, deps: Deps) -> AccountService:
    return AccountService(session, principal, deps)


SignIns = Annotated[SignInService, Depends(_sign_in)]
MembersToRead = Annotated[MemberService, Depends(_members_to_read, scope="function")]
Members = Annotated[MemberService, Depends(_members, scope="function")]
MembersOfAdministrator = Annotated[MemberService, Depends(_all_members, scope="function")]
PrivacyOfAdministrator = Annotated[Callable[[str], PrivacyService], Depends(_privacy, scope="function")]
AccountToRead = Annotated[AccountService, Depends(_account_to_read, scope="function")]
Account = Annotated[AccountService, Depends(_account, scope="function")]
