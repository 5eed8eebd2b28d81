"""What callers are told of their rate, and who is counted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from crewai_runner.core.logging import SecretMask
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.middleware import HEADERS
from crewai_runner.main import create_app
from tests.support.database import fresh_database
from tests.support.documents import TokensBySubject, speaking_as
from tests.support.places import NO_DASHBOARD
from tests.support.runs import OWNER, STRANGER, open_harness

ORIGIN = "http://localhost:5173"
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The product with five requests at once and one a second, on a clock that stands still."""
    limits = {"rate_limit_per_minute": 60, "rate_limit_burst": 5, "frontend_dir": NO_DASHBOARD}
    with fresh_database("sqlite", tmp_path) as url:
        async with open_harness(url, tmp_path, **limits) as harness:
            harness.container.auth = TokensBySubject(OWNER, STRANGER)  # type: ignore[assignment]
            app = create_app(container=harness.container)
            app.state.container, app.state.mask = harness.container, SecretMask()
            assert isinstance(harness.container.rate_limiter, MemoryRateLimiter)
            harness.container.rate_limiter._clock = lambda: 0.0
            app.state.rate_limiter = harness.container.rate_limiter
            yield app


@pytest.fixture
async def ask(app: FastAPI) -> AsyncIterator[Ask]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def asked(
            path: str = "/api/templates", who: str | None = "owner", **more: Any
        ) -> httpx.Response:
            headers = {} if who is None else speaking_as(who)
            return await client.get(path, headers=headers | more)

        yield asked


async def test_every_answer_says_how_the_caller_stands(ask: Ask) -> None:
    first, second = await ask(), await ask("/api/v1/nothing/there")

    assert (first.status_code, second.status_code) == (200, 404)
    assert first.headers["RateLimit-Policy"] == second.headers["RateLimit-Policy"] == '"default";q=5;w=5'
    assert first.headers["RateLimit"] == '"default";r=4;t=1'
    assert second.headers["RateLimit"] == '"default";r=3;t=2'
    triple = [second.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert triple == ["5", "3", "2"]


async def test_one_too_many_is_a_problem_that_says_when_to_come_again(ask: Ask) -> None:
    for _ in range(5):
        assert (await ask()).status_code == 200

    refused = await ask()

    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit"] == '"default";r=0;t=5'
    body = refused.json()
    assert body["type"].endswith("/rate-limited")
    assert body["requestId"] == refused.headers["X-Request-Id"]
    assert "1 s" in body["detail"]


async def test_a_refused_request_reaches_no_endpoint(ask: Ask, app: FastAPI) -> None:
    reached: list[str] = []
    app.router.add_route("/api/v1/told", lambda request: reached.append("x"))
    for _ in range(5):
        await ask()

    await ask("/api/told")

    assert reached == []


async def test_callers_have_buckets_of_their_own(ask: Ask) -> None:
    for _ in range(6):
        refused = await ask()

    assert refused.status_code == 429
    assert (await ask(who="stranger")).headers["RateLimit-Remaining"] == "4"


async def test_strangers_without_a_key_have_none_and_fill_no_memory(ask: Ask, app: FastAPI) -> None:
    answers = [await ask(who=None) for _ in range(8)]

    assert {answer.status_code for answer in answers} == {401}
    assert not any(name in answers[-1].headers for name in HEADERS)
    assert len(app.state.rate_limiter) == 0


@pytest.mark.parametrize(
    "path", ["/health", "/health/ready", "/docs", "/docs/assets/favicon.png", "/openapi.json", "/"]
)
async def test_what_is_open_to_all_is_not_counted(ask: Ask, app: FastAPI, path: str) -> None:
    answers = [await ask(path) for _ in range(8)]

    assert all(answer.status_code != 429 for answer in answers)
    assert len(app.state.rate_limiter) == 0


async def test_pages_of_other_origins_may_read_the_headers(ask: Ask) -> None:
    answer = await ask(Origin=ORIGIN)

    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert set(HEADERS) <= set(exposed)


async def test_a_refusal_can_be_read_by_other_origins(ask: Ask) -> None:
    for _ in range(6):
        refused = await ask(Origin=ORIGIN)

    assert refused.status_code == 429
    assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_a_stream_costs_one_token(ask: Ask) -> None:
    # An unknown run ends the stream before it begins; what counts is that it was opened.
    await ask("/api/runs/run_1/stream")

    assert (await ask()).headers["RateLimit-Remaining"] == "3"


@pytest.mark.parametrize("answers_over_http", [True, False])
async def test_a_websocket_costs_one_token_and_is_refused_before_it_is_accepted(
    app: FastAPI, ask: Ask, answers_over_http: bool
) -> None:
    for _ in range(5):
        await ask()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in speaking_as("owner").items()]
    scope = {"type": "websocket", "path": "/api/runs/run_1/ws", "headers": headers, "query_string": b""}
    scope |= {"scheme": "ws", "server": ("test", 80), "client": ("test", 1), "root_path": ""}
    await app(
        scope | {"extensions": {"websocket.http.response": {}} if answers_over_http else {}}, receive, send
    )

    if answers_over_http:
        start, body = sent
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
        assert (b"retry-after", b"1") in start["headers"]
        assert b"rate-limited" in body["body"]
    else:
        assert sent == [{"type": "websocket.close", "code": 1013, "reason": "Too many requests"}]


async def test_zero_is_no_limit(tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        async with open_harness(url, tmp_path, rate_limit_per_minute=0, frontend_dir=NO_DASHBOARD) as harness:
            app = create_app(container=harness.container)
            app.state.container, app.state.mask = harness.container, SecretMask()
            app.state.rate_limiter = harness.container.rate_limiter
            harness.container.auth = TokensBySubject(OWNER)  # type: ignore[assignment]
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                answer = await client.get("/api/templates", headers=speaking_as("owner"))

    assert harness.container.rate_limiter is None
    assert answer.status_code == 200
    assert not any(name in answer.headers for name in HEADERS)
