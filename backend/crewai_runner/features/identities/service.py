"""The caller's identities at issuers."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.people import ExternalIdentityRow
from crewai_runner.features.identities.errors import IdentityNotFound, LastSignInMethod
from crewai_runner.features.identities.group_refresh import GroupRefresh
from crewai_runner.features.identities.issuers import Issuer, Issuers
from crewai_runner.features.identities.repository import IdentityRepository
from crewai_runner.features.identities.rules import make_identity_id
from crewai_runner.features.identities.schemas import IdentityList, IdentityRead
from crewai_runner.features.identities.sign_in import ExternalSignInService, IdentityDeps

__all__ = ["ExternalSignInService", "GroupRefresh", "IdentityDeps", "IdentityService", "Issuer", "Issuers"]


class IdentityService:
    """Lists and removes the connections of the caller's account. A key has none."""

    def __init__(self, session: AsyncSession, principal: Principal, issuers: Issuers) -> None:
        self._principal, self._issuers = principal, issuers
        self._identities = IdentityRepository(session)

    async def list_all(self) -> IdentityList:
        """Return the caller's identities, those added first at the front."""
        return IdentityList(identities=[self._describe(row) for row in await self._list_rows()])

    async def remove(self, identity_id: str) -> None:
        """Remove an identity; sessions that began with it, and memberships of its groups, end.

        Raises IdentityNotFound, LastSignInMethod.
        """
        rows = await self._list_rows()
        found = next((row for row in rows if make_identity_id(row.issuer, row.subject) == identity_id), None)
        if found is None:
            raise IdentityNotFound(identity_id)
        person = await self._identities.get_person(found.person_id)
        if person.password_hash is None and len(rows) == 1:
            raise LastSignInMethod
        await self._identities.remove(found)

    async def _list_rows(self) -> list[ExternalIdentityRow]:
        # A key, also one of the person's own, manages no ways to sign in.
        if self._principal.person_id is None or self._principal.subject != self._principal.person_id:
            return []
        return list(await self._identities.list_of(self._principal.person_id))

    def _describe(self, row: ExternalIdentityRow) -> IdentityRead:
        issuer = self._issuers.find(row.issuer)
        return IdentityRead(
            id=make_identity_id(row.issuer, row.subject),
            issuer_id=None if issuer is None else issuer.settings.id,
            issuer_name=row.issuer if issuer is None else issuer.settings.name,
            label=row.label,
            created_at=row.created_at,
        )
