"""Opens the audit entry of each request, and records what no transaction has stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crewai_runner.core.api_key import STORED_KEY_PREFIX, hash_stored_key
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions
from crewai_runner.domain.audit_entry import AuditEntry, Origin, Target, describe_actor, open_entry
from crewai_runner.features.audit.refusals import RefusedAttempts
from crewai_runner.features.auth.errors import GroupsUnchecked, InvalidApiKey
from crewai_runner.http.client_address import get_client_address
from crewai_runner.http.deps import provided
from crewai_runner.http.openapi import operation_id
from crewai_runner.http.unaudited import is_audited

NOT_ROUTED = "authenticate"
"""The operation of a request that was refused before its route was known."""
KINDS: Mapping[str, str] = {"uuid": "project", "project_name": "project", "slug": "automation"}
"""What path parameters name, besides `<kind>_id`."""
RECORDED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
RECORDED_PROBLEMS = frozenset({"link-invalid", "too-many-failed-sign-ins"})
NOT_RECORDED = frozenset({"code-needed", "session-ended", "no-workspace"})
"""Problems that are steps of a normal sign-in, and its end."""
UNAUTHENTICATED = frozenset({InvalidApiKey.slug, GroupsUnchecked.slug})
"""Problems of callers without valid credentials. A WebSocket is closed without a status that would say so."""
ANSWERS = frozenset({"http.response.start", "websocket.close", "websocket.http.response.start"})
_STREAM = b"text/event-stream"
_BEARER_PROTOCOL = "bearer."


@dataclass(frozen=True, slots=True)
class AuditDeps:
    """Dependencies of the middleware, built by the container."""

    sessions: Sessions
    refusals: RefusedAttempts


class AuditMiddleware:
    """Must be outside of the authentication, whose refusals it records.

    Changes are stored with their transaction, see `audited_unit_of_work`. One without a transaction is stored
    here, before the response is sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        entry = AuditEntry(partial(_read_origin, scope), partial(_clean, scope))

        async def recording_send(message: Message) -> None:
            if message["type"] in ANSWERS:
                await _finish(scope, entry, message)
            await send(message)

        with open_entry(entry):
            await self._app(scope, receive, recording_send)


async def _finish(scope: Scope, entry: AuditEntry, message: Message) -> None:
    status = message.get("status", HTTPStatus.FORBIDDEN)
    is_success = status < HTTPStatus.BAD_REQUEST
    # A stream begins before the change that it is about, which stores the entry itself.
    if is_success and entry.build_change() is not None and not _is_stream(message):
        async with audited_unit_of_work(provided(HTTPConnection(scope), AuditDeps).sessions):
            pass
    if entry.is_refused or (not is_success and _is_recorded(scope, entry.problem, status)):
        refusals = provided(HTTPConnection(scope), AuditDeps).refusals
        refusals.add(entry.build_refusal(), _hash_offered_key(scope))


def _is_recorded(scope: Scope, problem: str | None, status: int) -> bool:
    if problem is None or problem in NOT_RECORDED:
        return False
    if scope.get("route") is None and problem in UNAUTHENTICATED:
        return _read_token(scope) is not None  # a request without credentials is no attempt
    return status in RECORDED_STATUSES or problem in RECORDED_PROBLEMS


def _read_origin(scope: Scope) -> Origin:
    principal = scope.get("principal")
    known = principal if isinstance(principal, Principal) else None
    return Origin(
        operation=_name_operation(scope.get("route")),
        is_change=is_audited(scope),
        actor=describe_actor(known),
        workspace_id=None if known is None else known.workspace_id,
        address=get_client_address(scope),
        request_id=scope.get("request_id", ""),
        target=_find_target(scope.get("path_params", {})),
    )


def _name_operation(route: object) -> str:
    """Return what the OpenAPI document calls an operation; WebSockets are not in it."""
    if isinstance(route, APIRoute):
        return operation_id(route)
    return f"websocket:{route.name}" if isinstance(route, APIWebSocketRoute) else NOT_ROUTED


def _find_target(parameters: Mapping[str, Any]) -> Target | None:
    for name, value in parameters.items():
        if name in KINDS:
            return Target(KINDS[name], str(value))
        if name.endswith("_id"):
            return Target(name.removesuffix("_id").replace("_", "-"), str(value))
    return None


def _clean(scope: Scope, value: object, workspace_id: str) -> object:
    secrets: SecretMask = scope["app"].state.mask
    cleaned: object = clean_json(value, secrets.scoped(workspace_id))
    return cleaned


def _is_stream(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(_STREAM) for name, value in message["headers"])


def _read_token(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    found = next((part for part in offered if part.startswith(_BEARER_PROTOCOL)), None)
    return None if found is None else found.removeprefix(_BEARER_PROTOCOL)


def _hash_offered_key(scope: Scope) -> str | None:
    """Return the hash of a refused key that may be a revoked one."""
    token = _read_token(scope)
    is_stored = token is not None and token.startswith(STORED_KEY_PREFIX) and "principal" not in scope
    return hash_stored_key(token) if is_stored and token is not None else None
