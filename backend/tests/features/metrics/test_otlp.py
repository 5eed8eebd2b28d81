"""OTLP traces: export, shutdown, endpoint, and no cost when disabled."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry import trace

from crewai_runner.core.settings import Settings
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed, Failed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.metrics import otlp
from crewai_runner.features.metrics.otlp import OtlpTraces, traces_url
from crewai_runner.features.metrics.spans import trace_id_of
from tests.features.metrics.test_runs import with_model
from tests.features.metrics.test_spans import (
    FACTS,
    RUN_COMPLETED,
    RUN_STARTED,
    call_started,
    tool_completed,
    tool_started,
)
from tests.support.builders import FAILURE, call, completed, started
from tests.support.database import fresh_database
from tests.support.harness import API_KEY, RunHarness, open_harness
from tests.support.otlp_collector import OtlpCollector
from tests.support.server_process import BACKEND

EVENTS = [
    started("research"),
    with_model("main", call_started()),
    with_model("main", call(10)),
    tool_started(),
    tool_completed(),
    completed("research", "SECRET OUTPUT"),
]


async def execute_run(harness: RunHarness) -> str:
    harness.executor = ScriptedExecutor(Script(EVENTS, Completed(RunResult(raw="SECRET"))))
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    await harness.container.telemetry.close()
    return run_id


def nanoseconds(time_of_event: datetime) -> int:
    return round(time_of_event.timestamp() * 1000) * 10**6


def otlp_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if "Otel" in thread.name}


class TestExport:
    async def test_sends_a_run_even_when_the_telemetry_of_the_engine_is_off(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
        before = trace.get_tracer_provider()
        with OtlpCollector() as collector, fresh_database("sqlite", tmp_path) as url:
            async with open_harness(url, tmp_path, otlp_endpoint=collector.url) as harness:
                run_id = await execute_run(harness)
                row = await harness.get_run(run_id)
                [ended] = [
                    event.at for event in await harness.events(run_id) if event.type == "run.completed"
                ]

        assert {path for path, _, _ in collector.requests} == {"/v1/traces"}
        spans = {span.name: span for span in collector.spans}
        assert len(spans) == len(collector.spans) == 4
        run, task = spans["invoke_workflow Tea"], spans["task research"]
        chat, tool = spans["chat main"], spans["execute_tool calculator"]
        assert {span.trace_id for span in collector.spans} == {f"{trace_id_of(run_id):032x}"}
        assert (run.parent_id, task.parent_id) == ("", run.span_id)
        assert chat.parent_id == tool.parent_id == task.span_id
        assert (chat.kind, run.kind) == (3, 1)  # client, internal
        assert chat.attributes["gen_ai.provider.name"] == "openai_compatible"
        assert chat.attributes["gen_ai.usage.input_tokens"] == 5
        assert row.started_at is not None
        assert (run.start_ns, run.end_ns) == (nanoseconds(row.started_at), nanoseconds(ended))
        assert run.resource["service.name"] == "crewai-runner"
        assert run.resource["crewai_runner.role"] == "all"
        bodies = b"".join(body for _, _, body in collector.requests)
        assert b"SECRET" not in bodies
        assert API_KEY.encode() not in bodies
        assert trace.get_tracer_provider() is before

    async def test_failed_span_has_the_error_code_only(self, tmp_path: Path) -> None:
        with OtlpCollector() as collector, fresh_database("sqlite", tmp_path) as url:
            async with open_harness(url, tmp_path, otlp_endpoint=collector.url + "/v1/traces/") as harness:
                harness.executor = ScriptedExecutor(Script([], Failed(FAILURE)))
                await harness.execute(await harness.create(), 1)
                await harness.container.telemetry.close()

        [run] = collector.spans
        assert run.is_error
        assert run.attributes["error.type"] == "provider-auth"
        assert FAILURE.message.encode() not in collector.requests[0][2]

    async def test_unreachable_collector_does_not_affect_the_run(self, tmp_path: Path) -> None:
        with OtlpCollector() as collector:
            unused_url = collector.url
        with fresh_database("sqlite", tmp_path) as url:
            async with open_harness(url, tmp_path, otlp_endpoint=unused_url) as harness:
                run_id = await execute_run(harness)

                assert (await harness.get_run(run_id)).state == "completed"


class TestClose:
    async def test_ends_the_exporter_thread(self, tmp_path: Path) -> None:
        with OtlpCollector() as collector, fresh_database("sqlite", tmp_path) as url:
            async with open_harness(url, tmp_path, otlp_endpoint=collector.url) as harness:
                assert otlp_threads()
                await harness.container.telemetry.close()

                assert otlp_threads() == set()

    async def test_silent_collector_delays_it_by_seconds_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(otlp, "CLOSE_SECONDS", 0.2)
        with OtlpCollector(silent=True) as collector:
            traces = OtlpTraces(collector.url, role="all")
            for event in (RUN_STARTED, RUN_COMPLETED):
                traces.on_commit([CommittedEvents("run_1", 1, [event], FACTS)])
            started_at = time.monotonic()
            await asyncio.wait_for(traces.close(), 30)

        assert time.monotonic() - started_at < otlp.SEND_SECONDS + 20


class TestEndpoint:
    @pytest.mark.parametrize(
        ("endpoint", "expected"),
        [
            ("http://c:4318", "http://c:4318/v1/traces"),
            ("http://c:4318/", "http://c:4318/v1/traces"),
            ("https://c/otlp", "https://c/otlp/v1/traces"),
            ("https://c/otlp/v1/traces", "https://c/otlp/v1/traces"),
        ],
    )
    def test_gets_the_traces_path_as_in_opentelemetry(self, endpoint: str, expected: str) -> None:
        assert traces_url(endpoint) == expected

    @pytest.mark.parametrize(
        "address", ["collector:4318", "grpc://c", "http://me:secret@c", "http://c?key=secret"]
    )
    def test_invalid_address_is_rejected(self, address: str) -> None:
        with pytest.raises(ValueError, match="must be an http or https URL"):
            Settings(_env_file=None, otlp_endpoint=address)  # type: ignore[call-arg]


class TestDisabled:
    def test_imports_nothing_and_starts_no_thread(self) -> None:
        program = (
            "import sys, threading\n"
            "from sqlalchemy.ext.asyncio import async_sessionmaker\n"
            "from crewai_runner.core.settings import Settings\n"
            "from crewai_runner.features.metrics.service import Telemetry\n"
            "from crewai_runner.queue.in_process import InProcessQueue\n"
            "Telemetry(Settings(_env_file=None), async_sessionmaker(), InProcessQueue(), ())\n"
            "print(sorted(n for n in sys.modules if n.startswith('opentelemetry.exporter')"
            " or n == 'opentelemetry.sdk.trace'), threading.active_count())\n"
        )
        known = {name: value for name, value in os.environ.items() if not name.startswith("O")}

        result = subprocess.run(
            [sys.executable, "-c", program],
            env=known | {"PYTHONPATH": str(BACKEND)},
            capture_output=True,
            text=True,
            check=True,
        )

        assert result.stdout.split("\n")[0] == "[] 1"
