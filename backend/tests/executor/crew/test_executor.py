import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, EngineState, Failed, RunControl, Stopped
from tests.executor.crew.harness import (
    EngineHarness,
    Recorder,
    hierarchical_workflow,
    parallel_workflow,
    sequential_workflow,
    stop_after,
    workflow,
)
from tests.support.scripted_provider import CallTools, Hang, ScriptedProvider

pytestmark = pytest.mark.crew


@pytest.fixture
def fallback(
    engine: CrewExecutor, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> EngineHarness:
    """A harness whose agents run in CrewAI's own executor."""
    from crewai.agents.agent_executor import AgentExecutor

    from crewai_runner.executor.crew.build.component_factory import ComponentFactory

    monkeypatch.setattr(ComponentFactory, "executor_class", AgentExecutor)
    return EngineHarness(engine, provider)


PROGRAM = """
import asyncio, gc, os, signal, sys, threading
from pathlib import Path
from crewai_runner.executor.crew.executor import CrewExecutor
before = signal.getsignal(signal.SIGTERM)
executor = CrewExecutor(Path(sys.argv[1]))
assert "crewai" not in sys.modules
async def main():
    loading = asyncio.ensure_future(executor.load())
    while not loading.done():
        await asyncio.sleep(0.01)
full_collections = gc.get_stats()[2]["collections"]
asyncio.run(main())
# A full collection stops the event loop for as long as it takes to visit the modules of CrewAI.
assert gc.get_stats()[2]["collections"] == full_collections
assert gc.get_freeze_count() > 200_000
assert executor.status().native, executor.status()
assert signal.getsignal(signal.SIGTERM) is before
assert "litellm" not in sys.modules and "lancedb" not in sys.modules
assert "LEFT_BY_DOTENV" not in os.environ
otel = [thread.name for thread in threading.enumerate() if "Otel" in thread.name]
print(os.environ["CREWAI_STORAGE_DIR"], os.environ["CREWAI_DISABLE_TELEMETRY"], otel)
"""


class TestLoad:
    def test_status_of_a_loaded_engine(self, engine: CrewExecutor) -> None:
        status = engine.status()

        assert (status.state, status.name, status.version) == (EngineState.READY, "crewai", "1.15.30")
        assert status.native
        assert status.message is None

    @pytest.mark.parametrize(
        "attribute", ["_route_finish_with_todos", "_create_initial_state", "call_llm_and_parse"]
    )
    async def test_missing_member_falls_back_to_crewais_executor(
        self, attribute: str, tmp_path: Path, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crewai_runner.executor.crew.compat import executor_check

        members = {name: None for name in executor_check.REQUIRED_MEMBERS if name != attribute}
        monkeypatch.setattr(executor_check, "AgentExecutor", type("Changed", (), members))
        executor = CrewExecutor(tmp_path)

        await executor.load()

        assert executor.status().state is EngineState.READY
        assert not executor.status().native
        assert attribute in str(executor.status().message)
        recorder = await EngineHarness(executor, provider).run(sequential_workflow())
        assert isinstance(recorder.outcome, Completed)
        assert len(provider.requests) == 2

    async def test_failed_self_test_falls_back_to_crewais_executor(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crewai.agents.agent_executor import AgentExecutor

        from crewai_runner.executor.crew import self_test

        monkeypatch.setattr(self_test, "AsyncAgentExecutor", AgentExecutor)
        executor = CrewExecutor(tmp_path)

        await executor.load()

        assert not executor.status().native
        assert "not made as a coroutine" in str(executor.status().message)

    async def test_failed_import_fails_runs_with_its_cause(
        self, tmp_path: Path, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crewai_runner.executor.crew.compat import environment

        def fail_import(_storage: Path) -> None:
            raise ImportError("no module named crewai")

        monkeypatch.setattr(environment, "import_engine", fail_import)
        executor = CrewExecutor(tmp_path)

        await executor.load()
        outcome = await executor.execute(
            EngineHarness(executor, provider).spec(workflow()), Recorder().sink, RunControl()
        )

        assert executor.status().state is EngineState.FAILED
        assert isinstance(outcome, Failed)
        assert outcome.failure.code == "engine-unavailable"
        assert "no module named crewai" in outcome.failure.message

    def test_changes_no_signal_handlers_and_uses_the_data_folder(self, tmp_path: Path) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("CREWAI", "OTEL"))
        }
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

        assert process.returncode == 0, process.stderr
        assert process.stdout.split() == [str(tmp_path), "true", "[]"]
        assert process.stderr == ""


class TestExecute:
    async def test_waits_until_the_engine_is_loaded(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        executor = CrewExecutor(tmp_path)
        recorder, run = EngineHarness(executor, provider).start(EngineHarness(executor, provider).spec())
        await asyncio.sleep(0)
        assert executor.status().state is EngineState.LOADING

        await executor.load()

        assert isinstance(await run, Completed)
        assert recorder.types[-1] == "task.completed"

    async def test_stop_while_the_engine_loads(self, tmp_path: Path, provider: ScriptedProvider) -> None:
        executor = CrewExecutor(tmp_path)
        recorder, run = EngineHarness(executor, provider).start(EngineHarness(executor, provider).spec())
        await asyncio.sleep(0)

        recorder.control.stop()

        assert await asyncio.wait_for(run, 20) == Stopped()


class TestCrewAIsExecutor:
    """Runs with CrewAI's own agent executor."""

    async def test_delegation_and_parallel_tasks(self, fallback: EngineHarness) -> None:
        request = {"task": "Write", "context": "c", "coworker": "writer role"}
        fallback.provider.on(
            CallTools([("delegate_work_to_coworker", request)]), contains="Do draft", times=1
        )

        hierarchical = await fallback.run(hierarchical_workflow())
        parallel = await fallback.run(parallel_workflow())

        assert isinstance(hierarchical.outcome, Completed)
        assert hierarchical.one("delegation.completed").data.to == "writer"
        assert [e.data.call for e in hierarchical.all("llm.started")] == [1, 2, 3]
        assert isinstance(parallel.outcome, Completed)
        assert sorted(e.data.call for e in parallel.all("llm.started")) == [1, 2, 3]

    async def test_stop_closes_the_model_call(self, fallback: EngineHarness) -> None:
        fallback.provider.on(Hang())
        recorder, run = fallback.start(fallback.spec(sequential_workflow()))

        await stop_after(fallback, recorder, run, 1)

        await fallback.wait_for_disconnects(1)
        assert recorder.outcome == Stopped(llm_calls_in_flight=1)
