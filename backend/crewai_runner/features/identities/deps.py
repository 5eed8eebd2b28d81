"""FastAPI dependencies of identities and of signing in at issuers."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Browser, Requires
from crewai_runner.features.identities.service import IdentityDeps, IdentityService
from crewai_runner.features.identities.sign_in import ExternalSignInService
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Deps = Annotated[IdentityDeps, Depends(Provided(IdentityDeps))]
SignedIn = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


async def _logouts(deps: Deps) -> ExternalSignInService:
    return ExternalSignInService(deps)


async def _sign_ins(deps: Deps, browser: Browser) -> ExternalSignInService:
    browser.check_not_cross_site()
    return ExternalSignInService(deps)


async def _identities_to_read(session: ReadSessionDep, principal: SignedIn, deps: Deps) -> IdentityService:
    return IdentityService(session, principal, deps.issuers)


async def _identities(session: SessionDep, principal: SignedIn, deps: Deps) -> IdentityService:
    return IdentityService(session, principal, deps.issuers)


Logouts = Annotated[ExternalSignInService, Depends(_logouts)]
ExternalSignIns = Annotated[ExternalSignInService, Depends(_sign_ins)]
IdentitiesToRead = Annotated[IdentityService, Depends(_identities_to_read, scope="function")]
Identities = Annotated[IdentityService, Depends(_identities, scope="function")]
