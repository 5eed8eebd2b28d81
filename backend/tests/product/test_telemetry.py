"""A real crew in a real process: what Prometheus and a collector learn of it, exactly."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.database import fresh_database
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.metrics_page import MetricsPage
from tests.support.otlp_collector import OtlpCollector
from tests.support.scripted_provider import CallTools, Fail, Hang, Say, ScriptedProvider, Usage
from tests.support.server_process import API_KEY, BACKEND, TIMEOUT_SECONDS, ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

RECORDER = BACKEND / "tests" / "contract" / "egress_recorder"
PROVIDER_KEY = "sk-canary-of-the-provider-0123456789"
COUNTING = """\
name: Counting
agents:
  clerk: {role: Clerk, goal: Count, backstory: Exact., tools: [calculator]}
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  count: {description: "Count the tea", expected_output: A number, agent: clerk}
  report: {description: "Write about the number", expected_output: A report, agent: writer}
"""
MODEL = {"provider": "openai_compatible", "model": "test-model"}


@pytest.fixture(params=PROCESS_TEST_BACKENDS)
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[ServerProcess, OtlpCollector]]:
    """A server that sends its traces to a collector; its connections are written to `egress`."""
    recorder = {"PYTHONPATH": str(RECORDER), "EGRESS_RECORD": str(tmp_path / "egress")}
    with OtlpCollector() as collector, fresh_database(request.param, tmp_path) as url:
        server = ServerProcess(tmp_path / "data", DATABASE_URL=url, OTLP_ENDPOINT=collector.url, **recorder)
        yield server.start(), collector
        if server.is_running:
            server.stop()


def scrape(client: ApiClient) -> MetricsPage:
    answer = client.http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return MetricsPage(answer.text)


def script(provider: ScriptedProvider) -> None:
    """Two calls and a tool for the first task, one call for the second: 60 and 13 tokens."""
    sums = CallTools([("calculator", {"expression": "6 * 7"})], usage=Usage(10, 1))
    provider.on(sums, last_contains="Count the tea", times=1)
    provider.on(Say("Forty-two.", usage=Usage(20, 2)), last_contains="42")
    provider.on(Say("A report.", usage=Usage(30, 10)), last_contains="Write about")


def test_figures_and_spans_of_a_run_are_exactly_what_happened(
    watched: tuple[ServerProcess, OtlpCollector],
) -> None:
    server, collector = watched
    with ScriptedProvider() as provider, server.client() as client:
        script(provider)
        client.register_provider(provider.base_url, key=PROVIDER_KEY)
        before = scrape(client)
        run_id = client.start_run(COUNTING)
        client.wait_for_state(run_id, "completed")
        list(client.stream(run_id))
        after = scrape(client)
        events = client.events(run_id)
    assert len(provider.requests) == 3
    assert server.stop() == 0

    def more(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert more("runs_queued_total", reason="started") == more("runs_started_total") == 1
    assert more("runs_ended_total", state="completed") == more("run_start_delay_seconds_count") == 1
    assert more("tasks_ended_total", outcome="completed") == 2
    assert more("model_calls_total", **MODEL, outcome="ok") == 3
    assert more("model_tokens_total", **MODEL, direction="prompt") == 60
    assert more("model_tokens_total", **MODEL, direction="completion") == 13
    assert more("model_cost_total", **MODEL, currency="USD") == pytest.approx((60 * 1 + 13 * 2) / 1e6)
    assert more("tool_calls_total", tool="calculator", outcome="ok") == 1
    assert more("events_stored_total") == more("event_lag_seconds_count") == len(events)
    assert more("http_stream_start_seconds_count", route="/api/v1/runs/{run_id}/stream") == 1
    assert after("run_duration_seconds_sum", state="completed") > 0
    assert after("active_runs") == after("stream_readers", kind="sse") == 0
    assert_no_secret(after.text)
    assert_spans(collector, run_id)
    # The engine's own telemetry is off, though traces are on: nobody beyond this machine was asked.
    connected = [
        line
        for line in (server.data_dir.parent / "egress").read_text().splitlines()
        if line.startswith(("socket.connect", "socket.getaddrinfo"))
    ]
    assert f"socket.connect ('127.0.0.1', {collector.port})" in connected
    assert [line for line in connected if "'127.0.0.1'" not in line and "'/" not in line] == []


def assert_no_secret(text: str) -> None:
    assert PROVIDER_KEY not in text
    assert API_KEY not in text


def assert_spans(collector: OtlpCollector, run_id: str) -> None:
    spans = collector.spans
    assert sorted(span.name for span in spans) == [
        "chat test-model",
        "chat test-model",
        "chat test-model",
        "execute_tool calculator",
        "invoke_agent clerk",
        "invoke_agent writer",
        "invoke_workflow Counting",
        "task count",
        "task report",
    ]
    [run] = [span for span in spans if not span.parent_id]
    assert run.attributes["crewai_runner.run.id"] == run_id
    by_id = {span.span_id: span for span in spans}
    parents = {span.name: by_id[span.parent_id].name for span in spans if span is not run}
    assert parents["task count"] == parents["task report"] == run.name
    assert parents["invoke_agent clerk"] == "task count"
    assert parents["execute_tool calculator"] == "invoke_agent clerk"
    for span in spans:
        parent = by_id.get(span.parent_id, run)
        assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns
    chats = [span for span in spans if span.name.startswith("chat")]
    assert sum(span.attributes["gen_ai.usage.input_tokens"] for span in chats) == 60
    assert sum(span.attributes["gen_ai.usage.output_tokens"] for span in chats) == 13
    # What came is ours alone, and none of it is content.
    assert {span.resource["service.name"] for span in spans} == {"crewai-runner"}
    sent = b"".join(body for _, _, body in collector.requests)
    for word in (b"Count the tea", b"Forty-two", b"A report", PROVIDER_KEY.encode(), API_KEY.encode()):
        assert word not in sent


def test_failed_and_stopped_runs_are_told_apart(client: ApiClient, provider: ScriptedProvider) -> None:
    before = scrape(client)
    provider.on(Fail(401, "Incorrect API key provided"), times=1)
    client.wait_for_state(client.start_run(COUNTING), "failed")
    asked = len(provider.requests)
    provider.on(Hang(60))
    run_id = client.start_run(COUNTING)
    provider.wait_for_requests(asked + 1)
    working = scrape(client)
    client.post("/api/workflows/stop", {"workflowId": run_id})
    client.wait_for_state(run_id, "stopped")
    after = scrape(client)

    def more(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert working("active_runs") == 1
    assert more("runs_ended_total", state="failed") == more("runs_ended_total", state="stopped") == 1
    assert more("runs_ended_total", state="completed") == 0
    assert more("model_calls_total", **MODEL, outcome="provider-auth") == asked
    assert after("active_runs") == 0


def wait_until_ready(outside: httpx.Client) -> None:
    """The queue opens a moment after the first answer."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while (answer := outside.get("/health/ready")).status_code != 200:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)


def test_a_worker_answers_for_its_health_and_its_figures(tmp_path: Path) -> None:
    with fresh_database("postgresql", tmp_path) as url:
        server = ServerProcess(
            tmp_path / "data", DATABASE_URL=url, ROLE="worker", METRICS_PUBLIC="true"
        ).start()
        try:
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as outside:
                alive = outside.get("/health")
                wait_until_ready(outside)
                page = MetricsPage(outside.get("/metrics").text)
        finally:
            server.stop()

    assert alive.json() == {"status": "healthy"}
    assert page("build_info", version="0.1.0", role="worker", database="postgresql") == 1
    assert page("run_places") == 32
    assert page("database_up") == 1
    assert_no_secret(page.text)
