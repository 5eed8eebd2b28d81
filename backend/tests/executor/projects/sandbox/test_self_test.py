"""The escape self-test, and the choice that depends on it."""

from pathlib import Path

import pytest

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.sandbox import bwrap_arguments, selection
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.namespace_settings import describe_refusing_settings
from crewai_runner.executor.projects.sandbox.port import EscapeTargets, SandboxFailed
from crewai_runner.executor.projects.sandbox.selection import choose_sandbox
from crewai_runner.executor.projects.sandbox.self_test import probe_sandbox
from crewai_runner.executor.projects.sandbox.service import SandboxService
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess
from tests.support.sandbox_container import SandboxContainer


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "secret-key").write_text("secret")
    return folder


class TestProbe:
    async def test_bubblewrap_holds(self, data_dir: Path) -> None:
        probe = await probe_sandbox(BubblewrapSandbox(), data_dir)

        assert (probe.is_holding, probe.hint) == (True, "")

    async def test_the_service_holds(self, container: SandboxContainer, data_dir: Path) -> None:
        probe = await probe_sandbox(SandboxService(container.places), data_dir)

        assert probe.message == "the sandbox service holds: the self-test could not escape"
        assert probe.is_holding

    async def test_finds_that_the_service_does_not_confine(
        self, container: SandboxContainer, data_dir: Path
    ) -> None:
        class OpenService(SandboxService):
            """Asks for what it may not give."""

            @property
            def escape_targets(self) -> EscapeTargets:
                return EscapeTargets(files=("/etc/passwd",), written=("/dev/shm",))

        probe = await probe_sandbox(OpenService(container.places), data_dir)

        assert not probe.is_holding
        assert "reads files of the server (/etc/passwd)" in probe.message
        assert "writes outside its folder (/dev/shm)" in probe.message

    async def test_a_service_that_is_not_there(self, tmp_path: Path, data_dir: Path) -> None:
        choice = await choose_sandbox(ProjectsMode.AUTO, data_dir, tmp_path / "missing.sock")

        assert choice.sandbox is None
        assert "does not answer" in choice.probe.message
        assert "docker compose up --wait sandbox" in choice.probe.hint

    async def test_finds_that_nothing_is_confined(self, data_dir: Path) -> None:
        probe = await probe_sandbox(UnsandboxedProcess(), data_dir)

        assert not probe.is_holding
        for found in ("secret-key", "of the server", "pytest", "NoNewPrivs is off"):
            assert found in probe.message

    @pytest.mark.parametrize(
        ("option", "weaker", "found"),
        [
            ("--unshare-all", ("--unshare-all", "--share-net"), "reaches the network"),
            ("--disable-userns", (), "a user namespace"),
        ],
    )
    async def test_finds_a_missing_option(
        self,
        data_dir: Path,
        monkeypatch: pytest.MonkeyPatch,
        option: str,
        weaker: tuple[str, ...],
        found: str,
    ) -> None:
        options = bwrap_arguments._NAMESPACES
        place = options.index(option)
        monkeypatch.setattr(
            bwrap_arguments, "_NAMESPACES", (*options[:place], *weaker, *options[place + 1 :])
        )

        probe = await probe_sandbox(BubblewrapSandbox(), data_dir)

        assert not probe.is_holding
        assert found in probe.message

    async def test_refused_namespaces(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fail(*_: object) -> None:
            raise SandboxFailed("bwrap: setting up uid map: Permission denied")

        monkeypatch.setattr(BubblewrapSandbox, "start", fail)

        probe = await probe_sandbox(BubblewrapSandbox(), data_dir)

        assert not probe.is_holding
        assert "namespaces" in probe.hint
        assert "sysctl" in probe.hint

    def test_hint_names_the_settings_that_refuse(self, tmp_path: Path) -> None:
        assert describe_refusing_settings(tmp_path) is None
        for name, value in (("user/max_user_namespaces", "0"), ("kernel/unprivileged_userns_clone", "1")):
            file = tmp_path / name
            file.parent.mkdir()
            file.write_text(f"{value}\n")

        assert "sysctl -w user.max_user_namespaces=15000`" in (describe_refusing_settings(tmp_path) or "")


class TestChoice:
    async def test_auto_chooses_a_sandbox_that_holds(self, data_dir: Path) -> None:
        choice = await choose_sandbox(ProjectsMode.AUTO, data_dir)

        assert choice.sandbox is not None
        assert choice.sandbox.is_confined

    async def test_auto_fails_closed(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(selection, "BubblewrapSandbox", UnsandboxedProcess)

        choice = await choose_sandbox(ProjectsMode.AUTO, data_dir)

        assert choice.sandbox is None

    async def test_missing_bubblewrap(self, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.bubblewrap.SEARCH_PATH", "/nonexistent")

        choice = await choose_sandbox(ProjectsMode.AUTO, data_dir)

        assert choice.sandbox is None
        assert "apt-get install bubblewrap" in choice.probe.hint

    async def test_off(self, data_dir: Path) -> None:
        assert (await choose_sandbox(ProjectsMode.OFF, data_dir)).sandbox is None

    async def test_unsandboxed_is_explicit(self, data_dir: Path) -> None:
        choice = await choose_sandbox(ProjectsMode.UNSANDBOXED, data_dir)

        assert choice.sandbox is not None
        assert not choice.sandbox.is_confined
        assert "without a sandbox" in choice.probe.message
