"""Building of environments: which commands of uv run, and what is shared. uv itself is replaced."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from crewai_runner.executor.projects.build.build_log import MAX_LINES, BuildLog
from crewai_runner.executor.projects.build.command_runner import BuildCommand, OnLine, SubprocessRunner
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment, EnvironmentStore
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.executor.projects.build.interpreters import (
    Interpreter,
    find_interpreters,
    rank_interpreters,
)
from crewai_runner.executor.projects.build.package_list import keep_packages
from crewai_runner.executor.projects.build.package_resolver import BROKEN_RELEASES, add_floors

RESOLVED = "crewai==0.86.0 \\\n    --hash=sha256:aa\nhelper @ https://10.0.0.1/helper.whl\n-e ./own\n"
LOCK = 'version = 1\n[[package]]\nname = "crewai"\nversion = "0.86.0"\n'
NO_WHEEL = (
    "hint: Wheels are required for `pypika` because building from source is disabled\nNo solution found"
)


@dataclass
class FakeUv:
    """Answers the commands of uv; `failures` are the outputs of the first calls of `pip compile`."""

    failures: list[str] = field(default_factory=list)
    commands: list[BuildCommand] = field(default_factory=list)
    delay: float = 0.0
    requirements: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    compiles: bool = False
    exported: str = RESOLVED

    async def run(self, command: BuildCommand, on_line: OnLine) -> int:
        self.commands.append(command)
        await asyncio.sleep(self.delay)
        arguments = command.arguments
        if "compile" in arguments or "export" in arguments:
            if "requirements.in" in arguments:
                self.requirements.append((command.folder / "requirements.in").read_text())
                self.constraints.append((command.folder / "constraints.in").read_text())
            if "compile" in arguments and self.failures:
                on_line(self.failures.pop(0))
                return 1
            text = self.exported if "export" in arguments else RESOLVED
            Path(arguments[arguments.index("--output-file") + 1]).write_text(text)
        elif "venv" in arguments:
            target = Path(arguments[-1])
            (target / "bin").mkdir(parents=True)
            (target / "bin" / "python").symlink_to(sys.executable)
            (target / "pyvenv.cfg").write_text("home = /somewhere\nrelocatable = true\n")
            (target / "bin" / "tool").touch(0o777)
            (target / "lib").mkdir()
            for name in ("one.py", "two.py"):
                (target / "lib" / name).write_text("x = 1\n")
        elif "compileall" in arguments and self.compiles:
            return await SubprocessRunner().run(command, on_line)
        return 0

    def list_options(self, name: str) -> list[tuple[str, ...]]:
        return [command.arguments for command in self.commands if name in command.arguments]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EnvironmentStore]:
    store = EnvironmentStore(tmp_path / "store")
    yield store
    store.discard(store.root)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("crewai==0.86.0\n")
    return folder


class TestBuild:
    async def test_installs_wheels_of_the_index_only(self, store: EnvironmentStore, project: Path) -> None:
        uv, log = FakeUv(), list[str]()

        built = await EnvironmentBuilder(
            store, uv, locate_python=lambda _path: "/opt/python/bin/python3"
        ).build(BuildRequest(project, newest=date(2024, 2, 3)), log.append)

        assert built.crewai_version == "0.86.0"
        assert (built.directory / "bin" / "python").readlink() == Path("/opt/python/bin/python3")
        assert "home = /opt/python/bin" in (built.directory / "pyvenv.cfg").read_text()
        [compiled] = uv.list_options("compile")
        assert "--no-build" in compiled
        assert compiled[compiled.index("--exclude-newer") + 1] == "2024-12-10"
        [synced] = uv.list_options("sync")
        assert {"--no-build", "--require-hashes"} <= set(synced)
        packages = (built.directory.parent / "packages.txt").read_text()
        assert packages == "crewai==0.86.0 \\\n    --hash=sha256:aa\n"
        assert not any((store.building).iterdir())

    async def test_files_that_requirements_include(self, store: EnvironmentStore, project: Path) -> None:
        """Only files of the project are read, whatever their names are."""
        outside = project.parent / "outside.txt"
        outside.write_text("canary\n")
        (project / "link.txt").symlink_to(outside)
        (project / "deps").mkdir()
        (project / "deps" / "base.txt").write_text("rich\n-r ../../outside.txt\n")
        lines = ["crewai==0.86.0", "-r deps/base.txt", f"-r {outside}", "-r link.txt", f"-r {'x' * 5000}"]
        (project / "requirements.txt").write_text("\n".join(lines))
        uv, log = FakeUv(), list[str]()

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), log.append)

        assert uv.requirements == ["crewai==0.86.0\nrich\nsetuptools<81\n"]
        assert "canary" not in "".join(log)
        assert any("-r link.txt" in line for line in log)

    async def test_another_user_can_read_what_a_private_server_builds(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        """The server creates files for its own user only, and the code runs as another one."""
        before = os.umask(0o077)
        try:
            built = await EnvironmentBuilder(store, FakeUv()).build(BuildRequest(project), print)
        finally:
            os.umask(before)

        modes = {path.name: path.lstat().st_mode & 0o777 for path in built.directory.rglob("*")}
        assert (modes["bin"], modes["pyvenv.cfg"], modes["tool"]) == (0o555, 0o644, 0o755)

    async def test_files_are_compiled_in_a_folder_with_a_long_path(
        self, tmp_path: Path, project: Path
    ) -> None:
        """Unix sockets, with which the compiling processes are controlled, need short paths."""
        store = EnvironmentStore(tmp_path / ("x" * 100))

        built = await EnvironmentBuilder(store, FakeUv(compiles=True)).build(BuildRequest(project), print)

        compiled = sorted(path.name for path in built.directory.rglob("*.pyc"))
        store.discard(store.root)
        assert len(compiled) == 2

    async def test_commands_have_no_setting_of_this_process(
        self, store: EnvironmentStore, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "canary")
        uv, log = FakeUv(), list[str]()

        index = "https://user:canary-password@index.example.com/simple"
        await EnvironmentBuilder(store, uv).build(BuildRequest(project, index_url=index), log.append)

        assert "canary-password" not in "".join(log)
        assert all("DATABASE_URL" not in command.environment for command in uv.commands)
        assert all("canary" not in "".join(command.arguments) for command in uv.commands)
        assert {command.environment["UV_DEFAULT_INDEX"] for command in uv.commands} == {index}

    async def test_package_without_wheel_gets_another_version(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        uv = FakeUv(failures=[NO_WHEEL])

        await EnvironmentBuilder(store, uv).build(BuildRequest(project, newest=date(2025, 1, 1)), print)

        _, second = uv.list_options("compile")
        assert "pypika=2100-01-01" in second

    async def test_version_that_the_index_lost_is_replaced_but_not_that_of_crewai(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        lost = "No solution found: because there is no version of lancedb==0.5.7 and of crewai==1.6.1 and"
        uv = FakeUv(failures=[f"{lost} there is no version of crewai==1.6.1"])

        await EnvironmentBuilder(store, uv).build(BuildRequest(project, newest=date(2025, 1, 1)), print)

        _, second = uv.list_options("compile")
        assert "lancedb=2100-01-01" in second
        assert "crewai=2100-01-01" not in second

    async def test_setuptools_is_added_unless_a_package_wants_another_one(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        (project / "requirements.txt").write_text("crewai==0.86.0\nsetuptools-scm\n")
        uv = FakeUv(failures=["No solution found: because new-package requires setuptools>=82"])

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        plain = "crewai==0.86.0\nsetuptools-scm\n"
        assert uv.requirements == [f"{plain}setuptools<81\n", plain]

    async def test_broken_releases_are_used_only_if_nothing_else_meets_the_requirements(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        uv = FakeUv(failures=["No solution found: because you require crewai-tools==0.25.5"])

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        assert uv.constraints == [f"{BROKEN_RELEASES}\n", ""]

    async def test_no_solution_ends_with_the_reason(self, store: EnvironmentStore, project: Path) -> None:
        uv, log = FakeUv(failures=["No solution found: boltons"] * 20), list[str]()

        with pytest.raises(EnvironmentBuildFailed) as caught:
            await EnvironmentBuilder(store, uv).build(BuildRequest(project), log.append)

        assert caught.value.cause is BuildFailure.NO_SOLUTION
        assert any("boltons" in line for line in log)

    async def test_lock_is_used_as_it_is(self, store: EnvironmentStore, project: Path) -> None:
        (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["crewai"]\n')
        (project / "uv.lock").write_text(LOCK)
        uv = FakeUv()

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        [exported] = uv.list_options("export")
        assert {"--frozen", "--offline", "--no-dev"} <= set(exported)
        assert len(uv.list_options("sync")) == 1

    async def test_lock_that_lacks_a_requirement_gives_the_versions_of_the_others(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        """As of a project whose requirements.txt has what its pyproject.toml does not."""
        (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = []\n')
        (project / "requirements.txt").write_text("crewai\nrich\n")
        (project / "uv.lock").write_text(LOCK)
        uv = FakeUv()

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        assert uv.list_options("export") == []
        assert uv.requirements == ["crewai>=0.70\nrich\nsetuptools<81\n"]
        assert uv.constraints == [f"crewai==0.86.0\n{BROKEN_RELEASES}\n"]

    @pytest.mark.parametrize(
        ("table", "option", "has_dev"),
        [
            ("dependency-groups", "--group=dev", True),
            ("project.optional-dependencies", "--extra=dev", False),
        ],
    )
    async def test_lock_is_read_with_the_group_that_has_crewai(
        self, store: EnvironmentStore, project: Path, table: str, option: str, has_dev: bool
    ) -> None:
        text = f'[project]\nname = "x"\ndependencies = []\n[{table}]\ndev = ["crewai"]\n'
        (project / "pyproject.toml").write_text(text)
        (project / "requirements.txt").unlink()
        (project / "uv.lock").write_text(LOCK)
        uv = FakeUv()

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        [exported] = uv.list_options("export")
        assert option in exported
        assert ("--no-dev" not in exported) == has_dev

    async def test_lock_without_hashes_gives_the_versions(
        self, store: EnvironmentStore, project: Path
    ) -> None:
        (project / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["crewai"]\n')
        (project / "uv.lock").write_text(LOCK)
        uv = FakeUv(exported="crewai==0.86.0\nrich==13.0.0\n")

        await EnvironmentBuilder(store, uv).build(BuildRequest(project), print)

        assert uv.constraints == [f"crewai==0.86.0\nrich==13.0.0\n{BROKEN_RELEASES}\n"]
        [synced] = uv.list_options("sync")
        assert "--require-hashes" in synced

    async def test_equal_packages_share_one_environment(self, store: EnvironmentStore, project: Path) -> None:
        uv = FakeUv(delay=0.01)
        builder = EnvironmentBuilder(store, uv)

        first, second = await asyncio.gather(*(builder.build(BuildRequest(project), print) for _ in range(2)))
        third = await builder.build(BuildRequest(project), print)

        assert first == second == third
        assert len(uv.list_options("sync")) == 1

    async def test_cancelled_build_leaves_nothing(self, store: EnvironmentStore, project: Path) -> None:
        task = asyncio.create_task(
            EnvironmentBuilder(store, FakeUv(delay=60)).build(BuildRequest(project), print)
        )
        while not (store.building.is_dir() and any(store.building.iterdir())):
            await asyncio.sleep(0.01)
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(store.building.iterdir())
        assert not any(store.environments.iterdir())

    async def test_no_dependencies(self, store: EnvironmentStore, tmp_path: Path) -> None:
        (tmp_path / "main.py").write_text("import json, requests\n")

        with pytest.raises(
            EnvironmentBuildFailed, match="declares no dependencies, and its code imports `requ"
        ):
            await EnvironmentBuilder(store, FakeUv()).build(BuildRequest(tmp_path), print)

    async def test_script_of_the_standard_library_needs_none(
        self, store: EnvironmentStore, tmp_path: Path
    ) -> None:
        (tmp_path / "main.py").write_text("import json\n")

        built = await EnvironmentBuilder(store, FakeUv()).build(BuildRequest(tmp_path), print)

        assert (built.directory.parent / "packages.txt").read_text() == ""

    async def test_added_requirements_are_logged(self, store: EnvironmentStore, tmp_path: Path) -> None:
        uv, log = FakeUv(), list[str]()

        await EnvironmentBuilder(store, uv).build(
            BuildRequest(tmp_path, extra_requirements=("crewai[tools]",)), log.append
        )

        assert any("does not declare it: crewai[tools]" in line for line in log)
        assert len(uv.list_options("sync")) == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.environment_store import EnvironmentStore
from tests.executor.projects.build.test_environment_builder import FakeUv

class HangingUv(FakeUv):
    async def run(self, command, on_line):
        if "sync" in command.arguments:
            (Path(command.folder) / "venv" / "half.py").touch()
            print("installing", flush=True)
            await asyncio.sleep(600)
        return await super().run(command, on_line)

store, project = Path(sys.argv[1]), Path(sys.argv[2])
asyncio.run(EnvironmentBuilder(EnvironmentStore(store), HangingUv()).build(BuildRequest(project), print))
"""


