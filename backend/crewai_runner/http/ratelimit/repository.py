"""Token buckets in the database, shared by several processes (PostgreSQL)."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.rate_limits import RateBucketRow
from crewai_runner.http.ratelimit.port import Rate

# The current tokens of the bucket by the database's clock, as those of the processes may differ. The
# statement may have waited for the row, so its timestamp can be earlier than the row's.
_AVAILABLE = """least(CAST(:burst AS double precision), bucket.tokens + CAST(:per_second AS double precision)
    * greatest(0, extract(epoch FROM statement_timestamp() - bucket.refilled_at)))"""
_GRANTED = f"floor(least(CAST(:wanted AS double precision), {_AVAILABLE}) + 1e-9)"
_TAKE = text(
    f"""
    INSERT INTO rate_buckets AS bucket (caller, tokens, granted, refilled_at)
    VALUES (:caller, :burst - least(:wanted, :burst), least(:wanted, :burst), statement_timestamp())
    ON CONFLICT (caller) DO UPDATE SET
        granted = {_GRANTED},
        tokens = {_AVAILABLE} - {_GRANTED},
        refilled_at = greatest(bucket.refilled_at, statement_timestamp())
    RETURNING granted, tokens
    """  # noqa: S608  # built from the constants above only
)


class TokenGrant(NamedTuple):
    """Tokens taken from a bucket, and tokens left in it."""

    tokens: int
    left: float


class RateBucketRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, caller: str, wanted: int, rate: Rate) -> TokenGrant:
        """Take up to `wanted` tokens, in one statement."""
        values = {"caller": caller, "wanted": wanted, "burst": rate.burst, "per_second": rate.per_second}
        row = (await self._session.execute(_TAKE, values)).one()
        return TokenGrant(int(row.granted), float(row.tokens))

    async def delete_unused(self, since: datetime) -> None:
        """Delete buckets unused since then; a missing bucket counts as full."""
        await self._session.execute(delete(RateBucketRow).where(RateBucketRow.refilled_at < since))
