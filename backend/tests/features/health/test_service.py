"""Readiness names the part that is not well."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner.executor.port import EngineState, EngineStatus
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.health import service as health_module
from crewai_runner.features.health.service import HealthDeps, HealthService
from tests.support.harness import ON_SQLITE, RunHarness


class Engine(ScriptedExecutor):
    def __init__(self, state: EngineState, message: str | None = None) -> None:
        super().__init__()
        self._status = EngineStatus(state, message=message)

    def status(self) -> EngineStatus:
        return self._status


async def failing(harness: RunHarness) -> dict[str, str]:
    """The parts that are not well, each with its words."""
    found = await HealthService(harness.container.provide(HealthDeps)).readiness()
    bad = {name: part.message for name, part in found.parts.items() if not part.ok}
    assert (found.status == "ready") == (not bad)
    return bad


async def test_a_process_whose_parts_are_well_is_ready(harness: RunHarness) -> None:
    assert await failing(harness) == {}


async def test_a_loading_engine_sends_nobody_away(harness: RunHarness) -> None:
    harness.executor = Engine(EngineState.LOADING)

    assert await failing(harness) == {}


async def test_a_failed_engine_is_named_with_its_reason(harness: RunHarness) -> None:
    harness.executor = Engine(EngineState.FAILED, "crewai is not what it was")

    assert await failing(harness) == {"engine": "crewai is not what it was"}


async def test_a_queue_that_is_not_open_is_named(harness: RunHarness) -> None:
    harness.container.queue.fail("no room")

    assert await failing(harness) == {"queue": "no room"}
    assert (await HealthService(harness.container.provide(HealthDeps)).about()).waiting_in_queue is None


@ON_SQLITE
async def test_a_database_that_is_gone_is_named(harness: RunHarness, tmp_path: Path) -> None:
    await harness.container.engine.dispose()
    for file in tmp_path.glob("crewai-runner.db*"):
        file.unlink()
    (tmp_path / "crewai-runner.db").mkdir()

    assert set(await failing(harness)) == {"database"}


@ON_SQLITE
async def test_a_database_that_hangs_is_named_before_patience_ends(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        async def __aenter__(self) -> None:
            await asyncio.Event().wait()

        async def __aexit__(self, *_: object) -> None:
            """Never entered."""

    monkeypatch.setattr(health_module, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(health_module, "read_session", lambda _sessions: Hanging())

    assert (await failing(harness))["database"].startswith("The database does not answer")


@ON_SQLITE
@pytest.mark.parametrize("trouble", ["full", "missing", "locked"])
async def test_a_data_folder_in_trouble_is_named(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "full":
        monkeypatch.setattr(health_module, "LEAST_FREE_BYTES", 2**70)
    elif trouble == "missing":
        monkeypatch.setattr(harness.container.settings, "data_dir", Path("/does/not/exist"))
    else:
        monkeypatch.setattr(health_module.os, "access", lambda *_: False)

    assert set(await failing(harness)) == {"disk"}


async def test_about_tells_the_figures_of_now(harness: RunHarness) -> None:
    await harness.create()

    with harness.container.notifier.subscribe("run_1"):
        about = await HealthService(harness.container.provide(HealthDeps)).about()

    assert (about.waiting_in_queue, about.runs_at_work, about.stream_readers) == (1, 0, 1)
    assert (about.engine.name, about.engine.native, about.role) == ("scripted", True, "all")
    assert about.database == ("sqlite" if harness.container.settings.is_embedded else "postgresql")
