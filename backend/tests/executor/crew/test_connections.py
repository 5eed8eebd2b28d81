"""The ledger of a crew's connections, compared with what a proxy in front of every server has seen."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.run_connection import ConnectionResult, RunConnection, RunConnectionPurpose
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, EngineState, Executor
from tests.executor.crew.harness import (
    SECRET_CANARY,
    EngineHarness,
    Recorder,
    agent,
    parallel_workflow,
    task,
    workflow,
)
from tests.support.recording_proxy import RecordingProxy, recording_proxy
from tests.support.scripted_provider import CallTools, Hang, Say, ScriptedProvider

pytestmark = pytest.mark.crew


@dataclass
class Ledger:
    entries: list[RunConnection] = field(default_factory=list)

    def of(self, purpose: RunConnectionPurpose) -> list[RunConnection]:
        return [entry for entry in self.entries if entry.purpose is purpose]

    def bytes_on(self, port: int) -> tuple[int, int]:
        own = [entry for entry in self.entries if entry.port == port]
        return sum(entry.sent_bytes for entry in own), sum(entry.received_bytes for entry in own)


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Executor:
    private = EgressPolicy(allow_private=True)
    created = CrewExecutor(tmp_path_factory.mktemp("engine"), private, private)
    asyncio.run(created.load())
    assert created.status().state is EngineState.READY
    return created


@pytest.fixture
def harness(executor: Executor, provider: ScriptedProvider) -> EngineHarness:
    return EngineHarness(executor, provider)


@pytest.fixture
def proxy(provider: ScriptedProvider) -> Iterator[RecordingProxy]:
    """In front of the provider, whose `/v1/models` tools may fetch too."""
    with recording_proxy(provider.port) as recording:
        yield recording


async def run(harness: EngineHarness, proxy: RecordingProxy, definition: object) -> tuple[Recorder, Ledger]:
    ledger, recorder = Ledger(), Recorder()
    model = harness.model(base_url=f"http://127.0.0.1:{proxy.port}/v1")
    recorder.control.on_connection = ledger.entries.append
    spec = harness.spec(definition, models=[model], stream_tokens=True)  # type: ignore[arg-type]
    recorder.outcome = await harness.executor.execute(spec, recorder.sink, recorder.control)
    return recorder, ledger


class TestLedger:
    async def test_equals_what_the_proxy_has_seen(
        self, harness: EngineHarness, proxy: RecordingProxy
    ) -> None:
        url = f"http://127.0.0.1:{proxy.port}/v1/models"
        harness.provider.then(CallTools([("http_get", {"url": url})]), Say("done"))

        recorder, ledger = await run(harness, proxy, workflow([agent(tools=["http_get"])]))

        assert isinstance(recorder.outcome, Completed)
        models, tools = ledger.of(RunConnectionPurpose.MODEL), ledger.of(RunConnectionPurpose.TOOL)
        assert [(one.name, one.agent, one.task_key) for one in models] == [
            ("Scripted", "writer", "draft")
        ] * 2
        assert [(one.name, one.agent, one.task_key) for one in tools] == [("http_get", "writer", "draft")]
        assert len(ledger.entries) == 3
        sent, received = ledger.bytes_on(proxy.port)
        assert sent == pytest.approx(proxy.sent, rel=0.05)
        assert received == pytest.approx(proxy.received, rel=0.05)
        assert all(one.milliseconds >= 0 for one in ledger.entries)

    async def test_parallel_tasks(self, harness: EngineHarness, proxy: RecordingProxy) -> None:
        recorder, ledger = await run(harness, proxy, parallel_workflow())

        assert isinstance(recorder.outcome, Completed)
        assert sorted(str(one.task_key) for one in ledger.entries) == ["join", "left", "right"]
        assert ledger.bytes_on(proxy.port) == (proxy.sent, proxy.received)

    async def test_stopped_call_is_an_entry(self, harness: EngineHarness, proxy: RecordingProxy) -> None:
        harness.provider.then(Hang())
        ledger, recorder = Ledger(), Recorder()
        recorder.control.on_connection = ledger.entries.append
        spec = harness.spec(models=[harness.model(base_url=f"http://127.0.0.1:{proxy.port}/v1")])
        running = asyncio.ensure_future(harness.executor.execute(spec, recorder.sink, recorder.control))
        await harness.wait_for_requests(1)

        recorder.control.stop()
        await running

        (entry,) = ledger.entries
        assert entry.result is ConnectionResult.FAILED
        assert entry.sent_bytes == proxy.sent

    async def test_key_in_the_name_of_a_host_is_masked(
        self, harness: EngineHarness, proxy: RecordingProxy
    ) -> None:
        url = f"http://{SECRET_CANARY}.example.invalid/"
        harness.provider.then(CallTools([("http_get", {"url": url})]), Say("done"))
        definition = workflow([agent(tools=["http_get"])], [task()], allowed_hosts=[])

        recorder, ledger = await run(harness, proxy, definition)

        assert SECRET_CANARY not in repr(ledger.entries)
        assert SECRET_CANARY not in recorder.as_text()
