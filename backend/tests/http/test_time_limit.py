"""Requests end: by their answer, or by their limit. Over a real socket where the socket matters."""

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

from crewai_runner.core.logging import SecretMask
from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.http import problems
from crewai_runner.http.deps import NoTimeout
from crewai_runner.http.middleware import BodyLimit, RequestScope, UnhandledErrors
from crewai_runner.http.time_limit import TimeLimit
from crewai_runner.main import create_app
from tests.http.live_server import all_of, connected, serving
from tests.support.database import BACKENDS, fresh_database
from tests.support.runs import settings_for

SECONDS = 0.5
ENDED: list[str] = []


class Word(BaseModel):
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
            ENDED.append("slow")
        return "never"

    @app.get("/waits", dependencies=[NoTimeout])
    async def waits() -> str:
        await asyncio.sleep(3 * SECONDS)
        return "done"

    @app.get("/streams")
    async def streams() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for number in range(4):
                yield f"{number} "
                await asyncio.sleep(SECONDS / 2)

        return StreamingResponse(pieces())

    @app.get("/own")
    async def own() -> str:
        raise TimeoutError("one of the application's own")

    @app.post("/echo")
    async def echo(word: Word) -> Word:
        return word

    app.add_middleware(BodyLimit, limit=10_000)
    app.add_middleware(TimeLimit, seconds=SECONDS)
    app.add_middleware(UnhandledErrors)
    app.add_middleware(RequestScope)
    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(application()) as port:
        yield port


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
        yield client


def test_a_request_that_takes_too_long_is_called_off_and_told_so(http: httpx.Client) -> None:
    ENDED.clear()

    answer = http.get("/slow")

    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["type"].endswith("/request-timeout")
    assert "0.5 s" in answer.json()["detail"]
    assert ENDED == ["slow"]


def test_the_connection_lives_on_after_it(http: httpx.Client) -> None:
    http.get("/slow")

    assert http.post("/echo", json={"text": "still here"}).json() == {"text": "still here"}


def test_what_waits_for_a_run_may_take_longer(http: httpx.Client) -> None:
    assert http.get("/waits").json() == "done"


def test_a_stream_may_take_longer(http: httpx.Client) -> None:
    answer = http.get("/streams")

    assert (answer.status_code, answer.text) == (200, "0 1 2 3 ")


def test_a_timeout_of_the_applications_own_is_a_defect_as_before(http: httpx.Client) -> None:
    answer = http.get("/own")

    assert answer.status_code == 500
    assert answer.json()["type"].endswith("/internal-error")


def test_a_body_that_trickles_in_is_not_waited_for(port: int) -> None:
    body = json.dumps({"text": "x" * 200}).encode()
    head = b"POST /echo HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with connected(port) as connection:
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
        answer += all_of(connection)

    assert sent < len(body)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"/body-too-slow" in answer
    assert b"connection: close" in answer.lower()


@pytest.fixture(params=BACKENDS)
def stored_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as url:
        yield url


async def test_what_was_written_is_rolled_back_and_no_connection_is_lost(stored_url: str) -> None:
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
        # Called off in the middle of a statement, wherever that is.
        while True:
            async with unit_of_work(sessions) as session:
                await session.execute(select(WorkspaceRow))

    app.add_middleware(TimeLimit, seconds=0.2)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in ("/write", "/busy", "/write", "/busy", "/busy"):
            assert (await client.get(path)).status_code == 503

    async with unit_of_work(sessions) as session:
        assert (await session.scalars(select(WorkspaceRow.id))).all() == []
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await engine.dispose()


def test_the_products_waiting_endpoints_are_those_that_wait() -> None:
    """Each endpoint with a limit of its own: stops, chat. All others have the common one."""
    app = create_app(settings_for("sqlite://", Path("none")))

    lifted = {route.path for route in _routes(app.router) if NoTimeout in getattr(route, "dependencies", [])}

    assert lifted == {"/workflows/stop", "/runs/{run_id}/stop", "/chat"}


def _routes(router: Any) -> Iterator[Any]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _routes(inner)
