"""Metrics and traces of runs in a server process."""

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
def observed_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[ServerProcess, OtlpCollector]]:
    """A server that exports traces to a collector and logs its connections to the file `egress`."""
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


def script_counting(provider: ScriptedProvider) -> None:
    """Script three model calls (60 prompt and 13 completion tokens) and one tool call."""
    sums = CallTools([("calculator", {"expression": "6 * 7"})], usage=Usage(10, 1))
    provider.on(sums, last_contains="Count the tea", times=1)
    provider.on(Say("Forty-two.", usage=Usage(20, 2)), last_contains="42")
    provider.on(Say("A report.", usage=Usage(30, 10)), last_contains="Write about")


def assert_no_secrets(text: str) -> None:
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
    # The collector receives only our spans, without prompts, outputs or secrets.
    assert {span.resource["service.name"] for span in spans} == {"crewai-runner"}
    sent = b"".join(body for _, _, body in collector.requests)
    for content in (b"Count the tea", b"Forty-two", b"A report", PROVIDER_KEY.encode(), API_KEY.encode()):
        assert content not in sent


def wait_until_ready(http: httpx.Client) -> None:
    """Wait for readiness: the queue opens shortly after the first response."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while (answer := http.get("/health/ready")).status_code != 200:
        assert time.monotonic() < end, answer.text
        time.sleep(0.1)


class TestRunTelemetry:
    def test_metrics_and_spans_match_the_run(
        self,
        observed_server: tuple[ServerProcess, OtlpCollector],
    ) -> None:
        server, collector = observed_server
        with ScriptedProvider() as provider, server.client() as client:
            script_counting(provider)
            client.register_provider(provider.base_url, key=PROVIDER_KEY)
            before = scrape(client)
            run_id = client.start_run(COUNTING)
            client.wait_for_state(run_id, "completed")
            list(client.stream(run_id))
            after = scrape(client)
            events = client.events(run_id)
        assert len(provider.requests) == 3
        assert server.stop() == 0

        def increase(name: str, **labels: str) -> float:
            return after(name, **labels) - before(name, **labels)

        assert increase("runs_queued_total", reason="started") == increase("runs_started_total") == 1
        assert (
            increase("runs_ended_total", state="completed") == increase("run_start_delay_seconds_count") == 1
        )
        assert increase("tasks_ended_total", outcome="completed") == 2
        assert increase("model_calls_total", **MODEL, outcome="ok") == 3
        assert increase("model_tokens_total", **MODEL, direction="prompt") == 60
        assert increase("model_tokens_total", **MODEL, direction="completion") == 13
        assert increase("model_cost_total", **MODEL, currency="USD") == pytest.approx((60 * 1 + 13 * 2) / 1e6)
        assert increase("tool_calls_total", tool="calculator", outcome="ok") == 1
        assert increase("events_stored_total") == increase("event_lag_seconds_count") == len(events)
        assert increase("http_stream_start_seconds_count", route="/api/v1/runs/{run_id}/stream") == 1
        assert after("run_duration_seconds_sum", state="completed") > 0
        assert after("active_runs") == after("stream_readers", kind="sse") == 0
        assert_no_secrets(after.text)
        assert_spans(collector, run_id)
        # CrewAI's own telemetry stays off: no connection leaves this machine.
        connected = [
            line
            for line in (server.data_dir.parent / "egress").read_text().splitlines()
            if line.startswith(("socket.connect", "socket.getaddrinfo"))
        ]
        assert f"socket.connect ('127.0.0.1', {collector.port})" in connected
        assert [line for line in connected if "'127.0.0.1'" not in line and "'/" not in line] == []

    def test_failed_and_stopped_runs_are_counted_separately(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        before = scrape(client)
        provider.on(Fail(401, "Incorrect API key provided"), times=1)
        client.wait_for_state(client.start_run(COUNTING), "failed")
        calls_before = len(provider.requests)
        provider.on(Hang(60))
        run_id = client.start_run(COUNTING)
        provider.wait_for_requests(calls_before + 1)
        working = scrape(client)
        client.post("/api/workflows/stop", {"workflowId": run_id})
        client.wait_for_state(run_id, "stopped")
        after = scrape(client)

        def increase(name: str, **labels: str) -> float:
            return after(name, **labels) - before(name, **labels)

        assert working("active_runs") == 1
        assert (
            increase("runs_ended_total", state="failed") == increase("runs_ended_total", state="stopped") == 1
        )
        assert increase("runs_ended_total", state="completed") == 0
        assert increase("model_calls_total", **MODEL, outcome="provider-auth") == calls_before
        assert after("active_runs") == 0


class TestWorkerTelemetry:
    def test_worker_serves_health_and_metrics(self, tmp_path: Path) -> None:
        with fresh_database("postgresql", tmp_path) as url:
            server = ServerProcess(
                tmp_path / "data", DATABASE_URL=url, ROLE="worker", METRICS_PUBLIC="true"
            ).start()
            try:
                with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as http:
                    alive = http.get("/health")
                    wait_until_ready(http)
                    page = MetricsPage(http.get("/metrics").text)
            finally:
                server.stop()

        assert alive.json() == {"status": "healthy"}
        assert page("build_info", version="0.1.0", role="worker", database="postgresql") == 1
        assert page("run_places") == 32
        assert page("database_up") == 1
        assert_no_secrets(page.text)