class TestKilledBuild:
    async def test_leaves_no_half_environment(self, store: EnvironmentStore, project: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", KILLED, str(store.root), str(project)),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[4],
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            while b"installing" not in await process.stdout.readline():
                assert process.returncode is None
        process.kill()
        await process.wait()
        assert not any(store.environments.iterdir())

        built = await EnvironmentBuilder(store, FakeUv()).build(BuildRequest(project), print)

        assert not (built.directory / "half.py").exists()
        assert any(store.building.iterdir())
        with store.use_cache():  # as a build does
            store.remove_unused(3600, 10**9)
            assert any(store.building.iterdir())
        store.remove_unused(3600, 10**9)
        assert not any(store.building.iterdir())
        assert store.find(built.lock_hash) == built


class TestEnvironmentStore:
    def add(self, store: EnvironmentStore, lock_hash: str) -> BuiltEnvironment:
        store.prepare()
        folder = store.create_folder()
        (folder / "venv" / "lib").mkdir(parents=True)
        (folder / "venv" / "lib" / "x.py").write_bytes(b"x" * 10_000)
        built = BuiltEnvironment(lock_hash, folder / "venv", "3.12.1", "1.0", Path(sys.executable))
        return store.add(folder, built, "x==1\n")

    def test_environment_is_read_only(self, store: EnvironmentStore) -> None:
        built = self.add(store, "a")

        assert built.size >= 10_000
        assert built.directory.stat().st_mode & 0o777 == 0o555
        assert store.find("a") == built
        assert store.find("b") is None

    def test_removes_what_is_old_and_unused(self, store: EnvironmentStore) -> None:
        self.add(store, "a")
        self.add(store, "b")

        with store.use("a"):
            assert store.remove_unused(max_age_seconds=-1, max_bytes=10**9) == ["b"]
        assert store.find("a") is not None
        assert store.remove_unused(max_age_seconds=3600, max_bytes=10) == ["a"]

    def test_cache_goes_first_and_shared_files_count_once(self, store: EnvironmentStore) -> None:
        built = self.add(store, "a")
        (file,) = built.directory.rglob("x.py")
        (store.cache / "shared.py").hardlink_to(file)
        size = store.measure()
        (store.cache / "unused.whl").write_bytes(b"x" * 50_000)

        with store.use_cache():
            assert store.remove_unused(max_age_seconds=3600, max_bytes=10**9) == []
            with store.use("a"):
                store.remove_unused(max_age_seconds=3600, max_bytes=size)
            assert (store.cache / "unused.whl").exists()
        assert store.remove_unused(max_age_seconds=3600, max_bytes=size) == []

        assert list(store.cache.iterdir()) == []
        assert store.measure() == size
        assert file.read_bytes() == b"x" * 10_000

    def test_damaged_environment_is_not_found(self, store: EnvironmentStore) -> None:
        built = self.add(store, "a")
        (built.directory.parent / "environment.json").write_text(json.dumps("x")[:1])

        assert store.find("a") is None


class TestInterpreters:
    FOUND = (
        Interpreter("3.10.13", Path("/a")),
        Interpreter("3.12.1", Path("/b")),
        Interpreter("3.13.2", Path("/c")),
    )

    @pytest.mark.parametrize(
        ("wanted", "pinned", "version"),
        [
            (None, None, "3.12.1"),
            (">=3.13", None, "3.13.2"),
            ("<=3.13,>3.12.5", None, "3.13.2"),
            (">=3.10,<3.12", "3.12", "3.10.13"),
            (None, "3.13", "3.13.2"),
            (None, "cpython-3.10.13", "3.10.13"),
            (None, "3.14", "3.13.2"),
            (None, "3.9.1", "3.10.13"),
            ("<3.13", "3.14", "3.12.1"),
            ("not a version", None, "3.12.1"),
        ],
    )
    def test_best_one_is_first(self, wanted: str | None, pinned: str | None, version: str) -> None:
        assert rank_interpreters(self.FOUND, wanted, pinned)[0].version == version

    def test_none_fits(self) -> None:
        with pytest.raises(
            EnvironmentBuildFailed, match=r"wants Python <3\.10; installed are: 3\.10\.13, 3\.12"
        ):
            rank_interpreters(self.FOUND, "<3.10", None)

    async def test_finds_the_interpreter_of_this_process(self) -> None:
        version = ".".join(map(str, sys.version_info[:3]))

        assert version in {interpreter.version for interpreter in await find_interpreters()}


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class TestSubprocessRunner:
    async def test_cancelled_command_leaves_no_process(self, tmp_path: Path) -> None:
        script = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(60)"
        started: asyncio.Queue[int] = asyncio.Queue()
        command = BuildCommand((sys.executable, "-I", "-c", script), tmp_path)
        task = asyncio.create_task(
            SubprocessRunner().run(command, lambda line: started.put_nowait(int(line)))
        )
        numbers = [await started.get(), await started.get()]
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):  # the child of a killed process ends a little later
            while any(is_running(number) for number in numbers):
                await asyncio.sleep(0.01)

    async def test_command_that_takes_too_long(self, tmp_path: Path) -> None:
        command = BuildCommand(
            (sys.executable, "-I", "-c", "import time; time.sleep(60)"), tmp_path, seconds=0.3
        )

        with pytest.raises(EnvironmentBuildFailed) as caught:
            await SubprocessRunner().run(command, print)
        assert caught.value.cause is BuildFailure.TIMEOUT


class TestLog:
    def test_is_bounded_and_masked(self) -> None:
        lines: list[str] = []
        log = BuildLog(lines.append, "https://u:pass-canary@example.com")
        log.write("\x1b[1mfetch https://u:pass-canary@example.com/x pass-canary\x1b[0m\x00")
        for _ in range(MAX_LINES + 10):
            log.write("x")

        assert lines[0] == "fetch https://***@example.com/x ***"
        assert len(lines) == MAX_LINES + 1


class TestPackages:
    def test_floor_is_added_only_without_a_version(self) -> None:
        assert add_floors(["crewai[tools]", "crewai-tools<0.5", "rich"]) == [
            "crewai[tools]>=0.70",
            "crewai-tools<0.5",
            "rich",
        ]

    def test_only_pinned_packages_are_kept(self) -> None:
        log = BuildLog(lambda _line: None, None)

        assert keep_packages("# x\n--index-url https://evil\nb==2 ; python_version > '3'\na>=1\n", log) == (
            "b==2 ; python_version > '3'\n"
        )
