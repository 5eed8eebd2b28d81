"""The deliveries of triggers: list, read, preview and replay."""

import hashlib
import json
from functools import partial

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.triggers import TriggerDeliveryRow, TriggerRow
from crewai_runner.domain.workflow import InputDefinition, WorkflowDefinition
from crewai_runner.domain.workflow_yaml.run_inputs import input_problems
from crewai_runner.features.triggers.errors import DeliveryBodyGone, DeliveryNotFound
from crewai_runner.features.triggers.receiver import Delivery, HookReceiver
from crewai_runner.features.triggers.repository import TriggerDeliveryRepository, TriggerRepository
from crewai_runner.features.triggers.rules import map_inputs
from crewai_runner.features.triggers.schemas import (
    MappedInput,
    MappingPreview,
    MappingPreviewRequest,
    TriggerDelivery,
    TriggerDeliveryList,
    TriggerDeliveryRead,
)
from crewai_runner.features.triggers.service import TriggerDeps, TriggerService


class DeliveryLog:
    """Every method takes the id of a trigger of the caller's workspace. Raises TriggerNotFound."""

    def __init__(self, deps: TriggerDeps) -> None:
        self._deps = deps
        self._read = partial(read_session, deps.sessions)

    async def list_page(
        self, principal: Principal, trigger_id: str, limit: int, cursor: str | None
    ) -> TriggerDeliveryList:
        """Return one page, newest first. Raises BadRequest for an invalid cursor."""
        before = decode_id_cursor(cursor, Prefix.TRIGGER_DELIVERY)
        async with self._read() as session:
            trigger = await TriggerRepository(session).get(trigger_id, principal.workspace_id)
            rows = await TriggerDeliveryRepository(session, trigger.id).list_page(before, limit + 1)
        page = make_page(rows, limit, lambda row: row.id)
        return TriggerDeliveryList(
            deliveries=[TriggerDelivery.model_validate(_to_values(row)) for row in page.items],
            next_cursor=page.next_cursor,
        )

    async def get(self, principal: Principal, trigger_id: str, delivery_id: str) -> TriggerDeliveryRead:
        """Return a delivery with its body. Raises DeliveryNotFound."""
        async with self._read() as session:
            _, row = await _get(session, principal, trigger_id, delivery_id)
        body = None if row.body is None else json.loads(row.body)
        return TriggerDeliveryRead.model_validate(_to_values(row) | {"body": body})

    async def replay(self, principal: Principal, trigger_id: str, delivery_id: str) -> TriggerDelivery:
        """Start a run again, as the caller, with today's mapping.

        Raises DeliveryNotFound, DeliveryBodyGone and what `ExecutionService.start` raises.
        """
        async with self._read() as session:
            trigger, row = await _get(session, principal, trigger_id, delivery_id)
        if row.body is None:
            raise DeliveryBodyGone
        key = hashlib.sha256(new_id(Prefix.TRIGGER_DELIVERY).encode()).hexdigest()
        delivery = Delivery(json.loads(row.body), row.size, key, replay_of=row.id)
        replayed = await HookReceiver(self._deps).start(principal, trigger, delivery)
        async with self._read() as session:
            _, added = await _get(session, principal, trigger_id, replayed)
        return TriggerDelivery.model_validate(_to_values(added))

    async def preview(
        self, principal: Principal, trigger_id: str, request: MappingPreviewRequest
    ) -> MappingPreview:
        """Return what the last received body would become with other pointers. Raises TriggerInvalid."""
        async with self._read() as session:
            trigger = await TriggerRepository(session).get(trigger_id, principal.workspace_id)
            service = TriggerService(session, self._deps)
            declared = await service.list_inputs(principal, trigger.workflow_id, trigger.project_id)
            row = await TriggerDeliveryRepository(session, trigger.id).find_last_body()
        document = None if row is None or row.body is None else json.loads(row.body)
        mapped = {} if row is None else map_inputs(document, request.inputs)
        return MappingPreview(
            delivery_id=None if row is None else row.id,
            inputs=_describe(declared, request.inputs, mapped),
        )


async def _get(
    session: AsyncSession, principal: Principal, trigger_id: str, delivery_id: str
) -> tuple[TriggerRow, TriggerDeliveryRow]:
    trigger = await TriggerRepository(session).get(trigger_id, principal.workspace_id)
    row = None
    if has_prefix(delivery_id, Prefix.TRIGGER_DELIVERY):
        row = await TriggerDeliveryRepository(session, trigger.id).get(delivery_id)
    if row is None:
        raise DeliveryNotFound(delivery_id)
    return trigger, row


def _describe(
    declared: list[InputDefinition], pointers: dict[str, str], mapped: dict[str, JsonValue]
) -> list[MappedInput]:
    definition = WorkflowDefinition(name="preview", agents=[], tasks=[], inputs=declared)
    _, problems = input_problems(definition, mapped)
    by_name = {one.pointer.removeprefix("/"): one.detail for one in problems}
    names = [one.name for one in declared]
    names += [name for name in pointers if name not in names]
    return [
        MappedInput(
            name=name,
            pointer=pointers.get(name),
            is_found=name in mapped,
            value=mapped.get(name),
            problem=by_name.get(name),
        )
        for name in names
    ]


def _to_values(row: TriggerDeliveryRow) -> dict[str, object]:
    return {
        "id": row.id,
        "received_at": row.received_at,
        "size": row.size,
        "run_id": row.run_id,
        "error": row.error,
        "replay_of": row.replay_of,
        "has_body": row.body is not None,
    }
