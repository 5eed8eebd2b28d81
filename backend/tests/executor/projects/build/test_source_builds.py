"""Packages that exist only as source code: uv, the index and the sandbox are real."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.build import sandboxed_build
from crewai_runner.executor.projects.build.build_allowance import MAX_BUILDS, MAX_FAILED_BUILDS
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment, EnvironmentStore
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Folders
from crewai_runner.executor.projects.sandbox.selection import SandboxSelector
from tests.support.package_index import (
    NO_ATTACK,
    PackageIndex,
    build_wheel,
    list_source_files,
    pack_source,
)

pytestmark = pytest.mark.usefixtures("only_this_interpreter")


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[EnvironmentBuilder]:
    store = EnvironmentStore(tmp_path / "data" / "projects")
    folders = Folders(work=tmp_path)
    yield EnvironmentBuilder(
        store,
        locate_python=lambda path: BubblewrapSandbox().lay_out(folders, path).python,
        choose_sandbox=SandboxSelector(ProjectsMode.AUTO, tmp_path / "data").choose,
    )
    store.discard(store.root)


async def install(
    builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path, text: str, log: list[str] | None = None
) -> BuiltEnvironment:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "requirements.txt").write_text(text)
    lines = [] if log is None else log
    return await builder.build(BuildRequest(project, index_url=index.url), lines.append)


def add_source(index: PackageIndex, name: str, attack: str = NO_ATTACK, metadata: str = "") -> None:
    files = list_source_files(name, attack, metadata=metadata)
    index.add(name, f"{name}-1.0.tar.gz", pack_source(files, f"{name}-1.0"))


def read_report(built: BuiltEnvironment, name: str) -> dict[str, Any]:
    [file] = built.directory.glob(f"lib/python*/site-packages/{name}/report.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


class TestSourcePackage:
    async def test_is_built_once_and_brings_its_dependencies(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        add_source(index, "sourced", metadata="Requires-Dist: helper\n")
        index.add("helper", "helper-1.0-py3-none-any.whl", build_wheel("helper", {"helper/__init__.py": ""}))
        index.add("other", "other-1.0-py3-none-any.whl", build_wheel("other", {"other.py": ""}))
        log: list[str] = []

        first = await install(builder, index, tmp_path, "sourced==1.0\n", log)
        second = await install(builder, index, tmp_path, "sourced\nother\n", log)

        names = {path.name for path in second.directory.glob("lib/python*/site-packages/*")}
        assert {"sourced", "helper", "other.py"} <= names
        assert first.lock_hash != second.lock_hash
        assert len([line for line in log if line.startswith("Building sourced 1.0")]) == 1
        assert not any(builder.store.building.iterdir())

    async def test_failed_build_gives_way_to_a_version_with_a_wheel(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        files = list_source_files(
            "sourced", "def attack(folder):\n    raise SystemExit('no compiler here')\n"
        )
        index.add("sourced", "sourced-2.0.tar.gz", pack_source(files, "sourced-2.0"))
        index.add("sourced", "sourced-1.0-py3-none-any.whl", build_wheel("sourced", {}))
        log: list[str] = []

        built = await install(builder, index, tmp_path, "sourced==2.0\n", log)

        assert "sourced==1.0" in (built.directory.parent / "packages.txt").read_text()
        assert any("no compiler here" in line for line in log)

    async def test_no_other_version(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        add_source(index, "sourced", "def attack(folder):\n    raise ValueError\n")

        with pytest.raises(EnvironmentBuildFailed, match=r"sourced 1\.0 could not be built") as caught:
            await install(builder, index, tmp_path, "sourced\n")
        assert caught.value.cause is BuildFailure.SOURCE_BUILD
        assert not any(builder.store.building.iterdir())
        assert not any(builder.store.wheels.iterdir())

    async def test_cancelled_build_leaves_nothing(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        add_source(
            index, "sourced", "def attack(folder):\n    print('begun', flush=True)\n    while True: pass\n"
        )
        begun: asyncio.Event = asyncio.Event()
        project = tmp_path / "project"
        project.mkdir()
        (project / "requirements.txt").write_text("sourced\n")

        def read(line: str) -> None:
            if line == "begun":
                begun.set()

        request = BuildRequest(project, index_url=index.url)
        task = asyncio.create_task(builder.build(request, read))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(builder.store.building.iterdir())
        assert not any(builder.store.wheels.iterdir())


class TestHopelessBuilds:
    """They end soon, with the names of the packages."""

    async def test_too_many_packages_without_a_wheel_are_refused_before_any_is_built(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        names = [f"sourced{number}" for number in range(MAX_BUILDS + 1)]
        for name in names:
            add_source(index, name)
        log: list[str] = []

        with pytest.raises(
            EnvironmentBuildFailed, match=f"{len(names)} packages .* only as source"
        ) as caught:
            await install(builder, index, tmp_path, "".join(f"{name}\n" for name in names), log)

        assert caught.value.cause is BuildFailure.NO_WHEEL
        assert all(f"{name}==1.0" in caught.value.detail for name in names)
        assert not any(line.startswith("Building ") for line in log)

    async def test_no_more_than_two_versions_of_a_package_are_tried(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        for version in range(1, 7):
            files = list_source_files("sourced", "def attack(folder):\n    raise ValueError\n")
            index.add("sourced", f"sourced-{version}.0.tar.gz", pack_source(files, f"sourced-{version}.0"))
        log: list[str] = []

        with pytest.raises(EnvironmentBuildFailed, match=r"sourced 5\.0 could not be built"):
            await install(builder, index, tmp_path, "sourced\n", log)

        assert [line.split()[2] for line in log if line.startswith("Building ")] == ["6.0", "5.0"]

    async def test_no_more_than_three_versions_whose_dependencies_are_missing_are_built(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        for version in range(1, 7):
            files = list_source_files("sourced", metadata="Requires-Dist: nowhere\n")
            files = {path: _set_version(text, version) for path, text in files.items()}
            index.add("sourced", f"sourced-{version}.0.tar.gz", pack_source(files, f"sourced-{version}.0"))
        log: list[str] = []

        with pytest.raises(EnvironmentBuildFailed, match=r"only as source code .* Named by uv: sourced\."):
            await install(builder, index, tmp_path, "sourced\n", log)

        assert [line.split()[2] for line in log if line.startswith("Building ")] == ["6.0", "5.0", "4.0"]

    async def test_few_builds_may_fail(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        names = [f"sourced{number}" for number in range(MAX_FAILED_BUILDS + 3)]
        for name in names:
            files = list_source_files(name, "def attack(folder):\n    raise ValueError\n")
            index.add(name, f"{name}-2.0.tar.gz", pack_source(files, f"{name}-2.0"))
            index.add(name, f"{name}-1.0-py3-none-any.whl", build_wheel(name, {}))
        log: list[str] = []

        with pytest.raises(EnvironmentBuildFailed, match=r"Still to be built: sourced5==2\.0") as caught:
            await install(builder, index, tmp_path, "".join(f"{name}>=2\n" for name in names), log)

        assert caught.value.cause is BuildFailure.SOURCE_BUILD
        assert "those that failed: sourced0, sourced1" in caught.value.detail
        assert len([line for line in log if line.startswith("Building ")]) == MAX_FAILED_BUILDS


def _set_version(text: str, version: int) -> str:
    return text.replace("1.0", f"{version}.0").replace(f"Wheel-Version: {version}.0", "Wheel-Version: 1.0")


ATTACK = """
def attack(folder):
    import os, socket, subprocess, sys
    def attempt(function):
        try:
            return str(function())
        except Exception as error:
            return "refused: " + type(error).__name__
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", MARK], start_new_session=True)
    places = ["/", "/usr", "/environment", "/opt/runner/guest", STORE]
    return {
        "secret": attempt(lambda: open(SECRET).read()),
        "network": attempt(lambda: socket.create_connection(("127.0.0.1", PORT), 2)),
        "outside": attempt(lambda: socket.create_connection(("1.1.1.1", 443), 2)),
        "cache": attempt(lambda: os.listdir(STORE)),
        "variables": "canary" in str(os.environ) + str(open("/proc/1/environ").read()),
        "written": [place for place in places if not attempt(
            lambda: open(place + "/poison", "w").close()).startswith("refused")],
        "home": os.environ["HOME"],
    }
