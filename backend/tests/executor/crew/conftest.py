import asyncio
from collections.abc import Iterator

import pytest

from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import EngineState
from tests.executor.crew.harness import EngineHarness
from tests.support.scripted_provider import ScriptedProvider


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> CrewExecutor:
    executor = CrewExecutor(tmp_path_factory.mktemp("engine"))
    asyncio.run(executor.load())
    assert executor.status().state is EngineState.READY, executor.status().message
    assert executor.status().native, executor.status().message
    return executor


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture
def harness(engine: CrewExecutor, provider: ScriptedProvider) -> EngineHarness:
    return EngineHarness(engine, provider)
