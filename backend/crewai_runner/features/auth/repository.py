"""Queries on browser sessions, credentials and failed sign-ins, before a workspace is known."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import TextClause, and_, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.roles import Member
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow, ExternalSessionRow
from crewai_runner.db.tables.people import ExternalIdentityRow, MembershipRow, PersonRow
from crewai_runner.db.tables.sign_in_limits import SignInLimitRow


class BrowserSessionRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, token_hash: str) -> tuple[BrowserSessionRow, ExternalSessionRow | None] | None:
        """Return a session, and the sign-in at an issuer that it began with."""
        query = (
            select(BrowserSessionRow, ExternalSessionRow)
            .outerjoin(ExternalSessionRow, ExternalSessionRow.token_hash == BrowserSessionRow.token_hash)
            .where(BrowserSessionRow.token_hash == token_hash)
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def add(self, row: BrowserSessionRow, external: ExternalSessionRow | None = None) -> None:
        self._session.add(row)
        if external is not None:
            await self._session.flush()
            self._session.add(external)

    async def delete(self, token_hash: str) -> None:
        await self._session.execute(
            delete(BrowserSessionRow).where(BrowserSessionRow.token_hash == token_hash)
        )

    async def record_use(self, token_hash: str, at: datetime) -> None:
        """Record a session's last use: on the connection, as the session would tell caches of a change."""
        connection = await self._session.connection()
        await connection.execute(
            update(BrowserSessionRow)
            .where(BrowserSessionRow.token_hash == token_hash)
            .values(last_used_at=at)
        )

    async def delete_expired(self, at: datetime) -> None:
        await self._session.execute(delete(BrowserSessionRow).where(BrowserSessionRow.expires_at <= at))


class MemberRights(NamedTuple):
    """A person's rights in a workspace; if an issuer decides about them, which, and when it was asked."""

    member: Member
    managed_by: str | None
    checked_at: datetime | None


class CredentialRepository:
    """Queries on API keys, people and memberships that find out who is calling."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_key_by_hash(self, key_hash: str) -> ApiKeyRow | None:
        return await self._session.scalar(select(ApiKeyRow).where(ApiKeyRow.key_hash == key_hash))

    async def get_key(self, key_id: str, workspace_id: str) -> ApiKeyRow | None:
        return await self._session.scalar(
            select(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.workspace_id == workspace_id)
        )

    async def get_member(self, person_id: str, workspace_id: str) -> MemberRights | None:
        """Return a person's rights in a workspace; None without membership, or if the person is disabled."""
        query = (
            select(
                MembershipRow.person_id,
                MembershipRow.workspace_id,
                MembershipRow.role,
                PersonRow.is_administrator,
                MembershipRow.managed_by,
                ExternalIdentityRow.checked_at,
            )
            .join(PersonRow, PersonRow.id == MembershipRow.person_id)
            .outerjoin(
                ExternalIdentityRow,
                and_(
                    ExternalIdentityRow.person_id == MembershipRow.person_id,
                    ExternalIdentityRow.issuer == MembershipRow.managed_by,
                ),
            )
            .where(
                MembershipRow.person_id == person_id,
                MembershipRow.workspace_id == workspace_id,
                PersonRow.disabled_at.is_(None),
            )
        )
        found = (await self._session.execute(query)).all()
        if not found:
            return None
        person, workspace, role, is_administrator, managed_by, _ = found[0]
        # Someone may have several accounts at one issuer.
        checks = [row[-1] for row in found if row[-1] is not None]
        member = Member(person, workspace, role, is_administrator)
        return MemberRights(member, managed_by, max(checks, default=None))

    async def record_use(self, key_id: str, at: datetime) -> None:
        """Record a key's last use: on the connection, as the session would tell caches of a change."""
        connection = await self._session.connection()
        await connection.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=at))


class FailureRates(NamedTuple):
    """Failures per minute that are forgotten, of an address and of an account."""

    address: int
    account: int


class FailureCounts(NamedTuple):
    """Failures that count now, and whether the address has signed in to the account before."""

    address_failures: float
    account_failures: float
    is_known: bool = False


# By the database's clock, as those of the processes may differ.
_COUNT = """greatest(0, stored.failures - extract(epoch FROM statement_timestamp() - stored.updated_at) / 60
    * CASE WHEN stored.address = '' THEN CAST(:account_rate AS integer)
    ELSE CAST(:address_rate AS integer) END)"""
_SELECT = text(
    f"""
    SELECT stored.address, stored.account, {_COUNT} AS failures FROM sign_in_limits AS stored
    WHERE (stored.address, stored.account) IN ((:address, ''), ('', :account), (:address, :account))
    """  # noqa: S608  # built from the constant above only
)
_ADD_FAILURE = text(
    f"""
    INSERT INTO sign_in_limits AS stored (address, account, failures, updated_at)
    VALUES (:address, '', 1, statement_timestamp()), ('', :account, 1, statement_timestamp())
    ON CONFLICT (address, account) DO UPDATE SET
        failures = {_COUNT} + 1,
        updated_at = greatest(stored.updated_at, statement_timestamp())
    RETURNING address, account, failures
    """  # noqa: S608  # built from the constant above only
)
_ADD_KNOWN = text(
    """
    INSERT INTO sign_in_limits (address, account, failures, updated_at)
    VALUES (:address, :account, 0, statement_timestamp())
    ON CONFLICT (address, account) DO UPDATE SET updated_at = excluded.updated_at
    """
)


class SignInLimitRepository:
    """Counts of failed sign-ins; `get` and the additions need PostgreSQL."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, address: str, account: str, rates: FailureRates) -> FailureCounts:
        return await self._run(_SELECT, address, account, rates)

    async def add_failure(self, address: str, account: str, rates: FailureRates) -> FailureCounts:
        """Count a failure of both, in one statement; return the counts afterwards."""
        return await self._run(_ADD_FAILURE, address, account, rates)

    async def add_known(self, address: str, account: str) -> None:
        await self._session.execute(_ADD_KNOWN, {"address": address, "account": account})

    async def _run(
        self, statement: TextClause, address: str, account: str, rates: FailureRates
    ) -> FailureCounts:
        values: dict[str, Any] = {"address": address, "account": account}
        values |= {"address_rate": rates.address, "account_rate": rates.account}
        rows = await self._session.execute(statement, values)
        failures = {(row.address, row.account): float(row.failures) for row in rows}
        return FailureCounts(
            failures.get((address, ""), 0.0),
            failures.get(("", account), 0.0),
            (address, account) in failures,
        )

    async def delete_old(self, failed_before: datetime, known_before: datetime) -> None:
        """Delete the counts, and the known addresses, that have not changed since then."""
        is_count = or_(SignInLimitRow.address == "", SignInLimitRow.account == "")
        changed = SignInLimitRow.updated_at
        old = or_(changed < known_before, is_count & (changed < failed_before))
        await self._session.execute(delete(SignInLimitRow).where(old))
