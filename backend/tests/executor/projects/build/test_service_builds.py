"""Packages that exist only as source code, where the sandbox service is the sandbox."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.build.environment_builder import EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import EnvironmentStore
from crewai_runner.executor.projects.build.failures import EnvironmentBuildFailed
from crewai_runner.executor.projects.sandbox.selection import SandboxChoice, SandboxSelector
from crewai_runner.executor.projects.sandbox.self_test import SandboxProbe
from crewai_runner.executor.projects.sandbox.service import SandboxService
from tests.executor.projects.build.test_source_builds import add_source, install, read_report
from tests.support.package_index import PackageIndex
from tests.support.sandbox_container import SandboxContainer

pytestmark = pytest.mark.usefixtures("only_this_interpreter")


class TestSandboxService:
    async def test_source_is_built_there(self, index: PackageIndex, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("the sandbox service runs commands as other users: that needs root")
        if not all(folder.stat().st_mode & 0o001 for folder in Path(sys.base_prefix).resolve().parents):
            pytest.skip(f"other users cannot enter a folder above {sys.base_prefix}")
        code = "def attack(folder):\n    return {'user': os.getuid(), 'folder': os.getcwd()}\n"
        add_source(index, "sourced", code)
        with tempfile.TemporaryDirectory() as folder, SandboxContainer() as container:
            Path(folder).chmod(0o755)  # the commands of the service read environments as other users
            sandbox = SandboxService(container.places)

            async def choose() -> SandboxChoice:
                return SandboxChoice(sandbox, SandboxProbe(True, "holds"))

            store = EnvironmentStore(Path(folder) / "projects")
            built = await install(
                EnvironmentBuilder(store, choose_sandbox=choose), index, tmp_path, "sourced==1.0\n"
            )
            report = read_report(built, "sourced")
            store.discard(store.root)

        assert report["user"] != 0
        assert report["folder"].startswith(str(container.places.runs))

    async def test_nothing_is_built_without_the_service(self, index: PackageIndex, tmp_path: Path) -> None:
        add_source(index, "sourced")
        store = EnvironmentStore(tmp_path / "data" / "projects")
        selector = SandboxSelector(ProjectsMode.AUTO, tmp_path / "data", tmp_path / "missing.sock")
        builder = EnvironmentBuilder(store, choose_sandbox=selector.choose)

        with pytest.raises(
            EnvironmentBuildFailed, match="no sandbox holds: The sandbox service does not answer"
        ):
            await install(builder, index, tmp_path, "sourced==1.0\n")
        assert not any(store.wheels.iterdir())
