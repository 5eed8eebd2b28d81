"""Who may do what: generated from the OpenAPI document, for all roles and credentials of two workspaces."""

import re
from collections import Counter
from collections.abc import Sequence

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from crewai_runner.core.principal import Scope
from crewai_runner.wiring.container import Container
from tests.contract.operations import DOCUMENT
from tests.contract.rights.callers import Caller, InstantPasswords, create_callers
from tests.contract.rights.matrix import ID_NAMES, QUERY_IDS, Matrix, Operation, read_operations
from tests.support.asgi import WebSocketAnswer, connect
from tests.support.harness import ON_SQLITE
from tests.support.teams import Team

pytestmark = pytest.mark.harness(seed_models=False, chat_wait_seconds=1)

OPERATIONS = read_operations()
PUBLIC = {
    "GET /health",
    "GET /health/ready",
    "GET /api/v1/sign-in/options",
    "POST /api/v1/sign-in",
    "POST /api/v1/sign-in/invitation",
    "POST /api/v1/sign-in/password-reset",
    "POST /api/v1/sign-in/issuer",
    "POST /api/v1/sign-in/issuer/callback",
    "POST /api/v1/sign-in/issuer/logout",
    "POST /api/v1/shared-run",
    "GET /api/v1/mcp/client-metadata",
    "POST /hooks/{token}",
}
PROTECTED = [operation for operation in OPERATIONS if operation.name not in PUBLIC]
OWN_ACCOUNT = re.compile(r"/api/v1/(me|session)(/|$)")
"""Everyone manages their own account, viewers too."""
CHANGE_NOTHING = {
    "POST /api/v1/workflows/import/preview",
    "POST /api/v1/yaml/validate",
    "POST /api/v1/yaml/convert",
    "POST /mcp",  # its tools ask for more
}
NOT_OPERATIONS = {"/docs", "/redoc", "/openapi.json", "/docs/assets/{name}", "/assets", "/{path:path}", "/"}
"""Public routes that are not in the document: documentation, and the dashboard's files."""


@pytest.fixture
async def matrix(container: Container, app: FastAPI) -> Matrix:
    Team(container, app)
    deps = container.people_deps
    container.people_deps = type(deps)(deps.sessions, deps.cipher, deps.limiter, InstantPasswords())
    app.state.rate_limiter = None
    return Matrix(app, container, await create_callers(container))


class TestDeclarations:
    def test_every_operation_declares_one_scope(self) -> None:
        declared = {operation.name: len(operation.scopes) for operation in OPERATIONS}

        assert declared == {name: int(name not in PUBLIC) for name in declared}

    def test_scopes_exist_and_changes_need_more_than_reading(self) -> None:
        unexpected = [
            f"{operation.name}: {operation.scopes}"
            for operation in PROTECTED
            if Scope(operation.scopes[0]).endswith(":read") != (operation.method == "GET")
            and operation.scopes[0] != Scope.INSTANCE_ADMIN
            and operation.name not in CHANGE_NOTHING
            and not OWN_ACCOUNT.match(operation.path)
        ]

        assert unexpected == []

    def test_every_parameter_that_looks_like_an_id_is_tested(self) -> None:
        parameters = {
            parameter["name"]
            for operations in DOCUMENT["paths"].values()
            for operation in operations.values()
            for parameter in operation.get("parameters", ())
        }

        assert {name for name in parameters if re.search(r"_id$|Id$|^uuid$|slug$", name)} <= (
            ID_NAMES | set(QUERY_IDS)
        )

    def test_every_route_is_an_operation_or_is_known_to_be_public(self, application: FastAPI) -> None:
        """A route that is mounted past the document would escape the matrix."""
        routes = list(iter_route_contexts(application.routes))
        documented = {operation.path for operation in OPERATIONS}

        others = {route.path for route in routes if not isinstance(route.original_route, APIRoute)}
        assert others - NOT_OPERATIONS - documented == {WEBSOCKET}
        hidden = {route.path_format for route in routes if isinstance(route.original_route, APIRoute)}
        assert hidden - documented - NOT_OPERATIONS == set()


WEBSOCKET = "/api/v1/runs/{run_id}/ws"


@ON_SQLITE
@pytest.mark.timeout(180)
class TestMatrix:
    async def test_every_operation_for_every_caller(
        self, matrix: Matrix, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = await matrix.dump()
        await matrix.check_foreign(PROTECTED)
        await matrix.check_refused(PROTECTED)
        await matrix.check_cross_site(PROTECTED)
        after = await matrix.dump()
        await matrix.check_allowed(PROTECTED)

        with capsys.disabled():
            print(f"\n{len(PROTECTED)} operations, {len(matrix.callers)} callers: {dict(matrix.counts)}")
        assert matrix.findings == []
        assert [name for name in before if before[name] != after[name]] == []
        assert count_pairs(matrix.counts) == len(PROTECTED) * len(matrix.callers)

    async def test_a_missing_check_is_found(self, matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.features.auth.deps.check_scope", lambda *_: None)

        await matrix.check_refused(find("DELETE /api/v1/workflows/{workflow_id}"))

        assert len(matrix.findings) == 9, matrix.findings


def find(name: str) -> Sequence[Operation]:
    return [operation for operation in OPERATIONS if operation.name == name]


def count_pairs(counts: Counter[str]) -> int:
    return counts["allowed"] + counts["refused"] + counts["not signed in"]


@ON_SQLITE
class TestWebSocket:
    async def test_is_open_to_readers_of_the_run_only(self, matrix: Matrix) -> None:
        for caller in matrix.callers:
            other = next(each.objects for each in matrix.callers if each.objects != caller.objects)
            unknown = f"{other.ids['run_id'][:-4]}0000"
            own, foreign, missing = [
                await open_socket(matrix, caller, run_id)
                for run_id in (caller.objects.ids["run_id"], other.ids["run_id"], unknown)
            ]

            assert foreign == missing
            assert (own.type == "websocket.accept") == caller.is_known, caller.name

    async def test_needs_the_right_to_read_runs(self, matrix: Matrix, app: FastAPI) -> None:
        """Every role may, so a key is needed that may not."""
        token = await Team(matrix.container, app).create_key(scopes=["workflows:read"])
        headers = {"Authorization": f"Bearer {token}"}
        caller = Caller("no reader", matrix.callers[0].objects, frozenset(), headers)

        answer = await open_socket(matrix, caller, caller.objects.ids["run_id"])

        assert answer.type != "websocket.accept"

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
    async def test_a_cookie_needs_a_page_of_this_server(self, matrix: Matrix, origin: str | None) -> None:
        for caller in (each for each in matrix.callers if each.session_of is not None):
            run_id = caller.objects.ids["run_id"]
            answer = await open_socket(matrix, caller, run_id, origin)

            assert (answer.type, answer.code) == ("websocket.close", 1008), caller.name


async def open_socket(
    matrix: Matrix, caller: Caller, run_id: str, origin: str | None = "http://test"
) -> WebSocketAnswer:
    headers = {**caller.headers, "Host": "test"} | ({} if origin is None else {"Origin": origin})
    return await connect(matrix.app, WEBSOCKET.replace("{run_id}", run_id), headers)
