"""Queries on the audit log. Every query names the chains, which are those of workspaces."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix, lowest_id
from crewai_runner.db.base import table_of
from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.audit import AuditChainRow, AuditDeliveryRow, AuditRow
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.domain.audit_entry import ActorKind
from crewai_runner.domain.audit_record import FIRST_HASH, AuditRecord, AuditResult
from crewai_runner.features.audit.schemas import AuditFilter

_LOG = table_of(AuditRow)
_COLUMNS = tuple(_LOG.c[name] for name in AuditRecord.__dataclass_fields__)
_SEAL = (
    update(_LOG)
    .where(_LOG.c.id == bindparam("_id"))
    .values(seq=bindparam("_seq"), previous_hash=bindparam("_previous_hash"), hash=bindparam("_hash"))
)

_KEEP_ORDER = select(*(func.set_config(name, "off", True) for name in ("enable_bitmapscan", "enable_sort")))
_REFUSED: ColumnElement[str] = literal_column(f"'{AuditResult.REFUSED.value}'")


class AuditListRepository:
    """Reads on a connection of the snapshot reader."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self, chains: Sequence[str], wanted: AuditFilter, before: str | None, limit: int
    ) -> list[AuditRecord]:
        """Return the newest rows of the chains before a row: a query each, as an index has one chain."""
        self._keep_order_of_indexes()
        records = [
            record
            for chain in chains
            for record in self._read(_select(chain, wanted, before).order_by(_LOG.c.id.desc()).limit(limit))
        ]
        return sorted(records, key=lambda record: record.id, reverse=True)[:limit]

    def list_after(self, chain: str, wanted: AuditFilter, after: str | None, limit: int) -> list[AuditRecord]:
        """Return rows of one chain in the order of their creation."""
        self._keep_order_of_indexes()
        query = _select(chain, wanted)
        if after is not None:
            query = query.where(_LOG.c.id > after)
        return self._read(query.order_by(_LOG.c.id).limit(limit))

    def list_names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of people and API keys."""
        names: dict[str, str] = {}
        for table, prefix in ((PersonRow, Prefix.PERSON), (ApiKeyRow, Prefix.API_KEY)):
            wanted = {identifier for identifier in ids if has_prefix(identifier, prefix)}
            if wanted:
                query = select(table.id, table.name).where(table.id.in_(wanted))
                names |= {row.id: row.name for row in self._connection.execute(query)}
        return names

    def list_heads(self) -> list[AuditChainRow]:
        columns = table_of(AuditChainRow).c
        rows = self._connection.execute(select(*columns).order_by(columns.chain)).mappings()
        return [AuditChainRow(**row) for row in rows]

    def count_unsealed(self) -> Mapping[str, int]:
        """Return the number of rows that are not sealed yet, by chain."""
        query = (
            select(_LOG.c.chain, func.count().label("rows"))
            .where(_LOG.c.seq.is_(None))
            .group_by(_LOG.c.chain)
        )
        return {row.chain: row.rows for row in self._connection.execute(query)}

    def list_unsealed_chains(self) -> Sequence[str]:
        """Return the chains with rows that are not sealed."""
        query = select(_LOG.c.chain).where(_LOG.c.seq.is_(None)).distinct()
        return self._connection.execute(query).scalars().all()

    def list_sealed(self, chain: str, after_seq: int, limit: int) -> list[AuditRecord]:
        """Return rows in the order of the chain."""
        query = select(*_COLUMNS).where(_LOG.c.chain == chain, _LOG.c.seq > after_seq)
        return self._read(query.order_by(_LOG.c.seq).limit(limit))

    def list_behind(self, receiver: str) -> Sequence[str]:
        """Return the chains with sealed rows that a receiver does not have yet."""
        heads, sent = table_of(AuditChainRow).c, table_of(AuditDeliveryRow).c
        is_sent = (sent.chain == heads.chain) & (sent.receiver == receiver) & (sent.seq >= heads.last_seq)
        query = select(heads.chain).where(heads.last_seq > 0, ~exists().where(is_sent))
        return self._connection.execute(query).scalars().all()

    def _keep_order_of_indexes(self) -> None:
        """Let PostgreSQL read rows in the order of an index until the transaction ends.

        Every index has the order of the list. Before the table has statistics, PostgreSQL expects few rows of
        any filter, and would read and sort all of them: 100,000 instead of one page.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_KEEP_ORDER)

    def _read(self, query: Select[Any]) -> list[AuditRecord]:
        return [AuditRecord(*row) for row in self._connection.execute(query)]


