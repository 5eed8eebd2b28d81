"""Every changing operation of the OpenAPI document leaves exactly one row, and no row has a secret."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.http.unaudited import CHANGING_METHODS, EXTENSION
from crewai_runner.wiring.container import Container
from tests.contract.operations import OPERATIONS, fill_path
from tests.features.audit.operation_requests import OperationRequests, Prepared
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.projects import SECRET
from tests.support.teams import PASSWORD, SERVER_KEY, Team

CHANGING = [(method, path, body) for method, path, body in OPERATIONS if method in CHANGING_METHODS]
UNAUDITED = {
    "apis:preview_api",
    "crewai:add_spans",
    "executions:check_start",
    "mcp:handle_message",
    "me:begin_linking",
    "session:begin_issuer_sign_in",
    "sharing:read_shared_run",
    "triggers:preview_mapping",
    "workflows:preview_import",
    "mcp:list_mcp_server_contents",
    "mcp:read_mcp_resource",
    "yaml:convert_yaml",
    "yaml:validate_yaml",
}
NEEDS_AN_ISSUER = {
    "session:finish_issuer_sign_in",
    "session:end_issuer_sessions",
    "mcp:begin_mcp_authorization",
    "mcp:finish_mcp_authorization",
}
ALWAYS_REFUSED = {"deployments:create_deployment_from_repository"}
WITHOUT_TARGET = {
    "me:sign_out",
    "providers:test_unsaved_provider",
    "connections:test_unsaved_connection",
    "runs:delete_runs",
    "session:end_session",
}
CANARIES = (
    PASSWORD,
    SECRET,
    SERVER_KEY,
    "sk-",
    "canary",
    "Canary Name",
    "secret-value",
    "token-of-a-receiver",
)


async def read_rows(container: Container) -> Sequence[AuditRow]:
    async with read_session(container.sessions) as session:
        return (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()


async def send(team: Team, method: str, path: str, prepared: Prepared, request_id: str) -> httpx.Response:
    client = prepared.client or team.client
    headers = {"X-Request-Id": request_id} | prepared.more.pop("headers", {})
    url = f"http://test{fill_path(path, prepared.ids)}"
    return await client.request(method, url, headers=headers, **prepared.more)


def test_only_these_operations_are_not_audited() -> None:
    assert {body["operationId"] for _, _, body in CHANGING if EXTENSION in body} == UNAUDITED


@ON_SQLITE
@pytest.mark.timeout(300)
async def test_every_change_has_one_row(harness: RunHarness, app: FastAPI) -> None:
    team = Team(harness.container, app)
    requests = OperationRequests(team, harness)
    sent: dict[str, str] = {}
    failed: dict[str, Any] = {}
    for method, path, body in CHANGING:
        operation = body["operationId"]
        if operation in UNAUDITED - {"executions:check_start"} | ALWAYS_REFUSED | NEEDS_AN_ISSUER:
            continue
        prepared = await requests.prepare(operation, method, path)
        response = await send(team, method, path, prepared, f"request-{len(sent)}")
        sent[f"request-{len(sent)}"] = operation
        if not response.is_success:
            failed[operation] = (response.status_code, response.text[:300])

    rows = await read_rows(harness.container)
    found = {
        operation: [row for row in rows if row.request_id == request_id]
        for request_id, operation in sent.items()
    }
    assert failed == {}
    wrong = {operation: len(own) for operation, own in found.items() if len(own) != 1}
    assert wrong == {"executions:check_start": 0}
    del found["executions:check_start"]
    assert {operation for operation, [row] in found.items() if row.operation != operation} == set()
    assert {operation for operation, [row] in found.items() if not row.target_id} <= WITHOUT_TARGET
    assert {row.actor_kind for row in rows} == {"server-key", "person", "anonymous", "trigger"}
    assert [row.changes for row in rows if any(text in _all_values(row) for text in CANARIES)] == []


def _all_values(row: AuditRow) -> str:
    return repr({column.name: getattr(row, column.name) for column in AuditRow.__table__.columns})
