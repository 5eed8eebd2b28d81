"""Links with which people without an account read one run."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.features.public_links.errors import (
    PublicLinkNotFound,
    PublicLinksOff,
    SharedRunNotFound,
    TooManyPublicLinks,
)
from crewai_runner.features.public_links.repository import PublicLinkRepository
from crewai_runner.features.public_links.schemas import (
    CreatedPublicLink,
    PublicLinkCreate,
    PublicLinkList,
    PublicLinkRead,
    SharedRun,
    to_shared_run,
)
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.service import RunService

MAX_LINKS = 20
PAGE = "/shared"
"""The dashboard's page. The token is in the fragment, which browsers send to no server."""


class PublicLinkService:
    """The links to runs of the caller's workspace, and what they show."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._links, self._runs = PublicLinkRepository(session), RunService(session)

    async def create(self, principal: Principal, run_id: str, body: PublicLinkCreate) -> CreatedPublicLink:
        """Create a link. Raises RunNotFound, PublicLinksOff, TooManyPublicLinks."""
        await lock_workspace(self._session, principal.workspace_id)
        run = await self._runs.get(principal, run_id)
        if not await self._links.allows_links(principal.workspace_id):
            raise PublicLinksOff
        at = now()
        if await self._links.count_valid(run.id, at) >= MAX_LINKS:
            raise TooManyPublicLinks(MAX_LINKS)
        token = secrets.token_urlsafe(32)
        row = PublicLinkRow(
            id=new_id(Prefix.PUBLIC_LINK),
            token_hash=hash_token(token),
            workspace_id=principal.workspace_id,
            run_id=run.id,
            shows_inputs=body.shows_inputs,
            shows_prompts=body.shows_prompts,
            created_by=principal.subject,
            expires_at=at + timedelta(days=body.days),
        )
        await self._links.add(row)
        return CreatedPublicLink(public_link=PublicLinkRead.model_validate(row), path=f"{PAGE}#{token}")

    async def list_valid(self, principal: Principal, run_id: str) -> PublicLinkList:
        """Return the links to a run that work, newest first. Raises RunNotFound."""
        run = await self._runs.get(principal, run_id)
        rows = await self._links.list_valid(run.id, now())
        return PublicLinkList(public_links=[PublicLinkRead.model_validate(row) for row in rows])

    async def revoke(self, principal: Principal, run_id: str, link_id: str) -> None:
        """Make a link invalid. Raises RunNotFound, PublicLinkNotFound."""
        run = await self._runs.get(principal, run_id)
        if not await self._links.delete(run.id, link_id):
            raise PublicLinkNotFound(link_id)

    async def delete_expired(self) -> None:
        await self._links.delete_expired(now())

    async def read(self, token: str) -> SharedRun:
        """Return what a link shows. Raises SharedRunNotFound."""
        link = await self._links.find_valid(hash_token(token), now())
        if link is None:
            raise SharedRunNotFound
        reader = Principal(link.id, link.workspace_id, frozenset({Scope.RUNS_READ}))
        try:
            run = await self._runs.get(reader, link.run_id)
        except RunNotFound:
            raise SharedRunNotFound from None
        return to_shared_run(link, run, await self._runs.list_tasks(run.id))


def hash_token(token: str) -> str:
    return hashlib.sha256(f"crewai-runner public-link\0{token}".encode("utf-8", "surrogatepass")).hexdigest()
