"""Build jobs: states, logs, repeated calls and failures."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from crewai_runner.db.session import Sessions
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.features.projects import jobs
from crewai_runner.features.projects.jobs import ProjectBuildDeps, ProjectBuilds
from crewai_runner.wiring.container import Container
from tests.support.projects import MAIN, zip_project

Json = dict[str, Any]


@dataclass
class ScriptedBuilder:
    """Stands for uv: logs lines, then returns an environment or fails."""

    lines: list[str] = field(default_factory=lambda: ["Resolved 3 packages", "Installed 3 packages"])
    error: Exception | None = None
    requests: list[BuildRequest] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    async def build(self, request: BuildRequest, on_log: Any) -> BuiltEnvironment:
        self.requests.append(request)
        self.texts.append((request.source_dir / "src/daily_brief/main.py").read_text())
        for line in self.lines:
            on_log(line)
        if self.error is not None:
            raise self.error
        return BuiltEnvironment("abc", request.source_dir, "3.12.1", "1.15.30", Path("/usr/bin/python3"))


@pytest.fixture
def builder() -> ScriptedBuilder:
    return ScriptedBuilder()


@pytest.fixture
def builds(container: Container, builder: ScriptedBuilder, tmp_path: Path) -> ProjectBuilds:
    sessions: Sessions = container.sessions
    return ProjectBuilds(
        ProjectBuildDeps(sessions, cast("EnvironmentBuilder", builder), tmp_path / "sources")
    )


@pytest.fixture
async def path(client: httpx.AsyncClient) -> str:
    """The path of the only version of a project."""
    response = await client.post(
        "/projects", content=zip_project(), headers={"Content-Type": "application/zip"}
    )
    return f"/projects/{response.json()['project']['id']}/versions/1"


def job_of(path: str) -> str:
    return path.removeprefix("/projects/").replace("/versions", "")


async def get_build(client: httpx.AsyncClient, path: str) -> Json:
    page: Json = (await client.get(f"{path}/build/log")).json()
    return page


class TestBuild:
    async def test_ready(
        self,
        client: httpx.AsyncClient,
        builds: ProjectBuilds,
        builder: ScriptedBuilder,
        path: str,
        tmp_path: Path,
    ) -> None:
        await builds(job_of(path), 1)

        page = await get_build(client, path)
        assert page["text"] == "Resolved 3 packages\nInstalled 3 packages\n"
        build = page["build"]
        assert (build["status"], build["lockHash"], build["error"]) == ("ready", "abc", None)
        assert build["startedAt"] <= build["finishedAt"]
        assert builder.texts == [MAIN]
        assert list((tmp_path / "sources").iterdir()) == []

    async def test_failed(
        self, client: httpx.AsyncClient, builds: ProjectBuilds, builder: ScriptedBuilder, path: str
    ) -> None:
        builder.error = EnvironmentBuildFailed(BuildFailure.NO_SOLUTION, "Loosen the pins.")

        await builds(job_of(path), 1)

        build = (await get_build(client, path))["build"]
        assert (build["status"], build["error"]) == ("failed", "Loosen the pins.")

    async def test_our_own_defect_does_not_show_itself(
        self, client: httpx.AsyncClient, builds: ProjectBuilds, builder: ScriptedBuilder, path: str
    ) -> None:
        builder.error = ValueError("/secret/path")

        await builds(job_of(path), 1)

        build = (await get_build(client, path))["build"]
        assert build["status"] == "failed"
        assert "/secret/path" not in build["error"]

    def test_log_is_bounded(self) -> None:
        buffer = jobs._LogBuffer(bytes_left=100)

        for _ in range(10):
            buffer.add("x" * 60)

        assert buffer.take() == "x" * 60 + "\n" + jobs.CUT_LOG

    async def test_again(
        self, client: httpx.AsyncClient, builds: ProjectBuilds, builder: ScriptedBuilder, path: str
    ) -> None:
        await builds(job_of(path), 1)
        await builds(job_of(path), 1)  # a job that is called again has nothing to do
        queued = await client.post(f"{path}/build")
        await builds(job_of(path), 1)  # the job of the first build is late
        before = (await get_build(client, path))["build"]
        await builds(job_of(path), 2)

        assert queued.status_code == 202
        assert (before["status"], before["number"]) == ("queued", 2)
        assert (await get_build(client, path))["build"]["status"] == "ready"
        assert len(builder.requests) == 2

    async def test_deleted_project(
        self, client: httpx.AsyncClient, builds: ProjectBuilds, builder: ScriptedBuilder, path: str
    ) -> None:
        await client.delete(path.removesuffix("/versions/1"))

        await builds(job_of(path), 1)

        assert builder.requests == []
