"""Every operation of the OpenAPI document, as each caller sees it."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from crewai_runner.core.principal import Scope
from crewai_runner.db.base import Base
from crewai_runner.wiring.container import Container
from tests.contract.example_bodies import example_bodies
from tests.contract.operations import OPERATIONS, fill_path
from tests.contract.other_workspace import KINDS
from tests.contract.rights.callers import Caller
from tests.contract.seeded_code import SeededCode
from tests.contract.seeded_workspace import SeededWorkspace
from tests.contract.uploads import UPLOADS
from tests.support.asgi import Answer, ask

REFUSALS = {"scope-missing", "unauthenticated", "session-ended", "cross-site-request"}
ID_NAMES = frozenset(KINDS) | {
    *("slug", "kickoff_id", "uuid", "project_name"),
    *("identity_id", "workspace_id", "memory_id"),
}
"""The parameters of paths that name an object."""
QUERY_IDS = {
    "workflowId": "workflow_id",
    "projectId": "project_id",
    "runId": "run_id",
    "providerId": "provider_id",
    "a": "run_id",
    "b": "run_id",
}
NUMBERS = {"from": "1", "to": "1"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Reading first, deleting last."""
NOT_COMPARED = {"last_used_at"}
INTERNAL_ERROR = 500
BRINGS_DEFINITION = {
    *("POST /api/v1/workflows/start", "POST /api/v1/runs/preflight", "POST /api/v1/runs/with-files"),
}
"""The example requests that bring a definition, which needs a second right."""


@dataclass(frozen=True)
class Operation:
    """An operation with the scopes that the document says it requires."""

    method: str
    path: str
    scopes: Sequence[str]
    query: Sequence[str]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_objects(self) -> bool:
        return any("{" + name + "}" in self.path for name in ID_NAMES)

    def may(self, caller: Caller) -> bool:
        return set(self.scopes) <= caller.scopes