"""


def is_left(mark: str) -> bool:
    """Return whether a process of this machine has a text in its command line."""
    for process in Path("/proc").iterdir():
        # Other processes end meanwhile.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ProcessLookupError):
            if mark.encode() in (process / "cmdline").read_bytes():
                return True
    return False


class TestHostileBuild:
    async def test_reaches_nothing_and_leaves_nothing(
        self,
        builder: EnvironmentBuilder,
        index: PackageIndex,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "canary")
        secret = tmp_path / "data" / "secret"
        secret.parent.mkdir()
        secret.write_text("canary")
        secret.chmod(0o644)
        mark = f"left-by-{tmp_path.name}"
        values = {"SECRET": str(secret), "PORT": index.port, "STORE": str(builder.store.root), "MARK": mark}
        constants = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        add_source(index, "evil", constants + ATTACK)

        report = read_report(await install(builder, index, tmp_path, "evil\n"), "evil")

        assert {report[name].split(":")[0] for name in ("secret", "network", "outside", "cache")} == {
            "refused"
        }
        assert not report["variables"]
        assert report["written"] == []
        assert not is_left(mark)

    async def test_cannot_make_the_wheel_of_another_package(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        """Built wheels are shared by all projects."""
        add_source(index, "victim")
        files = list_source_files("victim", "def attack(folder):\n    return {'is_poisoned': True}\n")
        index.add("evil", "evil-1.0.tar.gz", pack_source(files, "evil-1.0"))

        with pytest.raises(EnvironmentBuildFailed, match="wheel of another package"):
            await install(builder, index, tmp_path, "evil\n")
        built = await install(builder, index, tmp_path, "victim\n")
        assert read_report(built, "victim") == {}

    @pytest.mark.parametrize(
        ("attack", "limits", "seconds", "cause"),
        [
            ("open('x', 'wb').write(bytes(30_000_000)); import time; time.sleep(60)", 8, 60, "too-large"),
            ("import time; time.sleep(600)", 64, 2, "timeout"),
            ("import os; os.kill(os.getpid(), 9)", 64, 60, "source-build"),
        ],
    )
    async def test_build_that_does_not_end_well(
        self,
        builder: EnvironmentBuilder,
        index: PackageIndex,
        tmp_path: Path,
        limit_builds: Callable[[int, float], None],
        attack: str,
        limits: int,
        seconds: float,
        cause: str,
    ) -> None:
        limit_builds(limits, seconds)
        add_source(index, "evil", f"def attack(folder):\n    {attack}\n")

        with pytest.raises(EnvironmentBuildFailed) as caught:
            await install(builder, index, tmp_path, "evil\n")

        assert caught.value.cause == cause
        assert not any(builder.store.building.iterdir())
        assert not any(builder.store.wheels.iterdir())

    async def test_wheel_that_is_a_link_is_not_read(
        self, builder: EnvironmentBuilder, index: PackageIndex, tmp_path: Path
    ) -> None:
        name = "evil-1.0-py3-none-any.whl"
        code = (
            "def attack(folder):\n"
            f"    os.symlink('/etc/passwd', os.path.join(folder, {name!r}))\n"
            f"    work = os.path.dirname(folder)\n"
            f"    json.dump({{'wheel': {name!r}}}, open(os.path.join(work, 'result.json'), 'w'))\n"
            "    os._exit(0)\n"
        )
        add_source(index, "evil", code)

        with pytest.raises(EnvironmentBuildFailed, match="made no wheel that can be read"):
            await install(builder, index, tmp_path, "evil\n")


@pytest.fixture
def limit_builds(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """Return a function that sets the disk limit of builds in MiB, and their time in seconds."""

    def limit(megabytes: int, seconds: float) -> None:
        original = sandboxed_build.SandboxedBuild

        def make(*arguments: Any) -> sandboxed_build.SandboxedBuild:
            limits = replace(sandboxed_build.LIMITS, work_size=megabytes * 1024**2)
            return original(*arguments, limits=limits, seconds=seconds)

        monkeypatch.setattr("crewai_runner.executor.projects.build.wheel_builder.SandboxedBuild", make)

    return limit
