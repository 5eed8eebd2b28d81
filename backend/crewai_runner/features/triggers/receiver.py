"""Receives deliveries: checks who sent them, and starts a run for each one once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import JsonValue, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.errors import AppError, Unavailable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_strength import find_weakness
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import pop_notifications, read_session, unit_of_work
from crewai_runner.db.tables.triggers import TriggerRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.executions.service import StartExtension
from crewai_runner.features.runs.errors import InputsInvalid
from crewai_runner.features.triggers.errors import (
    HookBodyInvalid,
    HookBusy,
    HookNotAccepted,
    HookSignatureInvalid,
    HookUnknown,
)
from crewai_runner.features.triggers.repository import TriggerDeliveryRepository, TriggerRepository
from crewai_runner.features.triggers.rules import map_inputs
from crewai_runner.features.triggers.service import TriggerDeps
from crewai_runner.features.triggers.signatures import SignatureKind, find_delivery_id, is_authentic

log = get_logger(__name__)
SCOPES = frozenset({Scope.RUNS_WRITE, Scope.WORKFLOWS_READ, Scope.PROJECTS_READ})
"""What a trigger may do: start what it was made for."""
BUSY_SECONDS = 60
MASK_OWNER = "trigger:"


class DeliveryRepeated(Exception):
    """Another request has started a run for the same delivery meanwhile."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The body of an authentic request; `key` identifies it when it is repeated."""

    document: JsonValue
    size: int
    key: str
    replay_of: str | None = None


class HookReceiver:
    """Each delivery has transactions of its own, so that one that starts no run is stored too."""

    def __init__(self, deps: TriggerDeps) -> None:
        self._deps = deps

    async def receive(self, path: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """Start a run for a request; return what to answer, or None.

        `path` is the last part of the address; names of headers are in lower case. Raises HookUnknown,
        HookSignatureInvalid, HookBodyInvalid, HookNotAccepted, HookBusy, Unavailable.
        """
        if not (path.isascii() and path.isprintable()):
            raise HookUnknown  # a database would refuse it
        async with read_session(self._deps.sessions) as session:
            trigger = await TriggerRepository(session).find_enabled(path)
        if trigger is None:
            raise HookUnknown
        kind = SignatureKind(trigger.signature)
        get_entry().set_workspace(trigger.workspace_id)
        get_entry().set_target("trigger", trigger.id)
        if not is_authentic(kind, self._decrypt(trigger), headers, body, int(now().timestamp())):
            raise HookSignatureInvalid
        get_entry().set_principal(principal := make_principal(trigger))
        document = _parse(body)
        if (challenge := _find_challenge(kind, document)) is not None:
            get_entry().declare_unchanged()
            return challenge
        delivery = Delivery(document, len(body), _make_key(kind, headers, document, body))
        async with read_session(self._deps.sessions) as session:
            if await TriggerDeliveryRepository(session, trigger.id).is_started(delivery.key):
                get_entry().declare_unchanged()
                return None
        await self._start_or_store_error(principal, trigger, delivery)
        return None

    async def _start_or_store_error(
        self, principal: Principal, trigger: TriggerRow, delivery: Delivery
    ) -> None:
        try:
            await self.start(principal, trigger, delivery)
        except DeliveryRepeated:
            get_entry().declare_unchanged()
        except Unavailable:
            raise
        except AppError as error:
            log.warning("trigger.delivery_failed", trigger_id=trigger.id, problem=error.slug)
            await self._store_error(trigger, delivery, error)
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise HookBusy(BUSY_SECONDS) from None
            raise HookNotAccepted from None

    async def start(self, principal: Principal, trigger: TriggerRow, delivery: Delivery) -> str:
        """Start the run of a delivery and store both in one transaction; return the delivery's id.

        Raises DeliveryRepeated and what `ExecutionService.start` raises.
        """
        row = self._make_row(trigger, delivery)
        request = self._make_request(trigger, delivery, str(row["id"]))

        async with audited_unit_of_work(self._deps.sessions) as session:

            async def store(run_id: str) -> None:
                await self._store(session, trigger, row | {"run_id": run_id})

            extension = StartExtension(f"triggers/{trigger.id}", request, store)
            await self._deps.executions(session).start(principal, request, None, extension)
        self._deps.publish(pop_notifications(session))
        return str(row["id"])

    @staticmethod
    async def _store(session: AsyncSession, trigger: TriggerRow, row: dict[str, object]) -> None:
        deliveries = TriggerDeliveryRepository(session, trigger.id)
        if not await deliveries.store(row):
            raise DeliveryRepeated
        await deliveries.prune()

    async def _store_error(self, trigger: TriggerRow, delivery: Delivery, error: AppError) -> None:
        row = self._make_row(trigger, delivery) | {"error": f"{error.title}: {error.detail}"[:500]}
        async with unit_of_work(self._deps.sessions) as session:
            deliveries = TriggerDeliveryRepository(session, trigger.id)
            await deliveries.store(row)
            await deliveries.prune()

    def _make_row(self, trigger: TriggerRow, delivery: Delivery) -> dict[str, object]:
        cleaned = clean_json(delivery.document, self._deps.mask.scoped(trigger.workspace_id))
        return {
            "id": new_id(Prefix.TRIGGER_DELIVERY),
            "workspace_id": trigger.workspace_id,
            "delivery_key": delivery.key,
            "received_at": now(),
            "size": delivery.size,
            "body": json.dumps(cleaned, ensure_ascii=True),
            "run_id": None,
            "error": None,
            "replay_of": delivery.replay_of,
        }

    @staticmethod
    def _make_request(trigger: TriggerRow, delivery: Delivery, delivery_id: str) -> RunStart:
        source: dict[str, JsonValue] = {"trigger": trigger.name, "delivery": delivery_id}
        try:
            return RunStart(
                workflow_id=trigger.workflow_id,
                project_id=trigger.project_id,
                inputs=map_inputs(delivery.document, trigger.inputs),
                metadata=source,
            )
        except ValidationError:
            raise InputsInvalid("The body has a value that no input can hold.") from None

    def _decrypt(self, trigger: TriggerRow) -> str:
        try:
            secret = self._deps.cipher.decrypt(trigger.sealed_secret)
        except SecretUnreadable:
            log.warning("trigger.secret_unreadable", trigger_id=trigger.id)
            raise HookUnknown from None
        if find_weakness(secret) is None:
            self._deps.mask.hold(trigger.workspace_id, MASK_OWNER + trigger.id, [secret])
        return secret


def make_principal(trigger: TriggerRow) -> Principal:
    """Return who starts the runs of a trigger: the trigger itself."""
    return Principal(trigger.id, trigger.workspace_id, SCOPES)


def _parse(body: bytes) -> JsonValue:
    try:
        document: JsonValue = parse_json(body.decode())
    except ValueError:  # not UTF-8, or not JSON
        raise HookBodyInvalid from None
    return document


def _find_challenge(kind: SignatureKind, document: JsonValue) -> str | None:
    """Return what Slack wants to get back, once, to see that an address is that of its owner."""
    if kind is not SignatureKind.SLACK or not isinstance(document, dict):
        return None
    challenge = document.get("challenge")
    if document.get("type") != "url_verification" or not isinstance(challenge, str):
        return None
    return challenge[:500] if challenge.isascii() else None


def _make_key(kind: SignatureKind, headers: Mapping[str, str], document: JsonValue, body: bytes) -> str:
    identity = find_delivery_id(kind, headers, document, body) or new_id(Prefix.TRIGGER_DELIVERY)
    return hashlib.sha256(f"{kind}\0{identity}".encode("utf-8", "surrogatepass")).hexdigest()
