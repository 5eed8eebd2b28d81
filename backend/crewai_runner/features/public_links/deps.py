"""FastAPI dependencies of the endpoints of public links."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.public_links.service import PublicLinkService
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep
from crewai_runner.http.ratelimit.errors import RateLimited
from crewai_runner.http.ratelimit.port import Rate, RateLimiter

SHARED_RUN_RATE = Rate(per_minute=60, burst=30)
"""How often one address may open links: a page that shows a run in progress asks every five seconds."""

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Sharer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


@dataclass(frozen=True, slots=True)
class PublicLinkDeps:
    """Dependencies of the endpoint without credentials, built by the container."""

    limiter: RateLimiter


_Deps = Annotated[PublicLinkDeps, Depends(Provided(PublicLinkDeps))]


async def _check_rate(request: Request, deps: _Deps) -> None:
    address = get_limited_address(get_client_address(request.scope))
    decision = await deps.limiter.take(f"shared-run/{address}")
    if not decision.allowed:
        seconds = decision.retry_seconds
        raise RateLimited(
            f"Too many links were opened from this address. Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )


async def _links_to_read(session: ReadSessionDep) -> PublicLinkService:
    return PublicLinkService(session)


async def _links(session: SessionDep) -> PublicLinkService:
    return PublicLinkService(session)


WithinRate = Depends(_check_rate)
PublicLinksToRead = Annotated[PublicLinkService, Depends(_links_to_read, scope="function")]
PublicLinks = Annotated[PublicLinkService, Depends(_links, scope="function")]
