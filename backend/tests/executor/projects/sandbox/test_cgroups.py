"""Control groups: what is written for both versions, and the real ones where this process may create them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox import cgroups
from crewai_runner.executor.projects.sandbox.cgroups import create_control_groups
from crewai_runner.executor.projects.sandbox.port import EndCause
from tests.executor.projects.sandbox.runner import LIMITS, ProgramRunner

IS_VERSION_1 = Path("/sys/fs/cgroup/pids/cgroup.procs").exists()


@pytest.fixture
def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups.os, "geteuid", lambda: 0)


@pytest.mark.usefixtures("as_root")
class TestCreate:
    def test_version_2_without_controllers(self, tmp_path: Path) -> None:
        (tmp_path / "cgroup.controllers").write_text("")

        groups = create_control_groups(LIMITS, tmp_path)

        assert groups.folders == ()
        assert [path.name for path in tmp_path.iterdir()] == ["cgroup.controllers"]

    def test_version_2(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
        create_folder = Path.mkdir

        def create_like_linux(folder: Path) -> None:
            create_folder(folder)
            for name in ("pids.max", "memory.max", "cpu.max"):
                (folder / name).write_text("max")

        monkeypatch.setattr(Path, "mkdir", create_like_linux)

        [folder] = create_control_groups(replace(LIMITS, memory=1000, cpu_share=0.5), tmp_path).folders

        values = {name: (folder / name).read_text() for name in ("pids.max", "memory.max", "cpu.max")}
        assert values == {"pids.max": "64x", "memory.max": "1000", "cpu.max": "50000 100000"}

    def test_without_cgroups(self, tmp_path: Path) -> None:
        assert create_control_groups(LIMITS, tmp_path).folders == ()


@pytest.mark.skipif(
    os.geteuid() != 0 or not IS_VERSION_1,
    reason="needs root and version 1 of cgroups: limits of all processes",
)
class TestLinux:
    async def test_groups_are_removed(self, confined: ProgramRunner) -> None:
        before = set(Path("/sys/fs/cgroup/pids").glob("crewai-runner-*"))

        await confined.ask("")

        assert set(Path("/sys/fs/cgroup/pids").glob("crewai-runner-*")) <= before

    async def test_memory_of_all_processes_is_bounded(self, confined: ProgramRunner) -> None:
        if not os.access("/sys/fs/cgroup/memory", os.W_OK):
            pytest.skip("the memory controller is not writable")
        program = await confined.run(
            "import os, time\n"
            "for _ in range(4):\n"
            "    if os.fork() == 0: data = b'x' * 20_000_000; time.sleep(60)\n"
            "os.wait(); os._exit(3)",
            limits=replace(LIMITS, memory=60_000_000),
        )

        assert program.exit.cause is EndCause.OUT_OF_MEMORY
