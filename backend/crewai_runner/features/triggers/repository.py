"""Queries on triggers and their deliveries."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix
from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.triggers import TriggerDeliveryRow, TriggerRow
from crewai_runner.features.triggers.errors import TriggerNameTaken, TriggerNotFound

KEPT_DELIVERIES = 10_000
"""Rows of one trigger; those above it are deleted, and their deliveries could then be repeated."""
KEPT_BODIES = 100


class TriggerRepository(NamedRowRepository[TriggerRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(
            session, TriggerRow, Prefix.TRIGGER, not_found=TriggerNotFound, name_taken=TriggerNameTaken
        )

    async def list_all(self, workspace_id: str) -> Sequence[TriggerRow]:
        return (await self._session.scalars(self._in_workspace(workspace_id).order_by(TriggerRow.name))).all()

    async def count(self, workspace_id: str) -> int:
        query = select(func.count()).where(TriggerRow.workspace_id == workspace_id)
        return await self._session.scalar(query) or 0

    async def find_enabled(self, path: str) -> TriggerRow | None:
        """Return the enabled trigger of an address.

        The only read without a workspace: the address is all that a sender has.
        """
        query = select(TriggerRow).where(TriggerRow.path == path, TriggerRow.is_enabled.is_(True))
        return await self._session.scalar(query)


class TriggerDeliveryRepository:
    """The deliveries of one trigger."""

    def __init__(self, session: AsyncSession, trigger_id: str) -> None:
        self._session, self._trigger_id = session, trigger_id

    async def is_started(self, key: str) -> bool:
        """Return whether a delivery with this key has started a run."""
        query = select(TriggerDeliveryRow.run_id).where(
            TriggerDeliveryRow.trigger_id == self._trigger_id, TriggerDeliveryRow.delivery_key == key
        )
        return await self._session.scalar(query) is not None

    async def store(self, values: dict[str, Any]) -> bool:
        """Store a delivery; it replaces one of the same key that has started no run.

        Return False, and store nothing, if that one has started a run.
        """
        values = values | {"trigger_id": self._trigger_id}
        insert = insert_if_absent(self._session, TriggerDeliveryRow, values)
        if await self._session.scalar(insert.returning(TriggerDeliveryRow.id)) is not None:
            return True
        statement = update(TriggerDeliveryRow).where(
            TriggerDeliveryRow.trigger_id == self._trigger_id,
            TriggerDeliveryRow.delivery_key == values["delivery_key"],
            TriggerDeliveryRow.run_id.is_(None),
        )
        changed = {name: values[name] for name in ("received_at", "size", "body", "run_id", "error")}
        replaced = statement.values(**changed).returning(TriggerDeliveryRow.id)
        return await self._session.scalar(replaced) is not None

    async def prune(self) -> None:
        """Delete what is above the limits: the oldest rows, and the bodies of older ones."""
        of_trigger = TriggerDeliveryRow.trigger_id == self._trigger_id
        newest = select(TriggerDeliveryRow.id).where(of_trigger).order_by(TriggerDeliveryRow.id.desc())
        last_row = newest.offset(KEPT_DELIVERIES).limit(1).scalar_subquery()
        await self._session.execute(
            delete(TriggerDeliveryRow)
            .where(of_trigger, TriggerDeliveryRow.id <= last_row)
            .execution_options(synchronize_session=False)
        )
        last_body = newest.offset(KEPT_BODIES).limit(1).scalar_subquery()
        statement = update(TriggerDeliveryRow).where(
            of_trigger, TriggerDeliveryRow.id <= last_body, TriggerDeliveryRow.body.is_not(None)
        )
        await self._session.execute(statement.values(body=None).execution_options(synchronize_session=False))

    async def get(self, delivery_id: str) -> TriggerDeliveryRow | None:
        query = select(TriggerDeliveryRow).where(
            TriggerDeliveryRow.trigger_id == self._trigger_id, TriggerDeliveryRow.id == delivery_id
        )
        return await self._session.scalar(query)

    async def list_page(self, before: str | None, limit: int) -> Sequence[TriggerDeliveryRow]:
        """Return the deliveries with an id below `before`, newest first."""
        query = select(TriggerDeliveryRow).where(TriggerDeliveryRow.trigger_id == self._trigger_id)
        if before is not None:
            query = query.where(TriggerDeliveryRow.id < before)
        return (await self._session.scalars(query.order_by(TriggerDeliveryRow.id.desc()).limit(limit))).all()

    async def find_last_body(self) -> TriggerDeliveryRow | None:
        query = select(TriggerDeliveryRow).where(
            TriggerDeliveryRow.trigger_id == self._trigger_id, TriggerDeliveryRow.body.is_not(None)
        )
        return await self._session.scalar(query.order_by(TriggerDeliveryRow.id.desc()).limit(1))
