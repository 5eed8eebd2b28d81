"""The time limit of requests, over a real socket where that matters."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import select
from starlette.responses import StreamingResponse

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.http import problems
from crewai_runner.http.deps import NoTimeout
from crewai_runner.http.middleware import (
    BodyLimitMiddleware,
    RequestContextMiddleware,
    UnhandledErrorMiddleware,
)
from crewai_runner.http.time_limit import TimeLimitMiddleware
from crewai_runner.main import create_app
from tests.http.live_server import open_socket, read_all, serving
from tests.support.database import BACKENDS, fresh_database
from tests.support.harness import make_settings

SECONDS = 0.5
CANCELLED: list[str] = []


class Message(BaseModel):
    text: str


def application() -> FastAPI:
    app = FastAPI()
    problems.install(app)
    app.state.mask = SecretMask()

    @app.get("/slow")
    async def slow() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            CANCELLED.append("slow")
        return "never"

    @app.get("/waits", dependencies=[NoTimeout])
    async def waits() -> str:
        await asyncio.sleep(3 * SECONDS)
        return "done"

    @app.get("/streams")
    async def streams() -> StreamingResponse:
        async def numbers() -> AsyncIterator[str]:
            for number in range(4):
                yield f"{number} "
                await asyncio.sleep(SECONDS / 2)

        return StreamingResponse(numbers())

    @app.get("/timeout-error")
    async def raise_timeout_error() -> str:
        raise TimeoutError("raised by the application")

    @app.post("/echo")
    async def echo(message: Message) -> Message:
        return message

    app.add_middleware(BodyLimitMiddleware, limit=10_000)
    app.add_middleware(TimeLimitMiddleware, seconds=SECONDS)
    app.add_middleware(UnhandledErrorMiddleware)
    app.add_middleware(RequestContextMiddleware)
    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(application()) as port:
        yield port


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
        yield client


@pytest.fixture(params=BACKENDS)
def stored_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as url:
        yield url


class TestTimeLimit:
    def test_slow_request_is_cancelled_with_503(self, http: httpx.Client) -> None:
        CANCELLED.clear()

        answer = http.get("/slow")

        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["type"].endswith("/request-timeout")
        assert "0.5 s" in answer.json()["detail"]
        assert CANCELLED == ["slow"]

    def test_connection_stays_usable(self, http: httpx.Client) -> None:
        http.get("/slow")

        assert http.post("/echo", json={"text": "still here"}).json() == {"text": "still here"}

    def test_disable_timeout(self, http: httpx.Client) -> None:
        assert http.get("/waits").json() == "done"

    def test_streams_are_not_limited(self, http: httpx.Client) -> None:
        answer = http.get("/streams")

        assert (answer.status_code, answer.text) == (200, "0 1 2 3 ")

    def test_timeout_errors_of_the_application_are_500(self, http: httpx.Client) -> None:
        answer = http.get("/timeout-error")

        assert answer.status_code == 500
        assert answer.json()["type"].endswith("/internal-error")

    def test_slow_body_gets_408(self, port: int) -> None:
        body = json.dumps({"text": "x" * 200}).encode()
        head = (
            b"POST /echo HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        )
        with open_socket(port) as connection:
            connection.sendall(head % len(body))
            began, sent = time.monotonic(), 0
            connection.settimeout(0.05)
            answer = b""
            while not answer and time.monotonic() - began < 20:
                connection.sendall(body[sent : sent + 1])
                sent += 1
                try:
                    answer = connection.recv(65536)
                except TimeoutError:
                    continue
            connection.settimeout(20)
            answer += read_all(connection)

        assert sent < len(body)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"/body-too-slow" in answer
        assert b"connection: close" in answer.lower()

    async def test_rolls_back_and_returns_connections_to_the_pool(self, stored_url: str) -> None:
        engine = make_engine(stored_url, pool_size=2)
        sessions = make_sessions(engine)
        app = FastAPI()
        problems.install(app)
        app.state.mask = SecretMask()

        @app.get("/write")
        async def write() -> None:
            async with unit_of_work(sessions) as session:
                session.add(WorkspaceRow(id="ws_late", name="Late"))
                await session.flush()
                await asyncio.sleep(60)

        @app.get("/busy")
        async def busy() -> None:
            # The cancellation arrives during a statement.
            while True:
                async with unit_of_work(sessions) as session:
                    await session.execute(select(WorkspaceRow))

        app.add_middleware(TimeLimitMiddleware, seconds=0.2)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for path in ("/write", "/busy", "/write", "/busy", "/busy"):
                assert (await client.get(path)).status_code == 503

        async with unit_of_work(sessions) as session:
            assert (await session.scalars(select(WorkspaceRow.id))).all() == []
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await engine.dispose()

    def test_endpoints_without_time_limit(self) -> None:
        """Only stops, chats, uploads and calls of other servers have a timeout of their own."""
        app = create_app(make_settings("sqlite://", Path("none")))

        unlimited = {
            route.path for route in _routes(app.router) if NoTimeout in getattr(route, "dependencies", [])
        }

        assert unlimited == {
            "/workflows/stop",
            "/runs/{run_id}/stop",
            "/chat",
            "/projects",
            "/projects/{project_id}/versions",
            "/workflows/{workflow_id}/knowledge",
            "/runs/with-files",
            "/tools/try",
            "/mcp/tools/test",
            "/mcp/servers/{mcp_server_id}/connect",
            "/mcp/servers/{mcp_server_id}/contents",
            "/mcp/servers/{mcp_server_id}/contents/read",
            "/mcp/servers/{mcp_server_id}/authorize",
            "/mcp/authorizations/finish",
            "/crewai_plus/api/v1/crews/zip",
            "/crewai_plus/api/v1/crews/{uuid}/zip_update",
        }


def _routes(router: Any) -> Iterator[Any]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _routes(inner)
