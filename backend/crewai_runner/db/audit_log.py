"""Stores the audit entry of a request or command in the transaction of its change."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import Insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.base import table_of
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.audit_entry import AuditEntry, find_entry

# A row may be there: of a transaction whose commit succeeded without an answer, and which is repeated.
_INSERT_BY_DIALECT: Mapping[str, Insert] = {
    "sqlite": sqlite_insert(table_of(AuditRow)).on_conflict_do_nothing(),
    "postgresql": postgresql_insert(table_of(AuditRow)).on_conflict_do_nothing(),
}


@asynccontextmanager
async def audited_unit_of_work(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A unit of work that stores the current entry too, unless an earlier transaction has.

    Without an entry, in background work, it is a plain unit of work.
    """
    entry = find_entry()
    is_stored = False
    async with unit_of_work(sessions) as session:
        yield session
        if entry is not None:
            is_stored = await store_entry(session, entry)
    if entry is not None and is_stored:
        entry.mark_stored()


async def store_entry(session: AsyncSession, entry: AuditEntry) -> bool:
    """Store the row of an entry, if it has one; return whether it has."""
    await session.flush()  # adds the changes of rows to the entry
    row = entry.build_change()
    if row is not None:
        await session.execute(_INSERT_BY_DIALECT[session.get_bind().dialect.name], row)
    return row is not None


def store_in(transaction: WriteTransaction, entry: AuditEntry) -> None:
    """Store an entry in a transaction of the transaction writer, whose thread has no current one."""
    row = entry.build_change()
    if row is not None:
        connection = transaction.connection
        connection.execute(_INSERT_BY_DIALECT[connection.dialect.name], row)
        transaction.after_commit.append(entry.mark_stored)
