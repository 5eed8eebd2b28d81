"""Whether a transaction of PostgreSQL committed whose answer was lost with its connection.

The client then sees a broken connection, as if nothing were stored. The server knows: it keeps the status of
recent transactions by their id, which is read before the commit. SQLite has no connection that could break.
"""

import asyncio
import contextlib
import time

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from crewai_runner.core.logging import get_logger

log = get_logger(__name__)
WAITS = (0.0, 0.05, 0.2, 0.5)
"""Seconds before each question: the server may take a moment to notice the broken connection."""
MAX_SECONDS = 3.0
_ID = text("SELECT txid_current_if_assigned()")
_STATUS = text("SELECT txid_status(:id)")


async def read_transaction_id(session: AsyncSession) -> int | None:
    """Return the id of the session's transaction; None if it has written nothing, and on SQLite."""
    if not session.in_transaction() or session.get_bind().dialect.name != "postgresql":
        return None
    await session.flush()
    transaction_id: int | None = await session.scalar(_ID)
    return transaction_id


def read_transaction_id_of(connection: Connection) -> int | None:
    """`read_transaction_id` for a synchronous connection."""
    if connection.dialect.name != "postgresql":
        return None
    transaction_id: int | None = connection.execute(_ID).scalar()
    return transaction_id


async def has_committed(engine: AsyncEngine, transaction_id: int | None) -> bool:
    """Return whether the transaction committed; False if that cannot be found out within `MAX_SECONDS`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MAX_SECONDS):
            for wait in WAITS if transaction_id is not None else ():
                await asyncio.sleep(wait)
                with contextlib.suppress(SQLAlchemyError, OSError):
                    async with engine.connect() as connection:
                        status = await connection.scalar(_STATUS, {"id": transaction_id})
                    if status != "in progress":
                        return _report(status)
    return False


def has_committed_of(engine: Engine, transaction_id: int | None) -> bool:
    """`has_committed` for a synchronous engine; it blocks."""
    deadline = time.monotonic() + MAX_SECONDS
    for wait in WAITS if transaction_id is not None else ():
        if time.monotonic() > deadline:
            break
        time.sleep(wait)
        with contextlib.suppress(SQLAlchemyError, OSError):
            with engine.connect() as connection:
                status = connection.scalar(_STATUS, {"id": transaction_id})
            if status != "in progress":
                return _report(status)
    return False


def _report(status: str | None) -> bool:
    log.warning("commit.answer_lost", transaction=status)
    return status == "committed"
