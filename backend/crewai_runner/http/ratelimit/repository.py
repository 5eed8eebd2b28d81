"""The row of a bucket that several processes share (PostgreSQL)."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.rate_limits import RateBucketRow
from crewai_runner.http.ratelimit.port import Rate

# What the bucket holds now, by the database's clock: those of the processes may differ. The statement
# may have waited for the row, so its own time can lie before the row's.
_HELD = """least(CAST(:burst AS double precision), bucket.tokens + CAST(:per_second AS double precision)
    * greatest(0, extract(epoch FROM statement_timestamp() - bucket.refilled_at)))"""
_GRANTED = f"floor(least(CAST(:wanted AS double precision), {_HELD}) + 1e-9)"
_TAKE = text(
    f"""
    INSERT INTO rate_buckets AS bucket (caller, tokens, granted, refilled_at)
    VALUES (:caller, :burst - least(:wanted, :burst), least(:wanted, :burst), statement_timestamp())
    ON CONFLICT (caller) DO UPDATE SET
        granted = {_GRANTED},
        tokens = {_HELD} - {_GRANTED},
        refilled_at = greatest(bucket.refilled_at, statement_timestamp())
    RETURNING granted, tokens
    """  # noqa: S608  # put together from the constants above alone
)


class Grant(NamedTuple):
    """So many tokens were taken out of the row; so many are left in it."""

    tokens: int
    left: float


class RateBucketRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, caller: str, wanted: int, rate: Rate) -> Grant:
        """Take up to `wanted` whole tokens, in one statement."""
        values = {"caller": caller, "wanted": wanted, "burst": rate.burst, "per_second": rate.per_second}
        row = (await self._session.execute(_TAKE, values)).one()
        return Grant(int(row.granted), float(row.tokens))

    async def forget(self, unused_since: datetime) -> None:
        """Delete the rows of callers who were silent since; a bucket without a row is a full one."""
        await self._session.execute(delete(RateBucketRow).where(RateBucketRow.refilled_at < unused_since))
