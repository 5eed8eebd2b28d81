import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed, EngineState, Failed, RunControl, Stopped
from tests.executor.crew.kit import Heard, Stage, chain, crowd, hierarchy, stop_after, workflow
from tests.support.scripted_provider import CallTools, Hang, Hold, Say, ScriptedProvider

pytestmark = pytest.mark.crew


def test_the_loaded_engine_says_what_it_is(engine: CrewExecutor) -> None:
    status = engine.status()

    assert (status.state, status.name, status.version) == (EngineState.READY, "crewai", "1.15.30")
    assert status.native
    assert status.message is None


@pytest.mark.parametrize(
    "attribute", ["_route_finish_with_todos", "_create_initial_state", "call_llm_and_parse"]
)
async def test_an_engine_that_changed_falls_back_to_its_own_executor(
    attribute: str, tmp_path: Path, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crewai_runner.executor.crew.compat import executor_check

    members = {name: None for name in executor_check.REQUIRED_MEMBERS if name != attribute}
    monkeypatch.setattr(executor_check, "AgentExecutor", type("Changed", (), members))
    executor = CrewExecutor(tmp_path)

    await executor.load()

    assert executor.status().state is EngineState.READY
    assert not executor.status().native
    assert attribute in str(executor.status().message)
    heard = await Stage(executor, provider).play(chain())
    assert isinstance(heard.outcome, Completed)
    assert len(provider.requests) == 2


async def test_a_call_that_is_not_made_natively_falls_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crewai.agents.agent_executor import AgentExecutor

    from crewai_runner.executor.crew import self_test

    monkeypatch.setattr(self_test, "AsyncAgentExecutor", AgentExecutor)
    executor = CrewExecutor(tmp_path)

    await executor.load()

    assert not executor.status().native
    assert "not made as a coroutine" in str(executor.status().message)


@pytest.fixture
def stock(engine: CrewExecutor, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage with the engine's own executor."""
    from crewai.agents.agent_executor import AgentExecutor

    from crewai_runner.executor.crew.build.component_factory import ComponentFactory

    monkeypatch.setattr(ComponentFactory, "executor_class", AgentExecutor)
    return Stage(engine, provider)


async def test_the_stock_executor_does_the_same_work(stock: Stage) -> None:
    order = {"task": "Write", "context": "c", "coworker": "writer role"}
    stock.provider.on(CallTools([("delegate_work_to_coworker", order)]), contains="Do draft", times=1)

    delegated = await stock.play(hierarchy())
    together = await stock.play(crowd())

    assert isinstance(delegated.outcome, Completed)
    assert delegated.one("delegation.completed").data.to == "writer"
    assert [e.data.call for e in delegated.of("llm.started")] == [1, 2, 3]
    assert isinstance(together.outcome, Completed)
    assert sorted(e.data.call for e in together.of("llm.started")) == [1, 2, 3]


async def test_a_stop_reaches_the_provider_under_the_stock_executor_too(stock: Stage) -> None:
    stock.provider.on(Hang())
    heard, run = stock.begin(stock.spec(chain()))

    seconds = await stop_after(stock, heard, run, 1)

    await stock.disconnects(1)
    assert seconds < 1
    assert heard.outcome == Stopped(llm_calls_in_flight=1)


async def test_runs_wait_for_a_free_place_and_a_stop_ends_the_wait(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    narrow = CrewExecutor(tmp_path, max_runs=1)
    await narrow.load()
    stage = Stage(narrow, provider)
    provider.on(Hold("gate", Say("ok")))
    _first, running = stage.begin(stage.spec())
    await stage.requests(1)
    second, waiting = stage.begin(stage.spec())
    _third, patient = stage.begin(stage.spec())
    await asyncio.sleep(0)

    second.control.stop()

    assert await waiting == Stopped()
    assert len(provider.requests) == 1
    provider.release("gate")
    assert isinstance(await running, Completed)
    assert isinstance(await patient, Completed)
    assert provider.max_in_flight == 1


async def test_a_run_waits_for_the_engine_to_be_loaded(tmp_path: Path, provider: ScriptedProvider) -> None:
    executor = CrewExecutor(tmp_path)
    heard, run = Stage(executor, provider).begin(Stage(executor, provider).spec())
    await asyncio.sleep(0)
    assert executor.status().state is EngineState.LOADING

    await executor.load()

    assert isinstance(await run, Completed)
    assert heard.types[-1] == "task.completed"


async def test_a_stop_while_the_engine_loads_ends_the_run(tmp_path: Path, provider: ScriptedProvider) -> None:
    executor = CrewExecutor(tmp_path)
    heard, run = Stage(executor, provider).begin(Stage(executor, provider).spec())
    await asyncio.sleep(0)

    heard.control.stop()

    assert await asyncio.wait_for(run, 5) == Stopped()


async def test_an_engine_that_cannot_be_loaded_fails_runs_with_the_cause(
    tmp_path: Path, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crewai_runner.executor.crew.compat import environment

    def broken(_storage: Path) -> None:
        raise ImportError("no module named crewai")

    monkeypatch.setattr(environment, "import_engine", broken)
    executor = CrewExecutor(tmp_path)

    await executor.load()
    outcome = await executor.execute(Stage(executor, provider).spec(workflow()), Heard().sink, RunControl())

    assert executor.status().state is EngineState.FAILED
    assert isinstance(outcome, Failed)
    assert outcome.failure.code == "engine-unavailable"
    assert "no module named crewai" in outcome.failure.message


PROBE = """
import asyncio, os, signal, sys, threading
from pathlib import Path
from crewai_runner.executor.crew.executor import CrewExecutor
before = signal.getsignal(signal.SIGTERM)
executor = CrewExecutor(Path(sys.argv[1]))
assert "crewai" not in sys.modules
longest = 0.0
async def main():
    loading = asyncio.ensure_future(executor.load())
    while not loading.done():
        await asyncio.sleep(0.01)
asyncio.run(main())
assert executor.status().native, executor.status()
assert signal.getsignal(signal.SIGTERM) is before
assert "litellm" not in sys.modules and "lancedb" not in sys.modules
assert "LEFT_BY_DOTENV" not in os.environ
otel = [thread.name for thread in threading.enumerate() if "Otel" in thread.name]
print(os.environ["CREWAI_STORAGE_DIR"], os.environ["CREWAI_DISABLE_TELEMETRY"], otel)
"""


def test_loading_leaves_signals_alone_and_stores_where_it_is_told(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CREWAI", "OTEL"))}
    probe = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, str(tmp_path)],
        env=clean,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert probe.returncode == 0, probe.stderr
    assert probe.stdout.split() == [str(tmp_path), "true", "[]"]
    assert probe.stderr == ""