def read_operations() -> list[Operation]:
    """Return all operations, public ones included, in an order in which deletions come last."""
    operations = [
        Operation(
            method,
            path,
            [scope for each in operation.get("security", ()) for scope in each["HTTPBearer"]],
            [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"],
        )
        for method, path, operation in OPERATIONS
    ]
    return sorted(operations, key=lambda operation: METHODS.index(operation.method))


@dataclass
class Matrix:
    """Sends requests as every caller; what is wrong is collected in `findings`."""

    app: FastAPI
    container: Container
    callers: Sequence[Caller]
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    async def check_refused(self, operations: Sequence[Operation]) -> None:
        """Callers without the scope get 403 that names it, also for their own objects; anonymous ones 401."""
        for operation in operations:
            for caller in self.callers:
                if operation.may(caller):
                    continue
                answer = await self._ask(operation, caller, caller.objects.ids)
                expected = (403, operation.scopes[0]) if caller.is_known else (401, None)
                self._expect(operation, caller, (answer.status, _member(answer, "scope")), expected)
                self.counts["refused" if caller.is_known else "not signed in"] += 1

    async def check_cross_site(self, operations: Sequence[Operation]) -> None:
        """A change with a cookie alone is refused: any site could have caused it."""
        caller = max((each for each in self.callers if each.session_of), key=lambda each: len(each.scopes))
        for operation in operations:
            if operation.method == "GET":
                continue
            answer = await self._ask(operation, caller, caller.objects.ids, without="X-CSRF-Token")
            self._expect(operation, caller, _slug(answer), "cross-site-request")
            self.counts["cross-site"] += 1

    async def check_foreign(self, operations: Sequence[Operation]) -> None:
        """Objects of the other workspace, in paths, queries and bodies, are like ones that do not exist."""
        for operation in operations:
            for caller in self.callers:
                other = next(each.objects for each in self.callers if each.objects != caller.objects)
                unknown = _make_unknown(other.ids)
                # Operations of administrators are about all workspaces.
                is_server_wide = Scope.INSTANCE_ADMIN in operation.scopes and operation.may(caller)
                depends_on_ids = self._depends_on_ids(operation, caller, other.ids, unknown)
                if is_server_wide or not caller.is_known or not depends_on_ids:
                    continue
                foreign = await self._ask(operation, caller, other.ids)
                missing = await self._ask(operation, caller, unknown)
                self._expect(
                    operation, caller, _comparable(foreign, other.ids), _comparable(missing, unknown)
                )
                if operation.may(caller) and operation.names_objects and _slug(foreign) != "person-needed":
                    self._expect(operation, caller, foreign.status, 404)
                if other.secret in foreign.body:
                    self.findings.append(f"{operation.name} as {caller.name} shows the other workspace")
                self.counts["foreign"] += 1

    async def check_allowed(self, operations: Sequence[Operation]) -> None:
        """Callers with the scope come further than the check of their rights; reading succeeds."""
        for operation in operations:
            for caller in self.callers:
                if not operation.may(caller) or not caller.is_known:
                    continue
                answer = await self._ask(operation, caller, caller.objects.ids)
                is_refused = _slug(answer) in REFUSALS
                if operation.name in BRINGS_DEFINITION and Scope.WORKFLOWS_WRITE not in caller.scopes:
                    is_refused = _member(answer, "scope") != Scope.WORKFLOWS_WRITE
                if is_refused or answer.status == INTERNAL_ERROR:
                    self.findings.append(f"{operation.name} as {caller.name}: {answer}")
                self.counts["allowed"] += 1
                if operation.method != "GET":
                    await caller.sign_in(self.container)

    async def dump(self) -> Mapping[str, Sequence[str]]:
        """Return all rows of all tables, without the times of last uses."""
        async with self.container.engine.connect() as connection:
            return {
                table.name: [
                    repr([value for name, value in row._mapping.items() if name not in NOT_COMPARED])
                    for row in await connection.execute(select(table).order_by(*table.primary_key))
                ]
                for table in Base.metadata.sorted_tables
            }

    def _expect(self, operation: Operation, caller: Caller, found: object, expected: object) -> None:
        if found != expected:
            self.findings.append(f"{operation.name} as {caller.name}: {found} instead of {expected}")

    async def _ask(
        self, operation: Operation, caller: Caller, ids: Mapping[str, str], *, without: str = ""
    ) -> Answer:
        headers = {name: value for name, value in caller.headers.items() if name != without}
        return await ask(self.app, _build(operation, ids, headers))

    def _depends_on_ids(
        self, operation: Operation, caller: Caller, ids: Mapping[str, str], unknown: Mapping[str, str]
    ) -> bool:
        if operation.names_objects:
            return True
        first, second = (_build(operation, each, caller.headers) for each in (ids, unknown))
        return (first.url, first.read()) != (second.url, second.read())


def _build(operation: Operation, ids: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Request:
    query = {name: ids[QUERY_IDS[name]] for name in operation.query if name in QUERY_IDS}
    query |= {name: NUMBERS[name] for name in operation.query if name in NUMBERS}
    body: dict[str, Any] = {}
    if operation.method not in ("GET", "DELETE"):
        workspace = SeededWorkspace(dict(ids), dict(ids), SeededCode({}, {}, ""))
        json_body = example_bodies(workspace).get((operation.method, operation.path), {})
        body = UPLOADS.get(operation.path, {"json": json_body})
    body = body | {"headers": {**body.get("headers", {}), **headers}}
    url = "http://test" + fill_path(operation.path, dict(ids))
    return httpx.Request(operation.method, url, params=query, **body)


def _make_unknown(ids: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{value[:-4]}0000" if name in ID_NAMES else value for name, value in ids.items()}


def _comparable(answer: Answer, ids: Mapping[str, str]) -> tuple[int, str, str]:
    """The answer without the ids of the request and its number."""
    body = re.sub(r'"requestId":\s*"[^"]*"', "", answer.body)
    for name in ID_NAMES:
        body = body.replace(ids[name], "…")
    return answer.status, answer.content_type, body


def _member(answer: Answer, name: str) -> str | None:
    if not answer.body or "json" not in answer.content_type:
        return None
    body = json.loads(answer.body)
    return body.get(name) if isinstance(body, dict) else None


def _slug(answer: Answer) -> str | None:
    kind = _member(answer, "type")
    return kind.rpartition("/")[2] if isinstance(kind, str) else None