class AuditRepository:
    """Stores, seals and deletes rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        await self._session.execute(_LOG.insert(), [dict(row) for row in rows])

    async def list_all_chains(self) -> Sequence[str]:
        return (await self._session.scalars(select(AuditChainRow.chain))).all()

    async def lock_chain(self, chain: str) -> AuditChainRow | None:
        """Return a chain, locked until the transaction ends; None if another process has locked it."""
        values = {"chain": chain, "last_seq": 0, "last_hash": FIRST_HASH, "pruned_seq": 0}
        values |= {"pruned_hash": FIRST_HASH, "sealed_state": ""}
        await self._session.execute(insert_if_absent(self._session, AuditChainRow, values))
        query = select(AuditChainRow).where(AuditChainRow.chain == chain)
        return await self._session.scalar(query.with_for_update(skip_locked=True))

    async def list_unsealed(self, chain: str, limit: int) -> list[AuditRecord]:
        query = select(*_COLUMNS).where(_LOG.c.chain == chain, _LOG.c.seq.is_(None))
        rows = await self._session.execute(query.order_by(_LOG.c.id).limit(limit))
        return [AuditRecord(*row) for row in rows]

    async def seal(self, rows: Sequence[AuditRecord]) -> None:
        """Store the position and the hashes of rows."""
        connection = await self._session.connection()
        await connection.execute(
            _SEAL,
            [
                {"_id": row.id, "_seq": row.seq, "_previous_hash": row.previous_hash, "_hash": row.hash}
                for row in rows
            ],
        )

    async def list_oldest(
        self, chain: str, after_seq: int, limit: int
    ) -> Sequence[tuple[int, datetime, str]]:
        """Return position, time and hash of sealed rows in the order of the chain."""
        query = select(AuditRow.seq, AuditRow.at, AuditRow.hash).where(
            AuditRow.chain == chain, AuditRow.seq > after_seq
        )
        rows = await self._session.execute(query.order_by(AuditRow.seq).limit(limit))
        return [(seq, at, digest) for seq, at, digest in rows if seq is not None and digest is not None]

    async def delete_up_to(self, chain: str, seq: int) -> None:
        await self._session.execute(_LOG.delete().where(_LOG.c.chain == chain, _LOG.c.seq <= seq))

    async def find_keys(self, hashes: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """Return the id and the workspace of stored API keys by their hash."""
        query = select(ApiKeyRow.key_hash, ApiKeyRow.id, ApiKeyRow.workspace_id)
        rows = await self._session.execute(query.where(ApiKeyRow.key_hash.in_(hashes)))
        return {key_hash: (key_id, workspace_id) for key_hash, key_id, workspace_id in rows}


class AuditDeliveryRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, receiver: str, chain: str, at: datetime, until: datetime) -> int | None:
        """Reserve a chain for this process until a time; return the position after which to send.

        None if another process has reserved it, or the last attempt failed a moment ago.
        """
        values = {"receiver": receiver, "chain": chain, "seq": 0}
        await self._session.execute(insert_if_absent(self._session, AuditDeliveryRow, values))
        is_due = or_(AuditDeliveryRow.next_at.is_(None), AuditDeliveryRow.next_at <= at)
        statement = update(AuditDeliveryRow).where(
            AuditDeliveryRow.receiver == receiver, AuditDeliveryRow.chain == chain, is_due
        )
        claimed = await self._session.execute(statement.values(next_at=until).returning(AuditDeliveryRow.seq))
        return claimed.scalar_one_or_none()

    async def release(self, receiver: str, chain: str, seq: int, next_at: datetime | None) -> None:
        """Store how far a claimed chain is sent, and when to try again."""
        statement = update(AuditDeliveryRow).where(
            AuditDeliveryRow.receiver == receiver, AuditDeliveryRow.chain == chain
        )
        await self._session.execute(statement.values(seq=seq, next_at=next_at))


def _select(chain: str, wanted: AuditFilter, before: str | None = None) -> Select[Any]:
    """Rows of one chain. Ids begin with the time, so that the index also answers times."""
    query = select(*_COLUMNS).where(_LOG.c.chain == chain, *_conditions(wanted))
    return query if before is None else query.where(_LOG.c.id < before)


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(_LOG.c.id >= lowest_id(Prefix.AUDIT_ENTRY, wanted.since))
    if wanted.until is not None:
        conditions.append(_LOG.c.id < lowest_id(Prefix.AUDIT_ENTRY, wanted.until))
    if wanted.actor is not None:
        conditions.append(_actor_column(wanted.actor) == wanted.actor)
    if wanted.operation is not None:
        conditions.append(_LOG.c.operation == wanted.operation)
    if wanted.target is not None:
        conditions.append(_LOG.c.target_id == wanted.target)
    if wanted.result is AuditResult.REFUSED:
        # Not a parameter, so that the databases use the index of refused attempts.
        conditions.append(_LOG.c.result == _REFUSED)
    elif wanted.result is not None:
        conditions.append(_LOG.c.result == wanted.result.value)
    return conditions


def _actor_column(actor: str) -> Column[str]:
    """An actor is given by an id, or by a kind for those that have none."""
    if actor in set(ActorKind):
        return _LOG.c.actor_kind
    return _LOG.c.person_id if has_prefix(actor, Prefix.PERSON) else _LOG.c.actor_id
