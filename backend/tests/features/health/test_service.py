"""Readiness reports every unhealthy part with its reason."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner.executor.port import EngineState, EngineStatus
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.health import service as health_module
from crewai_runner.features.health.service import HealthDeps, HealthService
from tests.support.harness import ON_SQLITE, RunHarness

pytestmark = pytest.mark.each_database


class EngineWithStatus(ScriptedExecutor):
    def __init__(self, state: EngineState, message: str | None = None) -> None:
        super().__init__()
        self._status = EngineStatus(state, message=message)

    def status(self) -> EngineStatus:
        return self._status


async def unhealthy_parts(harness: RunHarness) -> dict[str, str]:
    """The message of every unhealthy part, by its name."""
    readiness = await HealthService(harness.container.provide(HealthDeps)).readiness()
    unhealthy = {name: part.message for name, part in readiness.parts.items() if not part.ok}
    assert (readiness.status == "ready") == (not unhealthy)
    return unhealthy


class TestReadiness:
    async def test_healthy_process_is_ready(self, harness: RunHarness) -> None:
        assert await unhealthy_parts(harness) == {}

    async def test_loading_engine_is_ready(self, harness: RunHarness) -> None:
        harness.executor = EngineWithStatus(EngineState.LOADING)

        assert await unhealthy_parts(harness) == {}

    async def test_failed_engine_is_reported_with_its_reason(self, harness: RunHarness) -> None:
        harness.executor = EngineWithStatus(EngineState.FAILED, "unsupported crewai version")

        assert await unhealthy_parts(harness) == {"engine": "unsupported crewai version"}

    async def test_failed_queue_is_reported_with_its_reason(self, harness: RunHarness) -> None:
        harness.container.queue.fail("no space left")

        assert await unhealthy_parts(harness) == {"queue": "no space left"}
        assert (await HealthService(harness.container.provide(HealthDeps)).about()).waiting_in_queue is None

    @ON_SQLITE
    async def test_missing_database_is_reported(self, harness: RunHarness, tmp_path: Path) -> None:
        await harness.container.engine.dispose()
        for file in tmp_path.glob("crewai-runner.db*"):
            file.unlink()
        (tmp_path / "crewai-runner.db").mkdir()

        assert set(await unhealthy_parts(harness)) == {"database"}

    @ON_SQLITE
    async def test_hanging_database_is_reported_within_the_timeout(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Hanging:
            async def __aenter__(self) -> None:
                await asyncio.Event().wait()

            async def __aexit__(self, *_: object) -> None:
                """Never entered."""

        monkeypatch.setattr(health_module, "TIMEOUT_SECONDS", 0.0)
        monkeypatch.setattr(health_module, "read_session", lambda _sessions: Hanging())

        assert (await unhealthy_parts(harness))["database"].startswith("The database does not answer")

    @ON_SQLITE
    @pytest.mark.parametrize("problem", ["full", "missing", "locked"])
    async def test_unusable_data_folder_is_reported(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch, problem: str
    ) -> None:
        if problem == "full":
            monkeypatch.setattr(health_module, "LEAST_FREE_BYTES", 2**70)
        elif problem == "missing":
            monkeypatch.setattr(harness.container.settings, "data_dir", Path("/does/not/exist"))
        else:
            monkeypatch.setattr(health_module.os, "access", lambda *_: False)

        assert set(await unhealthy_parts(harness)) == {"disk"}


class TestAbout:
    async def test_reports_current_figures(self, harness: RunHarness) -> None:
        await harness.create()

        with harness.container.feeds.join("run_1", 10.0):
            about = await HealthService(harness.container.provide(HealthDeps)).about()

        assert (about.waiting_in_queue, about.runs_at_work, about.stream_readers) == (1, 0, 1)
        assert (about.engine.name, about.engine.native, about.role) == ("scripted", True, "all")
        assert about.database == ("sqlite" if harness.container.settings.is_embedded else "postgresql")

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("state", "hint"),
        [
            pytest.param("off", "PROJECTS=auto", marks=pytest.mark.harness(projects="off")),
            pytest.param("unsandboxed", "PROJECTS=auto", marks=pytest.mark.harness(projects="unsandboxed")),
            pytest.param("unavailable", "install", marks=pytest.mark.harness(projects="auto")),
            pytest.param("remote", "", marks=pytest.mark.harness(projects="auto", role="api")),
        ],
    )
    async def test_says_whether_projects_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch, state: str, hint: str
    ) -> None:
        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.bubblewrap.SEARCH_PATH", "/nonexistent")

        projects = (await HealthService(harness.container.provide(HealthDeps)).about()).projects

        assert projects.state == state
        assert hint in projects.hint

    @ON_SQLITE
    @pytest.mark.harness(projects="auto")
    async def test_projects_run_in_the_sandbox(self, harness: RunHarness) -> None:
        projects = (await HealthService(harness.container.provide(HealthDeps)).about()).projects

        assert (projects.state, projects.hint) == ("sandboxed", "")
