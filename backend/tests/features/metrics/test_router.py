"""GET /metrics: who may read it, and what it counts of requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.features.runs.service import RunService
from crewai_runner.main import create_app
from tests.support.database import fresh_database
from tests.support.harness import API_KEY, ON_SQLITE, RunHarness, open_harness
from tests.support.metrics_page import MetricsPage

SIGNED_IN = {"Authorization": f"Bearer {API_KEY}"}


def application(harness: RunHarness) -> FastAPI:
    """The product on these parts, as its lifespan would have set it up."""
    app = create_app(container=harness.container)
    app.state.container, app.state.mask = harness.container, harness.container.mask
    app.state.telemetry = harness.container.telemetry
    return app


@asynccontextmanager
async def serving(harness: RunHarness, headers: Any = SIGNED_IN) -> AsyncIterator[httpx.AsyncClient]:
    """The application of these parts, with the product's own door."""
    app = application(harness)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def scrape(client: httpx.AsyncClient) -> MetricsPage:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return MetricsPage(answer.text)


async def test_it_is_prometheus_text_and_is_never_kept(harness: RunHarness) -> None:
    async with serving(harness) as client:
        answer = await client.get("/metrics")

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    page = MetricsPage(answer.text)
    assert (
        page("build_info", version="0.1.0", role="all", database=harness.container.engine.dialect.name) == 1
    )
    assert page("process_resident_memory_bytes") > 0


@ON_SQLITE
@pytest.mark.parametrize("credential", [None, "Bearer wrong", f"Basic {API_KEY}", f"Bearer {API_KEY}x"])
@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
async def test_without_the_key_nobody_reads_it(
    harness: RunHarness, credential: str | None, path: str
) -> None:
    headers = {} if credential is None else {"Authorization": credential}
    async with serving(harness, headers) as client:
        answer = await client.get(path)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "crewai_runner_" not in answer.text


async def test_metrics_public_opens_it_and_nothing_else(tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        async with (
            open_harness(url, tmp_path, metrics_public=True) as harness,
            serving(harness, {}) as client,
        ):
            page = await scrape(client)
            refused = await client.get("/api/runs")

    assert page("database_up") == 1
    assert refused.status_code == 401


@ON_SQLITE
async def test_a_key_without_the_right_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("http://test/metrics", headers={"Authorization": "Bearer run-reader"})

    assert (answer.status_code, answer.json()["title"]) == (403, "Not allowed")


@ON_SQLITE
async def test_requests_are_counted_by_the_template_of_their_route(harness: RunHarness) -> None:
    run_id = await harness.create()
    async with serving(harness) as client:
        before = await scrape(client)
        for path in (f"/api/runs/{run_id}", f"/api/v1/runs/{run_id}", "/api/runs/run_other"):
            await client.get(path)
        await client.get("/api/runs", headers={"Authorization": "Bearer wrong"})
        await client.get("/nowhere/at/all")
        await client.get("/api/v1/nowhere")
        await client.post("/health")
        await client.request("BREW", "/health")
        after = await scrape(client)

    def more(method: str, route: str, status: str) -> float:
        labels = {"method": method, "route": route, "status": status}
        return after("http_requests_total", **labels) - before("http_requests_total", **labels)

    of_run = "/api/v1/runs/{run_id}"
    assert (more("GET", of_run, "200"), more("GET", of_run, "404")) == (2, 1)
    assert (more("GET", "none", "401"), more("GET", "none", "404")) == (1, 2)
    assert (more("POST", "/health", "405"), more("other", "/health", "405")) == (1, 1)
    assert more("GET", "/metrics", "200") == 1  # the first scrape; this one is not over yet
    assert after("http_request_duration_seconds_count", method="GET", route=of_run) == 3
    assert after("http_request_duration_seconds_bucket", method="GET", route=of_run, le="+Inf") == 3
    assert run_id not in after.text


@ON_SQLITE
async def test_a_defect_is_counted_as_what_it_was_answered_with(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(RunService, "list_page", broken)
    async with serving(harness) as client:
        assert (await client.get("/api/runs")).status_code == 500
        page = await scrape(client)

    assert page("http_requests_total", method="GET", route="/api/v1/runs", status="500") == 1


@ON_SQLITE
async def test_an_open_stream_is_a_reader_and_no_slow_request(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    app = application(harness)
    begun, gone = asyncio.Event(), asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            begun.set()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    path = f"/api/runs/{run_id}/stream"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", SIGNED_IN["Authorization"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    reading = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait_for(begun.wait(), 20)
    async with serving(harness) as client:
        during = await scrape(client)
        gone.set()
        await asyncio.wait_for(reading, 20)
        after = await scrape(client)

    route = "/api/v1/runs/{run_id}/stream"
    assert (during("stream_readers", kind="sse"), after("stream_readers", kind="sse")) == (1, 0)
    assert after("http_requests_total", method="GET", route=route, status="200") == 1
    assert after("http_stream_start_seconds_count", route=route) == 1
    assert after.sum("http_request_duration_seconds_count", route=route) == 0


@ON_SQLITE
async def test_a_client_that_goes_before_the_answer_is_counted_as_gone(harness: RunHarness) -> None:
    async with serving(harness) as client:
        await client.get("/health")  # everything is built
    app = application(harness)
    asked = asyncio.Event()

    async def waiting(*_: object, **__: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunService, "list_page", waiting)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", headers=SIGNED_IN
        ) as client:
            request = asyncio.create_task(client.get("/api/runs"))
            await asyncio.wait_for(asked.wait(), 20)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
    async with serving(harness) as client:
        page = await scrape(client)

    assert page("http_requests_total", method="GET", route="/api/v1/runs", status="499") == 1


async def test_two_processes_of_one_interpreter_count_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with fresh_database("sqlite", tmp_path / "a") as one, fresh_database("sqlite", tmp_path / "b") as two:
        async with open_harness(one, tmp_path / "a") as here, open_harness(two, tmp_path / "b") as there:
            await here.create_running()
            async with serving(here) as client:
                busy = await scrape(client)
            async with serving(there) as client:
                idle = await scrape(client)

    assert (busy("runs_started_total"), idle("runs_started_total")) == (1, 0)
    assert (busy("runs", state="running"), idle("runs", state="running")) == (1, 0)


@ON_SQLITE
async def test_neither_the_key_nor_another_secret_stands_in_it(harness: RunHarness) -> None:
    async with serving(harness) as client:
        await client.get(f"/api/runs/{API_KEY}", params={"key": API_KEY})
        await client.request(API_KEY, f"/{API_KEY}")
        page = await scrape(client)

    assert API_KEY not in page.text
