"""Projects that can run without building an environment: their code needs the standard library only."""

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import httpx

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.executor.project_routing import RoutingExecutor
from crewai_runner.executor.projects.build.environment_builder import EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment
from crewai_runner.executor.projects.executor import ProjectConfig, ProjectExecutor
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Folders
from tests.support.harness import RunHarness
from tests.support.projects import zip_project

CALL_MODEL = """\
import json, os, urllib.request

def ask(text):
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]
"""


class PlainEnvironments:
    """Stands for the builder and its store: every environment is a Python without packages."""

    def __init__(self, folder: Path) -> None:
        self.store = self
        python = BubblewrapSandbox().lay_out(Folders(work=folder)).python
        (folder / "venv" / "bin").mkdir(parents=True)
        (folder / "venv" / "bin" / "python").symlink_to(python)
        (folder / "venv" / "pyvenv.cfg").write_text(f"home = {Path(python).parent}\n")
        self._built = BuiltEnvironment("plain", folder / "venv", "3.12", None, Path(sys.executable).resolve())

    def find(self, _lock_hash: str) -> BuiltEnvironment:
        return self._built

    def use(self, _lock_hash: str) -> AbstractContextManager[None]:
        return nullcontext()

    def remove_unused(self, _max_age_seconds: float, _max_bytes: int) -> list[str]:
        return []


@asynccontextmanager
async def project_executor(
    harness: RunHarness, folder: Path, provider_url: str
) -> AsyncIterator[ProjectExecutor]:
    """Let the harness run projects, with the default model at a scripted provider."""
    async with harness.session() as session:
        provider = await session.get(ProviderRow, "prov_1")
        assert provider is not None
        provider.base_url = provider_url
    harness.container.model_cache.clear()
    builder = cast("EnvironmentBuilder", PlainEnvironments(folder / "environments"))
    data_dir = harness.container.settings.data_dir
    config = ProjectConfig(
        ProjectsMode.AUTO, data_dir, folder / "projects", builder, EgressPolicy(allow_private=True)
    )
    projects = ProjectExecutor(config)
    harness.executor = RoutingExecutor(harness.executor, projects)  # type: ignore[assignment]
    yield projects


async def upload_ready(
    harness: RunHarness,
    client: httpx.AsyncClient,
    files: dict[str, str],
    path: str,
    name: str | None,
    **entry_point: str,
) -> str:
    """Upload a project that is ready to run from this entry point; return its id."""
    response = await client.post(
        "/projects", content=zip_project(files), headers={"Content-Type": "application/zip"}
    )
    assert response.status_code == 201, response.text
    project_id: str = response.json()["project"]["id"]
    entry = {"kind": "script", "path": path, "name": name, **entry_point}
    changed = await client.patch(f"/projects/{project_id}", json={"entryPoint": entry})
    assert changed.status_code == 200, changed.text
    async with harness.session() as session:
        version = await session.get(ProjectVersionRow, (project_id, 1))
        assert version is not None
        version.build_state, version.lock_hash = "ready", "plain"
    return project_id


async def start(client: httpx.AsyncClient, project_id: str, **more: Any) -> str:
    """Start a run; return its id."""
    response = await client.post("/runs", json={"projectId": project_id} | more)
    assert response.status_code == 202, response.text
    return str(response.json()["runId"])
